"""
Places that are public already, to stand on a map beside what was counted.

A library or a general practice has a name, and anybody can look its address
up. Such a list is no record of a person; it leaves with the address at which it
is published, and nothing but names and places of it leaves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.crs import check_on_grid
from placeshaping._core.errors import DisclosureError, InputError

MOST_PLACES = 2_000
"""Places of one kind that a product may show: a list of more is no list of public places."""

_ADDRESS = re.compile(r"(?i)https?://[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?::\d+)?(?:[/?#]|$)")
_LETTER = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True, repr=False)
class PublicPlaces:
    """
    Public places of one kind; `public_places` makes them.

    Attributes
    ----------
    title
        What they are, in the plural: ``"Libraries"``.
    points
        `name` and `geometry` (EPSG:27700), by name.
    published_at
        Address at which anybody can find the list.
    """

    title: str
    points: gpd.GeoDataFrame
    published_at: str

    def __repr__(self) -> str:
        """Say in a line what they are."""
        return f"<PublicPlaces {self.title!r}, {len(self.points):,}>"

    @property
    def sentence(self) -> str:
        """What a product says of them."""
        return (
            f"{self.title}: {len(self.points):,} public places, as published at "
            f"{self.published_at}; they are no part of what was counted."
        )


def public_places(points: gpd.GeoDataFrame, *, title: str, published_at: str) -> PublicPlaces:
    """
    Declare places public.

    Parameters
    ----------
    points
        Points in EPSG:27700 with a column `name`; other columns are left out.
    title
        What they are, in the plural.
    published_at
        Address at which anybody can find the list.

    Returns
    -------
    places
        For `release`, sorted by name.

    Raises
    ------
    DisclosureError
        If no address is given, a place has no name, two are the same, or
        there are more than 2,000: such a list may be one of records.
    InputError
        If there are none, or something else than points.

    Examples
    --------
    >>> from shapely import Point
    >>> points = gpd.GeoDataFrame({"name": ["Old Library"]}, geometry=[Point(4e5, 3e5)], crs=27700)
    >>> public_places(points, title="Libraries", published_at="https://example.org/libraries")
    <PublicPlaces 'Libraries', 1>
    """
    check_columns(points.columns, ["name"], where=title)
    check_on_grid(points.crs, where=title)
    if not len(points) or not (points.geom_type == "Point").all():
        msg = f"{title}: public places are points, one at least; give each place one."
        raise InputError(msg)
    if not _ADDRESS.match(published_at) or not _LETTER.search(title) or len(title) > 40:
        msg = (
            f"{title!r}: public places need a title of up to 40 letters and the address at which "
            "anybody can find the list: published_at='https://...'."
        )
        raise DisclosureError(msg)
    names = points["name"].astype("str").str.strip()
    nameless = points["name"].isna() | ~names.str.contains(_LETTER)
    again = points.assign(name=names, at=points.geometry.to_wkb()).duplicated(["name", "at"])
    for wrong, fault in ((nameless, "have no name"), (again, "stand there again")):
        if wrong.any():
            msg = (
                f"{title}: {int(wrong.sum()):,} of {len(points):,} places {fault} (rows "
                f"{listed([int(row) for row in np.flatnonzero(wrong)])}). A public place has a "
                "name and stands once; leave out what is none."
            )
            raise DisclosureError(msg)
    if len(points) > MOST_PLACES:
        msg = (
            f"{title}: {len(points):,} places; at most {MOST_PLACES:,} of a kind may be shown. "
            "Leave out those outside the map."
        )
        raise DisclosureError(msg)
    kept = gpd.GeoDataFrame({"name": names}, geometry=points.geometry, crs=points.crs)
    return PublicPlaces(
        title, kept.sort_values("name", kind="stable", ignore_index=True), published_at
    )
