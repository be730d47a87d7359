"""
Values of areas on other areas that do not nest with them: areal interpolation.

Wards of two years, beats and LSOAs, LSOAs and grid squares. By default values
go where people live: through output areas, each of which stands for its
residents at one point inside it (dasymetric weighting; Goodchild and Lam
1980, Eicher and Brewer 2001). Weighting by area assumes that people are
spread evenly over fields and estates alike.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from placeshaping._core.checks import check_choice, check_columns, listed
from placeshaping._core.crs import check_on_grid
from placeshaping._core.errors import (
    ColumnError,
    GeometryError,
    InputError,
    UnmatchedError,
)
from placeshaping.joins._apportion import Measures, apportion, carry, read_measures
from placeshaping.joins._geometry import check_areas
from placeshaping.joins.points import assign_area

_log = logging.getLogger(__name__)

Outside = Literal["raise", "drop", "within"]

_ELSEWHERE = ""
_SLIVER = 1e-9


@dataclass(frozen=True)
class InterpolationReport:
    """
    How values came to areas that do not nest with theirs.

    Attributes
    ----------
    via
        ``"area"``, ``"land cover"``, or the column of the output areas (or
        other small areas) that weighted the parts.
    sources, targets
        Areas that values came from, and that they went to.
    divided
        Sources that were shared out over several targets.
    largest_share
        Share of a source that lies in the target that has most of it, mean
        over all: 1 where the areas nest. The lower, the more is assumed.
    outside
        Source to the share of it that lies in no target.
    lost
        Extensive column to the share of its total that lies in no target.
    without_parts
        Sources in which no output area lies: given whole to the target at a
        point inside them.
    unreached
        Targets that are not in the result, as no part of a source lies there.
    left_out
        Columns of the table that the result does not have.
    """

    via: str
    sources: int
    targets: int
    divided: int
    largest_share: float
    outside: dict[str, float]
    lost: dict[str, float]
    without_parts: tuple[str, ...]
    unreached: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The report in words, for a product's notes."""
        said = [
            f"Values of {self.sources:,} areas were estimated for {self.targets:,} others, "
            f"weighted by {self.via}: {self.divided:,} were divided, and {self.largest_share:.1%} "
            "of an area lies in one other on average."
        ]
        if self.outside:
            parts = ", ".join(f"{share:.1%} of {column}" for column, share in self.lost.items())
            said.append(
                f"{len(self.outside):,} areas lie partly outside ({listed(list(self.outside))})"
                f"{f': {parts}' if parts else ''}."
            )
        if self.without_parts:
            said.append(
                f"{len(self.without_parts):,} areas hold no output area and were given whole to "
                f"one ({listed(self.without_parts)})."
            )
        return tuple(said)


def interpolate_areal(
    table: pd.DataFrame,
    source: gpd.GeoDataFrame,
    target: gpd.GeoDataFrame,
    *,
    via: gpd.GeoDataFrame | Literal["area"] | None = None,
    weight: str = "residents",
    extensive: Sequence[str] | None = None,
    intensive: Sequence[str] = (),
    by: Sequence[str] | None = None,
    outside: Outside = "raise",
    whole: bool = False,
) -> pd.DataFrame:
    """
    Estimate values for areas that do not nest with those of the table.

    Parameters
    ----------
    table
        Indexed by ``area_code``, one row an area; or long, with ``area_code``
        as a column.
    source, target
        Areas of the table, and those that are wanted: indexed by
        ``area_code``, EPSG:27700.
    via
        Output areas (polygons, of which a point inside stands for all, or
        points) with a column `weight`, EPSG:27700; or ``"area"`` where nothing
        is known of where people live.
    weight
        Column of `via`: residents, households, addresses. An area whose parts
        weigh nothing is shared out to them equally.
    extensive
        Columns that add up (``count``, ``residents``, ... where not given):
        each is shared out, its total conserved.
    intensive
        Columns of which weighted means are taken: rates, scores.
    by
        Columns that tell the rows of an area apart; ``period`` and
        ``category`` where not given.
    outside
        What to do with parts of sources that lie in no target: refuse; leave
        them out, told; or ``"within"``: put the whole source into the targets
        that have some of it (for edges that do not match exactly).
    whole
        Whether counts stay whole numbers, by largest remainders.

    Returns
    -------
    table
        In the layout of the input, targets in their order; those that no part
        of a source lies in are not there, and told (one whose parts weigh
        nothing has zero). ``attrs["conversions"]``
        ends with an `InterpolationReport`; tags of columns are kept.

    Raises
    ------
    InputError
        If `via` is not given.
    UnmatchedError
        If the table has areas that `source` lacks, or parts lie outside and
        that is refused.
    ColumnError, CRSError, GeometryError
        If a column is missing, or areas are not usable.

    Examples
    --------
    >>> from shapely import Point, box
    >>> def areas(codes, shapes):
    ...     index = pd.Index(codes, name="area_code")
    ...     return gpd.GeoDataFrame(geometry=shapes, index=index, crs=27700)
    >>> beats = areas(["B1"], [box(0, 0, 300, 100)])
    >>> wards = areas(["W1", "W2"], [box(0, 0, 100, 100), box(100, 0, 300, 100)])
    >>> people = areas(["O1", "O2"], [Point(50, 50), Point(200, 50)]).assign(residents=[300, 100])
    >>> counts = pd.DataFrame({"count": [8]}, index=beats.index)
    >>> interpolate_areal(counts, beats, wards, via=people)["count"].tolist()
    [6.0, 2.0]
    """
    check_choice(outside, ["raise", "drop", "within"], name="outside")
    measures = read_measures(table, extensive=extensive, intensive=intensive, by=by)
    sources = _sources(measures, _as_text(source))
    target = _as_text(target)
    check_areas(target)
    parts = _parts(sources, target, via, weight)
    pairs = _shares(parts, outside)
    base = parts.total.reindex(measures.codes).set_axis(table.index)
    order = pd.Index([*target.index, _ELSEWHERE])
    result = apportion(table, measures, pairs, denominator=base, whole=whole, order=order)
    at = result.index if measures.indexed else pd.Index(result["area_code"])
    result = result[at != _ELSEWHERE]
    if not measures.indexed:
        result = result.reset_index(drop=True)
    report = _report(table, measures, target, parts, pairs)
    for sentence in report.sentences:
        _log.info("%s", sentence)
    attrs = {name: target.attrs.get(name) for name in ("level", "vintage")}
    return carry(table, result, report, **attrs)


