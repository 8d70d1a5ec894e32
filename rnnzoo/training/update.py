"""The training step and its loop over updates: pure, jitted, for one seed or many at once."""

import functools
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import Mesh

from rnnzoo.models import Model
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch, InMemory, check_batch
from rnnzoo.training.config import Config
from rnnzoo.training.devices import BATCH, SEEDS, place, shard
from rnnzoo.training.numbers import Numbers, lanes_of, numbers_of, program_of
from rnnzoo.training.optimizer import make_optimizer
from rnnzoo.typing import Array, Float, Int, Key, Params, PyTree, State

TrainState = dict[str, Any]
"""``params``, ``opt`` (the optimizer's state) and, with `Config.stream`, ``carry`` (the state of every layer after the
last step, for each sequence of the batch); every leaf with a leading axis S over lanes."""


def over_lanes(function: Any, lanes: int) -> Any:
    """`function` over a leading axis of all its arguments. One lane runs unbatched: no cost for the axis."""
    if lanes > 1:
        return jax.vmap(function, spmd_axis_name=SEEDS)

    def single(*args: PyTree) -> PyTree:
        return jax.tree.map(lambda a: a[None], function(*jax.tree.map(lambda a: a[0], args)))

    return single


@functools.partial(jax.jit, static_argnames=("program", "model"))
def init_state(program: Config, model: Model, keys: Key) -> TrainState:
    """Parameters and optimizer state before the first step, of each lane: of each of the keys (S,)."""
    optimizer = make_optimizer(program, numbers_of(program))  # whose state does not depend on the numbers

    def one(key: Key) -> TrainState:
        params = model.init(jax.random.fold_in(key, 0))
        return {"params": params, "opt": optimizer.init(params)} | first_carry(program, model, params)

    return over_lanes(one, len(keys))(keys)


def first_state(config: Config, model: Model) -> TrainState:
    """`init_state` of the seeds of a configuration."""
    return init_state(program_of(config), model, lanes_of(config)[0])


def first_carry(config: Config, model: Model, params: Params) -> TrainState:
    """The ``carry`` before the first step, of one seed; nothing where none is carried."""
    return {"carry": model.initial_state(params, config.batch_size)} if config.stream else {}


def loss_of(
    config: Config, model: Model, params: Params, batch: Batch, key: Key, carry: State | None = None
) -> tuple[Float[Array, ""], State]:
    """The training loss of one batch, from a state that an earlier one left; and the state after it."""
    controls = {"lengths": batch.get("lengths"), "resets": batch.get("resets")}
    outputs, last = model.apply(params, batch["x"], carry, **controls, dropout_key=key, unroll=config.unroll)
    return config.task.loss(outputs, batch), last


def next_batch(config: Config, data: InMemory, arrays: PyTree, key: Key, step: Int[Array, ""]) -> Batch:
    """What the update of that number trains on: from the number, so that a resumed run sees the same batches."""
    if config.stream:
        return data.segment(arrays, step, config.batch_size)
    return data.batch(arrays, _step_keys(key, step)[0], config.batch_size)


def _step_keys(key: Key, step: Int[Array, ""]) -> Key:
    """The keys of one seed's update: for the batch, and for dropout."""
    return jax.random.split(jax.random.fold_in(jax.random.fold_in(key, 1), step))


def update(
    config: Config, model: Model, mesh: Mesh | None, key: Key, numbers: Numbers, state: TrainState,
    step: Int[Array, ""], batch: Batch,
) -> Any:  # fmt: skip
    """One training step of one lane. One that is not finite leaves the state as it was; the loop then stops on it."""
    import chex
    import optax

    dropout_key = _step_keys(key, step)[1]
    carry = state.get("carry")
    batch = batch | {"x": place(batch["x"], mesh, None, BATCH)}  # all that is computed from it is split with it
    gradient = jax.value_and_grad(lambda p: loss_of(config, model, p, batch, dropout_key, carry), has_aux=True)
    (loss, last), grads = gradient(state["params"])
    changes, opt = make_optimizer(config, numbers).update(grads, state["opt"], state["params"])
    new = {"params": optax.apply_updates(state["params"], changes), "opt": opt}
    if config.stream:
        new["carry"] = last
    # Where a cell or task of one's own changes a shape or dtype, the array is named.
    chex.assert_trees_all_equal_shapes_and_dtypes(new, state)
    norm = optax.tree.norm(grads)
    # Of what is new, not of the changes: a parameter that this batch does not use may be NaN already. By sums of
    # squares, since a maximum drops NaN on some versions of JAX for CPUs.
    later = optax.tree.norm({name: new[name] for name in new if name != "opt"})
    good = jnp.isfinite(loss) & jnp.isfinite(norm) & jnp.isfinite(later)
    state = jax.tree.map(lambda a, b: jnp.where(good, a, b), new, state)
    state = {name: place(tree, mesh, *_axes(name)) for name, tree in state.items()}
    return state, {"loss": loss, "grad_norm": norm, "good": good}


