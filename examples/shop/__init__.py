"""The back office of a small shop: orders, parcels, devices, firmware, bug reports and policies behind an API."""
