"""Recordings, and the class of each."""
