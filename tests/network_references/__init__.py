"""Whole networks in float64 NumPy, each a literal transcription of its authors' code, with their names of weights."""
