"""The command `placeshaping evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from placeshaping._core.progress import quiet as no_progress
from placeshaping.console import Json, Quiet, print_json, this_day


def evaluate(
    recipe: Annotated[Path, typer.Argument(help="A recipe in TOML with a section [evaluation].")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Say whether what was done in some areas worked, against areas where nothing was."""
    from placeshaping.project.evaluate import run_evaluation

    with no_progress(on=quiet or as_json):
        outcome = run_evaluation(recipe, made_on=this_day())
    if as_json:
        print_json(outcome.to_dict())
    elif not quiet:
        typer.echo(outcome.report.lead)
        for path in outcome.files:
            typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")
