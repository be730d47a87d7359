"""Proposals of wards for QGIS and any other GIS: a GeoPackage with a style, and proposal files."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from placeshaping._core.errors import OutputError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.wards import WardRelease, require_ward_release
from placeshaping.hotspots.labels import LabelClass, LabelScheme
from placeshaping.layers.features import SUFFIXES, add_notes
from placeshaping.layers.geopackage import add_styles
from placeshaping.layers.items import check_suffix
from placeshaping.layers.styles import LayerStyle, styles_of
from placeshaping.shaping.ward_files import proposal_document
from placeshaping.shaping.ward_scores import score_proposal, ward_numbers
from placeshaping.shaping.wards import ELECTORS, Proposal

UNITS = "units"
"""The layer of the units."""

DECIMALS = 6
"""To which variances and compactness are written."""

STANDING = LabelScheme(
    "standing",
    "Electoral equality",
    "Equality",
    "Electors for each councillor, on the forecast, against the average of the whole district.",
    "Electors over councillors of the ward, over the same of the whole district, less one.",
    (
        LabelClass(
            "above_mark", "Above the mark", "more electors than the mark allows", "hot", "+"
        ),
        LabelClass("within_mark", "Within the mark", "about the average", "none", ""),
        LabelClass("below_mark", "Below the mark", "fewer electors than it allows", "cold", "-"),
    ),
)
"""How the layers of wards are drawn."""


def layer_name(proposal: Proposal) -> str:
    """
    Return the name of a proposal's layer and of its column of the units.

    Examples
    --------
    >>> layer_name(Proposal("Proposal A", pd.Series(dtype=str), pd.DataFrame()))
    'proposal_a'
    """
    return re.sub(r"[^a-z0-9]+", "_", proposal.name.casefold()).strip("_") or "proposal"


def write_wards(released: WardRelease, path: str | Path) -> Path:
    """
    Write the proposals of a review as a GeoPackage.

    A layer for each proposal, one feature a ward with its figures, drawn by how
    far it lies from the average on the forecast; a layer for the present wards
    where they are known; and the layer `units`, with electors and the ward of
    each unit under each proposal. The table `placeshaping` holds what the file
    says of itself. The same release gives the same content.

    Parameters
    ----------
    released
        From `disclosure.wards.release_review`.
    path
        The file to write, ending in .gpkg.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `released` is no `WardRelease`.
    OutputError
        If the name ends otherwise, or the file cannot be written; an older one
        is then as it was.

    Examples
    --------
    >>> write_wards({}, "wards.gpkg")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_wards takes a WardRelease, not a dict. ...
    """
    released = require_ward_release(released, wanted_by="write_wards")
    path = check_suffix(path, SUFFIXES)
    styles: list[LayerStyle] = []
    try:
        with staged_file(path) as staged:
            for proposal in all_proposals(released):
                name, layer = layer_name(proposal), ward_layer(released, proposal)
                _write(layer, staged, name, f"{released.title}: {proposal.name}")
                styles += styles_of(layer, name, title=proposal.name, labels=[STANDING])
            _write(unit_layer(released), staged, UNITS, f"{released.title}: units")
            add_styles(staged, styles, released.made_on)
            add_notes(staged, released.notes, released.made_on)
    except (DataSourceError, DataLayerError, sqlite3.Error) as error:
        msg = (
            f"{path.name} could not be written ({str(error)[:100]}). The disk is full, or writing "
            "there is not permitted: free some space or choose another folder."
        )
        raise OutputError(msg) from error
    return path


def write_proposals(released: WardRelease, folder: str | Path) -> list[Path]:
    """
    Write each proposal as a file that the painting page and `review check` read.

    Parameters
    ----------
    released
        From `disclosure.wards.release_review`.
    folder
        Where to; a file for each, named after the proposal.

    Returns
    -------
    paths
        In the order of the proposals.

    Raises
    ------
    DisclosureError
        If `released` is no `WardRelease`.
    OutputError
        If a file cannot be written.

    Examples
    --------
    >>> write_proposals({}, "out")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_proposals takes a WardRelease, not a dict. ...
    """
    released = require_ward_release(released, wanted_by="write_proposals")
    paths = []
    for proposal in released.proposals:
        held = {
            **proposal_document(released.review, proposal),
            "declaration": dict(released.declaration),
        }
        path = Path(folder) / f"{layer_name(proposal).replace('_', '-')}.json"
        with staged_file(path) as staged:
            text = json.dumps(held, ensure_ascii=False, indent=1)
            staged.write_text(text + "\n", encoding="utf-8", newline="\n")
        paths.append(path)
    return paths


def all_proposals(released: WardRelease) -> Iterator[Proposal]:
    """Yield the proposals, the present wards last."""
    yield from released.proposals
    if released.present is not None:
        yield released.present


def ward_table(released: WardRelease, proposal: Proposal) -> pd.DataFrame:
    """
    Return the figures of a proposal's wards as they are written.

    Parameters
    ----------
    released, proposal
        The review, and one of its proposals.

    Returns
    -------
    table
        `area_code` and `area_name` of the ward, and its scores.
    """
    table = score_proposal(released.review, proposal).wards
    table = table.rename(columns={"name": "area_name"}).rename_axis("area_code").reset_index()
    table["doughnut"] = np.where(table["doughnut"], "yes", "no")
    shares = ["variance_now", "variance_forecast", "compactness"]
    return table.assign(**{name: table[name].round(DECIMALS) for name in shares})


def ward_layer(released: WardRelease, proposal: Proposal) -> gpd.GeoDataFrame:
    """
    Return a proposal's wards with their figures and dissolved outlines.

    Parameters
    ----------
    released, proposal
        The review, and one of its proposals.

    Returns
    -------
    layer
        One row a ward.
    """
    table = ward_table(released, proposal)
    number = ward_numbers(released.review, proposal)
    shapes = released.review.units.geometry.to_numpy()
    outlines = [shapely.union_all(shapes[number == ward]) for ward in range(len(table))]
    variance, mark = table["variance_forecast"], released.review.tolerance
    above, within, below = STANDING.values
    table["standing"] = np.select([variance > mark, variance < -mark], [above, below], within)
    table["status"] = "shown"
    return gpd.GeoDataFrame(table, geometry=outlines, crs=released.review.units.crs)


def unit_table(released: WardRelease) -> pd.DataFrame:
    """
    Return units with their electors, places, and ward under each proposal.

    Parameters
    ----------
    released
        The review.

    Returns
    -------
    table
        One row a unit, `area_code` first.
    """
    review = released.review
    known = [c for c in ("name", *ELECTORS, *review.places, "decile") if c in review.units]
    table = pd.DataFrame(review.units[known]).rename(columns={"name": "area_name"})
    for proposal in all_proposals(released):
        table[layer_name(proposal)] = proposal.ward_of
    return table.rename_axis("area_code").reset_index()


def unit_layer(released: WardRelease) -> gpd.GeoDataFrame:
    """
    Return the table of units with their outlines.

    Parameters
    ----------
    released
        The review.

    Returns
    -------
    layer
        One row a unit.
    """
    units = released.review.units
    return gpd.GeoDataFrame(unit_table(released), geometry=units.geometry.to_numpy(), crs=units.crs)


def _write(layer: gpd.GeoDataFrame, path: Path, name: str, title: str) -> None:
    pyogrio.write_dataframe(
        layer,
        path,
        layer=name,
        driver="GPKG",
        append=path.exists(),
        geometry_type="MultiPolygon",
        promote_to_multi=True,
        layer_options={"IDENTIFIER": title, "DESCRIPTION": STANDING.about},
    )
