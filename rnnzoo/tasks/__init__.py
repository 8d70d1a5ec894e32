"""Tasks to train on. Each is a `rnnzoo.tasks.base.Task`; the table is in the README."""

from rnnzoo.tasks.base import Batch, Task
from rnnzoo.tasks.binary_addition import BinaryAddition
from rnnzoo.tasks.digits import Digits

__all__ = ["Batch", "BinaryAddition", "Digits", "Task"]
