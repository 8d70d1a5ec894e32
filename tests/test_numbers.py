"""Numbers that nothing can be made with are refused where a specification is made, in a short message."""

import math
from typing import Annotated, Any

import jax
import numpy as np
import pytest

from rnnzoo import cells, structures, tasks, wrappers
from rnnzoo.commands.sample import main as sample_command
from rnnzoo.fields import Range, accepts, brief, describe, kept
from rnnzoo.initializers import Reservoir
from rnnzoo.models import Model, Stack
from rnnzoo.spec import UsageError, field_types, members
from rnnzoo.spec_json import from_json, to_json
from rnnzoo.structures.factors import check_divides, divisors
from rnnzoo.training.config import Config
from rnnzoo.training.numbers import seed_keys
from rnnzoo.training.update import first_state

TASK, CELL = tasks.Parity(), cells.Elman(hidden_size=4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lr": math.inf}, "Config.lr is inf; accepted: a finite number > 0"),
        ({"clip": math.inf}, "Config.clip is inf; accepted: a finite number >= 0"),
        ({"weight_decay": 10**400}, "Config.weight_decay is about 10^400; accepted: a finite number >= 0"),
        ({"clip_recurrent": math.nan}, "Config.clip_recurrent is nan; accepted: a finite number >= 0"),
        ({"steps": 2**31}, "Config.steps is 2147483648; accepted: an integer >= 1 and <= 2147483647"),
        ({"steps": 10**5000}, "Config.steps is about 10^5000; accepted: an integer >= 1 and <= 2147483647"),
        ({"warmup": -(10**5000)}, "Config.warmup is about -10^5000; accepted: an integer >= 0 and <= 2147483647"),
        ({"batch_size": 10**12}, "Config.batch_size is 1000000000000; accepted: an integer >= 1 and <= 2147483647"),
        ({"seed": 2**32}, "Config.seed is 4294967296; accepted: an integer >= 0 and <= 4294967295"),
        ({"seed": 2**32 - 2, "seeds": 3}, "seeds is 3; accepted: a last seed, seed + seeds - 1, of up to 4294967295"),
        ({"optimizer": "a" * 10**6}, "accepted: one of 'sgd', 'adam', 'adamw', 'rmsprop'"),
    ],
)
def test_numbers_of_a_run_that_cannot_be_used_are_refused(fields: dict[str, Any], message):
    with pytest.raises(UsageError) as error:
        Config(task=TASK, cell=CELL, **fields)
    assert message in str(error.value)
    assert len(str(error.value)) < 400


def test_the_largest_numbers_are_accepted():
    config = Config(task=TASK, cell=CELL, steps=2**31 - 1, log_every=2**31 - 1, seed=2**32 - 2, seeds=2)
    assert from_json(to_json(config)) == config
    keys = jax.random.key_data(seed_keys(config))
    assert [k.tolist() for k in keys] == [
        jax.random.key_data(jax.random.key(s)).tolist() for s in (2**32 - 2, 2**32 - 1)
    ]
    assert len(set(map(tuple, keys.tolist()))) == 2


BAD: list[Any] = [math.inf, -math.inf, math.nan, 10**400, -(10**400), 10**5000]


@pytest.mark.parametrize("kind", ["tasks", "structures", "patterns", "unrolls", "initializers", "configs", "models"])
def test_no_number_of_any_member_is_too_large_to_print_or_to_write(kind):
    """Cells and wrappers are in test_mutated_specifications: beartype checks them first here."""
    tried = 0
    for cls in members(kind).values():
        for name, hint in field_types(cls).items():
            for value in BAD:
                assert not accepts(hint, value), (cls, name, value)
                tried += 1
    assert tried >= len(BAD)


def test_bare_fields_of_other_code_are_bounded_too():
    assert accepts(int, 2**63 - 1) and not accepts(int, 2**63) and not accepts(int, 10**5000)
    assert describe(int) == "an integer of up to 64 bits"
    assert not accepts(float | None, math.inf) and not accepts(tuple[float, ...], (1.0, math.inf))
    assert describe(Annotated[int, Range(low=10**400)]) == "an integer >= about 10^400"


def test_values_in_messages_are_short():
    assert brief(7) == "7" and brief(-(10**19)) == "-10000000000000000000" and brief(True) == "True"
    assert brief((1, 10**5000)) == "(1, about 10^5000)"
    for value in ("x" * 10**6, (1,) * 10**6, {"a": [10**5000] * 10**5}, structures.Kronecker(factors=(1,) * 10**4)):
        assert len(brief(value)) < 400


def test_an_integer_in_a_field_of_floats_is_kept_as_a_float():
    """1 and 1.0 are equal and share a compiled program; of the integer, `alpha` would become an array of int32."""
    config = Config(task=TASK, cell=CELL, lr=1, weight_decay=10**12)
    assert type(config.lr) is float and config.weight_decay == 1e12
    assert kept(float | None, None) is None and kept(int | None, 3) == 3
    cell = wrappers.MultiplicativeIntegration(cell=CELL, alpha=1.0)
    assert from_json(to_json(cell).replace('"alpha": 1.0', '"alpha": 1')).alpha == 1.0
    with jax.enable_x64(False):
        first_state(config, Model(cell=CELL, input_size=1, output_size=1))  # 10^12 does not fit int32


@pytest.mark.parametrize(("size", "block"), [(2**31 - 1, 4), (2**31 - 2, 4), (2147483646 // 2, 2**31 - 1)])
@pytest.mark.parametrize("member", [structures.BlockDiagonal, structures.ShuffledBlocks])
def test_a_size_that_does_not_divide_is_refused_at_once(size, block, member):
    with pytest.raises(UsageError, match=r"does not fit hidden_size") as error:
        member(block=block).check(size)
    assert len(str(error.value)) < 300


def test_divisors():
    for size in (1, 2, 9, 12, 97, 360):
        assert divisors(size) == [n for n in range(1, size + 1) if size % n == 0]
    with pytest.raises(UsageError, match=r"block of 1, 2, 3 or 6$"):
        check_divides(structures.Diagonal(), "block", 4, 6)


def test_a_long_tuple_of_factors_is_refused_before_their_product_is_formed():
    for factor in (1, 2**31 - 1):
        with pytest.raises(UsageError, match=r"up to 31 factors") as error:
            structures.Kronecker(factors=(factor,) * 20_000).check(1)
        assert len(str(error.value)) < 400


def test_layers_and_seeds_have_bounds():
    with pytest.raises(UsageError, match=r"Stack\.layers is 1025; accepted: an integer >= 1 and <= 1024"):
        Stack(layers=1025)
    with pytest.raises(UsageError, match=r"Reservoir\.seed is 4294967296"):
        Reservoir(seed=2**32)
    with pytest.raises(UsageError, match=r"--seed is about 10\^100; accepted: an integer >= 0 and <= 4294967295"):
        sample_command(["nowhere", "--seed", str(10**100)])


def test_keys_of_seeds_are_those_of_the_seeds_alone():
    for seed in (0, 7, 2**31, 2**32 - 1):
        keys = seed_keys(Config(task=TASK, cell=CELL, seed=seed))
        np.testing.assert_array_equal(jax.random.key_data(keys)[0], jax.random.key_data(jax.random.key(seed)))
