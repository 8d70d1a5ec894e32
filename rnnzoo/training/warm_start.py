"""Start a run from the parameters of another whose recurrent matrices have the same or a narrower structure."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell, Recurrent
from rnnzoo.cells.recur import matrices, with_matrices
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.spec_json import to_json
from rnnzoo.structures.nearest import grow
from rnnzoo.tasks.data import Data
from rnnzoo.training.config import Config, difference
from rnnzoo.training.definitions import check_definitions
from rnnzoo.training.numbers import numbers_of
from rnnzoo.training.optimizer import make_optimizer
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import first_carry, first_state
from rnnzoo.typing import Params
from rnnzoo.wrappers.base import innermost, with_structure


def warm_state(config: Config, model: Model, data: Data, warn: Callable[[str], None]) -> dict[str, Any]:
    """The state before the first step of `config`: parameters from `config.init_from`, a fresh optimizer state.
    `data` are those of `config.task`.

    Every U is grown into the structure of `config`, so the network computes what the other one did. `UsageError` if
    the two networks differ in anything but the structure, or if the new structure cannot hold an old U."""
    folder = RunFolder(Path(config.init_from))
    source = folder.config()
    old = source.network(data if source.task == config.task else source.task.open())
    _check(config, model, source, old)
    if (symbols := folder.symbols()) is not None and symbols != data.symbols:
        raise UsageError(f"--init-from {config.init_from}: that run has other characters; accepted: the same ones")
    params = stored_state(folder, source, old, "last", warn)[1]["params"]
    if [cell.structures for cell, _ in old.cells] != [cell.structures for cell, _ in model.cells]:
        params = _grown(params, old, model)
    opt = jax.vmap(make_optimizer(config, numbers_of(config)).init)(params)
    return {"params": params, "opt": opt} | jax.vmap(lambda p: first_carry(config, model, p))(params)


def stored_state(folder: RunFolder, config: Config, model: Model, which: str, warn: Callable[[str], None]) -> Any:
    """Step and state of the newest checkpoint of a run, the "last" or the "best". `model` is the run's network."""
    check_definitions(folder.path, warn)
    checkpoints = folder.best if which == "best" else folder.last
    restored = checkpoints.restore(jax.eval_shape(lambda: first_state(config, model)), warn)
    if restored is None:
        raise UsageError(f"no usable checkpoint in {checkpoints.folder}")
    return restored


def _check(config: Config, model: Model, source: Config, old: Model) -> None:
    """Raise `UsageError` if the networks differ in more than the structure, or the runs in the number of seeds."""
    texts = [to_json(network, indent=1) for network in (old, model)]
    same = Model(**{**vars(old), "cell": model.cell})
    inner = innermost(model.cell)
    alike = type(old.cell) is type(model.cell) and old.cell.hidden_size == model.cell.hidden_size
    if alike and isinstance(inner, Recurrent):
        same = Model(**{**vars(old), "cell": with_structure(old.cell, inner.structure)})
    elif old.cell != model.cell:
        raise UsageError(f"--init-from {config.init_from}: the cells differ:\n{difference(*texts)}")
    if same != model:
        lines = difference(to_json(same, indent=1), texts[1])
        raise UsageError(
            f"--init-from {config.init_from}: the networks differ in more than cell.structure:\n{lines}\n"
            "Accepted: the same network, or one with another cell.structure."
        )
    if source.seeds != config.seeds:
        raise UsageError(
            f"--init-from {config.init_from}: that run has {source.seeds} seeds, this one {config.seeds}; "
            f"accepted: --seeds {source.seeds}"
        )


def _grown(params: Params, old: Model, model: Model) -> Params:
    """The parameters of all seeds of `old` with every U as a member of the structure that it has in `model`."""
    grown = dict(params)
    for number, (before, after) in enumerate(zip(old.layers, model.layers, strict=True)):
        pairs = dict(zip(("cell", "backward"), zip(before.cells, after.cells, strict=True), strict=False))
        layer = params[name := f"layer_{number}"]
        grown[name] = {**layer, **{d: _grown_cell(layer[d], *pair) for d, pair in pairs.items()}}
    return grown


def _grown_cell(params: Params, old: Cell, new: Cell) -> Params:
    def each(gate: str, u: Any) -> Any:
        before, after = old.structures[gate], new.structures[gate]
        seeds = jax.tree.leaves(u)[0].shape[0] if jax.tree.leaves(u) else 0
        rows = [grow(before, jax.tree.map(lambda a, s=s: a[s], u), after, size=new.hidden_size) for s in range(seeds)]
        return jax.tree.map(lambda *a: jnp.stack(a), *rows)

    us, _ = matrices(params, tuple(old.structures))
    return with_matrices(params, {gate: each(gate, u) for gate, u in us.items()})


__all__ = ["stored_state", "warm_state"]
