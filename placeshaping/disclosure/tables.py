"""The tables of a release: protected counts, and what is worked out from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.codes import LEVEL_NAMES, LEVEL_SHORT
from placeshaping.disclosure.classes import assign_fixed
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.protection import Protected
from placeshaping.hotspots.study import Study, long_table, rate_columns
from placeshaping.statistics.inequality import SlopeIndex, slope_index

STATUSES = ("shown", "hidden", "missing")
"""What may stand in a cell; a zero that is shown is a count of 0."""

COUNT_EDGES = (10.0, 25.0, 50.0, 100.0)
"""Inner edges of the classes of counts, where a policy shows classes alone."""


@dataclass(frozen=True)
class AreaTable:
    """
    The areas of one level with their released numbers.

    Attributes
    ----------
    level
        ``"lsoa"``, ``"msoa"``, ...
    areas
        Indexed by `area_code`; `area_name`, `geometry` (EPSG:27700), and
        where known `residents`, `households`, `imd_decile`, `parent_code`
        (code of the area in the next level of the release that holds it) and,
        where areas were merged, `members` (the codes of its parts).
    values
        Long: `period`, `category`, `area_code` (categories in the order of
        the release and of `areas`; rows in that order, complete), `status`
        (one of `STATUSES`), `count` (Int64), `rate`, `lower`, `upper`,
        `rate_smoothed` (per 1,000 a year), `cluster` (hot-spot class) and,
        where the policy lets numbers out, `gi_star` and `q_value`; then a
        column for each further layer of labels, and its scores likewise. A hidden
        cell has none of them: even a class would narrow its count. Where the
        policy shows no counts, `class` (1 to 5, between `COUNT_EDGES`) and
        `rank` (1 for the most, alike for equals) stand in the place of
        `count` and all rates.
    parent_level
        The level of `parent_code`; None at the top. Where a level above
        belongs to another branch, as wards do beside MSOAs, `areas` has a
        column for it too, such as `ward_code`.
    """

    level: str
    areas: gpd.GeoDataFrame
    values: pd.DataFrame
    parent_level: str | None = None

    @property
    def label(self) -> str:
        """Name of the level in full."""
        return LEVEL_NAMES.get(self.level, self.level)

    @property
    def short_label(self) -> str:
        """Name of the level for a button."""
        return LEVEL_SHORT.get(self.level, self.level)

    def view(self, *, period: str, category: str) -> pd.DataFrame:
        """Return the rows of one period and category, indexed by `area_code`."""
        rows = (self.values["period"] == period) & (self.values["category"] == category)
        chosen = self.values.loc[rows].drop(columns=["period", "category"])
        return chosen.set_index(chosen["area_code"].astype(str)).drop(columns="area_code")


@dataclass(frozen=True)
class GroupTable:
    """
    Released numbers of groups of areas: here, tenths of the deprivation index.

    Attributes
    ----------
    name
        ``"imd_decile"``.
    values
        Long: `period`, `category`, `imd_decile` (1 = most deprived), `areas`,
        `status`, `count`, `exposure`, `rate`, `lower`, `upper`.
    slopes
        Columns `period`, `category`, `slope`, `slope_lower`, `slope_upper`
        (slope index of inequality, per 1,000 a year, most minus least
        deprived) and `ratio` (relative index); rows that cannot be worked
        out are left out.
    """

    name: str
    values: pd.DataFrame
    slopes: pd.DataFrame


def area_table(
    study: Study, protected: Protected, level: str, kept: Sequence[str], policy: Policy
) -> AreaTable:
    """
    Lay out the protected numbers of a level.

    Parameters
    ----------
    study
        Where areas, exposures and hot spots come from.
    protected
        Its protected counts.
    level
        A level of the ladder.
    kept
        The levels of the release, finest first.
    policy
        Whether scores leave as numbers.
    """
    given = study.ladder.areas[level]
    own = ("area_name", "members", "geometry", *policy.extra_fields)
    areas = given[[name for name in own if name in given]].copy()
    for name, values in study.exposures[level].items():
        areas[name] = pd.array(np.rint(values), dtype="Float64").astype("Int64")
    if level == study.ladder.finest and study.deciles is not None:
        areas["imd_decile"] = pd.array(study.deciles, dtype="Float64").astype("Int64")
    ladder = study.ladder
    up = ladder.parent_level(level, among=kept)
    for above in kept[kept.index(level) + 1 :]:
        if above == up or (ladder.nests(level, above) and not ladder.nests(str(up), above)):
            codes = ladder.areas[above].index[ladder.parents(level, above)]
            areas["parent_code" if above == up else f"{above}_code"] = codes.to_numpy()
    counts, hidden = protected.counts[level], protected.hidden[level]
    missing = np.broadcast_to(~study.covered[level], hidden.shape)
    status = np.where(missing, STATUSES[2], np.where(hidden, STATUSES[1], STATUSES[0]))
    table = long_table(study.periods, study.categories, areas.index, {"status": status})
    table["count"] = _nullable(counts, hidden | missing)
    known = np.where(hidden | missing, np.nan, counts.astype(float))
    rates = rate_columns(known, study.periods, study.categories, study.exposures[level])
    for name, cube in rates.items():
        table[name] = np.round(cube.ravel(), 2)
    if not policy.counts_shown:
        table = _classed(table)
    if level in study.hot_spots:
        columns = ["cluster", "gi_star", "q_value"] if policy.numbers else ["cluster"]
        scores = study.hot_spots[level][columns]
        table = pd.concat([table, scores.where(table["status"] == STATUSES[0])], axis="columns")
    for labels in study.labels:
        if level in labels.tables:
            found = study.labels_of(labels, level)
            found = found if policy.numbers else found[[labels.scheme.name]]
            table = pd.concat([table, found.where(table["status"] == STATUSES[0])], axis="columns")
    return AreaTable(level, areas, table, parent_level=up)


def _classed(table: pd.DataFrame) -> pd.DataFrame:
    """Put classes and ranks of the protected counts in the place of all numbers."""
    counts = table["count"].astype("Float64")
    classes = assign_fixed(counts.to_numpy(dtype=float, na_value=np.nan), COUNT_EDGES)
    named = table[["period", "category", "area_code", "status"]].copy()
    named["class"] = pd.array(classes, dtype="Int64")
    named["class"] = named["class"].where(counts.notna())
    views = [table["period"], table["category"]]
    ranks = counts.groupby(views, observed=True).rank(method="min", ascending=False)
    named["rank"] = ranks.astype("Int64")
    return named


def _nullable(counts: NDArray[np.int64], hidden: NDArray[np.bool_]) -> Any:
    return pd.arrays.IntegerArray(counts.ravel().astype(np.int64), hidden.ravel().copy())


def group_table(study: Study, protected: Protected, policy: Policy) -> GroupTable | None:
    """Lay out the protected numbers by deprivation decile; None where none is known or shown."""
    if study.deciles is None or protected.groups is None or not policy.counts_shown:
        return None
    groups = protected.groups
    counts, hidden = protected.counts[groups.name], protected.hidden[groups.name]
    exposures = groups.exposures
    frame = long_table(
        study.periods,
        study.categories,
        pd.Index(groups.labels.astype(str)),
        {"status": np.where(hidden, STATUSES[1], STATUSES[0])},
    ).rename(columns={"area_code": groups.name})
    frame[groups.name] = frame[groups.name].astype(str).astype("Int64")
    frame["areas"] = np.tile(groups.sizes, len(study.periods) * len(study.categories))
    frame["count"] = _nullable(counts, hidden)
    known = np.where(hidden, np.nan, counts.astype(float))
    frame["exposure"] = _exposures(study, exposures, known.shape).ravel()
    rates = rate_columns(known, study.periods, study.categories, exposures)
    for name in ("rate", "lower", "upper"):
        frame[name] = np.round(rates[name].ravel(), 2)
    return GroupTable(groups.name, frame, _slopes(frame, groups.name))


def _exposures(
    study: Study, exposures: Mapping[str, NDArray[np.float64]], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """People (or households) times years, of the shape of the counts."""
    found = np.full(shape, np.nan)
    for p, period in enumerate(study.periods):
        for c, category in enumerate(study.categories):
            if category.denominator is not None:
                found[p, c] = exposures[category.denominator] * period.years
    return found


def _slopes(frame: pd.DataFrame, group: str) -> pd.DataFrame:
    rows = []
    for (period, category), table in frame.groupby(["period", "category"], observed=True):
        usable = table.dropna(subset=["rate"])
        if len(usable) < 3 or usable["count"].sum() == 0:
            continue
        index: SlopeIndex = slope_index(usable.set_index(group))
        rows.append(
            {
                "period": period,
                "category": category,
                "slope": round(index.slope, 2),
                "slope_lower": round(index.lower, 2),
                "slope_upper": round(index.upper, 2),
                "ratio": round(index.relative, 2),
            }
        )
    columns = ["period", "category", "slope", "slope_lower", "slope_upper", "ratio"]
    return pd.DataFrame(rows, columns=columns)
