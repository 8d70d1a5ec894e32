"""Merity et al. 2018: in evaluation, the LSTM."""

from references.lstm import reference

__all__ = ["reference"]
