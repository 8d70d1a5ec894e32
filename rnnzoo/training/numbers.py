"""A configuration in two parts: the program that is compiled, and the numbers that it is run with.

Two configurations with the same program share one compilation, and can be lanes of one call of it, side by side."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.training.config import Config
from rnnzoo.typing import Key

Numbers = dict[str, Any]
"""Name of a field of `Config` -> scalar; of several lanes, -> array with a leading axis S."""

FREE: dict[str, Any] = {
    "lr": 1.0,
    "steps": 2,
    "seed": 0,
    "seeds": 1,
    "log_every": 1,
    "eval_every": 1,
    "eval_lengths": (),
    "stop_when_solved": False,
    "init_from": "",
}
"""What `program_of` puts in place of fields that never change the program."""
SWITCHES = {"warmup": 1, "momentum": 0.5, "weight_decay": 1.0, "clip": 1.0, "clip_recurrent": 1.0}
"""The same for fields of which 0 leaves a part of the program out: in place of anything but 0."""
WHOLE = ("steps", "warmup")
SCALARS = ("lr", "steps", *SWITCHES)


def program_of(config: Config) -> Config:
    """The configuration with a fixed number in place of each one that does not change the compiled program."""
    used = {name: value for name, value in SWITCHES.items() if getattr(config, name)}
    return dataclasses.replace(config, **FREE, **used)


def numbers_of(config: Config) -> Numbers:
    """The numbers of a configuration that its compiled program takes as arguments: int32, or floating point."""
    return {
        name: np.asarray(getattr(config, name), np.int32 if name in WHOLE else jnp.result_type(float))
        for name in SCALARS
    }


def seed_keys(config: Config) -> Key:
    """One PRNG key per seed, (S,). Seed s of many gets the key that it has alone."""
    return jax.vmap(jax.random.key)(np.uint32(config.seed) + jnp.arange(config.seeds, dtype=np.uint32))


def lanes_of(config: Config) -> tuple[Key, Numbers]:
    """The seeds of a configuration as lanes: their keys (S,), and its numbers (S,), the same for each."""
    numbers = {name: np.broadcast_to(value, config.seeds) for name, value in numbers_of(config).items()}
    return seed_keys(config), numbers


__all__ = ["Numbers", "lanes_of", "numbers_of", "program_of", "seed_keys"]
