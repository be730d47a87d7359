"""
Adaptive areas: what is too small to be shown is merged with a neighbour first.

Merging keeps a place on the map that hiding would blot out. One partition
serves all periods and categories, the counts and the people that they are
divided by, so that no two products are cut differently.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, listed
from placeshaping._core.codes import LEVEL_SHORT, level_of_all
from placeshaping._core.errors import UnmatchedError
from placeshaping.areas.ladder import Ladder
from placeshaping.areas.neighbours import contiguity
from placeshaping.disclosure._merging import Siblings, in_pieces, merge_siblings
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.protection import suppress_small
from placeshaping.statistics.views import CategoryView, make_periods, tabulate

_log = logging.getLogger(__name__)

_NAMED = 3
"""Areas that the name of a merged area spells out, at most."""


@dataclass(frozen=True)
class Partition:
    """
    Which areas are shown as one.

    Attributes
    ----------
    areas
        Indexed by the codes of the areas as they were, in their order:
        `shown` (code of the area that holds it: its own, or that of the first
        with ``+`` and the number of others), `area_name` (name of that area).
    lifted
        Areas that stay hidden: even all areas of their parent together do not
        pass, so that they are shown only as part of a larger one.
    apart
        Codes of merged areas whose parts do not touch.
    parent
        Level inside which areas were merged; None where there is none.
    facts
        What it cost: `areas`, `shown`, `merged` (areas that went into
        another), `into` (areas they became), `largest` (most areas in one),
        `lifted`, `apart`, `share` (of all records, those in merged areas, to
        a hundredth: no more is told, for exact sums would undo rounding).
    """

    areas: pd.DataFrame
    lifted: pd.Index
    apart: tuple[str, ...]
    parent: str | None
    facts: Mapping[str, Any]

    def _names_apart(self) -> list[str]:
        named = self.areas.drop_duplicates("shown").set_index("shown")["area_name"]
        return [str(named[code]) for code in self.apart]

    def members(self) -> pd.DataFrame:
        """Return the parts of each merged area: columns `whole` and `part`."""
        merged = self.areas[self.areas["shown"] != self.areas.index]
        rows = self.areas[self.areas["shown"].isin(merged["shown"])]
        order = np.lexsort((rows.index, rows["shown"]))
        return (
            pd.DataFrame({"whole": rows["shown"].to_numpy(), "part": rows.index})[["whole", "part"]]
            .iloc[order]
            .reset_index(drop=True)
        )

    def sentences(self) -> Iterator[str]:
        """Say in words what was merged, for print."""
        facts = self.facts
        within = f"the same {LEVEL_SHORT.get(self.parent, self.parent)}" if self.parent else "reach"
        if facts["merged"]:
            yield (
                f"{facts['merged']:,} of {facts['areas']:,} areas are shown together with "
                f"neighbours in {within}, at most {facts['largest']:,} as one, because too little "
                f"was recorded in some of them; so {facts['shown']:,} are left. Those merged hold "
                f"{facts['share']:.0%} of the records."
            )
        if facts["apart"]:
            yield (
                f"Not all parts of {listed(self._names_apart())} touch: where an area has no "
                f"neighbour in {within}, the nearest was taken."
            )
        if facts["lifted"]:
            yield (
                f"{facts['lifted']:,} areas are hidden and shown only as part of larger ones: no "
                f"neighbours in {within} were left to show them with."
            )


def merge_areas(
    counts: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    within: Ladder | pd.DataFrame | None,
    *,
    policy: Policy,
    parent: str | None = None,
    graph: Graph | None = None,
    covered: Collection[str] | None = None,
) -> Partition:
    """
    Merge the areas that may not be shown with siblings, until all pass.

    An area passes where its count in the view that opens first (all
    categories, the whole span) is not hidden by the policy's threshold. Those
    that do not are taken in turn, those of fewest areas first, then the least
    count. Of the siblings that it shares a border with (the nearest, where
    there is none) each is merged with one that makes it pass, so that the
    fewest areas are merged in the end; among those with the one of fewest
    areas, then of least count, then of first code. That is repeated until all
    pass, or no sibling is left: these are lifted, which means left as they
    were, hidden.

    Parameters
    ----------
    counts
        Long table with `area_code`, `period`, `category` and `count`.
    areas
        The finest areas, indexed by `area_code`, with `area_name`.
    within
        The ladder of `areas`, or a lookup indexed by their codes. Siblings
        have the same parent in its first level; None makes all areas siblings.
    policy
        Whose threshold decides.
    parent
        The level inside which areas are merged; by default the one next above
        that they nest in, of a lookup the first that it has.
    graph
        Neighbours of all areas; by default those that share a border.
    covered
        Codes of the areas that the records cover; all, where not given. The
        others are merged with nothing.

    Returns
    -------
    partition
        The same whatever the order of the rows.

    Raises
    ------
    ColumnError
        If a column is missing, or a count negative or not whole.
    UnmatchedError
        If counts are of other areas, an area has no parent, or `graph` lacks it.

    Examples
    --------
    >>> from shapely import box
    >>> from placeshaping.disclosure.policies import policy_named
    >>> codes = pd.Index(["E01900001", "E01900002", "E01900003"], name="area_code")
    >>> names = {"area_name": ["Marsh 001A", "Marsh 001B", "Marsh 001C"]}
    >>> squares = [box(x, 0, x + 1, 1) for x in range(3)]
    >>> areas = gpd.GeoDataFrame(names, geometry=squares, index=codes, crs=27700)
    >>> may = pd.Timestamp("2025-05-01")
    >>> counts = pd.DataFrame(
    ...     {"area_code": codes, "period": may, "category": "Burglary", "count": [3, 40, 12]}
    ... )
    >>> partition = merge_areas(counts, areas, None, policy=policy_named("public"))
    >>> partition.areas["area_name"].unique().tolist()
    ['Marsh 001A and 001B', 'Marsh 001C']
    """
    check_columns(areas.columns, ["area_name"], where="areas")
    check_unique(areas.index, where="areas")
    level, above = _parents(areas, within, parent)
    total = _totals(counts, areas.index)
    inside = np.ones(len(areas), dtype=bool)
    if covered is not None:
        inside = areas.index.isin(list(covered))
    order = np.argsort(areas.index.to_numpy(dtype=object), kind="stable")
    failing = suppress_small(total, policy) & inside
    asked = order[(np.isin(above, above[failing]) & inside)[order]]  # areas that may be merged
    pairs = _neighbours(areas.iloc[asked], graph)
    shapes = areas.geometry.to_numpy()[asked]
    group = np.arange(len(asked))
    for groups in _merged(total[asked], above[asked], pairs, shapes, policy):
        group[groups] = min(groups)
    shown = np.arange(len(areas))
    shown[asked] = asked[group]
    apart = in_pieces(pairs, group, shapes) if len(asked) else np.zeros(0, dtype=bool)
    return _partition(
        areas,
        shown,
        total,
        lifted=failing & ~_passing(shown, total, policy),
        apart=np.isin(shown, asked[: len(apart)][apart]),
        level=level,
        policy=policy,
    )


def _parents(
    areas: gpd.GeoDataFrame, within: Ladder | pd.DataFrame | None, parent: str | None
) -> tuple[str | None, NDArray[np.intp]]:
    """Return the level inside which areas are merged, and each area's parent there."""
    if within is None:
        return None, np.zeros(len(areas), dtype=np.intp)
    if isinstance(within, Ladder):
        level = within.parent_level(within.finest) if parent is None else parent
        if level is None:
            return None, np.zeros(len(areas), dtype=np.intp)
        finest = within.areas[within.finest].index
        known = pd.Series(within.parents(within.finest, level).astype(str), index=finest)
    else:
        own = level_of_all(areas.index)
        levels = [str(c).removesuffix("_code") for c in within.columns if str(c).endswith("_code")]
        levels = [one for one in levels if one != areas.attrs.get("level", own)]
        level = parent if parent is not None else next(iter(levels), "msoa")
        check_columns(within.columns, [f"{level}_code"], where="lookup")
        check_unique(within.index, where="lookup")
        known = within[f"{level}_code"]
    codes = known.reindex(areas.index)
    if codes.isna().any():
        lost = list(areas.index[codes.isna()])
        msg = (
            f"{len(lost):,} of {len(areas):,} areas have no {level} ({listed(lost)}). Give a "
            "lookup or a ladder of these very areas."
        )
        raise UnmatchedError(msg)
    return level, pd.factorize(codes.astype(str), sort=True)[0].astype(np.intp)


