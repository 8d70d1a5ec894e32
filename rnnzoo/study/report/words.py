"""Numbers and names as people read them."""

import html
import math
import re

LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+|[\w./-]+)\)")


def number(value: float) -> str:
    """Three to four digits, without a power of ten where it can be avoided."""
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 1:
        return f"{value:.4g}"
    return f"{value:.1e}" if abs(value) < 5e-5 else f"{value:.4f}".rstrip("0").rstrip(".")


def count(many: int, one: str, more: str = "") -> str:
    """A number with its noun: "1 row", "3 rows"."""
    return f"{many:,} {one if many == 1 else more or one + 's'}"


def listed(names: list[str], most: int = 6) -> str:
    """Names in a sentence, and how many are left out."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def markup(text: str) -> str:
    """Safe HTML of a line of text with ``**bold**``, ``*italic*``, ```code``` and links."""
    escaped = html.escape(text, quote=True)
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    escaped = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", escaped)
    escaped = re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<em>\1</em>", escaped)
    return LINK.sub(r'<a href="\2">\1</a>', escaped)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text as safe HTML; empty lines stand between them."""
    return [markup(" ".join(part.split())) for part in re.split(r"\n\s*\n", text) if part.strip()]


__all__ = ["count", "listed", "markup", "number", "paragraphs"]
