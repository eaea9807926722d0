"""Data sets for other programs: images without metadata, annotations in their formats."""
