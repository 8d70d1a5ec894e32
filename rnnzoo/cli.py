"""The command line: options over a specification, members swapped by name, and `train`."""

import argparse
import datetime
import json
import sys
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnnzoo.registry import Spec, UsageError, field_types, find, from_dict, members, nearest, to_dict

EXIT_USAGE, EXIT_DIVERGED, EXIT_STOPPED = 2, 3, 75


def guarded(command: Callable[[list[str]], int | None]) -> Callable[[list[str]], int]:
    """A command that turns what users can get wrong into a short message on standard error and exit code 2."""

    def run(args: list[str]) -> int:
        try:
            return command(args) or 0
        except UsageError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_USAGE

    return run


# ---- options over a specification ------------------------------------------------------------------------


def override(value: Spec, args: list[str], prog: str, description: str = "") -> Any:
    """The specification with the command line's options applied.

    ``--a.b VALUE`` and ``--config.a.b=VALUE`` set a field, and ``--a NAME`` puts the member of that name where
    `a` holds a specification; the new member keeps the fields that the old one had set and both know."""
    import tyro

    value, rest = _swap_members(value, [_plain(a) for a in args])
    parsed = tyro.cli(
        type(value),
        default=value,
        args=rest,
        prog=prog,
        description=description + "\n\n" + swappable(value),
        config=(tyro.conf.AvoidSubcommands,),
    )
    return from_dict(to_dict(parsed), "the command line")  # checks each part, changed or not


def _plain(arg: str) -> str:
    return "--" + arg.removeprefix("--config.") if arg.startswith("--config.") else arg


def _swap_members(value: Spec, args: list[str]) -> tuple[Spec, list[str]]:
    """Apply every ``--path NAME`` whose path holds a specification; return the other arguments."""
    swaps, rest, i = [], [], 0
    while i < len(args):
        key, equals, name = args[i].partition("=")
        path = key.removeprefix("--").replace("-", "_").split(".")
        if not key.startswith("--") or not all(path) or not _holds_spec(value, path):
            rest.append(args[i])
            i += 1
            continue
        if not equals:
            i += 1
            name = args[i] if i < len(args) else ""
        swaps.append((path, name))
        i += 1
    for path, name in sorted(swaps, key=lambda swap: len(swap[0])):  # a cell before its structure
        value = _replace(value, path, name)
    return value, rest


def _families(hint: Any) -> tuple[str, bool] | None:
    """The family of members that a field accepts, and whether it accepts None; None if it holds no member."""
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    kinds = [o.kind for o in options if isinstance(o, type) and issubclass(o, Spec)]
    return (kinds[0], type(None) in options) if kinds else None


def _holds_spec(value: Any, path: list[str]) -> bool:
    for name in path[:-1]:
        value = getattr(value, name, None)
    hints = field_types(type(value)) if isinstance(value, Spec) else {}
    return path[-1] in hints and _families(hints[path[-1]]) is not None


def _replace(value: Any, path: list[str], name: str) -> Any:
    field = path[0]
    family = _families(field_types(type(value))[field])
    if len(path) > 1:
        return _unchecked(type(value), {**vars(value), field: _replace(getattr(value, field), path[1:], name)})
    assert family is not None
    kind, optional = family
    if optional and name.lower() == "none":
        return _unchecked(type(value), {**vars(value), field: None})
    if not name or name.startswith("-"):
        raise UsageError(f"--{field} needs a name; known: {', '.join(members(kind))}")
    return _unchecked(type(value), {**vars(value), field: _swap(getattr(value, field), find(kind, name))})


def _swap(old: Spec | None, cls: type[Spec]) -> Spec:
    """A member of another class, with the fields that were set in the old one."""
    import dataclasses

    kept = {}
    for field in dataclasses.fields(typing.cast(Any, old)) if old is not None else ():
        if getattr(old, field.name) != field.default and field.name in field_types(cls):
            kept[field.name] = getattr(old, field.name)
    return _unchecked(cls, kept)


def _unchecked(cls: type[Spec], values: dict[str, Any]) -> Spec:
    """An instance whose fields are checked only once all options are applied: block 4 may not fit until the size,
    given two options later, is known."""
    import dataclasses

    made = object.__new__(cls)
    for field in dataclasses.fields(typing.cast(Any, cls)):
        if field.name not in values and field.default is dataclasses.MISSING:
            raise UsageError(f"{cls.kind}.{cls.__name__} needs {field.name!r}; name it after {cls.__name__}")
        object.__setattr__(made, field.name, values.get(field.name, field.default))
    return made


