"""
A study: counts at every level of a ladder, their rates and their hot spots.

What a study holds is not protected. It is what `disclosure.release` starts
from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import ColumnError, EmptyError, InputError, UnmatchedError
from placeshaping._core.progress import track
from placeshaping.areas.ladder import Ladder
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.getis import enough_permutations, getis_ord
from placeshaping.hotspots.labels import AreaLabels
from placeshaping.statistics.rates import crude_rate, empirical_bayes_rate
from placeshaping.statistics.views import (
    By,
    CategoryView,
    Denominator,
    PeriodView,
    check_counts,
    make_categories,
    make_periods,
    tabulate,
)

MINIMUM_AREAS = 30
"""Areas that a level needs before hot spots are looked for: the normal approximation of Gi*."""

MOST_PERMUTATIONS = 100_000
"""Permutations of a map, where it has so many areas that the correction would bear more."""

DENOMINATORS: tuple[Denominator, ...] = ("residents", "households")


@dataclass(frozen=True, repr=False)
class Study:
    """
    Unprotected counts, denominators and hot spots of a place.

    Attributes
    ----------
    ladder
        The areas of each level.
    periods, categories
        What is shown, totals first.
    cubes
        Level -> counts of shape (periods, categories, areas).
    exposures
        Level -> denominator -> people or households of each area.
    deciles
        Deprivation decile of each finest area (1 = most deprived), missing as
        NaN; None where deprivation is not known.
    hot_spots
        Level -> long table of Gi* with its p- and q-values and class.
    hot_spots_of
        What Gi* was worked out from.
    covered
        Level -> whether the records cover the area; the count of one that
        they do not cover, even in part, is missing rather than zero.
    keys
        Sums of the records' keys in the finest areas, of the shape of their
        counts, for methods of protection that need them; None without.
    labels
        Further labels of the areas: emerging hot spots, clusters, classes of
        likelihood.
    """

    ladder: Ladder
    periods: tuple[PeriodView, ...]
    categories: tuple[CategoryView, ...]
    cubes: Mapping[str, NDArray[np.int64]]
    exposures: Mapping[str, Mapping[str, NDArray[np.float64]]]
    deciles: NDArray[np.float64] | None
    hot_spots: Mapping[str, pd.DataFrame]
    hot_spots_of: Literal["count", "rate"] | None
    covered: Mapping[str, NDArray[np.bool_]]
    keys: NDArray[np.int64] | None = None
    labels: tuple[AreaLabels, ...] = ()

    def __repr__(self) -> str:
        """Say in a line what it is; its tables are long."""
        return (
            f"<Study of {', '.join(self.ladder.levels)}, {len(self.periods)} periods, "
            f"{len(self.categories)} categories; not protected>"
        )

    def with_labels(self, *labels: AreaLabels) -> Study:
        """
        Return the study with further labels of its areas.

        Parameters
        ----------
        *labels
            As `label_areas` makes them, of areas, periods and categories of
            this study; those of a name that it has already are replaced.

        Returns
        -------
        study
            A copy; what is released of it carries the labels too.

        Raises
        ------
        UnmatchedError
            If levels, areas, periods or categories are not those of the study.
        InputError
            If an area has two labels in one view.
        """
        for one in labels:
            strange = [level for level in one.tables if level not in self.ladder.levels]
            if strange:
                msg = (
                    f"{one.scheme.name} labels {listed(strange)}; the study has "
                    f"{listed(list(self.ladder.levels))}."
                )
                raise UnmatchedError(msg)
            for level in one.tables:
                self.labels_of(one, level)
        named = {one.scheme.name: one for one in (*self.labels, *labels)}
        return replace(self, labels=tuple(named.values()))

    def labels_of(self, labels: AreaLabels, level: str) -> pd.DataFrame:
        """Return the labels of a level in the order of `table`."""
        return labels.lay_out(
            level,
            periods=[view.label for view in self.periods],
            categories=[view.label for view in self.categories],
            areas=self.ladder.areas[level].index.astype(str),
        )

    def table(self, level: str | None = None) -> pd.DataFrame:
        """
        Return counts, rates with their intervals and hot spots as one long table.

        Parameters
        ----------
        level
            A level of the ladder; by default the finest.

        Returns
        -------
        table
            Columns `period`, `category`, `area_code`, `count` (missing where
            the records do not cover the area), `rate`, `lower`, `upper`,
            `rate_smoothed` (per 1,000 a year) and, where hot spots were
            looked for, `gi_star`, `p_value`, `q_value`, `cluster`; then
            what further labels there are.
        """
        level = self.ladder.finest if level is None else level
        known = np.where(self.covered[level], self.cubes[level].astype(float), np.nan)
        table = long_table(
            self.periods,
            self.categories,
            self.ladder.areas[level].index,
            {
                "count": known,
                **rate_columns(known, self.periods, self.categories, self.exposures[level]),
            },
        ).astype({"count": "Int64"})
        if level in self.hot_spots:
            scores = self.hot_spots[level]
            for column in ("gi_star", "p_value", "q_value", "cluster"):
                table[column] = scores[column].to_numpy()
        found = [self.labels_of(one, level) for one in self.labels if level in one.tables]
        return pd.concat([table, *found], axis="columns") if found else table


def analyse(
    counts: pd.DataFrame,
    ladder: Ladder,
    *,
    population: pd.DataFrame | None = None,
    deprivation: pd.DataFrame | None = None,
    by: By = "year",
    groups: Mapping[str, Sequence[str]] | None = None,
    total: str = "All recorded crime",
    over: Mapping[str, Denominator | Literal["none"]] | None = None,
    hot_spots_of: Literal["count", "rate"] | None = "count",
    covered: Collection[str] | None = None,
) -> Study:
    """
    Work out rates and hot spots at every level, for all periods together and one by one.

    Gi* (Ord and Getis 1995) is worked out with queen contiguity and binary
    weights that include the area itself, two-sided by permutation of the whole
    map, with the false discovery rate controlled within each.

    Parameters
    ----------
    counts
        Long table of the finest areas, by month and category; with a column
        `key`, the sums of the records' keys are kept with their counts.
    ladder
        The areas.
    population
        Indexed by area code, with `residents` and, where known, `households`.
    deprivation
        Indexed by area code, with `imd_decile`.
    by
        Length of the periods that stand beside the whole span.
    groups
        Label -> categories that are shown as one.
    total
        Label of all categories together.
    over
        Category -> denominator of its rate, where another than the usual is
        wanted; ``"none"`` for no rate.
    hot_spots_of
        Whether Gi* looks at counts or at smoothed rates; None to leave it out.
    covered
        Codes of the areas that the records cover; all, where not given.
        Elsewhere nothing is known, which is not the same as zero.

    Returns
    -------
    study
        Everything that a release can be made from.

    Raises
    ------
    EmptyError
        If there is not a single record in the areas.
    UnmatchedError
        If counts or population are of other areas.
    InputError
        If hot spots of rates are wanted without residents.

    Examples
    --------
    >>> from shapely import box
    >>> import geopandas as gpd
    >>> from placeshaping.areas.ladder import make_ladder
    >>> codes = pd.Index(["E01900001", "E01900002"], name="area_code")
    >>> squares = [box(0, 0, 1, 1), box(1, 0, 2, 1)]
    >>> names = {"area_name": ["a", "b"]}
    >>> areas = gpd.GeoDataFrame(names, geometry=squares, index=codes, crs=27700)
    >>> january = pd.Timestamp("2025-01-01")
    >>> counts = pd.DataFrame(
    ...     {"area_code": codes, "period": january, "category": "Burglary", "count": [3, 1]}
    ... )
    >>> people = pd.DataFrame({"residents": [1200, 2400]}, index=codes)
    >>> analyse(counts, make_ladder(areas), population=people).table()["rate"].round(1).tolist()
    [30.0, 5.0]
    """
    check_counts(counts)
    codes = ladder.areas[ladder.finest].index
    _check_population(population, codes, hot_spots_of)
    known = [name for name in DENOMINATORS if population is not None and name in population]
    periods = make_periods(pd.DatetimeIndex(counts["period"].unique()), by=by)
    categories = make_categories(
        _category_names(counts["category"]),
        total=total,
        groups=groups,
        denominators=known,
        over=over,
    )
    inside = np.ones(len(codes), dtype=bool) if covered is None else codes.isin(list(covered))
    everything = tabulate(counts, areas=codes, periods=periods, categories=categories)
    finest = np.where(inside, everything, 0)  # strays elsewhere say nothing of that place
    if not finest.sum():
        msg = (
            f"None of the records lies in the {len(codes):,} areas. "
            "Check that records and areas are of the same place."
        )
        raise EmptyError(msg)
    cubes = {level: ladder.sum_to(level, finest) for level in ladder.levels}
    people: dict[str, NDArray[np.float64]] = {
        name: population[name].reindex(codes).to_numpy(dtype=float)
        for name in known
        if population is not None
    }
    exposures: dict[str, dict[str, NDArray[np.float64]]] = {
        level: {name: ladder.sum_to(level, values) for name, values in people.items()}
        for level in ladder.levels
    }
    coverage = {
        level: ladder.sum_to(level, (~inside).astype(np.int64)) == 0 for level in ladder.levels
    }
    deciles = None
    if deprivation is not None:
        check_columns(deprivation.columns, ["imd_decile"], where="deprivation")
        deciles = deprivation["imd_decile"].reindex(codes).to_numpy(dtype=float, na_value=np.nan)
    return Study(
        ladder=ladder,
        periods=periods,
        categories=categories,
        cubes=cubes,
        exposures=exposures,
        deciles=deciles,
        hot_spots=_hot_spots(
            ladder,
            periods,
            categories,
            {level: np.where(coverage[level], cube, np.nan) for level, cube in cubes.items()},
            exposures,
            hot_spots_of,
        ),
        hot_spots_of=hot_spots_of,
        covered=coverage,
        keys=_keys(counts, codes, periods, categories),
    )


def _keys(
    counts: pd.DataFrame,
    codes: pd.Index,
    periods: Sequence[PeriodView],
    categories: Sequence[CategoryView],
) -> NDArray[np.int64] | None:
    """Add the records' keys up as their counts are; None where they have none."""
    if "key" not in counts:
        return None
    keys = counts.assign(count=counts["key"])
    return tabulate(keys, areas=codes, periods=periods, categories=categories)


