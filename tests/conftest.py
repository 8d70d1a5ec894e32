"""Settings of the whole test run: real shape annotations, checked at run time, and reproducible property tests."""

import os

os.environ["RNNZOO_CHECK_SHAPES"] = "1"  # before rnnzoo is imported
# Hundreds of small programs, each run once: compile fast rather than well.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")

import jax
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook(
    ["rnnzoo.run", "rnnzoo.cells", "rnnzoo.structures", "rnnzoo.unrolls"],
    "beartype.beartype",
)

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("ci")


@pytest.fixture
def x64():
    """Double precision for one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module", autouse=True)
def forget_programs():
    """Give memory back after each file: thousands of compiled programs slow everything else down."""
    yield
    jax.clear_caches()


# Tests of numbers run for these structures, one of each kind of graph, cost and closure; for the others with -m slow.
# The structure's own identities run for every structure, with other fields than the default ones for these only.
QUICK = {
    "Banded", "Bidiagonal", "BlockDiagonal", "ComplexDiagonal", "Dense", "Diagonal", "DiagonalLowRank", "LowRank",
    "Ring", "Triangular",
}  # fmt: skip
NUMERIC = {
    "test_affine_unrolls", "test_grow", "test_initializers", "test_jacobian_families", "test_open_contract",
    "test_sequences", "test_unrolls",
}  # fmt: skip


def pytest_collection_modifyitems(items):
    from rnnzoo.structures.base import Structure

    for item in items:
        own_identities = item.path.stem == "test_structures"
        if not (item.path.stem in NUMERIC or own_identities) or "abstract" in item.name:
            continue
        params = item.callspec.params.values() if hasattr(item, "callspec") else []
        values = [getattr(v, "structure", v) for v in params]
        own = [v for v in values if isinstance(v, Structure) and type(v).__module__.startswith("rnnzoo.")]
        if any(type(v).__name__ not in QUICK and not (own_identities and v == _default(v)) for v in own):
            item.add_marker(pytest.mark.slow)


def _default(member):
    make = type(member)
    return make()
