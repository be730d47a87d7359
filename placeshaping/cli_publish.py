"""The command `placeshaping publish`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from placeshaping.console import Json, Quiet, print_json, this_day


def publish(
    products: Annotated[
        Path, typer.Argument(help="A folder of products, its GeoPackage, or the recipe.")
    ],
    into: Annotated[Path, typer.Option(help="The folder to write, for pygeoapi to serve.")],
    url: Annotated[
        str, typer.Option(help="Address of the server, as its readers see it.")
    ] = "http://127.0.0.1:5000",
    licence: Annotated[
        str | None, typer.Option(help="OGL, or a name or address of another licence.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Who publishes.")] = None,
    inside: Annotated[
        bool, typer.Option("--inside", help="The server is for the house alone.")
    ] = False,
    policy: Annotated[
        str | None, typer.Option(help="A council's own policy that is looser than its base.")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Put released layers into a folder that pygeoapi can serve as it stands."""
    from placeshaping.project.publish import publish as publish_site

    site = publish_site(
        products,
        into=into,
        today=this_day(),
        url=url,
        licence=licence,
        provider=provider,
        inside=inside,
        policy=policy,
    )
    if as_json:
        print_json(site.to_dict())
    elif not quiet:
        for name, features in site.collections.items():
            typer.echo(f"{name}: {features:,} features")
        typer.echo(f"Served from {site.folder}: README.txt in it says how.")
