"""Whether the installed JAX and this device do what rnnzoo relies on: NaN, gradients, determinism, precision, loops."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from rnnzoo.cells.base import Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.gru import GRU
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.run import run
from rnnzoo.spec import UsageError
from rnnzoo.structures.banded import Banded
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.training.results import environment
from rnnzoo.typing import Array, PyTree
from rnnzoo.unrolls.associative import Associative
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.chunked import Chunked
from rnnzoo.unrolls.cudnn import CuDNN
from rnnzoo.unrolls.loop import Loop
from rnnzoo.unrolls.newton import Newton
from rnnzoo.unrolls.scan import Scan

TIME, BATCH, INPUTS, HIDDEN = 6, 3, 4, 8
TOLERANCE = 1e-4  # of float32 gradients and states, relative to the largest value


class Finding(NamedTuple):
    """What was found about one behaviour."""

    name: str
    said: str
    wrong: bool = False
    """Whether rnnzoo relies on another behaviour."""


def selftest() -> Iterator[Finding]:
    """All findings, each as soon as it is there. Takes less than a minute.

    Raises:
        UsageError: JAX has no CPU beside this device, to compare with.
    """
    yield from nan_in_reductions()
    yield from gradients()
    yield determinism()
    yield matmul_precision()
    yield scan_and_loop()


def report(findings: list[Finding]) -> str:
    """Versions, device, findings and verdict as text, for a bug report."""
    lines = [f"{name}: {value}" for name, value in environment().items()]
    lines += [f"{'wrong' if finding.wrong else 'ok':5}  {finding.name}: {finding.said}" for finding in findings]
    wrong = [finding.name for finding in findings if finding.wrong]
    verdict = f"do not trust results on this device: {', '.join(wrong)}" if wrong else "rnnzoo can rely on this device"
    return "\n".join([*lines, verdict])


# ---- NaN -------------------------------------------------------------------------------------------------

SIZES = ((5, 3), (4096,), (16, 256))  # XLA has other programs for large arrays, and some of them drop NaN

RELIED_ON: dict[str, Callable[[Array], Array]] = {  # True where they see a NaN
    "isfinite().all()": lambda x: ~jnp.isfinite(x).all(),
    "isnan().any()": lambda x: jnp.isnan(x).any(),
    "sum": lambda x: jnp.isnan(x.sum()),
    "mean": lambda x: jnp.isnan(x.mean()),
}
NOT_RELIED_ON: dict[str, Callable[[Array], Array]] = {
    "max": lambda x: jnp.isnan(x.max()),
    "min": lambda x: jnp.isnan(x.min()),
    "sum of relu": lambda x: jnp.isnan(jax.nn.relu(x).sum()),
}


def nan_in_reductions(
    relied_on: Mapping[str, Callable[[Array], Array]] = RELIED_ON,
    others: Mapping[str, Callable[[Array], Array]] = NOT_RELIED_ON,
) -> Iterator[Finding]:
    """Whether one NaN in an array shows in what is computed of all of it."""
    for name, functions, relied in (("NaN in sums and tests", relied_on, True), ("NaN in max and min", others, False)):
        lost = [f"{f} of {size}" for size in SIZES for f in _blind(functions, size)]
        note = "" if relied else "; rnnzoo does not rely on it, and your code should not"
        yield Finding(name, f"lost in {', '.join(lost)}{note}" if lost else "is seen", relied and bool(lost))


def _blind(functions: Mapping[str, Callable[[Array], Array]], size: tuple[int, ...]) -> list[str]:
    """The names of the functions that miss one NaN in an array."""
    seen = jax.jit(lambda x: {name: function(x) for name, function in functions.items()})
    found = seen(jnp.ones(size).at[(1,) * len(size)].set(jnp.nan))
    return [name for name in functions if not found[name]]


# ---- gradients -------------------------------------------------------------------------------------------

PAIRS: list[tuple[Cell, Unroll]] = [
    (LSTM(hidden_size=HIDDEN, structure=Diagonal()), Scan()),
    (Elman(hidden_size=HIDDEN), Newton()),
    (GRU(hidden_size=HIDDEN, structure=Banded(bandwidth=1)), Chunked(chunk=4)),
    (MinGRU(hidden_size=HIDDEN), Associative()),
]


Gradient = Callable[[PyTree, Any], PyTree]


def gradient_of(cell: Cell, unroll: Unroll, **options: Any) -> Gradient:
    """A program, not yet compiled, for the gradient of the squared outputs of a cell."""

    def loss(params: PyTree, xs: Any) -> Array:
        return (run(cell, params, xs, unroll=unroll)[0] ** 2).sum()

    return jax.jit(jax.grad(loss, (0, 1)), **options)


def gradients(gradient: Callable[..., Gradient] = gradient_of) -> Iterator[Finding]:
    """Float32 gradients on this device against those of a plain loop in float64 on the CPU."""
    for cell, unroll in _pairs():
        params, xs = _example(cell)
        with jax.default_matmul_precision("highest"):
            found = gradient(cell, unroll)(params, jnp.asarray(xs))
        plain = gradient_of(cell, Loop(), compiler_options={"xla_backend_optimization_level": 0})  # it runs once
        error = _error(found, _in_float64(plain, params, xs))
        name = f"gradient of {type(cell).__name__} by {type(unroll).__name__}"
        yield Finding(name, f"differs from float64 by {error:.0e}", not error <= TOLERANCE)


def _pairs() -> Iterator[tuple[Cell, Unroll]]:
    yield from PAIRS
    lstm = LSTM(hidden_size=HIDDEN)
    if CuDNN().refuses(lstm) is None:  # on CUDA devices only
        yield lstm, CuDNN()


def _example(cell: Cell) -> tuple[PyTree, np.ndarray]:
    """Parameters and inputs as arrays of numpy, the same on every device."""
    random = np.random.RandomState(0)
    shapes = jax.eval_shape(lambda: cell.init(jax.random.key(0), INPUTS))
    params = jax.tree.map(lambda a: random.normal(scale=0.3, size=a.shape).astype(np.float32), shapes)
    return params, random.normal(size=(TIME, BATCH, INPUTS)).astype(np.float32)


def _in_float64(function: Gradient, *args: PyTree) -> PyTree:
    try:
        cpu = jax.devices("cpu")[0]
    except RuntimeError:
        raise UsageError(
            "JAX has no CPU beside this device; accepted: JAX_PLATFORMS unset, or one that has cpu"
        ) from None
    with jax.default_device(cpu), jax.enable_x64(True):
        wide = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), args)
        return jax.tree.map(np.asarray, function(*wide))


def _error(found: PyTree, expected: PyTree) -> float:
    """The largest difference relative to the largest value; NaN if anything is NaN. In numpy, which keeps it."""
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
    errors = [np.abs(np.asarray(f, np.float64) - e).max() / max(np.abs(e).max(), 1e-30) for f, e in pairs]
    return float(np.max(errors))


# ---- determinism, precision, loops -----------------------------------------------------------------------


def determinism(gradient: Callable[..., Gradient] = gradient_of) -> Finding:
    """Whether a program gives the same bits twice, also after it was compiled again."""
    cell, unroll = PAIRS[0]
    params, xs = _example(cell)
    once, again = gradient(cell, unroll), gradient(cell, unroll)
    programs = (once, once, again)
    first, *others = (jax.tree.map(np.asarray, program(params, jnp.asarray(xs))) for program in programs)
    same = all(jax.tree.all(jax.tree.map(np.array_equal, first, other)) for other in others)
    said = "the same bits each time" if same else "the same program gives other bits"
    return Finding("determinism", said, not same)


PRECISIONS = {"float32": 1e-6, "tf32": 2e-3, "bfloat16": 2e-2}  # name -> largest error of a product


def matmul_precision(product: Callable[[Array, Array], Array] = jnp.matmul) -> Finding:
    """In which precision this device multiplies float32 matrices if it is not told otherwise."""
    a, b = np.random.RandomState(0).normal(size=(2, 256, 256)).astype(np.float32)
    error = _error(jax.jit(product)(a, b), a.astype(np.float64) @ b)
    name = next((name for name, largest in PRECISIONS.items() if error <= largest), None)
    said = f"products of float32 matrices differ from float64 by {error:.0e}, as in {name or 'no known precision'}"
    if name not in ("float32", None):
        said += '; jax.default_matmul_precision("float32") is slower and exact'
    return Finding("matmul precision", said, name is None)


def scan_and_loop(scan: Callable[..., Any] = lax.scan) -> Finding:
    """Whether `lax.scan` computes what the same steps do one after another."""
    random = np.random.RandomState(0)
    u, xs = random.normal(size=(HIDDEN, HIDDEN)) / 4, random.normal(size=(50, HIDDEN))
    step = jax.jit(lambda h, x: (jnp.tanh(jnp.dot(u.astype(np.float32), h, precision="highest") + x),) * 2)
    h = jnp.zeros(HIDDEN)
    scanned = jax.jit(lambda xs: scan(step, h, xs)[1])(xs.astype(np.float32))
    looped = []
    for x in xs.astype(np.float32):
        h, _ = step(h, x)
        looped.append(h)
    error = _error(scanned, np.asarray(jnp.stack(looped), np.float64))
    return Finding("scan", f"differs from a plain loop by {error:.0e}", not error <= TOLERANCE)


__all__ = [
    "Finding",
    "determinism",
    "gradient_of",
    "gradients",
    "matmul_precision",
    "nan_in_reductions",
    "report",
    "scan_and_loop",
    "selftest",
]