def _totals(counts: pd.DataFrame, areas: pd.Index) -> NDArray[np.int64]:
    """Return the count of each area in the view that opens first."""
    check_columns(counts.columns, ["area_code", "period", "category", "count"], where="counts")
    months = pd.DatetimeIndex(counts["period"].dropna().unique())
    names = tuple(str(name) for name in counts["category"].dropna().unique())
    everything = CategoryView("everything", names, total=True)
    periods = make_periods(months, by="all")
    cube = tabulate(counts, areas=areas, periods=periods, categories=[everything])
    total: NDArray[np.int64] = cube[0, 0]
    return total


def _neighbours(areas: gpd.GeoDataFrame, graph: Graph | None) -> NDArray[np.intp]:
    """Return the pairs of areas that are neighbours, by position, as two rows."""
    if len(areas) < 2:
        return np.zeros((2, 0), dtype=np.intp)
    if graph is None:
        graph = contiguity(areas, rook=True, islands="nearest")
    position = areas.index.get_indexer(pd.Index(graph.unique_ids))
    lost = areas.index.difference(pd.Index(graph.unique_ids))
    if len(lost):
        msg = (
            f"graph: {len(lost):,} areas are not in it ({listed(list(lost))}). Give the "
            "neighbours of all areas, or none."
        )
        raise UnmatchedError(msg)
    links = graph.sparse.tocoo()
    pairs: NDArray[np.intp] = position[np.vstack([links.row, links.col])]
    return pairs[:, (pairs >= 0).all(axis=0) & (pairs[0] != pairs[1])]


