"""The page: all of it in one file, without anything from a network."""

import json
from collections import Counter
from typing import Any

from rnnzoo.page.render import render
from rnnzoo.study.report.folder import GENERATOR
from rnnzoo.study.report.predictions import VERDICTS, Outcome
from rnnzoo.study.report.words import markup

TITLE = "How much of the recurrent matrix does a network need?"


def page(made: list[str], outcomes: list[Outcome], **parts: Any) -> str:
    """The page. `made` are the files of the folder; `parts` are the other names of page.html."""
    verdicts = Counter(o.verdict for o in outcomes)
    return render(
        __package__ or "",
        "page.html",
        title=TITLE,
        generator=GENERATOR,
        made=json.dumps(made).replace("<", "\\u003c"),
        outcomes=[
            {"name": o.prediction.name, "text": markup(o.prediction.text), "words": o.words, "verdict": o.verdict}
            for o in outcomes
        ],
        tally=", ".join(f"{verdicts[name]} {name}" for name in VERDICTS if verdicts[name]).capitalize() + ".",
        **parts,
    )


__all__ = ["TITLE", "page"]
