"""Stock Rasa on our data: the peer of `benchmarks.bot_turn` and `benchmarks.long_talk`."""
