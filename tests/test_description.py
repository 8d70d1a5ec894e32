"""What a run says of itself: the network in words, the verdict, and the bar of a terminal."""

import io
import sys

import jax
import pytest

from rnnzoo import cells, structures, tasks, wrappers
from rnnzoo.counts import weights_u
from rnnzoo.models import Model, Stack
from rnnzoo.shown import in_short
from rnnzoo.training.config import Config
from rnnzoo.training.description import describe, verdict
from rnnzoo.training.progress import Progress

PARITY = Config(task=tasks.Parity(), cell=cells.LSTM(hidden_size=4), steps=10)


def said_of(config: Config) -> dict[str, str]:
    data = config.task.open()
    lines = describe(config, config.network(data), data, "runs/mine", "2 of 2 CPU cores")  # pyright: ignore
    return {line.split()[0]: line[10:] for line in lines}


@pytest.mark.parametrize(
    ("fields", "network", "matrices"),
    [
        ({"structure": structures.Banded(bandwidth=2)}, "LSTM, 4 units", "Banded(bandwidth=2): 56 weights; 56 of 64 "),
        ({}, "LSTM, 4 units", "Dense: 64 weights"),
        ({"structure": structures.Kronecker()}, "LSTM, 4 units", "Kronecker: 32 weights"),
    ],
)
def test_cells_and_structures(fields, network, matrices):
    said = said_of(Config(task=tasks.Parity(), cell=cells.LSTM(hidden_size=4, **fields)))
    assert said["network"].startswith(network) and said["U"].startswith(matrices), said
    assert said["devices"] == "2 of 2 CPU cores" and said["folder"] == "runs/mine"


def test_layers_wrappers_and_cells_without_structures():
    said = said_of(
        Config(
            task=tasks.Parity(),
            cell=wrappers.Zoneout(cell=cells.GRU(hidden_size=4)),
            model=Stack(layers=2),
            seeds=3,
        )
    )
    assert said["network"].startswith("2 layers of Zoneout(GRU), 4 units; ")
    assert said["U"] == "Dense: 96 weights" and "3 seeds, of which lines show medians" in said["training"]
    said = said_of(Config(task=tasks.Parity(), cell=cells.MinGRU(hidden_size=4), model=Stack(bidirectional=True)))
    assert said["network"].startswith("in both directions, MinGRU, 4 units; ") and said["U"] == "8 entries are not 0"


def test_weights_in_u_are_those_of_the_parameters():
    model = Model(cell=cells.LSTM(hidden_size=4), input_size=2, output_size=2, stack=Stack(layers=2))
    params = model.init(jax.random.key(0))
    there = [params[layer]["cell"]["u"] for layer in ("layer_0", "layer_1")]
    assert weights_u(model) == sum(leaf.size for leaf in jax.tree.leaves(there)) == 128


def test_short_forms_name_what_is_not_at_its_default():
    assert in_short(tasks.BinaryAddition()) == "BinaryAddition"
    assert in_short(tasks.BinaryAddition(bits=4)) == "BinaryAddition(bits=4)"
    assert in_short(structures.Masked(structure=structures.Banded(bandwidth=2))).startswith("Masked(")


# ---- the verdict -----------------------------------------------------------------------------------------


def final(score, **baselines):
    return {"metrics": {"wrong_sums": score, "bit_error": 0.0}, "baseline": baselines, "seconds": 1.0}


def seeds(*values):
    return {"median": values[0], "min": min(values), "max": max(values), "per_seed": list(values)}


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (0.0001, "solved: wrong_sums 0.0001, below 0.01; best baseline b 0.5"),
        (0.2, "not solved: wrong_sums 0.2000, not below 0.01; best baseline b 0.5"),
        (
            seeds(0.0, 0.0, 0.5),
            "solved by 2 of 3 seeds (below 0.01): wrong_sums median 0.0000 [0.0000, 0.5000]; best baseline b 0.5",
        ),
    ],
)
def test_the_verdict(score, said):
    assert verdict(tasks.BinaryAddition(), final(score, a=0.75, b=0.5)) == said


def test_the_verdict_without_baselines_and_of_a_task_that_is_never_solved():
    assert verdict(tasks.BinaryAddition(), final(0.2)) == "not solved: wrong_sums 0.2000, not below 0.01"
    never = {"metrics": {"mse": 0.5}, "baseline": {"last": 0.25}, "seconds": 1.0}
    assert verdict(tasks.MackeyGlass(), {**never, "metrics": {tasks.MackeyGlass.metric: 0.5}}) == (
        f"{tasks.MackeyGlass.metric} 0.5000; best baseline last 0.25"
    )


# ---- a terminal ------------------------------------------------------------------------------------------


def test_a_terminal_has_a_bar_that_alone_says_the_time_left(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    progress = Progress(PARITY)
    task = progress._bar.tasks[0]
    progress.compiling()
    assert task.fields["state"] == "compiling" and "compiling ..." not in sys.stdout.getvalue()  # pyright: ignore
    progress.at(3, 75.0)
    assert task.completed == 3 and task.fields["state"] == "1:15 left"
    line = {"step": 5, "loss": [0.5], "steps_per_second": 1.0}
    progress.step(line, {})
    progress.step({**line, "step": 10}, {"wrong_sequences": [0.25], PARITY.task.metric: [0.25]})
    progress.close()
    lines = [part for part in sys.stdout.getvalue().splitlines() if "loss" in part]  # pyright: ignore
    assert any(part.rstrip().endswith("step  5/10  loss 0.5000 nats  1 steps/s") for part in lines), lines
    assert any("validation" in part for part in lines) and task.fields["state"] == "scoring"
