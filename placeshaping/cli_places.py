"""The commands `placeshaping access`, `placeshaping site` and `placeshaping rounds`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from placeshaping._core.progress import quiet as no_progress
from placeshaping.console import Json, Quiet, print_json, this_day


def access(
    recipe: Annotated[Path, typer.Argument(help="A recipe in TOML with a section [access].")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Measure how far people have to a service, and whom the distance falls on."""
    from placeshaping.project.access import run_access

    with no_progress(on=quiet or as_json):
        outcome = run_access(recipe, made_on=this_day())
    _tell(outcome, (*outcome.found, *outcome.notes), quiet=quiet, as_json=as_json)


def site(
    recipe: Annotated[Path, typer.Argument(help="A recipe in TOML with a section [siting].")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Choose the best places for facilities, and say how much better any others could be."""
    from placeshaping.project.siting import run_siting

    with no_progress(on=quiet or as_json):
        outcome = run_siting(recipe, made_on=this_day())
    _tell(outcome, (*outcome.found, *outcome.notes), quiet=quiet, as_json=as_json)


def rounds(
    request: Annotated[Path, typer.Argument(help="A request in TOML: stops, depots, vehicles.")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Plan rounds for staff or vehicles, and write their sheets."""
    from placeshaping.project.rounds import run_rounds

    with no_progress(on=quiet or as_json):
        outcome = run_rounds(request, made_on=this_day())
    _tell(outcome, (*outcome.found, *outcome.notes), quiet=quiet, as_json=as_json)


def _tell(outcome: Any, sentences: Sequence[str], *, quiet: bool, as_json: bool) -> None:
    if as_json:
        print_json(outcome.to_dict())
        return
    if quiet:
        return
    for sentence in sentences:
        typer.echo(sentence)
    typer.echo("")
    for path in outcome.files:
        typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")
