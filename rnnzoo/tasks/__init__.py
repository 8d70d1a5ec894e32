"""Tasks to train on. Each is a `rnnzoo.tasks.base.Task`; the table is in the README."""

from rnnzoo.tasks.base import Batch, Task

__all__ = ["Batch", "Task"]
