"""What all commands share: their common options, and how they print."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def this_day() -> dt.date:
    """Return the day, as it is where the command runs."""
    return dt.datetime.now(tz=dt.UTC).astimezone().date()


def print_json(content: Any) -> None:
    """Print a result as JSON that any console can show."""
    typer.echo(json.dumps(content, indent=1, ensure_ascii=True, default=str))


def print_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in plain characters."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.ASCII2, show_header=any(heads))
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table, markup=False)
