"""The command `placeshaping profile`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from placeshaping._core.progress import quiet as no_progress
from placeshaping.console import Json, Quiet, print_json, this_day


class Kind(StrEnum):
    """What may be written."""

    html = "html"
    json = "json"
    pdf = "pdf"


def profile(
    areas: Annotated[
        list[str] | None,
        typer.Argument(help="Codes or names of areas, at any level; several make one place."),
    ] = None,
    recipe: Annotated[
        Path, typer.Option("--recipe", "-r", help="The recipe of `placeshaping run`.")
    ] = Path("recipe.toml"),
    every: Annotated[
        str | None, typer.Option(help="A level, such as ward: a profile of every area of it.")
    ] = None,
    drawn: Annotated[
        list[Path] | None, typer.Option(help="A GeoJSON file of drawn polygons; may be repeated.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="A profile for each area, not one for all together.")
    ] = False,
    since: Annotated[
        Path | None,
        typer.Option(help="A former profile (JSON); by default the one that is in the folder."),
    ] = None,
    write: Annotated[
        list[Kind] | None, typer.Option(help="What to write: html, json, pdf; may be repeated.")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write profiles of areas: people, deprivation, crime, services, beside others and before."""
    from placeshaping.project.profile import run_profiles
    from placeshaping.reports.profiles_words import lead_of

    with no_progress(on=quiet or as_json):
        outcome = run_profiles(
            recipe,
            areas or [],
            made_on=this_day(),
            every=every,
            drawn=drawn or [],
            each=each,
            since=since,
            write=None if not write else [one.value for one in write],
        )
    if as_json:
        print_json(outcome.to_dict())
    elif not quiet:
        for one in outcome.profiles[:10]:
            typer.echo(f"{one.place.name}: {lead_of(one)}")
        for path in outcome.files[:20]:
            typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")
        if len(outcome.files) > 20:
            typer.echo(f"and {len(outcome.files) - 20} more in {outcome.folder}")
