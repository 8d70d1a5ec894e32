"""Fused: its numbers against the plain loop, what it refuses, and that its kernels lower for GPUs and TPUs.

No device is needed: "interpret" runs the kernel of the TPU route step by step, and compilers take a kernel as far as
the machine code without a device. The other routes' own interpreters run forward and backward once each: slow."""

import contextlib
import dataclasses
import functools
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from support import assert_close
from unroll_support import BATCH, LENGTHS, RESETS, TIME, arguments, loss, quick, values_and_gradients
from zoo import all_cells, label, parameters

import rnnzoo
from rnnzoo import cells, run, structures, unrolls, wrappers
from rnnzoo.cells.base import Affine
from rnnzoo.spec import spec
from rnnzoo.typing import Control
from rnnzoo.unrolls.base import add
from rnnzoo.unrolls.fused import derivative, unroll
from rnnzoo.unrolls.fused.mosaic import Mosaic
from rnnzoo.unrolls.fused.tpu import TPU
from rnnzoo.unrolls.fused.triton import Triton
from rnnzoo.unrolls.fused.unroll import ROUTES, _lanes, _program, unfit, unsupported

FUSED = unrolls.Fused(route="interpret")
DIAGONAL = structures.Diagonal()
SIZE = 6
LSTM = cells.LSTM(hidden_size=SIZE, structure=DIAGONAL)
FIT = [cell for cell in all_cells(SIZE, DIAGONAL) if unfit(cell) is None]
DEVICES = ("mosaic", "triton", "tpu")
FIRST = ("LSTM", "LRU")  # two vectors in the state; real parts and imaginary ones


def is_first(cell):
    return type(cell).__name__ in FIRST


def agrees(cell, time=TIME, tolerance=1e-5, **options):
    args = arguments(cell, time)
    found = quick(functools.partial(values_and_gradients, cell, FUSED, **options))(args)
    expected = quick(functools.partial(values_and_gradients, cell, unrolls.Scan(), **options))(args)
    assert_close(found, expected, tolerance)


# ---- numbers ---------------------------------------------------------------------------------------------


def test_more_than_forty_cells_run():
    names = {type(cell).__name__ for cell in FIT}
    assert len(names) >= 40
    assert {"CIFGLSTM", "GRU", "IndRNN", "LRU", "LSTM", "LinOSS", "MinGRU", "PeepholeLSTM", "SLSTM"} <= names


@parameters("cell", FIT, is_first)
def test_lengths_and_resets(cell):
    agrees(cell, lengths=LENGTHS, resets=RESETS)


@pytest.mark.slow
@pytest.mark.parametrize("cell", FIT, ids=label)
def test_half_precision(cell):
    """As near to the loop as its own products in bfloat16 allow."""
    cell = dataclasses.replace(cell, dtype="bfloat16")
    args = arguments(cell)
    found, expected = (
        quick(functools.partial(values_and_gradients, cell, u, lengths=LENGTHS, resets=RESETS))(args)
        for u in (FUSED, unrolls.Loop())
    )
    assert_close(found[0], expected[0], 1e-6)
    assert_close(jax.tree.map(jnp.float32, found[1]), jax.tree.map(jnp.float32, expected[1]), 2e-2)


def test_half_precision_keeps_dtypes():
    cell = dataclasses.replace(cells.MinGRU(hidden_size=SIZE), dtype="bfloat16")
    args = arguments(cell)
    (ys, last), grads = values_and_gradients(cell, FUSED, args)
    assert ys.dtype == jnp.bfloat16 and last["h"].dtype == jnp.float32
    assert jax.tree.map(jnp.shape, grads) == jax.tree.map(jnp.shape, args)


@parameters("time", [1, 16, 19, 40], lambda time: time == 19)  # chunks have 16 steps
def test_any_number_of_steps(time):
    agrees(cells.GRU(hidden_size=50, structure=DIAGONAL), time)  # 150 lanes, in blocks of 128


