"""Cells around a cell, for any cell. Each is a `rnnzoo.wrappers.base.Wrapper`, and a cell like any other."""

from rnnzoo.wrappers.base import Wrapper

__all__ = ["Wrapper"]
