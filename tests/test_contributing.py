"""A cell, a structure, a wrapper and a task written outside the package, by CONTRIBUTING.md alone, and all they get."""

import functools
import re
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import zoo
from flax import nnx
from own_support import forget
from support import assert_close, random_like
from unroll_support import BATCH, FEATURES, LENGTHS, RESETS, TIME, arguments, quick, values_and_gradients

import rnnzoo
import rnnzoo.linen
import rnnzoo.nnx
from rnnzoo import cells, run, structures, unrolls
from rnnzoo.__main__ import command
from rnnzoo.training.config import Config, load_config
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress
from rnnzoo.training.sources import load_source

OUTSIDE = '''"""Members of my own, and a run of them."""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.base import Fraction, Positive, Recurrent, Size, Structure, Structures, Synthetic, Wrapper, spec
from rnnzoo.config import Config
from rnnzoo.structures import Dense


@spec
class MyLEM(Recurrent):
    """Long expressive memory (Rusch et al. 2022). https://arxiv.org/abs/2110.04744"""

    gates = ("s", "f", "z", "y")
    carries = ("y", "z")

    structure: Structures = Dense()
    largest: Positive = 1.0
    """The largest time step."""

    def step(self, params, state, z_t, recur):
        a = recur({gate: state["y"] for gate in "sfz"})
        slow_t, fast_t = self.largest * sigmoid(a["s"]), self.largest * sigmoid(a["f"])
        new_z = (1 - slow_t) * state["z"] + slow_t * jnp.tanh(a["z"])
        new_y = (1 - fast_t) * state["y"] + fast_t * jnp.tanh(recur({"y": new_z})["y"])
        return {"y": new_y, "z": new_z}

    def readout(self, params, state, z_t):
        return state["y"]


@spec
class MyCompanion(Structure):
    """U[i, i + 1] = 1 and U[H - 1, :] = u, (H,)."""

    connectivity = "cyclic"
    closure = Dense()

    def init(self, key, size):
        return jax.random.normal(key, (size,)) / size

    def matvec(self, u, h):
        return jnp.append(h[1:], u @ h)

    def nonzeros(self, size):
        return 2 * size - 1


@spec
class MyScaledUpdate(Wrapper):
    """v_t = v_tm1 + rate * (v_new - v_tm1), for every vector v of the state of `cell`, whose own step gives v_new."""

    rate: Fraction = 0.5
    """How far the state goes."""

    def step(self, params, state, z_t, recur):
        new = self.cell.step(params, state, z_t, recur)
        return jax.tree.map(lambda v_tm1, v_new: v_tm1 + self.rate * (v_new - v_tm1), state, new)


@spec
class MyFlipFlop(Synthetic):
    """In each channel, x is -1 or 1 now and then and else 0; y is the last of them that was not 0."""

    channels: Size = 2
    """Number of channels."""
    length: Size = 12
    """Time steps."""

    metric = "accuracy"
    better = "higher"
    held_out_sequences = 32

    @property
    def input_size(self):
        return self.channels

    @property
    def output_size(self):
        return self.channels

    def draw(self, key, size):
        shape = (self.length, size, self.channels)
        pulses_key, signs_key = jax.random.split(key)
        pulses = jax.random.bernoulli(pulses_key, 0.25, shape).at[0].set(True)
        x = pulses * jax.random.rademacher(signs_key, shape, jnp.float32)
        last = jax.lax.cummax(pulses * jnp.arange(self.length)[:, None, None])
        return {"x": x, "y": jnp.take_along_axis(x, last, 0)}

    def loss(self, outputs, batch):
        return ((outputs - batch["y"]) ** 2).mean()

    def scores(self, outputs, batch):
        hits = outputs * batch["y"] > 0
        return {"accuracy": (hits.sum(dtype=jnp.float32), jnp.float32(hits.size))}

    def baselines(self, data):
        return {"chance": 0.5}


config = Config(
    task=MyFlipFlop(),
    cell=MyScaledUpdate(cell=MyLEM(hidden_size=6, structure=MyCompanion())),
    batch_size=4,
    steps=4,
    log_every=2,
    eval_every=2,
)
'''


CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"
EXAMPLES = "\n\n".join(re.findall(r"^```python\n(.*?)^```", CONTRIBUTING.read_text(), re.M | re.S))
# "My", since other tests, and one day the package, may have a member of that name.
NAMES = "|".join(re.findall(r"^class (\w+)", EXAMPLES, re.M))
EXAMPLES = re.sub(rf"\b({NAMES})\b", r"My\1", EXAMPLES)


def write(folder: Path) -> Path:
    file = folder / "outside.py"
    file.write_text(OUTSIDE)
    return file


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """The module outside of the package."""
    before = list(sys.path)
    module = sys.modules[type(load_config(str(write(tmp_path_factory.mktemp("outside")))).task).__module__]
    yield module
    sys.path[:] = before
    forget()


# ---- one member at a time ----------------------------------------------------------------------------------


def lem(p, xs, y, z):
    """Rusch et al. 2022, equation 3, in the names of the paper."""
    (W1, W2, Wz, Wy), (V1, V2, Vz, Vy), (b1, b2, bz, by) = ([p[k][g] for g in "sfzy"] for k in "uwb")
    ys = []
    for u in xs:
        Dt_n = 1 / (1 + np.exp(-(W1 @ y + V1 @ u + b1)))
        Dt_n_bar = 1 / (1 + np.exp(-(W2 @ y + V2 @ u + b2)))
        z = (1 - Dt_n) * z + Dt_n * np.tanh(Wz @ y + Vz @ u + bz)
        y = (1 - Dt_n_bar) * y + Dt_n_bar * np.tanh(Wy @ z + Vy @ u + by)
        ys.append(y)
    return np.array(ys), {"y": y, "z": z}


@pytest.mark.parametrize("kind", ["Dense", "MyCompanion"])
def test_the_cell_is_its_paper(x64, outside, kind):
    cell = outside.MyLEM(hidden_size=5, structure=getattr(outside, kind)())
    params, xs, state = arguments(cell, 6, ())
    dense = {gate: cell.structure.matrix(u, 5) for gate, u in params["u"].items()}
    p, s = jax.tree.map(np.asarray, (params | {"u": dense}, state))
    assert_close(run(cell, params, xs, state, unroll=unrolls.Loop()), lem(p, np.asarray(xs), s["y"], s["z"]), 1e-13)


def test_the_structure_is_the_companion_matrix(x64, outside):
    u = jax.random.normal(jax.random.key(0), (4,))
    expected = np.eye(4, k=1)
    expected[-1] = u
    assert_close(outside.MyCompanion().matrix(u, 4), expected, 0)
    assert (outside.MyCompanion().num_params(4), outside.MyCompanion().nonzeros(4)) == (4, 7)


def test_the_wrapper_scales_any_cell(x64, outside):
    inner = cells.LSTM(hidden_size=4)
    params, xs, state = arguments(inner, 1, ())
    old, new = state, run(inner, params, xs, state)[1]
    cell = outside.MyScaledUpdate(cell=inner, rate=0.25)
    expected = jax.tree.map(lambda a, b: a + 0.25 * (b - a), old, new)
    assert_close(run(cell, params, xs, state)[1], expected, 1e-14)


def test_the_task_remembers_the_last_sign(outside):
    batch = jax.jit(lambda key: outside.MyFlipFlop(channels=3).draw(key, 5))(jax.random.key(1))
    x, y = np.asarray(batch["x"]), np.asarray(batch["y"])
    held = np.zeros(x.shape[1:])
    for x_t, y_t in zip(x, y, strict=True):
        held = np.where(x_t != 0, x_t, held)
        np.testing.assert_array_equal(held, y_t)
    assert set(np.unique(x)) == {-1, 0, 1} and set(np.unique(y)) == {-1, 1}


# ---- every way to run them ---------------------------------------------------------------------------------


def of_all(outside: Any, hidden_size: int = 4) -> Any:
    return outside.MyScaledUpdate(cell=outside.MyLEM(hidden_size=hidden_size, structure=outside.MyCompanion()))


def is_quick(unroll: Any) -> bool:
    return zoo.is_light(cells.LSTM(hidden_size=1), unroll)


