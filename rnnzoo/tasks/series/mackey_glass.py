"""Forecasting of the Mackey-Glass series (Mackey & Glass 1977), of delay 17."""

from typing import Annotated

import numpy as np

from rnnzoo.spec import Range, Size, spec
from rnnzoo.tasks.series.chaos import mackey_glass
from rnnzoo.tasks.series.forecast import Forecast, Table


@spec
class MackeyGlass(Forecast):
    """Predict the Mackey-Glass series `horizon` steps ahead: x (T, B, 1), y (T, B, 1).

    dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t), chaotic from tau = 17 on, one row for each unit of time.
    One step ahead, a linear autoregression is nearly exact; fifteen steps ahead it is not. See `Forecast` for parts,
    windows, scores and baselines."""

    horizon: Size = 15
    """How many rows ahead."""
    window: Size = 128
    """Rows in a window."""
    rows: Annotated[int, Range(low=100, high=10**7)] = 10_000
    """Rows of the series, after 1,000 that are left out."""
    tau: Annotated[int, Range(low=1, high=1000)] = 17
    """The delay."""

    def table(self, rows: float) -> Table:
        x = mackey_glass(self.rows, self.tau)
        return Table("the series", x, x, np.ones(len(x), bool))


__all__ = ["MackeyGlass"]
