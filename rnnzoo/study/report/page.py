"""The page: all of it in one file, without anything from a network."""

import importlib.resources
import json
from collections import Counter
from typing import Any

from rnnzoo.spec import UsageError
from rnnzoo.study.report.folder import GENERATOR
from rnnzoo.study.report.predictions import VERDICTS, Outcome
from rnnzoo.study.report.words import markup

TITLE = "How much of the recurrent matrix does a network need?"


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


def render(made: list[str], outcomes: list[Outcome], **parts: Any) -> str:
    """The page. `made` are the files of the folder; `parts` are the other names of page.html."""
    jinja2 = check_jinja()
    files = importlib.resources.files(__package__ or "")
    html, css, js = (files.joinpath(f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    verdicts = Counter(o.verdict for o in outcomes)
    return (
        environment.from_string(html)
        .render(
            title=TITLE,
            generator=GENERATOR,
            css=css,
            js=js,
            made=json.dumps(made).replace("<", "\\u003c"),
            outcomes=[
                {"name": o.prediction.name, "text": markup(o.prediction.text), "words": o.words, "verdict": o.verdict}
                for o in outcomes
            ],
            tally=", ".join(f"{verdicts[name]} {name}" for name in VERDICTS if verdicts[name]).capitalize() + ".",
            **parts,
        )
        .lstrip()
    )


__all__ = ["TITLE", "check_jinja", "render"]
