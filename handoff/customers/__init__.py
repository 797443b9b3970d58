"""Customers: who writes to us, anonymous or vouched for by the company's site."""
