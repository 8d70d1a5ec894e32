"""Forecasting of Lorenz' system (Lorenz 1963), of which only x is seen."""

from typing import Annotated

import numpy as np

from rnnzoo.spec import Range, Size, spec
from rnnzoo.tasks.series.chaos import lorenz
from rnnzoo.tasks.series.forecast import Forecast, Table


@spec
class Lorenz(Forecast):
    """Predict x of Lorenz' system `horizon` steps ahead, from x alone: x (T, B, 1), y (T, B, 1).

    dx/dt = 10 (y - x), dy/dt = x (28 - z) - y, dz/dt = x y - 8/3 z, one row for each `dt`. See `Forecast` for parts,
    windows, scores and baselines."""

    horizon: Size = 15
    """How many rows ahead."""
    window: Size = 128
    """Rows in a window."""
    rows: Annotated[int, Range(low=100, high=10**7)] = 10_000
    """Rows of the series, after 1,000 that are left out."""
    dt: Annotated[float, Range(low=0.001, high=0.05)] = 0.02
    """Time from one row to the next."""

    def table(self, rows: float) -> Table:
        x = lorenz(self.rows, self.dt)
        return Table("the series", x, x, np.ones(len(x), bool))


__all__ = ["Lorenz"]
