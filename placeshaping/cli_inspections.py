"""The command `placeshaping inspections`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from placeshaping._core.progress import quiet as no_progress
from placeshaping.console import Json, Quiet, print_json, this_day


def inspections(
    request: Annotated[Path, typer.Argument(help="A request in TOML.")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """List the properties to inspect, after trying a model beside plain rules."""
    from placeshaping.project.inspections import answer_inspections

    with no_progress(on=quiet or as_json):
        outcome = answer_inspections(request, made_on=this_day())
    if as_json:
        print_json(outcome.to_dict())
    elif not quiet:
        typer.echo(outcome.report.lead)
        for sentence in outcome.report.cautions:
            typer.echo(f"Mind: {sentence}")
        for path in outcome.files:
            typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")
