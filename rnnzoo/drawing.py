"""How pictures look: colours, style, and figures as files and as parts of a page.

Figures are drawn in the colours of a light page. Inside a page those colours become CSS variables, so that a dark page
has its own."""

import functools
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

INK, MUTED, RULE, PAPER = "#1d2025", "#6a6f78", "#d5d8dd", "#fefefc"
SERIES = ("#0072b2", "#d55e00", "#008f68", "#b0548a", "#b57f00", "#3f9fd8", "#5c5f66", "#7a4fb5")
"""Okabe and Ito's colours, darkened until thin lines of them can be seen on white; they differ in lightness, too."""
DARK = dict(
    zip(SERIES, ("#56b4e9", "#f08a4b", "#4fc79b", "#d98bbd", "#e0b13f", "#8cc8f2", "#a0a4ac", "#ac92e0"), strict=True)
)
DARK |= {INK: "#eceae4", MUTED: "#a3a8b1", RULE: "#42474f", PAPER: "#15171b"}
"""The colours of the same picture on a dark page."""
MARKERS = "osD^vPX*"
VARIABLES = {
    INK: "--ink", MUTED: "--muted", RULE: "--rule", PAPER: "--paper",
    **{colour: f"--s{i}" for i, colour in enumerate(SERIES)},
}  # fmt: skip
STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "rnnzoo",  # the same figure is the same file
}


def style() -> Any:
    """A context in which figures are drawn and written in this style."""
    import matplotlib

    return matplotlib.rc_context(rc=STYLE)


def new_figure(width: float, height: float) -> Any:
    """A figure that can be drawn without a display. As the last line of a notebook's cell it is shown, as SVG."""
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    figure._repr_svg_ = functools.partial(_text, figure)  # what notebooks ask for
    return figure


def _text(figure: Any) -> str:
    return saved(figure, "svg").decode("utf-8")


def heading(figure: Any, title: str, below: str) -> None:
    """A bold line above the panels, and a second one."""
    top = 1 - 0.62 / figure.get_figheight()  # inches
    figure.get_layout_engine().set(rect=(0, 0, 1, top))
    figure.text(0.01, top + 0.7 * (1 - top), title, fontsize=13, fontweight="bold", va="center")
    figure.text(0.01, top + 0.25 * (1 - top), below, fontsize=10, color=MUTED, va="center")


def without_heading(figure: Any) -> None:
    """Take the heading away, for a page that says the same above the figure."""
    for text in list(figure.texts):
        text.remove()
    figure.get_layout_engine().set(rect=(0, 0, 1, 1))


def saved(figure: Any, kind: str, dpi: int = 150) -> bytes:
    """The figure as a file, "svg", "png" or "pdf", marked as ours; the same figure is the same file."""
    metadata: Any = {"Software": "rnnzoo"} if kind == "png" else {"Creator": "rnnzoo"}
    if kind == "svg":
        metadata["Date"] = None
    out = io.BytesIO()
    with style():
        figure.savefig(out, format=kind, dpi=dpi, facecolor=PAPER, metadata=metadata)
    return out.getvalue()


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name."""
    return {name: SERIES[i % len(SERIES)] for i, name in enumerate(names)}


def markers(names: Iterable[str]) -> dict[str, str]:
    """A marker for each name."""
    return {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(names)}


def plain_log(axis: Any, steps: Sequence[int] = (1, 2, 5)) -> None:
    """A logarithmic axis that says 0.5, 1, 2 in place of powers; `steps` are the numbers named between two powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=steps, numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 10 else f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def dark(svg: str) -> str:
    """The SVG file in the colours of a dark page."""
    for light, other in DARK.items():
        svg = svg.replace(light, other)
    return svg


def inline(text: str, name: str, title: str, alt: str) -> str:
    """The SVG file as a part of a page: with colours of the page, names of its own, a title and a description."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font-family: [^;\"]+", "font-family: var(--sans)", text)
    text = re.sub(r"(font: [^;\"]*?px) [^;\"]+", r"\1 var(--sans)", text)  # as matplotlib before 3.11 writes it
    for colour, variable in VARIABLES.items():
        text = re.sub(colour, f"var({variable})", text, flags=re.I)
    head, _, rest = text.partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    labels = f'role="img" aria-labelledby="{name}-title {name}-about"'
    about = f'<title id="{name}-title">{title}</title><desc id="{name}-about">{alt}</desc>'
    return f"{head} {labels}>{about}{rest}"


__all__ = [
    "DARK", "INK", "MARKERS", "MUTED", "PAPER", "RULE", "SERIES", "STYLE", "colours", "dark", "heading", "inline",
    "markers", "new_figure", "plain_log", "saved", "style", "without_heading",
]  # fmt: skip
