"""The client of the bot's door, and the turns: what goes to the bot together, and what becomes of its answer."""
