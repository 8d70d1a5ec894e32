"""The benchmarks fit the code that they measure: each one's programs are traced at small sizes, and not timed."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import jax
import pytest

from rnnzoo import cells, structures, unrolls
from rnnzoo.unrolls.fused.unroll import ROUTES

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """A benchmark as a module, with these of its names set to smaller values."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name: str, **smaller: object) -> ModuleType:
        monkeypatch.delitem(sys.modules, name, raising=False)  # a study may have the same name
        module = importlib.import_module(name)
        for key, value in smaller.items():
            monkeypatch.setattr(module, key, value)
        return module

    return load


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("gradient", [False, True])
def test_cpu(benchmark, kind, gradient):
    for function, args in benchmark("cpu").ours(kind, (2, 3, 4, 5), gradient).values():
        jax.eval_shape(function, *args)


def test_associative(benchmark):
    module = benchmark("associative")
    for unroll in module.UNROLLS.values():
        cell = cells.MinGRU(hidden_size=4)
        args = (cell.init(jax.random.key(1), 3), jax.random.normal(jax.random.key(0), (6, 2, 3)))
        for function in module.programs(cell, unroll).values():
            jax.eval_shape(function, *args)


@pytest.mark.parametrize("case", ["lstm", "layers", "others", "linear"])
def test_gpu(benchmark, case):
    """All rows but torch's, and but those of kernels that this device does not run."""

    def traced(function, make_args):
        return lambda: jax.eval_shape(function, *jax.eval_shape(make_args))

    small = {"STEPS": 3, "BATCH": 2, "UNITS": 4, "LINEAR": {"steps": (3,), "batch": 2, "units": 4}}
    rows = list(benchmark("gpu", compiled=traced, **small).CASES[case]())
    for row in rows:
        row.compile()
    assert {row.what for row in rows} == {"forward", "gradient"}
    failed = [(row.candidate, row.found["note"]) for row in rows if "note" in row.found]
    assert all("the default device is cpu" in note for _, note in failed)
    assert len(failed) <= 6 * (case == "layers")  # Fused by two routes, and cuDNN


def test_gpu_agreement(benchmark, monkeypatch):
    module = benchmark("gpu", SMALL=(3, 2, 4))
    lstm, route = cells.LSTM(hidden_size=4, structure=structures.Diagonal()), ROUTES["interpret"]
    monkeypatch.setitem(module.CHOICES, "Mosaic", route)
    row = module._agrees(lstm, "Mosaic")
    assert row["note"].startswith("PASS ") and row["candidate"] == "Mosaic" and row["T"] == 3
    assert module._agrees(lstm, "no such choice")["note"].startswith("FAIL KeyError")


def test_structures(benchmark):
    module = benchmark("structures", T=3, B=2)
    for structure in module.choices(["diagonal"]):
        function, args = module.candidate(structure, 4)
        jax.eval_shape(function, *args)


def test_memory(benchmark):
    sizes = benchmark("memory").gradient_memory(cells.LSTM(hidden_size=3), unrolls.Scan(), 4, 2, 3)
    assert sizes["layer"] > 0 and sizes["loss"] > 0


def test_newton(benchmark, monkeypatch):
    module = benchmark("newton", HIDDEN=4)
    monkeypatch.setattr(
        module, "measure", lambda candidates, runs: [jax.eval_shape(f, *a) for f, a in candidates.values()] and [{}]
    )
    name, cell, params, embedding = next(iter(module.cases(["random"])))
    for row in module.rows(name, cell, params, embedding[module.text(8)], 1):
        assert row["T"] == 8


def test_faces(benchmark):
    module = benchmark(
        "faces", B=2, T=3, H=4, V=5, DENSE=cells.LSTM(hidden_size=4),
        DIAGONAL=cells.LSTM(hidden_size=4, structure=structures.Diagonal()),
    )  # fmt: skip
    tokens = jax.numpy.zeros((2, 3), int)
    assert module.linen_runs(tokens) and module.nnx_runs(tokens)


def test_streaming(benchmark):
    pytest.importorskip("torch")
    module = benchmark("streaming", B=1, I=3, H=4)
    module.our_steps(structures.Diagonal(), 2)()


def test_addition(benchmark):
    row = benchmark("addition").row_of(structures.Diagonal(), seeds=1, steps=2)
    assert row["seeds"] == 1 and 0 <= row["median"] <= 1
