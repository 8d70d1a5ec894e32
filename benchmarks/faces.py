"""A training step of a tagger, written as Flax's documentation does, with Flax's RNN and with ours in its place.

    python benchmarks/faces.py

Embedding, LSTM, linear head, cross entropy, adam; float32, (B, T, H) = (32, 256, 128), all cores to each, in Linen and
in NNX. Parameters are the same at the start, converted from Flax's, so that the losses of the first steps are too: they
are compared before anything is timed. Ratios are of wall time to Flax's module of the same kind, in the same round.
``--keep-memory`` calls `rnnzoo.keep_memory` first, for both.
"""

import sys
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import nnx

sys.path.insert(0, str(Path(__file__).parent))
from timing import measure, parser, report

import rnnzoo.linen
import rnnzoo.nnx
from rnnzoo import cells, structures

B, T, H, V = 32, 256, 128, 64
DENSE = cells.LSTM(hidden_size=H)
DIAGONAL = cells.LSTM(hidden_size=H, structure=structures.Diagonal())
TX = optax.adam(1e-3)


class Tagger(nn.Module):
    """In Linen; `rnn` is Flax's or ours."""

    rnn: nn.Module

    @nn.compact
    def __call__(self, tokens):
        x = nn.Embed(V, H, name="embed")(tokens)
        return nn.Dense(V, name="head")(self.rnn(x))


class NnxTagger(nnx.Module):
    """In NNX; `rnn` is Flax's or ours."""

    def __init__(self, rnn, rngs):
        self.embed = nnx.Embed(V, H, rngs=rngs)
        self.rnn = rnn
        self.head = nnx.Linear(H, V, rngs=rngs)

    def __call__(self, tokens):
        return self.head(self.rnn(self.embed(tokens)))


def from_linen(gates):
    """Our parameters from those of Flax's LSTMCell: kernels are (I, H) there, and biases with the recurrent ones."""
    return {
        "w": {g: gates[f"i{g}"]["kernel"].T for g in "ifgo"},
        "u": {g: gates[f"h{g}"]["kernel"].T for g in "ifgo"},
        "b": {g: gates[f"h{g}"]["bias"] for g in "ifgo"},
    }


def from_nnx(cell):
    """Our parameters from those of Flax's nnx.LSTMCell, where the input gate f is called if_."""
    names = {g: {"i": f"i{g}" if g != "f" else "if_", "h": f"h{g}"} for g in "ifgo"}
    return {
        "w": {g: getattr(cell, names[g]["i"]).kernel[...].T for g in "ifgo"},
        "u": {g: getattr(cell, names[g]["h"]).kernel[...].T for g in "ifgo"},
        "b": {g: getattr(cell, names[g]["h"]).bias[...] for g in "ifgo"},
    }


def cross_entropy(logits, tokens):
    targets = jnp.roll(tokens, -1, 1)
    return optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean()


def linen_step(model):
    @jax.jit
    def train(params, opt_state, tokens):
        value, grads = jax.value_and_grad(lambda p: cross_entropy(model.apply({"params": p}, tokens), tokens))(params)
        updates, opt_state = TX.update(grads, opt_state)
        return optax.apply_updates(params, updates), opt_state, value

    return train


@nnx.jit
def nnx_step(model, optimizer, tokens):
    value, grads = nnx.value_and_grad(lambda m: cross_entropy(m(tokens), tokens))(model)
    optimizer.update(model, grads)
    return value


def linen_runs(tokens):
    """Name -> a function that takes one training step and returns the loss."""
    theirs = Tagger(nn.RNN(nn.LSTMCell(H)))
    params = theirs.init(jax.random.key(0), tokens)["params"]
    rest = {name: params[name] for name in ("embed", "head")}
    diagonal = DIAGONAL.init(jax.random.key(1), H)
    return {
        "flax.linen": _linen_run(theirs, params, tokens),
        "rnnzoo.linen dense": _linen_run(
            Tagger(rnnzoo.linen.RNN(DENSE)), rest | {"rnn": from_linen(params["rnn"]["cell"])}, tokens
        ),
        "rnnzoo.linen diagonal": _linen_run(Tagger(rnnzoo.linen.RNN(DIAGONAL)), rest | {"rnn": diagonal}, tokens),
    }


def _linen_run(model, params, tokens):
    state = [params, TX.init(params)]
    train = linen_step(model)

    def run():
        *state[:], value = train(*state, tokens)
        return jax.block_until_ready(value)

    return run


def nnx_runs(tokens):
    theirs = NnxTagger(nnx.RNN(nnx.LSTMCell(H, H, rngs=nnx.Rngs(0))), nnx.Rngs(1))
    dense = NnxTagger(rnnzoo.nnx.RNN(DENSE, H, rngs=nnx.Rngs(0)), nnx.Rngs(1))
    nnx.update(dense.rnn, {"params": from_nnx(theirs.rnn.cell)})
    diagonal = NnxTagger(rnnzoo.nnx.RNN(DIAGONAL, H, rngs=nnx.Rngs(0)), nnx.Rngs(1))
    models = {"flax.nnx": theirs, "rnnzoo.nnx dense": dense, "rnnzoo.nnx diagonal": diagonal}
    return {name: _nnx_run(model, tokens) for name, model in models.items()}


def _nnx_run(model, tokens):
    optimizer = nnx.Optimizer(model, TX, wrt=nnx.Param)
    return lambda: jax.block_until_ready(nnx_step(model, optimizer, tokens))


if __name__ == "__main__":
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--keep-memory", action="store_true", help="call rnnzoo.keep_memory first")
    if (given := arguments.parse_args()).keep_memory:
        rnnzoo.keep_memory()
    tokens = jax.random.randint(jax.random.key(2), (B, T), 0, V)
    for runs in (linen_runs(tokens), nnx_runs(tokens)):
        curves = {name: jnp.array([run() for _ in range(5)]) for name, run in runs.items()}
        theirs, ours, _ = curves.values()
        print(*(f"{name}: " + " ".join(f"{v:.6f}" for v in curve) for name, curve in curves.items()), sep="\n")
        assert jnp.allclose(theirs, ours, rtol=1e-5), "the losses of the same parameters differ"
        report(measure(runs, given.runs), given.out)