def test_mask_and_reverse():
    mask = jax.random.bernoulli(jax.random.key(4), 0.6, (TIME, BATCH))
    agrees(LSTM, mask=mask, reverse=True)


def test_no_steps_and_no_sequences():
    params, xs, state = arguments(LSTM)
    ys, last = run(LSTM, params, xs[:0], state, unroll=FUSED)
    assert ys.shape == (0, BATCH, SIZE)
    assert_close(last, state, 0)
    assert run(LSTM, params, xs[:, :0], unroll=FUSED)[0].shape == (TIME, 0, SIZE)


def test_all_states():
    params, xs, state = arguments(LSTM)
    found, expected = (run(LSTM, params, xs, state, states=True, unroll=u) for u in (FUSED, unrolls.Scan()))
    assert_close(found, expected, 1e-6)


def test_noise_and_wrappers():
    cell, (params, xs, state) = wrappers.Zoneout(cell=LSTM), arguments(LSTM)
    found, expected = (run(cell, params, xs, state, key=jax.random.key(3), unroll=u) for u in (FUSED, unrolls.Scan()))
    assert_close(found, expected, 1e-6)


def test_only_entries_that_outputs_read_are_kept():
    params, xs, _ = arguments(LSTM)
    jaxpr = jax.make_jaxpr(lambda xs: run(LSTM, params, xs, unroll=FUSED))(xs)
    (eqn,) = [eqn for eqn in _all_eqns(jaxpr.jaxpr) if eqn.primitive is derivative.states_p]
    assert eqn.params["wanted"] == (False, True)  # of c and h
    assert [var.aval.shape for var in eqn.outvars] == [(TIME, BATCH * SIZE), (BATCH * SIZE,), (BATCH * SIZE,)]


def _all_eqns(jaxpr):
    for eqn in jaxpr.eqns:
        yield eqn
        for value in eqn.params.values():
            if hasattr(value, "jaxpr"):
                yield from _all_eqns(value.jaxpr)


# ---- derivatives -----------------------------------------------------------------------------------------


def total(unroll, args):
    return loss(LSTM, unroll, *args, options={"lengths": LENGTHS, "resets": RESETS})[0]


TRANSFORMED = {
    "jvp": lambda f, args: jax.jvp(f, (args,), (jax.tree.map(jnp.sin, args),)),
    "gradient under checkpoint": lambda f, args: jax.grad(jax.checkpoint(f))(args),
    "vmap of gradient": lambda f, args: jax.vmap(jax.grad(f))(_two(args)),
    "gradient of vmap": lambda f, args: jax.grad(lambda args: jax.vmap(f)(args).sum())(_two(args)),
    "forward over reverse": lambda f, args: jax.jvp(jax.grad(f), (args,), (jax.tree.map(jnp.sin, args),)),
    "reverse over reverse": lambda f, args: jax.grad(lambda args: _square(jax.grad(f)(args)))(args),
    "vmap of jvp": lambda f, args: jax.vmap(lambda a: jax.jvp(f, (a,), (jax.tree.map(jnp.sin, a),)))(_two(args)),
}


def _two(tree):
    return jax.tree.map(lambda a: jnp.stack([a, 0.5 * a]), tree)


def _square(tree):
    return sum((leaf**2).sum() for leaf in jax.tree.leaves(tree))


@parameters("name", TRANSFORMED, lambda name: name in ("jvp", "vmap of gradient"))
def test_every_derivative(name):
    args = arguments(LSTM)
    found, expected = (
        quick(functools.partial(TRANSFORMED[name], functools.partial(total, u)))(args) for u in (FUSED, unrolls.Scan())
    )
    assert_close(found, expected, 2e-5)


def test_one_sequence_by_itself():
    params, xs, state = arguments(LSTM, batch=())
    zs = jax.vmap(functools.partial(LSTM.project, params))(xs)
    found, expected = (u(LSTM, params, state, zs, Control()) for u in (FUSED, unrolls.Scan()))
    assert_close(found, expected, 1e-6)


