"""Canned replies (话术): sentences that agents reach by typing `/`."""
