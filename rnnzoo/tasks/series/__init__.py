"""Forecasts: the next value of a series, or the next frame."""
