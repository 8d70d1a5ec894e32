"""The studies of the repository: each loads, and says how it is run."""

from pathlib import Path

import pytest

from rnnzoo.study import load_study

FOLDER = Path(__file__).parents[1] / "configs" / "studies"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_study_loads_and_says_how_it_is_run(path):
    study = load_study(str(path))
    assert study.about and f"python -m rnnzoo study configs/studies/{path.name}" in path.read_text()
    names = [name.split("/") for name in study.rows]
    assert all(3 <= len(parts) <= 5 for parts in names)  # as the report reads them
