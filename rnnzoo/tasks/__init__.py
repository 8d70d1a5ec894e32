"""Tasks to train on. Each is a `rnnzoo.tasks.base.Task`; the table is in docs/members.md."""

from rnnzoo.tasks.base import Task
from rnnzoo.tasks.classification.array_classify import ArrayClassify
from rnnzoo.tasks.classification.csv_classify import CSVClassify
from rnnzoo.tasks.classification.digits import Digits
from rnnzoo.tasks.classification.mnist import MNIST
from rnnzoo.tasks.classification.ucr import UCR
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.series.csv_forecast import CSVForecast
from rnnzoo.tasks.series.lorenz import Lorenz
from rnnzoo.tasks.series.mackey_glass import MackeyGlass
from rnnzoo.tasks.series.polyphonic import Polyphonic
from rnnzoo.tasks.sound.spoken_digits import SpokenDigits
from rnnzoo.tasks.sound.wav_folder import WavFolder
from rnnzoo.tasks.synthetic.adding import Adding
from rnnzoo.tasks.synthetic.an_bn import AnBn
from rnnzoo.tasks.synthetic.binary_addition import BinaryAddition
from rnnzoo.tasks.synthetic.bucket_sort import BucketSort
from rnnzoo.tasks.synthetic.copy_memory import CopyMemory
from rnnzoo.tasks.synthetic.cycle_navigation import CycleNavigation
from rnnzoo.tasks.synthetic.delay_line import DelayLine
from rnnzoo.tasks.synthetic.delayed_recall import DelayedRecall
from rnnzoo.tasks.synthetic.duplicate_string import DuplicateString
from rnnzoo.tasks.synthetic.dyck import Dyck
from rnnzoo.tasks.synthetic.even_pairs import EvenPairs
from rnnzoo.tasks.synthetic.flip_flop import FlipFlop
from rnnzoo.tasks.synthetic.induction import Induction
from rnnzoo.tasks.synthetic.list_ops import ListOps
from rnnzoo.tasks.synthetic.missing_duplicate_string import MissingDuplicateString
from rnnzoo.tasks.synthetic.modular_arithmetic import ModularArithmetic
from rnnzoo.tasks.synthetic.modular_sum import ModularSum
from rnnzoo.tasks.synthetic.mqar import MQAR
from rnnzoo.tasks.synthetic.narma10 import NARMA10
from rnnzoo.tasks.synthetic.parity import Parity
from rnnzoo.tasks.synthetic.parity_check import ParityCheck
from rnnzoo.tasks.synthetic.reverse_string import ReverseString
from rnnzoo.tasks.synthetic.selective_copying import SelectiveCopying
from rnnzoo.tasks.synthetic.word_problem import WordProblem
from rnnzoo.tasks.text.char_lm import CharLM
from rnnzoo.tasks.text.enwik8 import Enwik8
from rnnzoo.tasks.text.shakespeare import Shakespeare
from rnnzoo.tasks.text.text_folder import TextFolder

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
