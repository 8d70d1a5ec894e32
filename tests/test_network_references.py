"""NumPy transcriptions of whole networks against numbers that their authors' own code gave."""

import importlib
import json
import pathlib

import numpy as np
import pytest

FILES = sorted((pathlib.Path(__file__).parent / "fixtures" / "networks").glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_reference_gives_its_authors_numbers(file):
    given = json.loads(file.read_text())
    weights = {name: np.array(values, float) for name, values in given["weights"].items()}
    reference = importlib.import_module(f"network_references.{file.stem}").reference
    logits = reference(given["config"], weights, np.array(given["tokens"]))
    np.testing.assert_allclose(logits, np.array(given["logits"]), rtol=0, atol=given["tolerance"])
