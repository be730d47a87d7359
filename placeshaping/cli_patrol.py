"""The command `placeshaping patrol`: requests for patrol areas, and marks on their answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from placeshaping.console import Json, Quiet, print_json, print_table


class _RequestsOrMark(TyperGroup):
    """`patrol REQUEST...` answers requests; `patrol mark ...` enters a mark."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take what is no command as requests to answer."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["answer", *args]
        return super().parse_args(ctx, args)


patrol_app = typer.Typer(
    name="patrol",
    cls=_RequestsOrMark,
    help="Patrol areas for a shift: patrol REQUEST.toml or a folder of them; patrol mark.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@patrol_app.command()
def answer(
    requests: Annotated[list[Path], typer.Argument(help="Requests in TOML, or folders of them.")],
    today: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day to judge by; by default this day."),
    ] = None,
    date: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Of one request: another date of the shift."),
    ] = None,
    start: Annotated[str | None, typer.Option(help="Of one request: another start.")] = None,
    end: Annotated[str | None, typer.Option(help="Of one request: another end.")] = None,
    share: Annotated[
        float | None, typer.Option(help="Of one request: share of the district's area.")
    ] = None,
    cells: Annotated[int | None, typer.Option(help="Of one request: number of cells.")] = None,
    patrols: Annotated[int | None, typer.Option(help="Of one request: number of patrols.")] = None,
    model: Annotated[str | None, typer.Option(help="Of one request: another model.")] = None,
    into: Annotated[
        str | None, typer.Option(help="Of one request: another name of the answer's folder.")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Answer requests: cells, patrol areas and a visiting order, under the policy police."""
    from placeshaping._core.progress import quiet as no_progress
    from placeshaping.project.patrol import answer_request
    from placeshaping.project.patrol_folder import answer_folder, requests_in

    now = _moment(today)
    other = {
        "shift": _given(date=None if date is None else date.date(), start=start, end=end),
        "cover": _given(share=share, cells=cells, patrols=patrols),
        **_given(model=model, output=into),
    }
    told: list[Any] = []
    refused = False
    with no_progress(on=quiet or as_json):
        for path, is_folder in requests_in(requests):
            if is_folder:
                found = answer_folder(path, now=now)
                refused |= any(one.state == "refused" for one in found)
                told += [vars(one) for one in found]
            else:
                made = answer_request(path, now=now, changes=other)
                told.append(made.to_dict())
                _say(made.release.notes, made.files, quiet=quiet or as_json)
    if as_json:
        print_json(told)
    elif not quiet:
        rows = [tuple(one.values()) for one in told if "state" in one]
        if rows:
            print_table("Requests", ("request", "state", ""), rows)
    if refused:
        raise typer.Exit(1)


@patrol_app.command()
def mark(
    answer: Annotated[Path, typer.Argument(help="The folder of an answer.")],
    cell: Annotated[str, typer.Argument(help="The cell: A1, or its code.")],
    because: Annotated[str, typer.Option(help="Why it is wrong; printed on the next answer.")],
    by: Annotated[str, typer.Option(help="Who says so; printed too.")],
    quiet: Quiet = False,
) -> None:
    """Mark a cell of an answer as wrong: the next answer that flags it says so."""
    from placeshaping.console import this_day
    from placeshaping.project.patrol import REGISTER
    from placeshaping.project.patrol_register import mark_cell

    made = mark_cell(answer, cell, because=because, by=by, made_on=this_day(), register=REGISTER)
    if not quiet:
        typer.echo(f"{made.sentence}. It stands in {REGISTER}.")


def _moment(today: dt.datetime | None) -> dt.datetime:
    now = dt.datetime.now(tz=dt.UTC).astimezone()
    return now if today is None else today.replace(tzinfo=now.tzinfo)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _say(notes: Sequence[str], files: Sequence[Path], *, quiet: bool) -> None:
    if quiet:
        return
    for sentence in notes:
        typer.echo(sentence)
    typer.echo("")
    for path in files:
        typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")