def _merged(
    total: NDArray[np.int64],
    above: NDArray[np.intp],
    pairs: NDArray[np.intp],
    shapes: NDArray[np.object_],
    policy: Policy,
) -> Iterator[list[int]]:
    """Yield the groups of several areas, of the areas of all parents."""

    def passes(count: int) -> bool:
        return not policy.smallest_hidden <= count < policy.threshold

    kin = pairs[:, above[pairs[0]] == above[pairs[1]]]
    near: dict[int, set[int]] = {area: set() for area in range(len(total))}
    for one, other in kin.T.tolist():
        near[one].add(other)
        near[other].add(one)
    families: dict[int, list[int]] = {}
    for area, one in enumerate(above.tolist()):
        families.setdefault(one, []).append(area)
    counts = total.tolist()
    for family in families.values():
        siblings = Siblings({i: counts[i] for i in family}, {i: near[i] for i in family})
        for members in merge_siblings(siblings, passes=passes, shapes=shapes):
            if len(members) > 1 and passes(siblings.counts[min(members)]):
                yield members


def _passing(
    shown: NDArray[np.intp], total: NDArray[np.int64], policy: Policy
) -> NDArray[np.bool_]:
    """Tell which areas may be shown, alone or with others."""
    summed = np.zeros_like(total)
    np.add.at(summed, shown, total)
    return ~suppress_small(summed, policy)[shown]


def _partition(
    areas: gpd.GeoDataFrame,
    shown: NDArray[np.intp],
    total: NDArray[np.int64],
    *,
    lifted: NDArray[np.bool_],
    apart: NDArray[np.bool_],
    level: str | None,
    policy: Policy,
) -> Partition:
    """Name the merged areas, and tell what they cost."""
    sizes = np.bincount(shown, minlength=len(areas))
    merged = sizes[shown] > 1
    codes = areas.index.to_numpy(dtype=object).copy()
    names = areas["area_name"].to_numpy(dtype=object).copy()
    groups: dict[int, list[int]] = {}
    for area in np.flatnonzero(merged):
        groups.setdefault(int(shown[area]), []).append(int(area))
    for first, members in groups.items():
        members.sort(key=lambda area: str(areas.index[area]))
        name = _joint_name([str(areas["area_name"].iloc[area]) for area in members])
        codes[members] = f"{areas.index[first]}+{len(members) - 1}"
        names[members] = name
    table = pd.DataFrame({"shown": codes, "area_name": names}, index=areas.index, dtype="str")
    told_apart = tuple(sorted(set(table["shown"].to_numpy()[apart & merged])))
    everything = int(total.sum())
    facts = {
        "areas": len(areas),
        "shown": len(areas) - int(merged.sum()) + len(groups),
        "merged": int(merged.sum()),
        "into": len(groups),
        "largest": int(sizes.max(initial=0)),
        "lifted": int(lifted.sum()),
        "apart": len(told_apart),
        "share": _share(int(total[merged].sum()), everything, policy),
    }
    _log.info("Adaptive areas: %s", facts)
    return Partition(table, areas.index[lifted], told_apart, level, MappingProxyType(facts))


def _share(part: int, everything: int, policy: Policy) -> float:
    """Return a share of records in steps of a hundredth, or of the threshold if that is more."""
    if not everything:
        return 0.0
    step = max(0.01, policy.threshold / everything)
    return min(1.0, round(step * round(part / everything / step), 2))


def _joint_name(names: list[str]) -> str:
    """Name some areas together: "Charnwood 002A and 002B"."""
    heads = {name.rpartition(" ")[0] for name in names}
    head = heads.pop() if len(heads) == 1 else ""
    short = [names[0], *(name.removeprefix(f"{head} ") if head else name for name in names[1:])]
    if len(short) > _NAMED:
        return f"{short[0]} and {len(short) - 1} others"
    return f"{', '.join(short[:-1])} and {short[-1]}"
