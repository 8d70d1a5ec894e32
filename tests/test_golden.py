"""Every member has a golden file. After a change that is meant: ``python -m tests.golden.update``."""

import pytest
from golden import update

from rnnzoo.spec import _FAMILIES


def test_every_family_has_golden_files():
    assert update.FAMILIES.keys() == _FAMILIES.keys(), "add the family to tests/golden/update.py"


@pytest.mark.parametrize("family", update.FAMILIES)
def test_golden_files(family):
    current, stored = update.current(family), update.stored(family)
    assert stored.keys() == current.keys(), "run: python -m tests.golden.update"
    for name, content in current.items():
        assert stored[name] == content, name
