"""What notebooks show of our objects by treescope, which is installed with Flax."""

import subprocess
import sys

import jax
import pytest
import treescope
from flax import nnx

import rnnzoo
import rnnzoo.nnx
from rnnzoo import cells, structures, tasks
from rnnzoo.config import Config

MIXED = {"r": structures.Diagonal(), "z": structures.Diagonal(), "n": structures.Banded(bandwidth=2)}
SPECIFICATIONS = [
    cells.LSTM(hidden_size=8),
    cells.GRU(hidden_size=8, bias=False, structure=MIXED),
    rnnzoo.wrappers.Zoneout(cell=cells.LSTM(hidden_size=8)),
    rnnzoo.models.Model(cell=cells.GRU(hidden_size=8), input_size=3, output_size=2),
    Config(task=tasks.Parity(length=16), cell=cells.Elman(hidden_size=8), lr=1e-3),
]


def test_a_cell_shows_the_fields_that_were_given():
    assert treescope.render_to_text(cells.LSTM(hidden_size=8)) == "LSTM(hidden_size=8)"
    band = cells.GRU(hidden_size=8, bias=False, structure=structures.Banded(bandwidth=2))
    lines = ["GRU(", "  hidden_size=8,", "  bias=False,", "  structure=Banded(bandwidth=2),", ")"]
    assert treescope.render_to_text(band).splitlines() == lines


@pytest.mark.parametrize("specification", SPECIFICATIONS, ids=lambda s: type(s).__name__)
def test_what_is_shown_makes_an_equal_specification(specification):
    text = treescope.render_to_text(specification, roundtrip_mode=True)
    modules = {name: module for name, module in sys.modules.items() if name.startswith("rnnzoo")}
    assert eval(text, {"rnnzoo": modules["rnnzoo"]}) == specification, text


@pytest.mark.parametrize("specification", SPECIFICATIONS, ids=lambda s: type(s).__name__)
def test_a_specification_is_also_shown_as_a_page(specification):
    html = treescope.render_to_html(specification, compressed=False)
    assert type(specification).__name__ in html and "recurrent_init" not in html


def test_a_stepper_shows_what_it_takes_rather_than_its_program():
    cell = cells.LSTM(hidden_size=8)
    stepper = rnnzoo.make_stepper(cell, cell.init(jax.random.key(0), input_size=3), resets=True)
    text = treescope.render_to_text(stepper)
    assert "compiled" not in text and "symbols" not in text
    assert "'xs': ShapeDtypeStruct(shape=(1, 3)" in text and "'resets'" in text


def test_a_result_shows_scores_first_and_the_rest_once(tmp_path):
    cell = cells.GRU(hidden_size=2)
    config = Config(task=tasks.BinaryAddition(bits=2), cell=cell, steps=2, log_every=1, eval_every=2, seeds=2)
    result = rnnzoo.train(config, tmp_path / "run", progress=False)
    text = treescope.render_to_text(result)
    assert text.startswith("Result(\n  scores={") and "final=" not in text and "Repeated" not in text
    for name in ("per_seed", "baselines", "networks", "curves", "folder"):
        assert f"\n  {name}=" in text
    judged = treescope.render_to_text(rnnzoo.evaluate(result))
    assert "scores={" in judged and "data=" not in judged
    trained = treescope.render_to_text(result.networks[0])
    assert trained.startswith("Trained(\n  model=Model(") and "no_config" not in trained


def test_the_nnx_face_shows_its_cell_and_parameters():
    rnn = rnnzoo.nnx.RNN(cells.LSTM(hidden_size=8), in_features=3, rngs=nnx.Rngs(0))
    text = treescope.render_to_text(rnn)
    assert "cell=LSTM(hidden_size=8)" in text and "Param(" in text


def test_the_package_does_not_import_it():
    code = "import rnnzoo, sys; assert 'treescope' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