# ---- refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (cells.LSTM(hidden_size=SIZE), "lets units meet through dot_general"),
        (cells.LSTM(hidden_size=SIZE, structure=structures.Banded()), "lets units meet through"),
        (cells.LayerNormLSTM(hidden_size=SIZE, structure=DIAGONAL), "sums or slices"),
        (cells.GLA(hidden_size=SIZE), "not of vectors"),
    ],
    ids=label,
)
def test_steps_that_mix_units_are_refused(cell, reason):
    said = FUSED.refuses(cell)
    assert said is not None and said.startswith(f"step of {type(cell).__name__} ") and reason in said
    params = cell.init(jax.random.key(0), 2)
    with pytest.raises(rnnzoo.UsageError, match="act on each unit by itself"):
        run(cell, params, jnp.zeros((TIME, 2)), unroll=FUSED)


def test_double_precision_is_refused(x64):
    assert "carries float64, where Fused carries float32" in str(FUSED.refuses(LSTM))


@pytest.mark.parametrize("route", ["auto", *DEVICES])
def test_a_cpu_is_refused(route):
    fused = unrolls.Fused(route=route)
    said = fused.refuses(LSTM)
    assert said is not None and said.startswith(f"{fused} runs LSTM on ")
    assert said.endswith("; the default device is cpu")


@pytest.mark.parametrize(
    ("platform", "capability", "route"),
    [("gpu", "9.0", "mosaic"), ("gpu", "10.0", "mosaic"), ("gpu", "8.0", "triton"), ("gpu", "gfx942", "triton"),
     ("tpu", None, "tpu")],
)  # fmt: skip
def test_the_device_decides_the_route(monkeypatch, platform, capability, route):
    device = SimpleNamespace(platform=platform, compute_capability=capability)
    monkeypatch.setattr(jax, "devices", lambda: [device])
    monkeypatch.setattr(unroll, "unsupported", lambda cell, route: None)
    assert unrolls.Fused().refuses(LSTM) is None
    assert unrolls.Fused().kernel(LSTM) == ROUTES[route]
    if route == "triton":
        said = unrolls.Fused(route="mosaic").refuses(LSTM)
        assert said == "Fused(route='mosaic') runs LSTM on NVIDIA GPUs from Hopper on; the default device is gpu"


def test_auto_takes_the_next_route_where_a_language_lacks_something(monkeypatch):
    monkeypatch.setattr(jax, "devices", lambda: [SimpleNamespace(platform="gpu", compute_capability="9.0")])
    lacks = {ROUTES["mosaic"]: "Mosaic lacks it"}
    monkeypatch.setattr(unroll, "unsupported", lambda cell, route: lacks.get(route))
    assert unrolls.Fused().kernel(LSTM) == ROUTES["triton"]
    assert unrolls.Fused(route="mosaic").refuses(LSTM) == "Mosaic lacks it"
    lacks[ROUTES["triton"]] = "Triton lacks it"
    assert unrolls.Fused().refuses(LSTM) == "Mosaic lacks it; Triton lacks it"


# ---- kernels ---------------------------------------------------------------------------------------------


def a_device(route):
    """What compilers look at in place of a device, from JAX 0.11 on."""
    if "platform" not in jax.sharding.AbstractDevice.__dataclass_fields__:
        return contextlib.nullcontext()
    kind, platform = ("TPU v5 lite", "tpu") if route == "tpu" else ("NVIDIA H100 80GB HBM3", "gpu")
    device = jax.sharding.AbstractDevice(device_kind=kind, num_cores=1, platform=platform)  # pyright: ignore
    return jax.sharding.use_abstract_mesh(jax.sharding.AbstractMesh((), (), abstract_device=device))


