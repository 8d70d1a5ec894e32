"""What a user writes, for type checkers: mypy and basedpyright must find nothing in it. It runs, too."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

import rnnzoo
from rnnzoo import cells, run, structures, tasks, unrolls
from rnnzoo.base import Params
from rnnzoo.config import Config
from rnnzoo.models import Model


def of_arrays() -> tuple[float, tuple[int, ...]]:
    """A step of a training loop of one's own."""
    cell = cells.LSTM(hidden_size=8, structure=structures.Banded(bandwidth=1))
    params = cell.init(jax.random.key(0), input_size=3)
    xs = jax.random.normal(jax.random.key(1), (5, 2, 3))

    def loss(params: Params) -> jax.Array:
        ys, _ = run(cell, params, xs, lengths=[5, 3], unroll=unrolls.Chunked(chunk=2))
        return jnp.mean(ys**2)

    adam = optax.adam(1e-2)
    value, grads = jax.value_and_grad(loss)(params)
    updates, _ = adam.update(grads, adam.init(params), params)
    params = optax.apply_updates(params, updates)
    ys, last = run(cell, params, xs)
    return float(value), (*ys.shape, *last["h"].shape)


def of_gates() -> int:
    """A structure for each gate."""
    gates: dict[str, structures.Structure] = {"r": structures.Diagonal(), "z": structures.Diagonal()}
    return cells.GRU(hidden_size=4, structure={**gates, "n": structures.Dense()}).num_params(3)


def of_streams() -> tuple[int, ...]:
    """One step at a time, of a cell and of a model that comes with the package."""
    cell = cells.GRU(hidden_size=4)
    stepper = rnnzoo.make_stepper(cell, cell.init(jax.random.key(0), 3), batch=(2,))
    state = stepper.start()
    y, state = stepper(state, jnp.zeros((1, 2, 3)))
    trained = rnnzoo.load_pretrained("parity")
    read = rnnzoo.make_model_stepper(trained.model, trained.params, streams=1)
    outputs, _ = read(read.start(), jnp.zeros((1, 1, trained.model.input_size)))
    return (*y.shape, *outputs.shape)


def of_models() -> tuple[int, ...]:
    """A whole network, and a step of an optimizer on it."""
    model = Model(cell=cells.LSTM(hidden_size=4), input_size=3, output_size=2, read="last")
    x, params = np.zeros((5, 2, 3), np.float32), model.init(jax.random.key(0))
    sgd = optax.sgd(0.1)
    grads = jax.grad(lambda params: (model.apply(params, x)[0] ** 2).sum())(params)
    updates, _ = sgd.update(grads, sgd.init(params), params)
    outputs, state = model.apply(optax.apply_updates(params, updates), x)
    return (*outputs.shape, *state["layer_0"]["h"].shape)


def of_training(folder: Path) -> dict[str, float]:
    """Training, evaluation, a folder to share."""
    config = Config(task=tasks.Parity(), cell=cells.Elman(hidden_size=4), lr=1e-2, steps=2, log_every=1, eval_every=2)
    seen: list[int] = []
    result = rnnzoo.train(config, folder / "run", progress=False, callbacks=[lambda line: seen.append(line["step"])])
    scores = rnnzoo.evaluate(result).scores
    rnnzoo.save_model(folder / "model", result.model, result.params, config=config, scores=scores)
    again = rnnzoo.load_model(folder / "model")
    return scores | {"seen": float(len(seen)), "loaded": float(again.model == result.model)}
