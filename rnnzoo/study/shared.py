"""Rows that share a program: the same network but for numbers, seeds, and where its recurrent matrices have zeros."""

import dataclasses
import functools
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import matrices, with_matrices
from rnnzoo.models import Model
from rnnzoo.structures import MaskedDense, Structure
from rnnzoo.structures.masked_dense import with_pattern
from rnnzoo.tasks.data import Data
from rnnzoo.training.config import Config
from rnnzoo.training.devices import WORTH
from rnnzoo.training.numbers import program_of
from rnnzoo.training.update import init_state
from rnnzoo.typing import Key, Params

LARGEST_MASKED = 64  # hidden units; beyond, a product by a full matrix costs more than a compilation saves
LANES = 40  # side by side in one call


@functools.lru_cache(maxsize=1024)
def is_pattern(structure: Structure, size: int) -> bool:
    """Whether the matrices of a structure are those with zeros in fixed places: whether each parameter is one entry."""
    if structure.num_params(size) != structure.nonzeros(size):
        return False
    u = drawn(structure, size)
    dense = _dense(structure, size)
    entries = dense[dense != 0]
    stored = [np.ravel(leaf) for leaf in jax.tree.leaves(u)]
    return len(np.unique(entries)) == structure.num_params(size) and bool(
        np.isin(entries, np.concatenate(stored)).all()
    )


def drawn(structure: Structure, size: int) -> Any:
    """Random parameters, all different."""
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(leaf.dtype), structure.shapes(size))


def pattern(structure: Structure, size: int) -> np.ndarray:
    """(H, H) bools: which entries may differ from 0."""
    return _dense(structure, size) != 0


def _dense(structure: Structure, size: int) -> np.ndarray:
    """The matrix (H, H) of random parameters."""
    with jax.ensure_compile_time_eval():
        u = jax.tree.map(jnp.asarray, drawn(structure, size))
        return np.asarray(structure.matrix(u, size))


def masked(config: Config) -> Config | None:
    """The configuration with `MaskedDense` in place of a structure that it can stand for; None where it cannot."""
    cell = config.cell
    if not isinstance(cell, Recurrent) or config.model.pattern or config.clip_recurrent:  # which would clip the mask
        return None
    if cell.hidden_size > LARGEST_MASKED or not isinstance(cell.structure, Structure):
        return None
    if not is_pattern(cell.structure, cell.hidden_size):
        return None
    stand_in = dataclasses.replace(cell, structure=MaskedDense(), recurrent_init=None)  # what draws is the cell itself
    return dataclasses.replace(config, cell=stand_in)


def first_states(config: Config, data: Data, keys: Key) -> Any:
    """The state before the first step of each key (S,), as the shared program takes it: the same numbers that the
    configuration's own network starts from."""
    state = init_state(program_of(config), config.network(data), keys)
    stand_in = masked(config)
    if stand_in is None:
        return state
    to_masked = functools.partial(_masked_params, config.network(data))
    shapes = jax.eval_shape(lambda: init_state(program_of(stand_in), stand_in.network(data), keys))
    # The optimizer has seen no gradient yet: all it keeps is 0, whatever the shape of the parameters.
    opt = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes["opt"])
    return {**state, "params": jax.vmap(to_masked)(state["params"]), "opt": opt}


def _masked_params(model: Model, params: Params) -> Params:
    """The parameters of one lane, with every U as a `MaskedDense`."""
    found = dict(params)
    for number in range(len(model.layers)):
        layer = dict(params[name := f"layer_{number}"])
        for direction in model.directions:
            us, _ = matrices(layer[direction], tuple(model.cell.structures))
            layer[direction] = with_matrices(
                layer[direction], {gate: _masked_u(model, gate, u) for gate, u in us.items()}
            )
        found[name] = layer
    return found


def _masked_u(model: Model, gate: str, u: Any) -> dict[str, jax.Array]:
    structure, size = model.cell.structures[gate], model.cell.hidden_size
    return with_pattern(structure.matrix(u, size), pattern(structure, size))


def program(config: Config) -> Config:
    """What is compiled for a row: equal for rows that share it."""
    return program_of(masked(config) or config)


def packs(rows: dict[str, Config], update_flops: Any) -> list[dict[str, Config]]:
    """The rows in packs that run side by side: of one program, and of as many steps between evaluations.

    A small network takes hardly longer for many lanes than for one. A large one keeps the device busy by itself: its
    rows run one after another, and each is written when it ends. `update_flops` says how large."""
    groups: dict[Any, dict[str, Config]] = {}
    for name, config in rows.items():
        groups.setdefault((program(config), config.steps, config.eval_every), {})[name] = config
    return [pack for group in groups.values() for pack in _cut(group, update_flops)]


def _cut(group: dict[str, Config], update_flops: Any) -> Iterable[dict[str, Config]]:
    first = next(iter(group.values()))
    most = LANES if update_flops(first) < WORTH else 1
    pack: dict[str, Config] = {}
    for name, config in group.items():
        if pack and sum(c.seeds for c in pack.values()) + config.seeds > most:
            yield pack
            pack = {}
        pack[name] = config
    yield pack


__all__ = ["first_states", "is_pattern", "masked", "packs", "pattern", "program"]
