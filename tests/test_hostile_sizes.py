"""Small files that describe large models are refused at once: nothing of the size that they claim is made or drawn."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file
from structure_support import few_sizes
from zoo import STRUCTURE_FIELDS, defaults

from rnnzoo.spec import UsageError, members
from rnnzoo.store.files import size_and_checksum
from rnnzoo.structures import patterns
from rnnzoo.structures.base import Structure

SECONDS, MEMORY = 4, 3 * 2**30  # processor time of one folder; address space, of which a start takes half


def elman(size: int, **structure: Any) -> dict[str, Any]:
    return {"type": "cells.Elman", "hidden_size": size, "structure": structure}


SPARSE = {"type": "structures.SparseMask"}
PATTERN = {"type": "patterns.RandomRows", "others": 1}
HOSTILE = {
    "sparse": elman(32_768, **SPARSE),
    "rows": elman(65_536, **SPARSE, pattern=PATTERN),
    "small world": elman(65_536, **SPARSE, pattern={"type": "patterns.SmallWorld"}),
    "clusters": elman(65_536, **SPARSE, pattern={"type": "patterns.Clusters", "clusters": 32_768}),
    "random edges": elman(65_536, **SPARSE, pattern={"type": "patterns.RandomEdges", "density": 0}),
    "circuit": elman(65_536, **SPARSE, pattern={"type": "patterns.NeuralCircuit", "density": 0}),
    "sum": elman(65_536, type="structures.Sum", b=SPARSE),
    "masked": elman(65_536, type="structures.Masked", structure={"type": "structures.Diagonal"}),
    "multiplied": {
        "type": "cells.MultiplicativeIntegration",
        "cell": elman(65_536, type="structures.Masked", structure={"type": "structures.Diagonal"}),
    },
    "wrapped": {"type": "cells.Clockwork", "cell": elman(65_536, **SPARSE)},
    "factors": elman(1, type="structures.Kronecker", factors=[1] * 100_000),
    "product": elman(4, type="structures.Kronecker", factors=[2**31 - 1] * 80_000),
    "parts": elman(65_536, type="structures.Partitioned", parts=65_536),
    "groups": elman(65_536, type="structures.Clockwork", groups=32_768),
    "many": elman(65_536, type="structures.Clockwork", groups=1024),
    "chain": elman(
        65_536, type="structures.ComplexPairs", structure={"type": "structures.ToeplitzBlocks", "block": 32_768}
    ),
    "no divisor": elman(2**31 - 1, type="structures.BlockDiagonal", block=2),
    "reservoir": elman(65_536, type="structures.Diagonal") | {"recurrent_init": {"type": "initializers.Reservoir"}},
    "identity": elman(65_536, type="structures.BlockDiagonal", block=65_536)
    | {"recurrent_init": {"type": "initializers.IdentityLike"}},
}

LOAD = f"""
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
import rnnzoo
from rnnzoo.spec import UsageError
for folder in sys.argv[1:]:
    began = time.process_time()
    try:
        rnnzoo.load_model(folder)
        print("loaded", folder)
    except UsageError as error:
        print(time.process_time() - began, len(str(error)), error)
"""


def write(folder: Path, cell: dict[str, Any]) -> None:
    """A model folder with that cell, and 2^17 numbers, of none of the names that the model needs."""
    folder.mkdir()
    save_file({"a": np.zeros(2**17, np.float32)}, folder / "model.safetensors")
    model = {"type": "models.Model", "cell": cell, "input_size": 1, "output_size": 1}
    files = {"model.safetensors": size_and_checksum(folder / "model.safetensors")}
    (folder / "config.json").write_text(json.dumps({"format": 1, "model": model, "files": files}))


def test_small_files_that_describe_large_models_are_refused_at_once(tmp_path):
    for name, cell in HOSTILE.items():
        write(tmp_path / name, cell)
    args = [sys.executable, "-c", LOAD, *(str(tmp_path / name) for name in HOSTILE)]
    done = subprocess.run(args, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert len(lines) == len(HOSTILE)
    for name, line in zip(HOSTILE, lines, strict=True):
        seconds, length, message = line.split(" ", 2)
        assert float(seconds) < SECONDS and int(length) < 1000, (name, line)
        assert "accepted: " in message or "does not fit" in message or "too small" in message, (name, line)


@pytest.mark.parametrize("structure", [*defaults("structures"), *STRUCTURE_FIELDS], ids=str)
def test_shapes_are_those_of_what_is_drawn(structure: Structure):
    for size in few_sizes(structure)[:2]:
        drawn = jax.eval_shape(lambda n=size: structure.init(jax.random.key(0), n))
        found = structure.shapes(size)
        assert jax.tree.structure(found) == jax.tree.structure(drawn)
        assert [(a.shape, a.dtype) for a in jax.tree.leaves(found)] == [
            (a.shape, a.dtype) for a in jax.tree.leaves(drawn)
        ]


PATTERNS = [
    *(cls() for cls in members("patterns").values()),
    patterns.RandomRows(others=5, seed=3),
    patterns.SmallWorld(neighbours=3, rewired=0.7),
    patterns.Clusters(clusters=3, others=50),
    *(patterns.RandomEdges(density=density, seed=4) for density in (0.0, 0.5, 1.0)),
    patterns.NeuralCircuit(motor=3, density=0.1),
    patterns.NeuralCircuit(density=1.0),
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
def test_edges_are_counted_without_the_mask(pattern: patterns.Pattern):
    sizes = [size for size in range(1, 40) if not pattern.refuses(size)]
    assert len(sizes) > 5
    for size in sizes:
        assert pattern.num_edges(size) == pattern.mask(size).sum()


def test_patterns_that_must_be_drawn_to_be_counted_have_a_largest_size():
    for pattern in (patterns.RandomEdges(), patterns.NeuralCircuit()):
        assert pattern.refuses(2**14) is None
        assert pattern.refuses(2**14 + 1) == "hidden_size of up to 16384, or SparseMask with RandomRows"
    with pytest.raises(UsageError, match="accepted: hidden_size of up to 16384, or SparseMask with RandomRows"):
        members("structures")["SparseMask"](pattern=patterns.RandomEdges()).check(2**15)  # pyright: ignore
