"""The programs of the guides do what their pages say."""

import importlib.util
from pathlib import Path

GUIDES = Path(__file__).parents[1] / "docs" / "guides"


def test_an_agent_learns_to_remember_a_cue():
    spec = importlib.util.spec_from_file_location("recurrent_ppo", GUIDES / "recurrent_ppo.py")
    assert spec is not None and spec.loader is not None
    guide = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(guide)
    params, reward = guide.train(updates=60)
    assert reward > 0.95
    assert [guide.play(params, cue) for cue in (1.0, -1.0)] == [1, 0]
