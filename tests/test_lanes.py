"""Numbers of a configuration are arguments of the compiled program: what differs in them alone compiles once, and can
be trained side by side."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from support import assert_close
from task_support import network, opened

from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job
from rnnzoo.training.loops import InMemoryLoop
from rnnzoo.training.numbers import numbers_of, program_of, seed_keys
from rnnzoo.training.optimizer import learning_rate
from rnnzoo.training.progress import Progress
from rnnzoo.training.update import first_state, init_state, train_steps

CONFIG = Config(
    task=tasks.BinaryAddition(bits=3),
    cell=cells.Elman(hidden_size=4, structure=structures.Diagonal()),
    optimizer="sgd",
    schedule="linear",
    lr=0.1,
    warmup=2,
    momentum=0.9,
    weight_decay=0.01,
    clip_recurrent=1.5,
    batch_size=4,
    steps=6,
    log_every=3,
    eval_every=6,
)


def change(**fields: Any) -> Config:
    return dataclasses.replace(CONFIG, **fields)


OTHERS = [
    change(lr=0.3, seed=7, log_every=2, eval_every=4),
    change(warmup=5, steps=9, momentum=0.1, init_from="elsewhere", seeds=3),
    change(weight_decay=1.0, clip=0.01, clip_recurrent=0.1),
]


def test_numbers_do_not_change_the_program():
    assert {program_of(other) for other in OTHERS} == {program_of(CONFIG)} == {program_of(program_of(CONFIG))}


@pytest.mark.parametrize(
    "field", ["warmup", "momentum", "weight_decay", "clip", "clip_recurrent", "batch_size", "schedule", "optimizer"]
)
def test_what_leaves_a_part_out_changes_the_program(field):
    other = {"batch_size": 5, "schedule": "cosine", "optimizer": "rmsprop"}.get(field, 0)
    assert program_of(change(**{field: other})) != program_of(CONFIG)


def test_fifteen_learning_rates_compile_once(compiled):
    model, data, losses = network(CONFIG), opened(CONFIG.task), set()
    for k in range(15):
        config = change(lr=0.01 * 1.3**k, seed=k)
        state = first_state(config, model)
        loop = InMemoryLoop(config, model, data)
        loop.compile(state, 3)
        _, metrics = loop.run(state, 0, 3)
        losses.add(float(metrics["loss"][0, -1]))
        if not k:
            assert compiled
            compiled.clear()
    assert not compiled and len(losses) == 15


def test_jobs_that_differ_in_numbers_compile_once(compiled, tmp_path):
    for k, config in enumerate([CONFIG, change(lr=0.3, seed=7, momentum=0.5, clip=0.1, weight_decay=0.1)]):
        compiled.clear()
        Job(config, tmp_path / str(k), Progress(config)).run()
    assert not compiled


def side_by_side(configs: list[Config], length: int = 6) -> list[Any]:
    """The state and the metrics of each configuration, trained as the lanes of one program."""
    (program,) = {program_of(config) for config in configs}
    keys = jnp.concatenate([seed_keys(config)[:1] for config in configs])
    numbers = jax.tree.map(lambda *lanes: np.stack(lanes), *map(numbers_of, configs))
    state = init_state(program, network(program), keys)
    found = train_steps(program, network(program), opened(program.task), {}, keys, numbers, state, 0, length=length)
    return [jax.tree.map(lambda a, lane=lane: np.asarray(a[lane]), found) for lane in range(len(configs))]


def test_a_lane_is_what_it_is_alone():
    together = side_by_side([CONFIG, *OTHERS])
    for config, lane in zip([CONFIG, *OTHERS], together, strict=True):
        assert_close(lane, side_by_side([config])[0], 1e-5)


def test_a_lane_does_not_depend_on_the_others():
    """To the last bit, even beside one that diverges."""
    bad = change(lr=1e30, seed=3)
    one, two = side_by_side([CONFIG, *OTHERS]), side_by_side([CONFIG, bad, OTHERS[1], bad])
    assert not two[1][1]["good"].all()
    for lane in (0, 2):
        assert_close(two[lane], one[lane], 0)


@pytest.mark.parametrize("warmup", [0, 10])
@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_learning_rates_are_those_of_optax(schedule, warmup):
    config, steps = change(lr=0.3, schedule=schedule, warmup=warmup, steps=50), np.arange(60)
    own: Any = jax.jit(lambda numbers: jax.vmap(learning_rate(config, numbers))(steps) + 0 * steps)
    after = {
        "constant": optax.constant_schedule(0.3),
        "linear": optax.linear_schedule(0.3, 0.0, 50 - warmup),
        "cosine": optax.cosine_decay_schedule(0.3, 50 - warmup),
    }[schedule]
    expected = optax.join_schedules([optax.linear_schedule(0.0, 0.3, warmup), after], [warmup])
    wanted = [np.asarray((expected if warmup else after)(step)) for step in steps]
    np.testing.assert_allclose(own(numbers_of(config)), wanted, atol=1e-7)
