"""The optimizer of a configuration, with its numbers as arguments of the compiled program."""

import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from rnnzoo.training.config import Config
from rnnzoo.training.numbers import Numbers
from rnnzoo.typing import Array, Params, PyTree

if TYPE_CHECKING:
    import optax  # by those who train; `import rnnzoo` does not need it


def make_optimizer(config: Config, numbers: Numbers) -> "optax.GradientTransformation":
    """The optax chain of a configuration: clip, optimizer, weight decay, learning rate. Which parts there are depends
    on the `program_of` the configuration only; `numbers` are scalars, which may be traced."""
    import optax

    parts = [optax.clip_by_global_norm(numbers["clip"])] if config.clip else []
    match config.optimizer:
        case "adam" | "adamw":
            parts.append(optax.scale_by_adam())
        case "rmsprop":
            parts.append(optax.scale_by_rms(decay=0.9))
    if config.momentum and config.optimizer in ("sgd", "rmsprop"):
        parts.append(optax.trace(numbers["momentum"]))
    if config.weight_decay:
        parts.append(optax.add_decayed_weights(numbers["weight_decay"], mask=decays))
    parts.append(optax.scale_by_learning_rate(learning_rate(config, numbers)))
    if config.clip_recurrent:
        parts.append(optax.stateless(functools.partial(_within, numbers["clip_recurrent"])))
    return optax.chain(*parts)


def _within(limit: Any, changes: PyTree, params: PyTree) -> PyTree:
    """The changes, cut so that no recurrent weight leaves (-limit, limit)."""

    def cut(path: Any, change: Array, old: Array) -> Array:
        return jnp.clip(old + change, -limit, limit) - old if _is_in("u", path) else change

    return jax.tree_util.tree_map_with_path(cut, changes, params)


def learning_rate(config: Config, numbers: Numbers) -> "optax.Schedule":
    """The learning rate by step. `numbers` are scalars, which may be traced."""
    lr, warmup = numbers["lr"], numbers["warmup"]
    after = _after_warmup(config, lr, numbers["steps"] - warmup)
    if not config.warmup:
        return after
    return lambda step: jnp.where(step < warmup, lr * _passed(step, warmup), after(step - warmup))


def _after_warmup(config: Config, lr: Any, work: Any) -> "optax.Schedule":
    """The learning rate by step, over `work` steps. Those of optax compare that number in Python, so that it cannot be
    traced."""
    match config.schedule:
        case "constant":
            return lambda step: lr
        case "linear":
            return lambda step: lr * (1 - _passed(step, work))
        case "cosine":
            return lambda step: lr * 0.5 * (1 + jnp.cos(jnp.pi * _passed(step, work)))


def _passed(step: Any, work: Any) -> Any:
    """The part of the work that is done before that step, from 0 to 1."""
    return jnp.clip(step, 0, work) / work


def decays(params: Params) -> PyTree:
    """True for the weights that decay: those called w. Recurrent weights, biases and norms are spared."""
    return jax.tree_util.tree_map_with_path(lambda path, _: _is_in("w", path), params)


def _is_in(name: str, path: Any) -> bool:
    return any(getattr(k, "key", None) == name for k in path)


__all__ = ["decays", "learning_rate", "make_optimizer"]
