"""
Ward reviews: small units with their electors, and proposals of wards made of them.

The rules are those of the Local Government Boundary Commission for England:
electors per councillor are held against the average of the whole district,
judged on a forecast of about five years ahead and shown for today; 10 % is the
mark. Wards have one, two or three councillors, are of one piece, and respect
parishes and communities. Borders are kept in whole metres, so that a page and
this package work out the same numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from placeshaping._core.checks import (
    check_columns,
    check_labelled,
    check_unique,
    check_whole,
    listed,
)
from placeshaping._core.crs import check_on_grid
from placeshaping._core.errors import ColumnError, EmptyError, InputError, UnmatchedError
from placeshaping.shaping._ward_borders import border_pairs

ELECTORS = ("electors_now", "electors_forecast")
"""Columns of electors: today, and as forecast."""

PLACES = ("parish", "parish_ward", "polling_district", "community")
"""Columns of places that wards should not split, in order of their weight."""

MARK = 0.10
"""Distance from the average, as a share, beyond which a ward must be argued for."""


@dataclass(frozen=True, eq=False)
class Review:
    """
    The area of a review: its units with their electors, and what is asked for.

    Attributes
    ----------
    name
        Of the review.
    units
        GeoDataFrame, index ``area_code``, EPSG:27700; columns `electors_now`,
        `electors_forecast`, those of `PLACES` that are known, `name`, `decile`,
        `square_metres`, and `outer_metres`, the border that no other unit
        shares.
    neighbours
        Pairs of units that share a border: row numbers `one` and `other`, and
        the length of the border in whole `metres` (0 for a bridge that was
        given).
    councillors
        How many the council shall have.
    sizes
        Councillors that a ward may have.
    tolerance
        The mark, as a share of the average.
    digest
        Twelve letters and digits that stand for the units and their figures: a
        proposal of another area, or of other figures, has others.
    """

    name: str
    units: gpd.GeoDataFrame
    neighbours: pd.DataFrame
    councillors: int
    sizes: tuple[int, ...]
    tolerance: float
    digest: str

    @property
    def parts(self) -> pd.Series[int]:
        """For each unit the number of its group; units of unlike groups no border connects."""
        from placeshaping.shaping._ward_borders import groups_of

        pairs = self.neighbours[["one", "other"]].to_numpy()
        found = groups_of(pairs, len(self.units))
        return pd.Series(found, index=self.units.index, name="part")

    @property
    def places(self) -> tuple[str, ...]:
        """Which of the columns `PLACES` are known."""
        return tuple(kind for kind in PLACES if kind in self.units)


@dataclass(frozen=True, eq=False)
class Proposal:
    """
    Wards made of units.

    Attributes
    ----------
    name
        As it stands on the products.
    ward_of
        The ward of each unit, indexed as the units of the review.
    wards
        One row a ward, indexed by its letter and number ("W1"): `name` and
        `councillors`.
    """

    name: str
    ward_of: pd.Series[str]
    wards: pd.DataFrame


def make_review(
    units: gpd.GeoDataFrame,
    *,
    councillors: int,
    name: str,
    sizes: Sequence[int] = (1, 2, 3),
    tolerance: float = MARK,
    bridges: Iterable[tuple[str, str]] = (),
    snap: float = 0.0,
) -> Review:
    """
    Lay out an area for a review of its wards.

    Parameters
    ----------
    units
        Polygons that do not overlap, indexed by ``area_code``, EPSG:27700;
        output areas, or parts of polling districts. Columns `electors_now` and
        `electors_forecast` hold whole numbers without gaps; `name`, `parish`,
        `parish_ward`, `polling_district`, `community` and `decile` may be
        there, with gaps where a unit has none.
    councillors
        How many the council shall have.
    name
        Of the review; it stands in every file.
    sizes
        Councillors that a ward may have.
    tolerance
        The mark, as a share of the average.
    bridges
        Further pairs of codes that count as neighbours: an island and the unit
        to which its ferry or bridge goes.
    snap
        Gap in metres up to which units count as touching, where outlines do
        not fit exactly.

    Returns
    -------
    review
        Frozen. Groups of units that no border connects are told by `parts`.

    Raises
    ------
    ColumnError
        If a column of electors is missing or holds no whole numbers.
    InputError
        If electors are missing for a unit, or sizes and councillors cannot be
        meant.
    UnmatchedError
        If a bridge names a unit that is not there.
    CRSError, DuplicateError, EmptyError, GeometryError
        If `units` are not in EPSG:27700, a code stands twice, there are fewer
        than two, or a unit has no geometry.

    Examples
    --------
    >>> from shapely import box
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": [90, 110], "electors_forecast": [100, 110]}, crs=27700,
    ...     geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)], index=["a", "b"],
    ... )
    >>> review = make_review(units, councillors=2, name="Two squares")
    >>> review.neighbours.to_dict("records")
    [{'one': 0, 'other': 1, 'metres': 100}]
    """
    check_columns(units.columns, ELECTORS, where="units")
    check_unique(units.index, where="units")
    check_on_grid(units.crs, where="units")
    if len(units) < 2:
        msg = f"There are {len(units)} units: a review needs at least two."
        raise EmptyError(msg)
    sizes = _known_sizes(sizes)
    councillors = check_whole(councillors, name="councillors")
    if councillors < min(sizes):
        msg = f"{councillors} councillors are fewer than the smallest ward has, {min(sizes)}."
        raise InputError(msg)
    if not 0 < tolerance < 1:
        msg = f"tolerance is {tolerance}: give a share such as 0.1 for 10 %."
        raise InputError(msg)
    table = _laid_out(units)
    pairs, outer = border_pairs(table, snap=snap)
    table["outer_metres"] = outer
    pairs = _with_bridges(pairs, bridges, table.index)
    return Review(
        name=name,
        units=table,
        neighbours=pairs,
        councillors=councillors,
        sizes=sizes,
        tolerance=float(tolerance),
        digest=mark_of(table, pairs, councillors, sizes, tolerance),
    )


def make_proposal(
    review: Review,
    ward_of: pd.Series,
    *,
    name: str,
    councillors: Mapping[str, int],
    names: Mapping[str, str] | None = None,
) -> Proposal:
    """
    Make a proposal of the ward of each unit.

    Wards keep the order in which `councillors` names them, and are called W1,
    W2 and so on.

    Parameters
    ----------
    review
        The area.
    ward_of
        A ward for each unit, indexed by ``area_code``; any labels.
    name
        As it stands on the products.
    councillors
        Councillors of each ward.
    names
        What each ward is called; its label otherwise.

    Returns
    -------
    proposal
        Its units in the order of the review.

    Raises
    ------
    UnmatchedError
        If units are unknown or have no ward, or a ward has no councillors or
        no units.
    InputError
        If a number of councillors is no whole number of one or more.

    Examples
    --------
    >>> from shapely import box
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": [90, 110], "electors_forecast": [100, 110]}, crs=27700,
    ...     geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)], index=["a", "b"],
    ... )
    >>> review = make_review(units, councillors=2, name="Two squares")
    >>> wards = pd.Series(["West", "East"], index=["a", "b"])
    >>> proposal = make_proposal(review, wards, name="Halves", councillors={"East": 1, "West": 1})
    >>> proposal.ward_of.to_dict(), proposal.wards["name"].to_list()
    ({'a': 'W2', 'b': 'W1'}, ['East', 'West'])
    """
    check_labelled(ward_of, name="ward_of")
    check_unique(ward_of.index, where="ward_of")
    _check_units(review, ward_of)
    labels = ward_of.reindex(review.units.index).astype("str")
    held = set(labels)
    if lost := sorted(held - {str(ward) for ward in councillors}):
        msg = f"{len(lost):,} wards have no number of councillors ({listed(lost)}). Give them."
        raise UnmatchedError(msg)
    if bare := [str(ward) for ward in councillors if str(ward) not in held]:
        msg = f"{len(bare):,} wards have no units ({listed(bare)}). Leave them out, or give units."
        raise UnmatchedError(msg)
    order = [str(ward) for ward in councillors]
    ids = pd.Index([f"W{i}" for i in range(1, len(order) + 1)], name="ward", dtype="str")
    known = {str(ward): called for ward, called in (names or {}).items()}
    seats = [check_whole(n, name=f"councillors of {ward}") for ward, n in councillors.items()]
    wards = pd.DataFrame(
        {"name": pd.Series([known.get(w, w) for w in order], index=ids, dtype="str")}, index=ids
    ).assign(councillors=pd.Series(seats, index=ids, dtype="int64"))
    given = labels.map(dict(zip(order, ids, strict=True))).astype("str").rename("ward")
    return Proposal(name=name, ward_of=given, wards=wards)


def _check_units(review: Review, ward_of: pd.Series) -> None:
    unknown = ward_of.index.difference(review.units.index)
    if len(unknown):
        msg = (
            f"{len(unknown):,} units are not of the review {review.name!r} "
            f"({listed(list(unknown))}). Is this a proposal of another area?"
        )
        raise UnmatchedError(msg)
    given = ward_of.dropna()
    lost = review.units.index.difference(given.index, sort=False)
    if len(lost):
        msg = f"{len(lost):,} of {len(review.units):,} units have no ward ({listed(list(lost))})."
        raise UnmatchedError(msg)


def _known_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    known = tuple(sorted({check_whole(size, name="sizes") for size in sizes}))
    if not known:
        msg = "sizes is empty: name the councillors that a ward may have, as (1, 2, 3)."
        raise InputError(msg)
    return known


def _laid_out(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Copy the columns that a review knows, checked."""
    known = [column for column in ("name", *PLACES, "decile") if column in units]
    table = gpd.GeoDataFrame(
        pd.DataFrame(units[[*ELECTORS, *known]]),
        geometry=units.geometry.to_numpy(),
        crs=units.crs,
    )
    table.index = pd.Index(table.index.astype("str"), name="area_code")
    table.attrs = {}
    for column in ELECTORS:
        table[column] = _whole_electors(table[column])
    for column in ("name", *PLACES):
        if column in table:
            table[column] = _texts(table[column])
    table["square_metres"] = np.round(table.area).astype("int64")
    return table


