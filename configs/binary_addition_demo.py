"""The question's own experiment: is a diagonal, or a band three wide, of U enough to add binary numbers?"""

from rnnzoo import cells, initializers, structures, tasks
from rnnzoo.config import Config
from rnnzoo.models import Stack

uniform = initializers.Uniform(limit=1.0)

config = Config(
    task=tasks.BinaryAddition(bits=8, objective="squared"),
    cell=cells.Elman(
        hidden_size=16,
        activation="sigmoid",
        bias=False,
        structure=structures.Banded(bandwidth=1) if hasattr(structures, "Banded") else structures.Dense(),
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
