"""One thin class for each outside service."""
