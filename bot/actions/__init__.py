"""Custom actions of the assistant: one file per skill."""