def _whole_electors(values: pd.Series) -> pd.Series[int]:
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    lost = values.index[numbers.isna()]
    if len(lost):
        msg = (
            f"{values.name} is missing for {len(lost):,} of {len(values):,} units "
            f"({listed(list(lost))}). Every unit needs one; write 0 where nobody is registered."
        )
        raise InputError(msg)
    odd = values.index[(numbers < 0) | (numbers != np.floor(numbers)) | ~np.isfinite(numbers)]
    if len(odd):
        msg = (
            f"{values.name} of {len(odd):,} units is no whole number of zero or more "
            f"({listed(list(odd))}). Round the forecast to whole electors."
        )
        raise ColumnError(msg)
    if not numbers.sum() > 0:
        msg = f"{values.name} is zero for every unit: there is nothing to share out."
        raise EmptyError(msg)
    return numbers.astype("int64")


def _texts(values: pd.Series) -> pd.Series[str]:
    """Return names, a gap where there is none."""
    texts = values.astype("str").str.strip()
    return texts.where(values.notna() & (texts != ""))


def _with_bridges(
    pairs: pd.DataFrame, bridges: Iterable[tuple[str, str]], index: pd.Index
) -> pd.DataFrame:
    asked = [(str(one), str(other)) for one, other in bridges]
    if not asked:
        return pairs
    unknown = sorted({code for pair in asked for code in pair} - set(index))
    if unknown:
        msg = f"bridges name {len(unknown):,} units that are not there ({listed(unknown)})."
        raise UnmatchedError(msg)
    rows = np.sort(index.get_indexer(pd.Index(np.ravel(asked))).reshape(-1, 2), axis=1)
    if (rows[:, 0] == rows[:, 1]).any():
        msg = "A bridge leads from a unit to itself. Name two units."
        raise InputError(msg)
    more = pd.DataFrame({"one": rows[:, 0], "other": rows[:, 1], "metres": 0}).astype("int64")
    both = pd.concat([pairs, more]).drop_duplicates(["one", "other"])
    return both.sort_values(["one", "other"]).reset_index(drop=True)


def mark_of(
    units: gpd.GeoDataFrame,
    neighbours: pd.DataFrame,
    councillors: int,
    sizes: tuple[int, ...],
    tolerance: float,
) -> str:
    """
    Sum up what a proposal rests on: units in any order, their figures, and who touches whom.

    Parameters
    ----------
    units, neighbours, councillors, sizes, tolerance
        As of a `Review`.

    Returns
    -------
    digest
        Twelve letters and digits.
    """
    columns = [*ELECTORS, *(kind for kind in PLACES if kind in units)]
    figures = pd.DataFrame(units[columns]).sort_index().to_csv(lineterminator="\n")
    codes = units.index.to_numpy(dtype=str)
    ends = np.sort(codes[neighbours[["one", "other"]].to_numpy()], axis=1)
    told = (councillors, sizes, round(tolerance * 1e6), figures, sorted(map(tuple, ends.tolist())))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]
