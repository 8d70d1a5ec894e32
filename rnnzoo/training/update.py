"""The training step and its loop over updates: pure, jitted, for one seed or many at once."""

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh

from rnnzoo.models import Model
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch, InMemory, check_batch
from rnnzoo.training.config import Config
from rnnzoo.training.devices import BATCH, SEEDS, place, shard
from rnnzoo.typing import Array, Float, Int, Key, Params, PyTree, State

if TYPE_CHECKING:
    import optax  # by those who train; `import rnnzoo` does not need it

TrainState = dict[str, Any]
"""``params``, ``opt`` (the optimizer's state) and, with `Config.stream`, ``carry`` (the state of every layer after the
last step, for each sequence of the batch); every leaf with a leading axis S over seeds."""


def make_optimizer(config: Config) -> "optax.GradientTransformation":
    """The optax chain of a configuration: clip, optimizer, weight decay, learning rate."""
    import optax

    parts = [optax.clip_by_global_norm(config.clip)] if config.clip else []
    match config.optimizer:
        case "adam" | "adamw":
            parts.append(optax.scale_by_adam())
        case "rmsprop":
            parts.append(optax.scale_by_rms(decay=0.9))
    if config.momentum and config.optimizer in ("sgd", "rmsprop"):
        parts.append(optax.trace(config.momentum))
    if config.weight_decay:
        parts.append(optax.add_decayed_weights(config.weight_decay, mask=decays))
    parts.append(optax.scale_by_learning_rate(learning_rate(config)))
    if config.clip_recurrent:
        parts.append(optax.stateless(functools.partial(_within, config.clip_recurrent)))
    return optax.chain(*parts)


def _within(limit: float, changes: PyTree, params: PyTree) -> PyTree:
    """The changes, cut so that no recurrent weight leaves (-limit, limit)."""

    def cut(path: Any, change: Array, old: Array) -> Array:
        return jnp.clip(old + change, -limit, limit) - old if _is_in("u", path) else change

    return jax.tree_util.tree_map_with_path(cut, changes, params)


def learning_rate(config: Config) -> "optax.Schedule":
    """The learning rate by step."""
    import optax

    work = config.steps - config.warmup
    match config.schedule:
        case "constant":
            after = optax.constant_schedule(config.lr)
        case "linear":
            after = optax.linear_schedule(config.lr, 0.0, work)
        case "cosine":
            after = optax.cosine_decay_schedule(config.lr, work)
    if not config.warmup:
        return after
    return optax.join_schedules([optax.linear_schedule(0.0, config.lr, config.warmup), after], [config.warmup])


def decays(params: Params) -> PyTree:
    """True for the weights that decay: those called w. Recurrent weights, biases and norms are spared."""
    return jax.tree_util.tree_map_with_path(lambda path, _: _is_in("w", path), params)


def _is_in(name: str, path: Any) -> bool:
    return any(getattr(k, "key", None) == name for k in path)


def seed_keys(config: Config) -> Key:
    """One PRNG key per seed, (S,). Seed s of many gets the key that it has alone."""
    return jax.vmap(jax.random.key)(np.uint32(config.seed) + jnp.arange(config.seeds, dtype=np.uint32))


def over_seeds(function: Any, seeds: int) -> Any:
    """`function` over a leading axis of all its arguments. One seed runs unbatched: no cost for the axis."""
    if seeds > 1:
        return jax.vmap(function, spmd_axis_name=SEEDS)

    def single(*args: PyTree) -> PyTree:
        return jax.tree.map(lambda a: a[None], function(*jax.tree.map(lambda a: a[0], args)))

    return single


@functools.partial(jax.jit, static_argnames=("config", "model"))
def init_state(config: Config, model: Model) -> TrainState:
    """Parameters and optimizer state before the first step."""
    optimizer = make_optimizer(config)

    def one(key: Key) -> TrainState:
        params = model.init(jax.random.fold_in(key, 0))
        return {"params": params, "opt": optimizer.init(params)} | first_carry(config, model, params)

    return over_seeds(one, config.seeds)(seed_keys(config))


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
    config: Config, model: Model, mesh: Mesh | None, key: Key, state: TrainState, step: Int[Array, ""], batch: Batch
) -> Any:
    """One training step. A step that is not finite leaves the state as it was; the loop then stops on it."""
    import optax

    dropout_key = _step_keys(key, step)[1]
    carry = state.get("carry")
    batch = batch | {"x": place(batch["x"], mesh, None, BATCH)}  # all that is computed from it is split with it
    gradient = jax.value_and_grad(lambda p: loss_of(config, model, p, batch, dropout_key, carry), has_aux=True)
    (loss, last), grads = gradient(state["params"])
    changes, opt = make_optimizer(config).update(grads, state["opt"], state["params"])
    new = {"params": optax.apply_updates(state["params"], changes), "opt": opt}
    if config.stream:
        new["carry"] = last
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


@functools.partial(jax.jit, static_argnames=("config", "model", "data", "length", "mesh"), donate_argnames="state")
def train_steps(
    config: Config, model: Model, data: InMemory, arrays: PyTree, state: TrainState, start: Int[Array, ""],
    count: Int[Array, ""] | None = None, *, length: int, mesh: Mesh | None = None,
) -> tuple[TrainState, dict[str, Array]]:  # fmt: skip
    """`count` updates from step `start` on, at most `length` (None: all of them): the new state, and loss, grad_norm
    and good of each step, (S, length), zeros after `count`. One program serves every count. `data` and `arrays` are the
    `static` part of the data and their arrays. With a mesh, it runs on the mesh's devices, and the state comes from
    `shard_state`."""

    def one(key: Key, state: TrainState) -> Any:
        def step(state: TrainState, number: Int[Array, ""]) -> Any:
            return update(config, model, mesh, key, state, number, next_batch(config, data, arrays, key, number))

        def body(i: Int[Array, ""], carried: Any) -> Any:
            state, kept = carried
            state, metrics = step(state, start + i)
            return state, jax.tree.map(lambda all_steps, new: all_steps.at[i].set(new), kept, metrics)

        shapes = jax.eval_shape(step, state, start)[1]
        kept = jax.tree.map(lambda a: jnp.zeros((length, *a.shape), a.dtype), shapes)
        return lax.fori_loop(0, length if count is None else count, body, (state, kept))

    return over_seeds(one, config.seeds)(seed_keys(config), state)


@functools.partial(jax.jit, static_argnames=("config", "model", "mesh"), donate_argnames="state")
def train_step(
    config: Config, model: Model, state: TrainState, step: Int[Array, ""], batch: Batch, *, mesh: Mesh | None = None
) -> tuple[TrainState, dict[str, Array]]:
    """One update on a batch from the host, whose leaves have a leading axis S over seeds; else like `train_steps`."""

    def one(key: Key, state: TrainState, batch: Batch) -> Any:
        return update(config, model, mesh, key, state, step, batch)

    return over_seeds(one, config.seeds)(seed_keys(config), state, batch)


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
    "TrainState", "evaluate", "first_carry", "init_state", "loss_of", "make_optimizer", "next_batch", "seed_keys",
    "shard_state", "train_step", "train_steps", "update"]  # fmt: skip
