"""Pictures of notebooks, on light pages as they were drawn, on dark ones in other colours."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util import logging

from rnnzoo.drawing import dark

FOLDER = "notebooks/"
log = logging.getLogger(__name__)


def add_dark(app: Any, doctree: Any) -> None:
    """Put a dark copy behind each picture that a notebook has drawn."""
    name = app.env.docname
    if not name.startswith(FOLDER):
        return
    for image in list(doctree.findall(nodes.image)):
        drawn = Path(app.srcdir) / image["uri"].removeprefix("/")
        if not image.get("alt"):
            log.warning("a picture has no alt text; it belongs into the metadata of its cell", location=name)
        other = drawn.with_name(f"{drawn.stem}-dark.svg")
        other.write_text(dark(drawn.read_text("utf-8")), "utf-8")
        copy = image.deepcopy()
        copy["uri"] = image["uri"].removesuffix(drawn.name) + other.name
        for picture, shown in ((image, "only-light"), (copy, "only-dark")):
            picture["classes"].append(shown)
        image.parent.insert(image.parent.index(image) + 1, copy)


def setup(app: Any) -> dict[str, Any]:
    """What Sphinx calls."""
    app.connect("doctree-read", add_dark, priority=100)  # before Sphinx collects the files of pictures
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
