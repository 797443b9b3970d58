"""`make run`: checks the machine, trains, migrates, and keeps the processes of `Procfile` running together."""