def _axes(name: str) -> tuple[str, ...]:
    """The mesh axes of a part of one seed's `TrainState`: what a stream carries has a batch axis."""
    return (BATCH,) if name == "carry" else ()


def shard_state(state: TrainState, mesh: Mesh | None) -> TrainState:
    """The state as `train_steps` takes and returns it on that mesh."""
    return {name: shard(tree, mesh, SEEDS, *_axes(name)) for name, tree in state.items()}


@functools.partial(jax.jit, static_argnames=("program", "model", "data", "length", "mesh"), donate_argnames="state")
def train_steps(
    program: Config, model: Model, data: InMemory, arrays: PyTree, keys: Key, numbers: Numbers, state: TrainState,
    start: Int[Array, ""], count: Int[Array, ""] | None = None, *, length: int, mesh: Mesh | None = None,
) -> tuple[TrainState, dict[str, Array]]:  # fmt: skip
    """`count` updates from step `start` on, at most `length` (None: all of them): the new state, and loss, grad_norm
    and good of each step, (S, length), zeros after `count`. One program serves every count.

    Lanes are trained side by side, and none depends on another. Each has a key, (S,), and numbers, (S,) by name, as
    `lanes_of` makes them of a configuration; `program` is its `program_of`. `data` and `arrays` are the `static` part
    of the data and their arrays. With a mesh, it runs on the mesh's devices, and the state comes from `shard_state`."""

    def one(key: Key, numbers: Numbers, state: TrainState) -> Any:
        def step(state: TrainState, at: Int[Array, ""]) -> Any:
            return update(program, model, mesh, key, numbers, state, at, next_batch(program, data, arrays, key, at))

        def body(i: Int[Array, ""], carried: Any) -> Any:
            state, kept = carried
            state, metrics = step(state, start + i)
            return state, jax.tree.map(lambda all_steps, new: all_steps.at[i].set(new), kept, metrics)

        shapes = jax.eval_shape(step, state, start)[1]
        kept = jax.tree.map(lambda a: jnp.zeros((length, *a.shape), a.dtype), shapes)
        return lax.fori_loop(0, length if count is None else count, body, (state, kept))

    return over_lanes(one, len(keys))(keys, numbers, state)


@functools.partial(jax.jit, static_argnames=("program", "model", "mesh"), donate_argnames="state")
def train_step(
    program: Config, model: Model, keys: Key, numbers: Numbers, state: TrainState, step: Int[Array, ""], batch: Batch,
    *, mesh: Mesh | None = None,
) -> tuple[TrainState, dict[str, Array]]:  # fmt: skip
    """One update on a batch from the host, whose leaves have a leading axis S over lanes; else like `train_steps`."""

    def one(key: Key, numbers: Numbers, state: TrainState, batch: Batch) -> Any:
        return update(program, model, mesh, key, numbers, state, step, batch)

    return over_lanes(one, len(keys))(keys, numbers, state, batch)


@functools.partial(jax.jit, static_argnames=("task", "model", "unroll"))
def _scores(task: Task, model: Model, unroll: Any, params: Params, batch: Batch) -> dict[str, tuple[Array, Array]]:
    def one(params: Params) -> Any:
        outputs, _ = model.apply(params, batch["x"], lengths=batch.get("lengths"), unroll=unroll)
        return task.scores(outputs, batch)

    return lax.map(one, params)


def evaluate(config: Config, model: Model, params: Params, batches: Iterable[Batch]) -> dict[str, list[float]]:
    """Name -> score of each seed, over all the batches. `params` have the leading axis S."""
    totals = None
    for batch in batches:
        check_batch(batch, model.input_size, model.tokens)
        part = _scores(config.task, model, config.unroll, params, batch)
        totals = part if totals is None else jax.tree.map(jnp.add, totals, part)
    assert totals is not None, "a held-out set has at least one batch"
    means = {name: (total / count).tolist() for name, (total, count) in totals.items()}
    of_seeds = [dict(zip(means, values, strict=True)) for values in zip(*means.values(), strict=True)]
    derived = [config.task.derived(of_seed) for of_seed in of_seeds]
    return means | {name: [of_seed[name] for of_seed in derived] for name in derived[0]}


__all__ = [
    "TrainState", "evaluate", "first_carry", "first_state", "init_state", "loss_of", "next_batch", "shard_state",
    "train_step", "train_steps", "update"]  # fmt: skip
