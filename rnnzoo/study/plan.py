"""What a study compares: configurations by name, and the numbers that are chosen for each on validation data."""

import dataclasses
import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnzoo.fields import brief
from rnnzoo.spec import UsageError, suggest
from rnnzoo.training.config import Config, defines
from rnnzoo.training.named import file_of, named_files
from rnnzoo.training.sources import errors_in_one_line, load_file

NAME = re.compile(r"[\w .,=+*@/()\[\]-]+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """Configurations that are trained and compared.

    Each row is a configuration, with `seed` and `seeds` of its own; a line of the table is one seed of one row."""

    rows: Mapping[str, Config]
    """Name -> configuration. A name says what is compared, such as "gru/band 3"."""
    choose: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)
    """Field of `Config` -> values to try, such as ``{"lr": (3e-3, 1e-2)}``. For each row, the combination with the best
    median validation score is taken. The test set plays no part in it, nor do the seeds of the rows."""
    choose_seeds: tuple[int, int] = (900_000, 3)
    """The first seed and the number of seeds that choose."""
    about: str = ""
    """What the study asks, and how long it takes, in words."""

    def __post_init__(self) -> None:
        if not self.rows:
            raise UsageError("Study.rows is empty; accepted: one configuration or more, by name")
        for name, config in self.rows.items():
            if not isinstance(config, Config):
                raise UsageError(f"Study.rows[{name!r}] is {brief(config)}; accepted: a rnnzoo.config.Config")
            if not isinstance(name, str) or not NAME.fullmatch(name):
                raise UsageError(
                    f"Study.rows has the name {name!r}; accepted: letters, digits and any of  .,=+*@/()[]-"
                )
            if config.init_from:
                raise UsageError(f"Study.rows[{name!r}].init_from is set; accepted: rows that start by themselves")
        for field, values in self.choose.items():
            if field in ("seed", "seeds") or field not in {f.name for f in dataclasses.fields(Config)}:
                raise UsageError(f"Study.choose names {field!r}; {suggest(field, _choosable())}")
            if not values:
                raise UsageError(f"Study.choose[{field!r}] is empty; accepted: values to choose from")
        self.candidates(next(iter(self.rows)))  # finds values that the field does not accept

    def candidates(self, name: str) -> dict[str, Config]:
        """The configurations to choose from for a row, by their own names; {} where nothing is to be chosen."""
        if not self.choose:
            return {}
        first, number = self.choose_seeds
        found = {}
        for values in itertools.product(*self.choose.values()):
            options = dict(zip(self.choose, values, strict=True))
            said = " ".join(
                f"{field}={value:g}" if isinstance(value, float) else f"{field}={value}"
                for field, value in options.items()
            )
            found[f"{name} {said}"] = dataclasses.replace(self.rows[name], **options, seed=first, seeds=number)
        return found

    def only(self, pattern: str) -> "Study":
        """The study with those rows alone whose name has a match of the regular expression."""
        try:
            match = re.compile(pattern).search
        except re.error as error:
            raise UsageError(f"--only {pattern!r} is no regular expression: {error}") from None
        kept = {name: config for name, config in self.rows.items() if match(name)}
        if not kept:
            raise UsageError(f"--only {pattern!r} matches no row; {suggest(pattern, self.rows)}")
        return dataclasses.replace(self, rows=kept)


def _choosable() -> list[str]:
    return [f.name for f in dataclasses.fields(Config) if f.name not in ("seed", "seeds")]


def load_study(path: str) -> Study:
    """The `study` of a Python file, or of a name such as "addition".

    Raises:
        UsageError: there is no such file, running it raises, or it defines no `study`.
    """
    if (file := file_of(path, "studies")) is None:
        known = {str(p) for p in Path(path).parent.glob("*.py") if defines(p, "study")} | named_files("studies").keys()
        raise UsageError(f"no study file {path!r}; " + (suggest(path, known) if known else "no files are there"))
    found: Any = vars(load_file(file)).get("study")
    if isinstance(found, Study):
        return found
    with errors_in_one_line(file.resolve()):
        shown = brief(found)
    raise UsageError(f"{path} defines study = {shown}; accepted: study = rnnzoo.study.Study(rows=...)")


__all__ = ["Study", "load_study"]