def _category_names(column: pd.Series[Any]) -> list[str]:
    """Return the categories in their own order, else by name, whatever the order of the rows."""
    present = column.dropna().unique()
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered:
        return [str(name) for name in column.cat.categories if name in set(present)]
    return sorted(str(name) for name in present)


def _check_population(
    population: pd.DataFrame | None, codes: pd.Index, hot_spots_of: Literal["count", "rate"] | None
) -> None:
    """Refuse a population of other areas, and rates without one."""
    has_residents = population is not None and "residents" in population
    if hot_spots_of == "rate" and not has_residents:
        msg = "Hot spots of rates need a population with 'residents'. Give one, or take counts."
        raise InputError(msg)
    if population is None:
        return
    columns = [name for name in DENOMINATORS if name in population]
    if not columns:
        msg = f"population has no column {' or '.join(DENOMINATORS)}. Rename the one that it is."
        raise ColumnError(msg)
    known = population[columns].reindex(codes)
    lost = codes[known.isna().any(axis="columns")]
    if len(lost):
        msg = (
            f"population lacks {len(lost):,} of {len(codes):,} areas ({listed(list(lost))}). Give "
            "one of the same census year as the areas, indexed by area code."
        )
        raise UnmatchedError(msg)


def long_table(
    periods: Sequence[PeriodView],
    categories: Sequence[CategoryView],
    areas: pd.Index,
    columns: Mapping[str, NDArray[Any]],
) -> pd.DataFrame:
    """
    Lay cubes out as a long table: period by period, category by category, area by area.

    Parameters
    ----------
    periods, categories, areas
        The axes.
    columns
        Name -> array of shape (periods, categories, areas).

    Returns
    -------
    table
        Columns `period`, `category`, `area_code`, then those given.
    """
    p, c, a = len(periods), len(categories), len(areas)
    frame = {
        "period": pd.Categorical.from_codes(
            np.repeat(np.arange(p), c * a), pd.Index([v.label for v in periods]), ordered=True
        ),
        "category": pd.Categorical.from_codes(
            np.tile(np.repeat(np.arange(c), a), p), pd.Index([v.label for v in categories])
        ),
        "area_code": pd.Categorical.from_codes(np.tile(np.arange(a), p * c), areas.astype(str)),
    }
    return pd.DataFrame({**frame, **{name: cube.ravel() for name, cube in columns.items()}})


