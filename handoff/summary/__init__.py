"""The context summary: facts with their evidence, and what a person must know before the first word."""
