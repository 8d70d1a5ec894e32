"""``--preset NAME --preset.width N``: the network of a paper in place of a configuration's cell and stack."""

import fnmatch
import inspect
import shutil
import textwrap
from typing import Any

from rnnzoo.commands.options import unchecked
from rnnzoo.models.presets import Preset, preset, presets
from rnnzoo.spec import UsageError
from rnnzoo.training.config import Config


def with_preset(config: Config, args: list[str]) -> tuple[Config, list[str]]:
    """The configuration with the preset that the options name, if they do, and the other options. The dropout of the
    configuration stays."""
    name, own, rest = _taken(args)
    if name is None:
        if own:
            option = own[0].replace("--", "--preset.", 1)
            raise UsageError(
                f"{option} is given and --preset is not; accepted: --preset NAME, of {', '.join(presets())}"
            )
        return config, rest
    made = _made(name, own)
    stack = {**vars(made.stack), "dropout": config.model.dropout}
    model = unchecked(type(made.stack), stack)
    return unchecked(type(config), {**vars(config), "cell": made.cell, "model": model}), rest  # pyright: ignore


def _taken(args: list[str]) -> tuple[str | None, list[str], list[str]]:
    """The name of the preset, its own options as ``--width N``, and what is left."""
    name, own, rest, waiting = None, [], [], list(args)
    while waiting:
        arg = waiting.pop(0)
        key, equals, value = arg.partition("=")
        key = key.replace("--config.preset", "--preset", 1)
        if key != "--preset" and not key.startswith("--preset."):
            rest.append(arg)
            continue
        values = [value] if equals else []
        while not equals and waiting and not waiting[0].startswith("--"):
            values.append(waiting.pop(0))
        if key == "--preset":
            if len(values) != 1:
                raise UsageError(f"--preset needs a name; known: {', '.join(presets())}")
            (name,) = values
        else:
            own += ["--" + key.removeprefix("--preset."), *values]
    return name, own, rest


def _made(name: str, own: list[str]) -> Preset:
    import tyro

    function = preset(name)
    needed = [n for n, p in inspect.signature(function).parameters.items() if p.default is p.empty]
    given = {arg.removeprefix("--").replace("-", "_") for arg in own}
    if missing := [n for n in needed if n not in given]:
        examples = " ".join(f"--preset.{n} {value}" for n, value in zip(needed, (64, 4), strict=False))
        raise UsageError(f"--preset {name} needs --preset.{missing[0]}; such as --preset {name} {examples}")
    found: Any = tyro.cli(function, args=own, prog=f"--preset {name}", add_help=False)
    return found


def help_of_presets() -> str:
    """For the help: which there are, and what they take."""
    lines = ["--preset NAME --preset.width N ...: the network of a paper in place of cell and model"]
    width = shutil.get_terminal_size().columns - 1
    for name, function in presets().items():
        line = f"  {name}: {', '.join(inspect.signature(function).parameters)}"
        lines.append(textwrap.fill(line, width, subsequent_indent="      "))
    return "\n".join(lines)


def rows(pattern: str = "*") -> list[dict[str, str]]:
    """One row for each preset whose name matches the pattern."""
    found = {name: f for name, f in presets().items() if fnmatch.fnmatch(name, pattern.lower())}
    return [
        {
            "name": name,
            "options": ", ".join(inspect.signature(function).parameters),
            "what": " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split()).rstrip("."),
        }
        for name, function in found.items()
    ]


__all__ = ["help_of_presets", "rows", "with_preset"]
