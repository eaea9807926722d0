"""Experts' marks: readers of other tools' formats, and sizes of classes."""
