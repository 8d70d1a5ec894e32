"""Gal & Ghahramani 2016: in evaluation, the LSTM."""

from references.lstm import reference

__all__ = ["reference"]
