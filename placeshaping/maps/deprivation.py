"""The numbers by deprivation in words, as bars and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from placeshaping.disclosure.release import Release
from placeshaping.disclosure.tables import GroupTable
from placeshaping.maps.words import interval_words, tenth
from placeshaping.pages.chart import Bar, GroupChart


def deprivation_chart(release: Release) -> GroupChart | None:
    """
    Turn the numbers by deprivation decile into words, bars and a table.

    Parameters
    ----------
    release
        Protected numbers.

    Returns
    -------
    chart
        All categories and the whole span; None where deprivation or the
        number of residents is not known.
    """
    groups = release.deprivation
    category, period = release.categories[0], release.periods[0]
    if groups is None or category.denominator is None:
        return None
    chosen = groups.values["period"].eq(period.label) & groups.values["category"].eq(category.label)
    table = groups.values[chosen]
    if table["rate"].notna().sum() < 2:
        return None
    unit = f"Per 1,000 {category.denominator} a year"
    bars = tuple(
        Bar(str(decile), *(None if pd.isna(number) else float(number) for number in numbers))
        for decile, *numbers in table[[groups.name, "rate", "lower", "upper"]].itertuples(
            index=False
        )
    )
    return GroupChart(
        heading="By deprivation",
        words=(
            f"{category.label}, {period.label}: the rate in each tenth of the Index of Multiple "
            "Deprivation, with its 95% interval. Tenth 1 holds the areas that the index counts as "
            "the most deprived of England, tenth 10 the least.",
            *_slope_words(groups, period.label, category),
        ),
        bars=bars,
        unit=unit,
        axis="Tenth of the deprivation index (1 = most deprived)",
        heads=("Tenth (1 = most deprived)", "Areas", "Records", unit, "Lower", "Upper"),
        rows=tuple(_group_row(row) for row in table.to_dict("records")),
    )


def _slope_words(groups: GroupTable, period: str, category: Any) -> Iterator[str]:
    slopes = groups.slopes
    rows = slopes[(slopes["period"] == period) & (slopes["category"] == category.label)]
    if rows.empty:
        return
    row = rows.iloc[0]
    per = f"per 1,000 {category.denominator} a year"
    between = f"{tenth(abs(row['slope']))} {per}"
    interval = interval_words(row["slope_lower"], row["slope_upper"])
    if row["slope_lower"] <= 0 <= row["slope_upper"]:
        yield (
            f"From the least to the most deprived areas the rate differs by {between} "
            f"({interval}): the interval holds zero, so a difference is not certain "
            "(slope index of inequality)."
        )
        return
    way = "higher" if row["slope"] > 0 else "lower"
    yield (
        f"Along the index the rate is {between} {way} at the most deprived end than at the least "
        f"deprived end ({interval}; slope index of inequality)."
    )


def _group_row(row: dict[Any, Any]) -> tuple[str, ...]:
    gap = str(row["status"])
    return (
        str(row["imd_decile"]),
        f"{row['areas']:,}",
        gap if pd.isna(row["count"]) else f"{row['count']:,}",
        *(gap if pd.isna(row[name]) else tenth(row[name]) for name in ("rate", "lower", "upper")),
    )
