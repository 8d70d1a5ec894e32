"""Tables on the terminal."""

from collections.abc import Collection

WIDTH = 160  # of what is not printed on a terminal


def print_table(rows: list[dict[str, str]], title: str, right: Collection[str] = ()) -> None:
    """Print rows, all with the same columns. Those of `right` are aligned on the right."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left")
    for n, name in enumerate(rows[0]):
        shown.add_column(name, justify="right" if name in right else "left", no_wrap=n == 0, overflow="fold")
    for row in rows:
        shown.add_row(*row.values())
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(width=WIDTH, markup=False, highlight=False)
    console.print(shown)


__all__ = ["print_table"]
