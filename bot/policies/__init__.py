"""Policies of our own: when a person should take over."""
