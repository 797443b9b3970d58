"""`python -m bot`: serves the trained model behind the desk's door."""

from bot.server.command import main

main()
