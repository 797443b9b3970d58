"""Telling everybody at once: the hub within the desk, and the Socket.IO name spaces that stand on it."""
