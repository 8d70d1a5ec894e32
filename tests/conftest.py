"""Settings of the whole test run: real shape annotations, checked at run time, and reproducible property tests."""

import os
import shutil
from pathlib import Path

os.environ["RNNZOO_CHECK_SHAPES"] = "1"  # before rnnzoo is imported
# Thousands of small programs, each run once: compile fast rather than well, and each in one piece by one thread (pieces
# share nothing, and the other cores have tests of their own).
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_parallel_codegen_split_count=1",
)

import jax
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook(
    ["rnnzoo.run", "rnnzoo.arguments", "rnnzoo.cells", "rnnzoo.structures", "rnnzoo.unrolls"],
    "beartype.beartype",
)

# Programs that were compiled once, by this process or another one, are read from a file: after `forget_programs`, by
# other workers, and in the next run. Not by way of the environment: processes that tests start are as those of users.
CACHE = Path(__file__).parents[1] / ".pytest_cache" / "d"
jax.config.update("jax_compilation_cache_dir", str(CACHE / "xla"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

# Where commands that run in processes of their own keep programs, rather than in the home folder of who tests.
os.environ["XDG_CACHE_HOME"] = str(CACHE)

collect_ignore = ["fuzz/child.py"]  # a program, which needs atheris

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("ci")


@pytest.fixture
def x64():
    """Double precision for one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def compiled():
    """The number of programs compiled since the fixture began, as a list to look at."""
    found = []

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            found.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture(scope="module", autouse=True)
def forget_programs():
    """Give memory back after each file: thousands of compiled programs slow everything else down."""
    yield
    jax.clear_caches()


def pytest_configure(config):
    import zoo

    named = any("::" in arg for arg in config.args)  # a test asked for by name is deselected, rather than unknown
    zoo.leave_out_slow = config.option.markexpr == "not slow" and not named


def pytest_collection_modifyitems(items):
    import zoo

    for choose in (lambda items: filter(zoo.is_too_much, items), zoo.repeated, zoo.thinned):  # in this order
        for item in list(choose(items)):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def browser():
    """Chromium. Needs `pip install playwright` and the browser itself; tests are skipped without them."""
    playwright = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome")
    if (chromium := next(filter(None, map(shutil.which, names)), None)) is None:
        pytest.skip("no Chromium")
    with playwright.sync_playwright() as started:
        root = hasattr(os, "geteuid") and os.geteuid() == 0  # for whom Chromium has no sandbox
        found = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"] if root else [])
        yield found
        found.close()
