"""Networks, trained models and steppers in few words."""

import jax
import pytest

import rnnzoo
from rnnzoo import cells, models, structures, wrappers
from rnnzoo.counts import num_params, weights_u
from rnnzoo.shown import in_full

GRIFFIN = models.presets.griffin(width=16, layers=3, heads=2)
NETWORKS = {
    "banded": models.Model(
        cell=cells.LSTM(hidden_size=4, structure=structures.Banded(bandwidth=1)), input_size=3, output_size=2
    ),
    "both": models.Model(
        cell=wrappers.Zoneout(cell=cells.GRU(hidden_size=4)), input_size=9, output_size=9, tokens=True,
        stack=models.Stack(layers=2, bidirectional=True, embedding_size=5, norm=True),
    ),
    "griffin": models.Model(cell=GRIFFIN.cell, stack=GRIFFIN.stack, input_size=9, output_size=9),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_the_table_has_all_parameters(name):
    model = NETWORKS[name]
    first, *rows, last = [line.split() for line in model.summary().splitlines()]
    assert first[-4:] == ["outputs", "parameters", "of", "U"]
    total = [int(number.replace(",", "")) for number in last[-2:]]
    assert total == [num_params(model), weights_u(model)]
    assert total[0] == sum(int(row[-2].replace(",", "")) for row in rows)
    assert sum(row[0].startswith("layer_") for row in rows) == model.stack.layers


def test_a_table():
    assert NETWORKS["banded"].summary().splitlines() == [
        "part     what                   outputs  parameters  of U",
        "layer_0  LSTM, 4 units, Banded        4         104    40",
        "head     head                         2          10     0",
        "total                                 2         114    40",
    ]
    assert "2 x Zoneout(GRU), 4 units, Dense" in NETWORKS["both"].summary()
    assert "LocalAttention" in NETWORKS["griffin"].summary()


def test_short_reprs():
    assert (
        repr(rnnzoo.load_pretrained("parity")) == "Trained(GRU, 1 unit; 12 parameters; bit_error 0; wrong_sequences 0)"
    )
    cell = cells.GRU(hidden_size=4)
    assert repr(cell) == "GRU(hidden_size=4)"
    wrapped = wrappers.Zoneout(cell=cells.GRU(hidden_size=4, structure=structures.Banded(bandwidth=2)))
    assert repr(wrapped) == "Zoneout(cell=GRU(hidden_size=4, structure=Banded(bandwidth=2)))"
    assert in_full(structures.Banded()) == "Banded(bandwidth=1)" and repr(structures.Banded()) == "Banded()"
    step = rnnzoo.make_stepper(cell, cell.init(jax.random.key(0), 3))
    assert repr(step) == "Stepper(xs (1, 3) float32)"
