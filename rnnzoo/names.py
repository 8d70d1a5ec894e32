"""Names that were meant: the nearest of those that there are."""

import difflib
from collections.abc import Iterable


def suggest(name: str, names: Iterable[str]) -> str:
    """The end of an error message: the nearest known names, or all of them."""
    names = sorted(names)
    key = fold(name)
    folded = {fold(n): n for n in names}
    if close := difflib.get_close_matches(key, folded, n=3, cutoff=0.6):  # the closest first
        return "did you mean " + " or ".join(folded[n] for n in close) + "?"
    return "known: " + ", ".join(names)


def fold(name: str) -> str:
    """A name as it is compared: case, "-" and "_" do not matter."""
    return name.lower().replace("_", "").replace("-", "")


__all__ = ["fold", "suggest"]
