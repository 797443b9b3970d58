"""Classifiers that `benchmarks.understanding` compares; each runs in the bot's environment, in a process of its own."""
