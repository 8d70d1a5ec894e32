"""Without fcntl, as on Windows, models are applied, and training says why it cannot be."""

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
sys.modules["fcntl"] = None
import jax, numpy as np
import rnnzoo
from rnnzoo.training.config import Config
model = rnnzoo.models.Model(cell=rnnzoo.cells.GRU(hidden_size=4), input_size=3, output_size=2)
assert model.apply(model.init(jax.random.key(0)), np.ones((5, 2, 3), np.float32)) is not None
from rnnzoo.__main__ import command
from rnnzoo.commands.exits import guarded
config = Config(task=rnnzoo.tasks.Parity(), cell=rnnzoo.cells.GRU(hidden_size=4), steps=1)
open(sys.argv[1] + "/config.json", "w").write(rnnzoo.to_json(config))
sys.exit(guarded(command)(["train", "--config", sys.argv[1] + "/config.json", "--workdir", sys.argv[1] + "/run"]))
"""


def test_without_fcntl_models_are_applied_and_not_trained(tmp_path):
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", CODE, tmp_path], cwd=root, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        "error: training needs file locks, which rnnzoo has on Linux and macOS"
    )
    assert "Traceback" not in done.stderr
