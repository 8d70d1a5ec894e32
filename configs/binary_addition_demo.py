"""The question's own experiment (Cross Validated 210111): is a band three wide of U enough to add binary numbers?

    python train.py --config configs/binary_addition_demo.py
    python train.py --config configs/binary_addition_demo.py --cell.structure diagonal
    python train.py --config configs/binary_addition_demo.py --cell.structure dense
    python train.py --config configs/binary_addition_demo.py --cell.bias --model.head-bias

Exactly its conditions: 16 sigmoid units, no biases, all weights from U(-1, 1), squared error summed over the bits,
plain gradient descent with learning rate 0.1, one pair of numbers a step, 10,000 steps; judged on all 16,384 sums.
20 seeds at once.

Expected: about 15 s on 2 cores for each; median wrong_sums 0.40 with the band, 0.74 with the diagonal, 0.00 with the
full matrix, which alone of these three is solved (20 of 20 seeds; the other two, 0 of 20). With biases, which the
fourth line adds, the band is solved by 15 of 20 seeds. docs/question.md says what else was tried.
"""

from rnnzoo import cells, initializers, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.training.config import Config

uniform = initializers.Uniform(limit=1.0)

config = Config(
    task=tasks.BinaryAddition(bits=8, objective="squared"),
    cell=cells.Elman(
        hidden_size=16,
        activation="sigmoid",
        bias=False,
        structure=structures.Banded(bandwidth=1),
        kernel_init=uniform,
        recurrent_init=uniform,
    ),
    model=Stack(head_bias=False, head_init=uniform),
    optimizer="sgd",
    lr=0.1,
    clip=0.0,
    batch_size=1,
    steps=10_000,
    log_every=1_000,
    eval_every=10_000,
    seeds=20,
)