@pytest.mark.parametrize("unroll", zoo.marked([u for u in zoo.UNROLLS if u != unrolls.Loop()], is_quick))
def test_every_unroll_runs_or_refuses_them(x64, outside, unroll):
    cell, options = of_all(outside), {"lengths": LENGTHS, "resets": RESETS}
    args = arguments(cell)
    if (reason := unroll.refuses(cell)) is not None:
        with pytest.raises(rnnzoo.UsageError, match="MyScaledUpdate"):
            run(cell, *args, unroll=unroll)
        needs_device = isinstance(unroll, (unrolls.CuDNN, unrolls.Fused))
        assert needs_device or "not affine" in reason or "no matrix memory" in reason
        return
    found = quick(functools.partial(values_and_gradients, cell, unroll, **options))(args)
    expected = values_and_gradients(cell, unrolls.Loop(), args, **options)
    assert_close(found[: 1 + unroll.exact], expected[: 1 + unroll.exact])


def test_both_faces_run_them(x64, outside):
    cell = of_all(outside)
    params, xs, _ = arguments(cell, TIME, (BATCH,))
    xs = xs.swapaxes(0, 1)
    expected = run(cell, params, xs.swapaxes(0, 1))[0].swapaxes(0, 1)
    assert_close(rnnzoo.linen.RNN(cell).apply({"params": params}, xs), expected, 1e-14)
    module = rnnzoo.nnx.RNN(cell, FEATURES, rngs=nnx.Rngs(0))
    rnnzoo.nnx.set_params(module, params)
    assert_close(module(xs), expected, 1e-14)


def test_any_cell_with_the_structure_and_any_structure_with_the_cell(x64, outside):
    for cell in (
        cells.GRUResetBefore(hidden_size=4, structure=outside.MyCompanion()),
        outside.MyLEM(hidden_size=4, structure=structures.Diagonal()),
        outside.MyLEM(
            hidden_size=4, structure={"y": outside.MyCompanion(), **dict.fromkeys("sfz", structures.Dense())}
        ),
    ):
        args = arguments(cell)
        scan = quick(functools.partial(values_and_gradients, cell, unrolls.Scan()))
        assert_close(scan(args), values_and_gradients(cell, unrolls.Loop(), args))


def test_the_examples_of_contributing_run(x64, outside, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "outside_examples.py").write_text(EXAMPLES)
    examples = load_source(str(tmp_path / "outside_examples.py"))
    leaky = examples.MyLeaky(hidden_size=4, structure=examples.MyAntidiagonal())
    args, options = arguments(leaky), {"lengths": LENGTHS, "resets": RESETS}
    for cell in (leaky, examples.MyFaint(cell=leaky)):
        scan = quick(functools.partial(values_and_gradients, cell, unrolls.Scan(), **options))
        assert_close(scan(args), values_and_gradients(cell, unrolls.Loop(), args, **options))
    params, xs, state = args
    faint = params | {"u": jax.tree.map(lambda u: u / 2, params["u"])}
    assert_close(run(examples.MyFaint(cell=leaky), params, xs, state), run(leaky, faint, xs, state))
    config = Config(task=examples.MyEcho(), cell=leaky, steps=2, log_every=1, eval_every=2)
    assert Job(config, tmp_path / "run", Progress(config)).run()["metrics"]["error"] < 9


# ---- JSON, training and commands -----------------------------------------------------------------------------


def test_json_and_training(outside, tmp_path):
    assert rnnzoo.from_json(rnnzoo.to_json(outside.config)) == outside.config
    final = Job(outside.config, tmp_path / "run", Progress(outside.config)).run()
    assert 0 <= final["metrics"]["accuracy"] <= 1
    model = outside.config.network(outside.config.task.open())
    params = model.init(jax.random.key(0))
    rnnzoo.save_model(tmp_path / "model", model, random_like(jax.random.key(1), params))
    assert rnnzoo.load_model(tmp_path / "model").model == model


def test_every_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    forget()
    write(tmp_path)
    assert command(["train", "--config", "outside.py", "--workdir", "run"]) == 0
    for args in (
        ["evaluate", "run", "--json"],
        ["show", "run", "run"],
        ["save", "run", "--out", "model"],
        ["list", "cells", "mylem"],
    ):
        forget()
        capsys.readouterr()
        assert command([*args, "--import", "outside.py"]) == 0, args
        assert "warning" not in capsys.readouterr().err, args
    found = rnnzoo.load_model("model")
    assert type(found.model.cell).__name__ == "MyScaledUpdate" and found.config is not None
    assert jnp.isfinite(found.model.apply(found.params, jnp.zeros((3, 1, 2)))[0]).all()
    forget()