def swappable(value: Spec, prefix: str = "--") -> str:
    """Help: which fields take the name of a member, and which names there are."""
    lines = []
    for name, hint in field_types(type(value)).items():
        if (family := _families(hint)) is None:
            continue
        path = prefix + name.replace("_", "-")
        names = list(members(family[0]))
        if len(names) > 1 or family[1]:
            lines.append(f"{path} {{{','.join(names)}}}: swap in another member by name.")
        if isinstance(inner := getattr(value, name), Spec):
            lines.append(swappable(inner, path + "."))
    return "\n".join(filter(None, lines))


# ---- train -----------------------------------------------------------------------------------------------


def train(args: list[str], prog: str = "train.py") -> int:
    """Train the configuration of a file, with options on top."""
    from rnnzoo.config import load_config
    from rnnzoo.job import Diverged, Job, Stopped
    from rnnzoo.report import Progress

    parser = argparse.ArgumentParser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument("--config", metavar="FILE")
    parser.add_argument("--workdir", metavar="DIR", type=Path)
    known, rest = parser.parse_known_args(args)
    if known.config is None:
        files = ", ".join(sorted(map(str, Path("configs").glob("*.py")))) or "none here"
        raise UsageError(f"--config FILE is missing; {prog} --config FILE --help shows its options. Files: {files}")
    config = load_config(known.config)
    description = (
        f"Train {known.config}. --workdir DIR is the run folder (default runs/<config>-<time>); the same folder "
        "again goes on where it stopped. Options may also be written --config.lr=0.1."
    )
    config = override(config, rest, f"{prog} --config {known.config}", description)
    workdir = known.workdir or Path("runs") / f"{Path(known.config).stem}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    progress = Progress(config)
    try:
        final = Job(config, workdir, progress).run()
    except (Diverged, Stopped) as error:
        print(f"{error}", file=sys.stderr)
        return EXIT_STOPPED if isinstance(error, Stopped) else EXIT_DIVERGED
    finally:
        progress.close()
    print(summary(final, config.task.metric))
    print(f"run folder: {workdir}")
    return 0


def summary(final: dict[str, Any], metric: str) -> str:
    """The result in a few lines."""
    lines = [f"{name} {_words(value)}" for name, value in final["metrics"].items()]
    lines += [f"baseline {name}: {metric} {value:.4f}" for name, value in final["baseline"].items()]
    if final["solved"] is not None:
        said = {True: "yes", False: "no"}[final["solved"]] if final["seeds"] == 1 else None
        lines.append(f"solved ({metric} {final['solved_at']}): {said or '{solved} of {seeds} seeds'.format(**final)}")
    lines.append(f"{final['params']} parameters, {final['nonzeros_u']} in U, {final['seconds']:.1f} s of training")
    return "\n".join(lines)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "median {median:.4f} [{min:.4f}, {max:.4f}] of ".format(**value) + f"{len(value['per_seed'])} seeds"
    return f"{value:.4f}"


# ---- evaluate --------------------------------------------------------------------------------------------


def evaluate(args: list[str], prog: str = "rnnzoo evaluate") -> int:
    """Evaluate a run's checkpoint on its own or on a changed task."""
    import dataclasses

    from rnnzoo.checkpoint import RunFolder
    from rnnzoo.job import evaluate_run
    from rnnzoo.report import spread

    parser = argparse.ArgumentParser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, nargs="?")
    parser.add_argument("--checkpoint", choices=("last", "best"), default="last")
    parser.add_argument("--json", action="store_true")
    known, rest = parser.parse_known_args(args)
    if known.run_dir is None:
        raise UsageError(f"usage: {prog} RUN_DIR [--task.bits 32 ...] [--checkpoint last|best] [--json]")
    config = RunFolder(known.run_dir).config()
    description = (
        "Evaluate a checkpoint (--checkpoint last or best), on a changed task if you like; --json for programs."
    )
    changed = override(config, rest, f"{prog} {known.run_dir}", description)
    for name in field_types(type(config)):
        if name not in ("task", "unroll") and getattr(changed, name) != getattr(config, name):
            raise UsageError(f"--{name} cannot be changed in evaluation; accepted: --task... and --unroll...")
    config = dataclasses.replace(config, task=changed.task, unroll=changed.unroll)
    scores = evaluate_run(
        known.run_dir, config, known.checkpoint, lambda text: print(f"warning: {text}", file=sys.stderr)
    )
    result = {name: spread(values) for name, values in scores.items()}
    print(json.dumps(result) if known.json else "\n".join(f"{name} {_words(v)}" for name, v in result.items()))
    return 0


__all__ = ["EXIT_DIVERGED", "EXIT_STOPPED", "EXIT_USAGE", "evaluate", "guarded", "nearest", "override", "train"]
