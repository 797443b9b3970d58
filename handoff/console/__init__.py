"""The pages that agents, supervisors and designers use (NiceGUI)."""