def rate_columns(
    counts: NDArray[Any],
    periods: Sequence[PeriodView],
    categories: Sequence[CategoryView],
    exposures: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """
    Work out rates per 1,000 a year, with intervals and smoothed.

    Parameters
    ----------
    counts
        Array of shape (periods, categories, areas); NaN where not known.
    periods, categories
        The first two axes.
    exposures
        Denominator -> number in each area.

    Returns
    -------
    columns
        `rate`, `lower`, `upper` (95 %, Byar) and `rate_smoothed` (Marshall
        1991, within each period and category), of the shape of `counts`; NaN
        where there is no denominator.
    """
    shape = counts.shape
    columns = {name: np.full(shape, np.nan) for name in ("rate", "lower", "upper", "rate_smoothed")}
    for p, period in enumerate(periods):
        for c, category in enumerate(categories):
            if category.denominator is None:
                continue
            exposure = exposures[category.denominator] * period.years
            count = counts[p, c].astype(float)
            rate = crude_rate(count, exposure, zero_exposure="missing")
            for name in ("rate", "lower", "upper"):
                columns[name][p, c] = rate[name].to_numpy()
            usable = np.isfinite(count) & (exposure > 0)
            if usable.sum() > 1:
                smoothed = empirical_bayes_rate(count[usable], exposure[usable])
                columns["rate_smoothed"][p, c, usable] = smoothed.to_numpy()
    return columns


def _hot_spots(
    ladder: Ladder,
    periods: Sequence[PeriodView],
    categories: Sequence[CategoryView],
    cubes: Mapping[str, NDArray[np.float64]],
    exposures: Mapping[str, Mapping[str, NDArray[np.float64]]],
    of: Literal["count", "rate"] | None,
) -> dict[str, pd.DataFrame]:
    found: dict[str, pd.DataFrame] = {}
    if of is None:
        return found
    enough = [level for level in ladder.levels if len(ladder.areas[level]) >= MINIMUM_AREAS]
    for level in track(enough, label="Finding hot spots"):
        areas = ladder.areas[level]
        values = cubes[level]
        if of == "rate":
            values = rate_columns(cubes[level], periods, categories, exposures[level])[
                "rate_smoothed"
            ]
        series = pd.DataFrame(values.reshape(-1, len(areas)).T, index=areas.index)
        scores = getis_ord(
            series,
            contiguity(areas, islands="nearest"),
            permutations=min(enough_permutations(len(areas)), MOST_PERMUTATIONS),
            hold="nothing",
        ).drop(columns="series")
        frame = long_table(periods, categories, areas.index, {})
        found[level] = pd.concat([frame, scores.reset_index(drop=True)], axis="columns")
    return found
