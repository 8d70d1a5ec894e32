"""Batches and seeds over several devices. What needs two is in files of its own, run here in
another process."""

import os
import subprocess
import sys
import types
from pathlib import Path

import jax
import numpy as np
import pytest

import rnnzoo
from rnnzoo.training import devices

HERE = Path(__file__).parent


def python(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    known = {k: v for k, v in os.environ.items() if k != "JAX_NUM_CPU_DEVICES"}
    return subprocess.run(
        [sys.executable, *args],
        cwd=HERE.parent,
        env={**known, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(HERE.parent), **env},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("which", ["not slow", pytest.param("slow", marks=pytest.mark.slow)])
def test_two_devices(which):
    options = ("-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-m", which)
    files = [str(HERE / name) for name in ("on_two_devices.py", "unrolls_on_two_devices.py", "units_on_two_devices.py")]
    done = python(*options, *files, JAX_NUM_CPU_DEVICES="2")
    assert done.returncode == 0, done.stdout + done.stderr


def test_cores_become_devices():
    code = "import jax, rnnzoo; rnnzoo.use_cpu_cores(); print(jax.device_count(), rnnzoo.training.devices._cores())"
    there, cores = python("-c", code).stdout.split()
    assert there == cores
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=3"}
    assert python("-c", code, **flags).stdout.split()[0] == "3"


def test_cores_cannot_become_devices_once_jax_has_started(monkeypatch):
    there = len(jax.devices("cpu"))
    monkeypatch.setattr(devices, "_cores", lambda: there)
    rnnzoo.use_cpu_cores()
    monkeypatch.setattr(devices, "_cores", lambda: there + 1)
    with pytest.raises(rnnzoo.UsageError, match=f"has started with {there} CPU devices, there are {there + 1} cores"):
        rnnzoo.use_cpu_cores()


@pytest.mark.parametrize(
    ("seeds", "batch", "count", "shape"),
    [
        (1, 32, 2, (1, 2)),
        (1, 33, 2, None),
        (1, 32, 6, (1, 4)),
        (2, 33, 2, (2, 1)),
        (4, 32, 8, (4, 2)),
        (3, 32, 8, (3, 2)),
        (1, 1, 8, None),
        (5, 5, 1, None),
    ],
)
def test_as_many_devices_as_divide_the_seeds_and_then_the_batch(seeds, batch, count, shape):
    mesh = devices.training_mesh(seeds, batch, list(jax.devices()) * count)
    assert (None if mesh is None else mesh.devices.shape) == shape
    said = devices.describe_devices(seeds, batch, mesh, list(jax.devices()) * count)
    assert said.startswith(f"{np.prod(shape)} of {count} CPU cores: " if shape else "") and bool(said) == bool(shape)


def test_an_accelerator_that_is_not_used_is_said():
    gpus = [types.SimpleNamespace(platform="gpu")] * 4
    said = devices.describe_devices(1, 33, None, gpus)
    assert (
        said.startswith("1 of 4 GPUs: a batch of 33 is too small")
        and devices.describe_devices(1, 33, None, gpus[:1]) == ""
    )


def test_what_does_not_divide_is_not_split():
    three = jax.devices()[:1] * 3
    with pytest.raises(rnnzoo.UsageError, match=r"shape \(5, 4, 2\) along axis 1 over 3 devices; accepted"):
        rnnzoo.split_batch(np.ones((5, 4, 2)), devices=three)
    with pytest.raises(rnnzoo.UsageError, match=r"devices is \[\]; accepted: one device or more"):
        rnnzoo.split_batch(np.ones((5, 4, 2)), devices=[])
    for axis in (1, -1):
        with pytest.raises(rnnzoo.UsageError, match=rf"shape \(4,\) along axis {axis}"):
            rnnzoo.split_batch({"lengths": np.ones(4)}, axis)


def test_a_small_update_is_not_worth_to_be_split():
    params = {"w": jax.ShapeDtypeStruct((100, 100), "float32")}
    xs = jax.ShapeDtypeStruct((100, 33, 5), "float32")
    assert not devices.is_worth(params, xs)
    assert devices.is_worth(params, jax.ShapeDtypeStruct((100, 34, 5), "float32"))
