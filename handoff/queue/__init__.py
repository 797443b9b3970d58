"""The waiting line: handoffs with their reasons, rank, wait estimate, opening hours and claims."""
