"""The command `placeshaping backtest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from placeshaping._core.progress import quiet as no_progress
from placeshaping.console import Json, Quiet, print_json, this_day


def backtest(
    recipe: Annotated[Path, typer.Argument(help="A recipe in TOML with a section [backtest].")],
    cluster: Annotated[
        str | None,
        typer.Option(help="Run on Dask: local, local:N, or tcp://host:port of a scheduler."),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Test models of where crime is likely on the past, against plain trailing counts."""
    from placeshaping.project.backtest import run_backtest

    with no_progress(on=quiet or as_json):
        outcome = run_backtest(recipe, made_on=this_day(), cluster=cluster)
    if as_json:
        print_json(outcome.to_dict())
    elif not quiet:
        typer.echo(outcome.report.lead)
        for path in outcome.files:
            typer.echo(f"{path}  ({path.stat().st_size / 1000:,.0f} KB)")
