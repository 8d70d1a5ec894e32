"""Docstrings as they are meant: a star is a star, and the text of a field is no type."""

import re
from typing import Any

from sphinx.ext.napoleon.docstring import GoogleDocstring

from rnnzoo.field_docs import HEADING


def escape_stars(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Put a backslash before each star that stands in text, as in (T, B, *S): we write no emphasis."""
    literal = False
    for i, line in enumerate(lines):
        literal = (literal and (not line or line[0] == " ")) or (i > 0 and lines[i - 1].rstrip().endswith("::"))
        if not literal:
            parts = re.split(r"(`[^`]*`)", line)
            lines[i] = "".join(part if part.startswith("`") else part.replace("*", r"\*") for part in parts)


def leave_out_fields(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """The fields that `help` shows with a class are listed on its page one by one."""
    if what == "class" and HEADING in lines:
        del lines[lines.index(HEADING) :]


def setup(app: Any) -> dict[str, Any]:
    """What Sphinx calls."""
    app.setup_extension("sphinx.ext.napoleon")
    # Else napoleon takes what stands before the first colon of a field's text for its type.
    GoogleDocstring._parse_attribute_docstring = lambda self: list(self._lines)  # pyright: ignore
    app.connect("autodoc-process-docstring", leave_out_fields, priority=90)
    app.connect("autodoc-process-docstring", escape_stars, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
