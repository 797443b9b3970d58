"""Faults: real processes are killed, frozen, cut off and starved, and nothing that was acknowledged may suffer."""
