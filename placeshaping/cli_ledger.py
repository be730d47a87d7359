"""The commands `placeshaping ledger list | show | withdraw`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from placeshaping.console import Json, Quiet, print_json, print_table, this_day

ledger_app = typer.Typer(
    name="ledger",
    help="What has been released before, against which new releases are checked.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DEFAULT = Path("ledger.sqlite")
"""The ledger of the project in the current folder."""

File = Annotated[Path, typer.Option("--ledger", help="The ledger's file.")]
Number = Annotated[int, typer.Argument(help="Number of the release, as `list` prints it.")]


@ledger_app.command("list")
def list_releases(
    ledger: File = DEFAULT,
    dataset: Annotated[str | None, typer.Option(help="Only releases of this dataset.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """List what has been released."""
    from placeshaping.disclosure.ledger import open_ledger

    with open_ledger(ledger, create=False) as opened:
        table = opened.list()
    if dataset is not None:
        table = table[table["dataset"] == dataset]
    rows = [{str(k): _plain(v) for k, v in row.items()} for row in table.to_dict("records")]
    if as_json:
        print_json(rows)
    elif not quiet:
        heads = ("id", "dataset", "title", "made on", "policy", "cells", "state")
        print_table("Releases", heads, [_line(row) for row in rows])


@ledger_app.command()
def show(
    release: Number,
    ledger: File = DEFAULT,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Show one release: its rules, and how many of its cells are shown and hidden at each level."""
    from placeshaping.disclosure.ledger import open_ledger

    with open_ledger(ledger, create=False) as opened:
        found = opened.show(release)
    cells = found.cells
    facts: dict[str, Any] = {name: _plain(value) for name, value in found.facts.items()}
    spans = cells[["first", "last"]].drop_duplicates()
    facts["spans"] = sorted(f"{row.first} to {row.last}" for row in spans.itertuples())
    facts["categories"] = sorted(set(cells["category"]))
    counted = cells.groupby(["level", "status"], sort=False).size()
    levels = [
        {"level": str(level), **{s: int(counted.get((level, s), 0)) for s in _STATUSES}}
        for level in dict.fromkeys(cells["level"])
    ]
    if as_json:
        print_json({**facts, "levels": levels})
    elif not quiet:
        print_table(f"Release {release}", ("", ""), [(k, _words(v)) for k, v in facts.items()])
        if levels:
            print_table("Cells", ("level", *_STATUSES), [tuple(row.values()) for row in levels])


@ledger_app.command()
def withdraw(
    release: Number,
    because: Annotated[str, typer.Option(help="Why, in words.")],
    never_left: Annotated[
        bool, typer.Option("--never-left", help="Nobody outside has seen it: forget its numbers.")
    ] = False,
    ledger: File = DEFAULT,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Note that a release was withdrawn; what was read is known, so it still counts."""
    from placeshaping.disclosure.ledger import open_ledger

    with open_ledger(ledger, create=False) as opened:
        opened.withdraw(release, because=because, on=this_day(), never_left=never_left)
        facts = {name: _plain(value) for name, value in opened.show(release).facts.items()}
    if as_json:
        print_json(facts)
    elif not quiet:
        after = (
            "New releases are no longer checked against it."
            if never_left
            else "It was read, so new releases are still checked against it."
        )
        typer.echo(f"Release {release} is withdrawn. {after}")


_STATUSES = ("shown", "hidden", "missing")


def _line(row: Mapping[str, Any]) -> tuple[object, ...]:
    state = row["state"]
    if row["withdrawn_on"]:
        state = f"withdrawn on {row['withdrawn_on']}: {row['withdrawn_because']}"
    if not row["left_the_house"]:
        state = f"{state}; never left the house"
    names = ("id", "dataset", "title", "made_on", "policy")
    return (*(row[name] for name in names), f"{row['cells']:,}", state)


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def _plain(value: Any) -> Any:
    """Turn a value of a table into one that JSON can hold."""
    if value is None or value != value:
        return None
    return value.item() if hasattr(value, "item") else value
