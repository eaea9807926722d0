"""Frozen records and words that every layer shares. Standard library and NumPy only."""
