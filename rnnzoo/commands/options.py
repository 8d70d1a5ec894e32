"""Options over a specification: fields by their path, members swapped by name."""

import contextlib
import dataclasses
import shutil
import textwrap
import types
import typing
from typing import Any

from rnnzoo.commands.arguments import filled
from rnnzoo.commands.meant import check_names, options
from rnnzoo.spec import Spec, UnknownMember, UsageError, field_types, find, members
from rnnzoo.spec_json import from_dict, to_dict


def override(
    value: Spec,
    args: list[str],
    prog: str,
    description: str = "",
    *,
    others: tuple[str, ...] = (),
    fixed: tuple[str, ...] = (),
) -> Any:
    """The specification with the command line's options applied. The help offers no other members for the fields that
    are `fixed`. The command's own options are `others`, for messages about one that does not exist.

    ``--a.b VALUE`` and ``--config.a.b=VALUE`` set a field. ``--a NAME`` replaces the specification in `a` by the member
    of that name, which takes over the fields that were set in the old one and that it has, too."""
    import tyro

    value, rest = _swap_members(value, [_plain(a) for a in args])
    check_names(value, rest, others)
    parsed = tyro.cli(
        type(value),
        default=value,
        args=rest,
        prog=prog,
        # tyro joins lines that begin with a letter.
        description=textwrap.indent(f"{filled(description)}\n\n{swappable(value, fixed=fixed)}", " "),
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
        try:
            value = _replace(value, path, name)
        except UnknownMember as error:
            raise UnknownMember(f"{error}{_elsewhere(value, name)}") from None
    return value, rest


def _elsewhere(value: Spec, name: str) -> str:
    """The option that a name given to another one belongs to: ``--model lstm`` means ``--cell LSTM``."""
    for path, part in options(value):
        if isinstance(part, Spec):
            with contextlib.suppress(UnknownMember):
                return f"; did you mean --{path.replace('_', '-')} {find(part.kind, name).__name__}?"
    return ""


def _families(hint: Any) -> tuple[str, bool] | None:
    """The family of members that a field accepts, and whether it accepts None; None if it holds no member."""
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    kinds = [o.kind for o in options if isinstance(o, type) and issubclass(o, Spec)]
    return (kinds[0], type(None) in options) if kinds else None


def _holds_spec(value: Any, path: list[str]) -> bool:
    for name in path[:-1]:
        value = _part(value, name)
    hints = field_types(type(value)) if isinstance(value, Spec) else {}
    return path[-1] in hints and _families(hints[path[-1]]) is not None


def _part(value: Any, name: str) -> Any:
    """A field, or the item of a tuple that has this number; None if there is none."""
    if isinstance(value, tuple):
        return value[int(name)] if name.isdigit() and int(name) < len(value) else None
    return getattr(value, name, None)


def _replace(value: Any, path: list[str], name: str) -> Any:
    field = path[0]
    if isinstance(value, tuple):
        return tuple(_replace(v, path[1:], name) if i == int(field) else v for i, v in enumerate(value))
    family = _families(field_types(type(value))[field])
    if len(path) > 1:
        return unchecked(type(value), {**vars(value), field: _replace(getattr(value, field), path[1:], name)})
    assert family is not None
    kind, optional = family
    if optional and name.lower() == "none":
        return unchecked(type(value), {**vars(value), field: None})
    if not name or name.startswith("-"):
        raise UsageError(f"--{field} needs a name; known: {', '.join(members(kind))}")
    return unchecked(type(value), {**vars(value), field: _swap(getattr(value, field), find(kind, name))})


def _swap(old: Spec | None, cls: type[Spec]) -> Spec:
    """A member of another class, with the fields that were set in the old one."""
    kept = {}
    for field in dataclasses.fields(typing.cast(Any, old)) if old is not None else ():
        if getattr(old, field.name) != field.default and field.name in field_types(cls):
            kept[field.name] = getattr(old, field.name)
    return unchecked(cls, kept)


def unchecked(cls: type[Spec], values: dict[str, Any]) -> Spec:
    """An instance whose fields are checked later, once all options are applied: blocks of 4 may fit only the size
    that comes two options later."""
    made = object.__new__(cls)
    for field in dataclasses.fields(typing.cast(Any, cls)):
        if field.name not in values and field.default is dataclasses.MISSING:
            raise UsageError(f"{cls.kind}.{cls.__name__} needs {field.name!r}; name it after {cls.__name__}")
        object.__setattr__(made, field.name, values.get(field.name, field.default))
    return made


def swappable(value: Spec, prefix: str = "--", fixed: tuple[str, ...] = ()) -> str:
    """For the help: which fields take the name of a member, which names there are, and which one is there now."""
    lines, width = [], shutil.get_terminal_size().columns - 1
    for name, hint in field_types(type(value)).items():
        path = prefix + name.replace("_", "-")
        if isinstance(items := getattr(value, name), tuple):
            lines += [swappable(item, f"{path}.{n}.") for n, item in enumerate(items) if isinstance(item, Spec)]
        if (family := _families(hint)) is None:
            continue
        names = list(members(family[0]))
        if name not in fixed and (len(names) > 1 or family[1]):
            now = type(getattr(value, name)).__name__ if isinstance(getattr(value, name), Spec) else "none"
            line = f"{path} {{{', '.join(names)}}}: a member by its name; now {now}."
            lines.append(textwrap.fill(line, width, subsequent_indent="    ", break_on_hyphens=False))
        if isinstance(inner := getattr(value, name), Spec):
            lines.append(swappable(inner, path + "."))
    return "\n".join(filter(None, lines))


__all__ = ["override", "swappable", "unchecked"]
