"""Tasks to train on. Each is a `rnnzoo.tasks.base.Task`; the table is in docs/members.md."""

from rnnzoo.tasks.adding import Adding
from rnnzoo.tasks.an_bn import AnBn
from rnnzoo.tasks.array_classify import ArrayClassify
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.binary_addition import BinaryAddition
from rnnzoo.tasks.bucket_sort import BucketSort
from rnnzoo.tasks.char_lm import CharLM
from rnnzoo.tasks.copy_memory import CopyMemory
from rnnzoo.tasks.csv_classify import CSVClassify
from rnnzoo.tasks.csv_forecast import CSVForecast
from rnnzoo.tasks.cycle_navigation import CycleNavigation
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.delay_line import DelayLine
from rnnzoo.tasks.delayed_recall import DelayedRecall
from rnnzoo.tasks.digits import Digits
from rnnzoo.tasks.duplicate_string import DuplicateString
from rnnzoo.tasks.dyck import Dyck
from rnnzoo.tasks.enwik8 import Enwik8
from rnnzoo.tasks.even_pairs import EvenPairs
from rnnzoo.tasks.flip_flop import FlipFlop
from rnnzoo.tasks.induction import Induction
from rnnzoo.tasks.list_ops import ListOps
from rnnzoo.tasks.lorenz import Lorenz
from rnnzoo.tasks.mackey_glass import MackeyGlass
from rnnzoo.tasks.missing_duplicate_string import MissingDuplicateString
from rnnzoo.tasks.mnist import MNIST
from rnnzoo.tasks.modular_arithmetic import ModularArithmetic
from rnnzoo.tasks.modular_sum import ModularSum
from rnnzoo.tasks.mqar import MQAR
from rnnzoo.tasks.narma10 import NARMA10
from rnnzoo.tasks.parity import Parity
from rnnzoo.tasks.parity_check import ParityCheck
from rnnzoo.tasks.polyphonic import Polyphonic
from rnnzoo.tasks.reverse_string import ReverseString
from rnnzoo.tasks.selective_copying import SelectiveCopying
from rnnzoo.tasks.shakespeare import Shakespeare
from rnnzoo.tasks.spoken_digits import SpokenDigits
from rnnzoo.tasks.text_folder import TextFolder
from rnnzoo.tasks.ucr import UCR
from rnnzoo.tasks.wav_folder import WavFolder
from rnnzoo.tasks.word_problem import WordProblem

__all__ = [
    "MNIST",
    "MQAR",
    "NARMA10",
    "UCR",
    "Adding",
    "AnBn",
    "ArrayClassify",
    "Batch",
    "BinaryAddition",
    "BucketSort",
    "CSVClassify",
    "CSVForecast",
    "CharLM",
    "CopyMemory",
    "CycleNavigation",
    "Data",
    "DelayLine",
    "DelayedRecall",
    "Digits",
    "DuplicateString",
    "Dyck",
    "Enwik8",
    "EvenPairs",
    "FlipFlop",
    "Induction",
    "ListOps",
    "Lorenz",
    "MackeyGlass",
    "MissingDuplicateString",
    "ModularArithmetic",
    "ModularSum",
    "Parity",
    "ParityCheck",
    "Polyphonic",
    "ReverseString",
    "SelectiveCopying",
    "Shakespeare",
    "SpokenDigits",
    "Task",
    "TextFolder",
    "WavFolder",
    "WordProblem",
]
