"""Pages from templates."""

import importlib.resources
from typing import Any

from rnnzoo.spec import UsageError


def check_jinja() -> Any:
    """The module jinja2.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import jinja2
    except ImportError:
        raise UsageError("a report needs jinja2: python -m pip install 'rnnzoo[report]'") from None
    return jinja2


def render(package: str, name: str, **parts: Any) -> str:
    """A page.

    Args:
        package: the package with the template.
        name: the template's file, which extends layout.html.
        parts: the names that the template uses; of the layout title, generator and command.
    """
    jinja2 = check_jinja()
    own = {file: _read(__package__ or "", file) for file in ("layout.html", "macros.html")}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(own | {name: _read(package, name)}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    css, js = (_read(__package__ or "", f"page.{kind}") for kind in ("css", "js"))
    return environment.get_template(name).render(css=css, js=js, **parts).lstrip()


def _read(package: str, name: str) -> str:
    return importlib.resources.files(package).joinpath(name).read_text(encoding="utf-8")


__all__ = ["check_jinja", "render"]
