"""Run by test_threads.py in a process of its own, in which nothing is imported or compiled yet: eight threads do the
same things at once, each in an order of its own, and then the main thread does them. Prints what differs."""

import functools
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import rnnzoo
from rnnzoo import cells, run, structures, unrolls, wrappers
from rnnzoo.models import Model
from rnnzoo.streaming import Stepper

THREADS = 8
FOLDER = Path(tempfile.mkdtemp())
XS = np.random.default_rng(0).normal(size=(6, 2, 3)).astype(np.float32)
RUNS = {
    "dense": (cells.LSTM(hidden_size=4), unrolls.Scan()),
    "band": (cells.GRU(hidden_size=5, structure=structures.Banded(bandwidth=1)), unrolls.Chunked(chunk=2)),
    "rotation": (cells.Elman(hidden_size=4, structure=structures.Cayley()), unrolls.Auto()),
    "parallel": (cells.MinGRU(hidden_size=4), unrolls.Associative()),
    "Newton": (cells.GRU(hidden_size=4, structure=structures.Diagonal()), unrolls.Newton()),
    "memory": (cells.MLSTM(hidden_size=8, heads=2), unrolls.ChunkedMemory()),
    "wrapped": (wrappers.Zoneout(cell=cells.LSTM(hidden_size=4)), unrolls.Scan()),
}
STEPPED = cells.LSTM(hidden_size=4)


def ran(name: str) -> Any:
    """Outputs, last state and gradient of `run`."""
    cell, unroll = RUNS[name]
    params = cell.init(jax.random.key(0), 3)

    def loss(params: Any) -> Any:
        found = run(cell, params, XS, lengths=[6, 4], unroll=unroll)
        return (found[0] ** 2).sum(), found

    return jax.grad(loss, has_aux=True)(params)


@functools.cache
def shared() -> Stepper:
    """One stepper, made before there are threads, which call it with states of their own."""
    return rnnzoo.make_stepper(STEPPED, STEPPED.init(jax.random.key(0), 3), batch=(2,))


def streamed(stepper: Stepper) -> Any:
    """The outputs of all steps, one call after the other."""
    state, ys = stepper.start(), []
    for x in XS:
        y, state = stepper(state, x[None])
        ys.append(y)
    return jnp.concatenate(ys), state


def stepped() -> Any:
    """By a stepper that this thread makes, and by the one of all threads."""
    own = rnnzoo.make_stepper(STEPPED, STEPPED.init(jax.random.key(0), 3), batch=(2,))
    return streamed(own), streamed(shared())


def of_a_model() -> Any:
    """By a stepper of a whole network."""
    trained = rnnzoo.load_pretrained("parity")
    stepper = rnnzoo.make_model_stepper(trained.model, trained.params)
    return stepper(stepper.start(), np.ones((1, 1, trained.model.input_size), np.float32))


def loaded(name: str) -> Any:
    """A model of the package."""
    trained = rnnzoo.load_pretrained(name)
    assert rnnzoo.from_json(rnnzoo.to_json(trained.model)) == trained.model
    return trained.params


def written(folder: Path) -> Any:
    """A folder that this thread writes, read again; and one that all threads read."""
    model = Model(cell=STEPPED, input_size=3, output_size=2)
    own = folder / str(threading.get_ident())
    if not own.exists():
        rnnzoo.save_model(own, model, model.init(jax.random.key(1)))
    return [rnnzoo.load_model(path).params for path in (own, folder / "all")]


JOBS = {
    **{f"run {name}": functools.partial(ran, name) for name in RUNS},
    "steppers": stepped,
    "model stepper": of_a_model,
    **{f"pretrained {name}": functools.partial(loaded, name) for name in ("adder", "digits_rows_band", "mnist_rows")},
    "model folders": functools.partial(written, FOLDER),
}


def everything(start: threading.Barrier, first: int) -> dict[str, Any]:
    """All jobs, beginning with a certain one, once all threads are there."""
    start.wait()
    names = list(JOBS)
    return {name: jax.tree.map(np.asarray, JOBS[name]()) for name in names[first:] + names[:first]}


def main() -> None:
    """Print the number of threads whose results were compared, and each result that differs."""
    sys.setswitchinterval(1e-5)
    model = Model(cell=STEPPED, input_size=3, output_size=2)
    rnnzoo.save_model(FOLDER / "all", model, model.init(jax.random.key(2)))
    shared()
    start = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(functools.partial(everything, start), range(0, 2 * THREADS, 2)))
    expected = everything(threading.Barrier(1), 0)
    for number, results in enumerate(found):
        for name, value in results.items():
            same = jax.tree.map(np.array_equal, value, expected[name])
            if not all(jax.tree.leaves(same)):
                print(f"thread {number}: {name} differs")
    print(f"{len(found)} threads, {len(expected)} results each")


if __name__ == "__main__":
    main()
