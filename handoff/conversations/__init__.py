"""Conversations, their messages, and ownership: the only code that changes who speaks."""
