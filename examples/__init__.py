"""Example programs that the desk talks to."""
