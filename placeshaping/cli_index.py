"""The command `placeshaping index`: areas in tenths, by indicators of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from placeshaping.console import Json, Quiet, print_json, print_table, this_day


def index(
    recipe: Annotated[Path, typer.Argument(help="A recipe in TOML with a section [index].")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Rank areas by indicators of your own, and say how far the ranks hang on the weights."""
    from placeshaping._core.progress import quiet as no_progress
    from placeshaping.project.composite_index import make_index

    with no_progress(on=quiet or as_json):
        made = make_index(recipe, made_on=this_day())
    if as_json:
        print_json(made.to_dict())
        return
    if quiet:
        return
    rows = [
        (str(name), str(row["domain"]), str(row["more_need"]), f"{row['weight']:.1%}")
        for name, row in made.report.indicators.iterrows()
    ]
    print_table(made.report.name, ("indicator", "domain", "more need when", "weight"), rows)
    for sentence in (*made.report.found, made.report.agreement):
        typer.echo(sentence)
    for sentence in (*made.report.special, *made.report.cautions):
        typer.echo(f"Mind: {sentence}")
    typer.echo("")
    for path in made.files:
        typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")
