"""Doors for existing set-ups: Rasa's REST channel and Rasa's own Socket.IO channel, with people behind the bot."""