@dataclass(frozen=True)
class _Parts:
    """Pieces of sources: source_code, target_code (missing outside), amount; and their totals."""

    pieces: pd.DataFrame
    total: pd.Series[Any]
    without: tuple[str, ...]
    via: str


def _as_text(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return areas with codes as text, as those of the table are taken."""
    if pd.api.types.is_string_dtype(areas.index):
        return areas
    named = areas.set_axis(areas.index.astype("str"))
    named.attrs.update(areas.attrs)
    return named


def _sources(measures: Measures, source: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    check_areas(source)
    codes = measures.codes.unique()
    lacking = codes[~codes.isin(source.index)]
    if len(lacking):
        msg = (
            f"{len(lacking):,} of {len(codes):,} areas of the table are not among the source areas "
            f"({listed(sorted(lacking))}). Give boundaries of the same level, year and extent."
        )
        raise UnmatchedError(msg)
    return source[source.index.isin(codes)]


def _parts(
    source: gpd.GeoDataFrame,
    target: gpd.GeoDataFrame,
    via: gpd.GeoDataFrame | str | None,
    weight: str,
) -> _Parts:
    if isinstance(via, str) and via == "area":
        return _by_overlay(source, target)
    if not isinstance(via, gpd.GeoDataFrame):
        msg = (
            "Nothing says where in the areas people live. Give output areas with their residents "
            "as via, or via='area' to assume that they are spread evenly."
        )
        raise InputError(msg)
    check_columns(via.columns, [weight], where="via")
    amount = pd.to_numeric(via[weight], errors="coerce").to_numpy("float64", na_value=np.nan)
    wrong = int((~np.isfinite(amount) | (amount < 0)).sum())
    if wrong:
        msg = (
            f"{wrong:,} of {len(via):,} values of {weight!r} are missing, no number, infinite or "
            "below zero. Correct them, or leave those areas out of via."
        )
        raise ColumnError(msg)
    _check_via(via)
    points = gpd.GeoDataFrame(geometry=via.representative_point().array, crs=via.crs)
    pieces = pd.DataFrame(
        {
            "source_code": assign_area(points, source).array,
            "target_code": assign_area(points, target).array,
            "amount": amount,
        }
    ).dropna(subset="source_code")
    return _weighed(pieces, source, target, weight)


def _check_via(via: gpd.GeoDataFrame) -> None:
    check_on_grid(via.crs, where="via")
    empty = int((via.geometry.isna() | via.geometry.is_empty).sum())
    if empty:
        msg = f"{empty:,} of {len(via):,} output areas in via have no geometry. Leave them out."
        raise GeometryError(msg)


def _weighed(
    pieces: pd.DataFrame, source: gpd.GeoDataFrame, target: gpd.GeoDataFrame, weight: str
) -> _Parts:
    """Add the sources that have no parts, and let parts without weight count alike."""
    total = pieces.groupby("source_code")["amount"].sum().reindex(source.index, fill_value=0.0)
    empty = pieces["source_code"].map(total).eq(0).to_numpy(dtype=bool)
    pieces = pieces.assign(amount=pieces["amount"].where(~empty, 1.0))
    without = source.index[~source.index.isin(pieces["source_code"])]
    if len(without):
        inside = source.loc[without].representative_point()
        at = assign_area(gpd.GeoDataFrame(geometry=inside.array, crs=source.crs), target)
        alone = {"source_code": without.astype("str"), "target_code": at.array, "amount": 1.0}
        pieces = pd.concat([pieces, pd.DataFrame(alone)], ignore_index=True)
    return _Parts(pieces, total, tuple(str(code) for code in without), weight)


def _by_overlay(source: gpd.GeoDataFrame, target: gpd.GeoDataFrame) -> _Parts:
    """Intersect the areas; a share of a billionth is a rounding of coordinates, not a part."""
    own, other = source.geometry.to_numpy(), target.geometry.to_numpy()
    a, b = shapely.STRtree(other).query(own, predicate="intersects")
    area = shapely.area(shapely.intersection(own[a], other[b]))
    full = shapely.area(own)
    kept = area > _SLIVER * full[a]
    a, b, area = a[kept], b[kept], area[kept]
    overlap = np.bincount(a, weights=area, minlength=len(own))
    rest = np.flatnonzero(full - overlap > _SLIVER * full)
    codes = source.index.astype("str")
    target_codes = pd.Series(target.index.astype("str")).take(b).tolist()
    pieces = pd.DataFrame(
        {
            "source_code": [*codes[a], *codes[rest]],
            "target_code": pd.Series([*target_codes, *[None] * len(rest)], dtype="str"),
            "amount": [*area, *(full - overlap)[rest]],
        }
    )
    return _Parts(pieces, pd.Series(full, index=codes), (), "area")


def _shares(parts: _Parts, outside: Outside) -> pd.DataFrame:
    """Return source_code, target_code, weight; what lies in no target has the code ''."""
    pieces = parts.pieces.assign(target_code=parts.pieces["target_code"].fillna(_ELSEWHERE))
    pairs = pieces.groupby(["source_code", "target_code"])["amount"].sum().reset_index()
    elsewhere = pairs["target_code"] == _ELSEWHERE
    total = pairs.groupby("source_code")["amount"].transform("sum")
    if outside == "within":
        inner = pairs["amount"].where(~elsewhere, 0.0)
        inside = inner.groupby(pairs["source_code"]).transform("sum")
        pairs["weight"] = (inner / inside).where(inside > 0, pairs["amount"] / total)
        return pairs
    pairs["weight"] = pairs["amount"] / total
    if elsewhere.any() and outside == "raise":
        some = pairs[elsewhere & (pairs["weight"] > 0)].sort_values("weight", ascending=False)
        if len(some):
            first = (some["source_code"] + some["weight"].map(" {:.1%}".format)).tolist()
            msg = (
                f"{len(some):,} source areas lie partly or wholly in no target ({listed(first)}). "
                "Pass outside='drop' to leave those parts out, or outside='within' to put each "
                "area whole into the targets that have some of it."
            )
            raise UnmatchedError(msg)
    return pairs


def _report(
    table: pd.DataFrame,
    measures: Measures,
    target: gpd.GeoDataFrame,
    parts: _Parts,
    pairs: pd.DataFrame,
) -> InterpolationReport:
    inside = pairs[pairs["target_code"] != _ELSEWHERE]
    gone = pairs[(pairs["target_code"] == _ELSEWHERE) & (pairs["weight"] > 0)]
    share = gone.set_index("source_code")["weight"]
    sums = table[list(measures.extensive)].groupby(measures.codes).sum()
    lost = sums.mul(share.reindex(sums.index, fill_value=0.0), axis=0).sum()
    total = sums.sum()
    size = inside[inside["weight"] > 0].groupby("source_code").size()
    return InterpolationReport(
        via=parts.via,
        sources=int(pairs["source_code"].nunique()),
        targets=int(inside["target_code"].nunique()),
        divided=int((size > 1).sum()),
        largest_share=float(pairs.groupby("source_code")["weight"].max().mean()),
        outside={str(code): float(part) for code, part in share.items()},
        lost={str(c): float(lost[c] / total[c]) for c in sums.columns if len(gone) and total[c]},
        without_parts=parts.without,
        unreached=tuple(str(c) for c in target.index[~target.index.isin(inside["target_code"])]),
        left_out=measures.left_out,
    )
