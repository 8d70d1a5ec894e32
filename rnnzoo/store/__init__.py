"""Trained models as folders, and arrays and scores from outside, checked."""
