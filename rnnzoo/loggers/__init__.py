"""Where the numbers of a run go besides its folder. ``rnnzoo.train(config, log="tensorboard")`` takes one by its name,
or one with fields of its own: ``log=loggers.WandB(project="mine")``."""

from rnnzoo.loggers.base import Log, LoggedRun, Logger, Row
from rnnzoo.loggers.csv_table import CSV
from rnnzoo.loggers.event_files import TensorBoard
from rnnzoo.loggers.trackio_runs import Trackio
from rnnzoo.loggers.weights_and_biases import WandB

__all__ = ["CSV", "Log", "LoggedRun", "Logger", "Row", "TensorBoard", "Trackio", "WandB"]
