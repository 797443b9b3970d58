"""Who reads emotions in `bench emotion`: ours and its peer, each run in the bot's environment with JSON in and out."""
