"""Benchmarks: each measures one thing, compares with its peer in the same run and prints a table. None is a test."""
