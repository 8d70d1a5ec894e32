"""Models that come with the package."""

import json
import re
from pathlib import Path

import pytest

from rnnzoo import UsageError, load_pretrained
from rnnzoo.commands import list as list_command
from rnnzoo.store import pretrained
from rnnzoo.store.trained import evaluate_model

NAMES = pretrained.pretrained()
LARGEST = 3 * 2**20  # bytes


@pytest.mark.parametrize("name", NAMES)
def test_a_model_loads_and_says_what_it_is(name):
    trained = load_pretrained(name)
    card = pretrained.card(name)
    assert all(card[field] for field in pretrained.FIELDS)
    assert trained.scores and trained.config is not None
    folder = pretrained.folder_of(name)
    assert sum(path.stat().st_size for path in folder.iterdir()) < LARGEST
    for path in folder.iterdir():
        assert "/tmp" not in path.read_text(errors="replace")


@pytest.mark.parametrize("name", [name for name in NAMES if not pretrained.card(name).get("needs_data")])
def test_the_score_is_the_one_it_says(name):
    trained = load_pretrained(name)
    assert trained.config is not None
    metric = trained.config.task.metric
    assert evaluate_model(trained)[metric] == pytest.approx(trained.scores[metric], abs=2e-4)


def test_the_notice_names_every_model():
    notice = (Path(__file__).parents[1] / "NOTICE").read_text()
    assert all(re.search(rf"\b{name}\b", notice) for name in NAMES)


def test_unknown_names():
    with pytest.raises(UsageError, match=f"no pretrained model 'nothing'; (known|did you mean).*{NAMES[0]}"):
        load_pretrained("nothing")


def test_the_list(capsys):
    assert list_command.main(["pretrained"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in NAMES)


def test_a_card_that_lacks_something_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / pretrained.CARD).write_text(json.dumps({"what": "nothing"}))
    with pytest.raises(UsageError, match="lacks 'metric'"):
        pretrained.card("mine")
