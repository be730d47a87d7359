"""The command `placeshaping segments`: areas that are alike, in groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from placeshaping.console import Json, Quiet, print_json, print_table, this_day


def segments(
    recipe: Annotated[Path, typer.Argument(help="A recipe in TOML with a section [segments].")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Group areas that are alike, say what each group is like, and how far that holds."""
    from placeshaping._core.progress import quiet as no_progress
    from placeshaping.project.segments import make_area_segments

    with no_progress(on=quiet or as_json):
        made = make_area_segments(recipe, made_on=this_day())
    if as_json:
        print_json(made.to_dict())
        return
    if quiet:
        return
    rows = [
        (str(letter), str(row["name"]), f"{row['areas']:,}")
        for letter, row in made.report.portraits.iterrows()
    ]
    print_table("Areas that are alike", ("group", "draft name", "areas"), rows)
    for sentence in made.report.release.notes:
        typer.echo(sentence)
    for sentence in made.report.cautions:
        typer.echo(f"Mind: {sentence}")
    typer.echo("")
    for path in made.files:
        typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")
