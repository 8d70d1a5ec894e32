"""A string, to be told twice (Deletang et al. 2023). arXiv:2207.02098"""

from rnnzoo.spec import spec
from rnnzoo.tasks.synthetic.string_to_string import StringToString
from rnnzoo.typing import Array, Int


@spec
class DuplicateString(StringToString):
    """The whole string in its order, and once more: what a queue does. T = 3 S. Chance 1/K."""

    copies = 2

    def answers(self, string: Int[Array, "S B"], lengths: Int[Array, " B"]) -> Int[Array, "S B"]:
        return string
