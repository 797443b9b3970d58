"""Checks of the designers' data before it is trained: each finding says where it stands and what to do."""
