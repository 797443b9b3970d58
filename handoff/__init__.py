"""Jieli's desk: conversations, the queue for people, agents' accounts, and the pages they work with."""
