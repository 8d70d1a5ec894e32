"""Tasks to train on. Each is a `rnnzoo.tasks.base.Task`; the table is in docs/members.md."""

from rnnzoo.tasks.adding import Adding
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.binary_addition import BinaryAddition
from rnnzoo.tasks.char_lm import CharLM
from rnnzoo.tasks.copy_memory import CopyMemory
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.delayed_recall import DelayedRecall
from rnnzoo.tasks.digits import Digits
from rnnzoo.tasks.mnist import MNIST
from rnnzoo.tasks.parity import Parity
from rnnzoo.tasks.polyphonic import Polyphonic
from rnnzoo.tasks.spoken_digits import SpokenDigits
from rnnzoo.tasks.ucr import UCR
from rnnzoo.tasks.wav_folder import WavFolder

__all__ = [
    "MNIST",
    "UCR",
    "Adding",
    "Batch",
    "BinaryAddition",
    "CharLM",
    "CopyMemory",
    "Data",
    "DelayedRecall",
    "Digits",
    "Parity",
    "Polyphonic",
    "SpokenDigits",
    "Task",
    "WavFolder",
]