# A remainder (and on JAX 0.10 a square root) is no part of Mosaic GPU; without a device, JAX 0.10 does not know which
# TPU a sign is for.
NOT_TAKEN = {"PhasedLSTM": ("mosaic", "tpu"), "RGLRU": ("mosaic",), "ModReLURNN": ("tpu",)}


@parameters("cell", FIT, is_first)
@pytest.mark.parametrize("route", DEVICES)
@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_gradients_lower_for_devices(route, cell, dtype):
    if route in NOT_TAKEN.get(type(cell).__name__, ()):
        pytest.skip("not in every version of JAX")
    with a_device(route):
        assert unsupported(dataclasses.replace(cell, dtype=dtype), ROUTES[route]) is None


@spec
class _ErrorFunction(Affine):
    """A step with a function that Mosaic GPU does not know."""

    gates = ("a",)
    transition = DIAGONAL

    def affine(self, params, z_t):
        raise NotImplementedError

    def step(self, params, state, z_t, recur):
        return {"h": add({}, "", jax.lax.erf_inv(0.5 * jnp.tanh(state["h"] + z_t["a"])))}


def test_what_a_language_lacks_is_the_reason():
    cell = _ErrorFunction(hidden_size=4)
    assert unfit(cell) is None
    said = unsupported(cell, Mosaic())
    assert said is not None and said.startswith("Mosaic does not take the gradient of _ErrorFunction: ")
    assert "erf_inv" in said


def interpreters():
    """Those of the routes' own languages."""
    from jax._src.pallas.mosaic_gpu.interpret.params import InterpretGPUParams
    from jax.experimental.pallas import tpu

    return {
        "mosaic": Mosaic(chunk=4, interpret=InterpretGPUParams(detect_races=True)),
        "triton": Triton(ahead=5, interpret=True),
        "tpu": TPU(chunk=4, interpret=tpu.InterpretParams()),
    }


@pytest.mark.slow
@pytest.mark.parametrize("controls", [False, True])
@pytest.mark.parametrize("route", DEVICES)
def test_interpreted_kernels(capfd, route, controls):
    """Forward and backward against `lax.scan` of the same lanes. Interpreters have side effects, which a primitive has
    not: the loops are called without one."""
    cell, time, batch = cells.LSTM(hidden_size=70, structure=DIAGONAL), 12, 2
    params, xs, state = arguments(cell, time, (batch,))
    zs = jax.vmap(jax.vmap(functools.partial(cell.project, params)))(xs)
    some = jax.random.bernoulli(jax.random.key(4), 0.6, (2, time, batch))
    control = Control(active=some[0], reset=some[1]) if controls else Control()
    program, known, read = _program(cell, params, state, zs, control)
    fixed, consts = known(params)
    rows = [a for a, is_read in zip(jax.tree.leaves((zs, control)), read, strict=True) if is_read]
    each: list[Any] = [(fixed, program.fixed, batch), (consts, program.consts, batch)]
    each += [(jax.tree.leaves(state), program.state), (rows, program.row)]
    arrays = [lane for some in each for lane in _lanes(program, *some)]

    def both(kernel, *arrays):
        """States and the last one; then the cotangents of consts, start and rows."""
        how, every = {"program": program, "route": kernel, "steps": time}, (True, True)
        found = derivative._states(*arrays, wanted=every, **how)
        wanted = tuple(a.dtype == jnp.float32 for a in (*program.consts, *program.state, *program.row))
        given = [*arrays, *found[:2], *map(jnp.cos, found)]
        return found, derivative._backward(*given, wanted=wanted, given=every * 2, **how)

    found, expected = (jax.jit(functools.partial(both, kernel))(*arrays) for kernel in (interpreters()[route], None))
    assert_close(found, expected, 1e-5)
    # From JAX 0.12 on a race raises, too: without the barrier at the end of a chunk the Mosaic kernel has one.
    assert "RACE" not in "".join(capfd.readouterr())
