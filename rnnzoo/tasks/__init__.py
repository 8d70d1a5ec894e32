"""Tasks to train on. Each is a `rnnzoo.tasks.base.Task`; the table is in docs/members.md."""

from rnnzoo.tasks.adding import Adding
from rnnzoo.tasks.array_classify import ArrayClassify
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.binary_addition import BinaryAddition
from rnnzoo.tasks.char_lm import CharLM
from rnnzoo.tasks.copy_memory import CopyMemory
from rnnzoo.tasks.csv_classify import CSVClassify
from rnnzoo.tasks.csv_forecast import CSVForecast
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.delayed_recall import DelayedRecall
from rnnzoo.tasks.digits import Digits
from rnnzoo.tasks.enwik8 import Enwik8
from rnnzoo.tasks.lorenz import Lorenz
from rnnzoo.tasks.mackey_glass import MackeyGlass
from rnnzoo.tasks.parity import Parity
from rnnzoo.tasks.shakespeare import Shakespeare
from rnnzoo.tasks.text_folder import TextFolder

__all__ = [
    "Adding",
    "ArrayClassify",
    "Batch",
    "BinaryAddition",
    "CSVClassify",
    "CSVForecast",
    "CharLM",
    "CopyMemory",
    "Data",
    "DelayedRecall",
    "Digits",
    "Enwik8",
    "Lorenz",
    "MackeyGlass",
    "Parity",
    "Shakespeare",
    "Task",
    "TextFolder",
]
