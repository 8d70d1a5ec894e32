"""Every member has a golden file. After a change that is meant: ``python -m tests.golden.update``."""

import pytest
from golden import update

from rnnzoo.spec import _FAMILIES


def test_every_family_has_golden_files():
    parsed = {k for k, family in _FAMILIES.items() if all("rnnzoo.commands." in c.__module__ for c in family.values())}
    assert update.FAMILIES.keys() == _FAMILIES.keys() - parsed, "add the family to tests/golden/update.py"


@pytest.mark.parametrize("family", update.FAMILIES)
def test_golden_files(family):
    current, stored = update.current(family), update.stored(family)
    assert stored.keys() == current.keys(), "run: python -m tests.golden.update"
    for name, content in current.items():
        assert stored[name] == content, name
