"""The table of counts and the reports, from what the partitions add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.codes import made_for_2021
from placeshaping._core.errors import ColumnError, EmptyError
from placeshaping.joins._merging import Sums
from placeshaping.joins._partial import (
    AGREES,
    BY_CODE,
    BY_COORDINATE,
    BY_NEAREST,
    HELD,
    INCOMPARABLE,
    MADE_FOR_2021,
    NOWHERE,
    OFF_MAP,
    OUTSIDE,
    UNCODED,
    UNPLACED,
)
from placeshaping.joins._placement import check_placed, tell_several
from placeshaping.joins._tally import product
from placeshaping.joins.points import Outside, PlacementReport
from placeshaping.joins.published import match_published
from placeshaping.sources.offences import NOT_STATED, check_categories
from placeshaping.sources.police import PoliceReport, vintage_in_month
from placeshaping.sources.services import ServiceReport
from placeshaping.sources.streams import RecordSource

_SUMMED = ("rows_read", "rows_kept", "blank_rows", "without_date", "without_count",
           "without_coordinates", "null_island", "outside", "unreadable_coordinates",
           "located_by_postcode", "unknown_postcodes", "with_area_code", "ended_postcodes",
           "mended_postcodes")  # fmt: skip


def finish(
    sums: Sums,
    sources: tuple[RecordSource, ...],
    areas: gpd.GeoDataFrame,
    *,
    changes: pd.DataFrame | None,
    outside: Outside,
    every_month: bool,
) -> pd.DataFrame:
    """Settle the sums, refuse what one machine would refuse, and lay the counts out."""
    sums.settle()
    records = tuple(_report(sums, number, source) for number, source in enumerate(sources))
    report, codes = _placement(sums, areas, changes)
    nowhere = np.empty(0)
    check_placed(report, pd.DataFrame({"area_code": codes}), areas, nowhere, nowhere, outside)
    tell_several(report.in_several, report.rows)
    table = _table(sums, areas, every_month=every_month)
    table.attrs.update({name: areas.attrs.get(name) for name in ("level", "vintage")})
    table.attrs["report"] = report
    table.attrs["records"] = records
    return table


def _table(sums: Sums, areas: gpd.GeoDataFrame, *, every_month: bool) -> pd.DataFrame:
    facts = sums.facts_of()
    undated = int(facts.loc[facts["month"].isna(), "rows"].sum())
    if undated:
        msg = (
            f"{undated:,} of {int(facts['rows'].sum()):,} events have no period. "
            "Leave them out first."
        )
        raise ColumnError(msg)
    months, categories = (sorted(set(facts[name])) for name in ("month", "category"))
    if every_month:
        parts = [part for source in sums.sources for part in sums.parts(source)]
        months = sorted({*months, *(month for part in parts for month in part.held["covered"])})
    pairs = [sums.pairs.get((m, c), -1) for m in months for c in categories]
    counts = np.zeros((len(pairs), len(areas)), dtype=np.int64)
    for row, pair in enumerate(pairs):
        if pair >= 0:
            counts[row] = sums.counts[pair]
    sums.counts = counts[:0]
    periods = pd.DatetimeIndex([f"{month}-01" for month in months]).as_unit("s")
    keys = {"period": periods, "category": pd.Index(categories, dtype="str")}
    table = product(areas.index, keys)
    table["count"] = pd.Series(counts.reshape(-1), copy=False)  # an array would be copied
    return table


def _placement(
    sums: Sums, areas: gpd.GeoDataFrame, changes: pd.DataFrame | None
) -> tuple[PlacementReport, pd.Series[str]]:
    """Say how the records found their areas; also return the codes that they bear."""
    facts = sums.facts_of()
    by_how = facts.groupby("how")["rows"].sum()
    by_agreement = facts.groupby("agreement")["rows"].sum()
    agree = int(by_agreement.get(AGREES, 0))
    comparable = int(by_agreement.sum() - by_agreement.get(INCOMPARABLE, 0))
    codes = pd.Series(sorted(sums.codes), dtype="str")
    by = {how: int(by_how.get(how, 0)) for how in range(5)}
    report = PlacementReport(
        rows=int(facts["rows"].sum()),
        by_coordinate=by[BY_COORDINATE],
        by_code=by[BY_CODE],
        by_nearest=by[BY_NEAREST],
        outside=by[OUTSIDE],
        unplaced=by[UNPLACED],
        other_vintage=_of_other_vintage(facts, codes, areas, changes),
        published_agree=agree / comparable if comparable else None,
        in_several=int(facts.loc[facts["several"] == 1, "rows"].sum()),
    )
    return report, codes


def _of_other_vintage(
    facts: pd.DataFrame,
    codes: pd.Series[str],
    areas: gpd.GeoDataFrame,
    changes: pd.DataFrame | None,
) -> int:
    """Count the records lost to a code of the other census year."""
    lost = facts[facts["lost_code"].notna()].groupby("lost_code")["rows"].sum()
    if lost.empty:
        return 0
    asked = [str(code) for code in lost.index]
    if (facts["code"] == MADE_FOR_2021).any():
        # Whether any record bears a new code decides what the other codes can be.
        asked += [code for code in codes if made_for_2021(code)][:1]
    unlike = match_published(pd.Series(asked, dtype="str"), areas, changes=changes).unlike
    return int(lost.to_numpy()[unlike[: len(lost)]].sum())


def _report(sums: Sums, number: int, source: RecordSource) -> PoliceReport | ServiceReport:
    facts = sums.facts_of(number)
    parts = sums.parts(number)
    held = {name: sorted({value for part in parts for value in part.held[name]}) for name in HELD}
    if source.categories is not None and source.kind == "police":
        check_categories(source.categories, held["categories"])
    if facts.empty:
        raise EmptyError(_nothing_message(source, held))
    if source.kind == "services":
        reports = [part.report for part in parts]
        return _service_report(reports, held["months"], guessed=source.columns is None)
    return _police_report(sums, number, source, facts)


def _nothing_message(source: RecordSource, held: dict[str, list[str]]) -> str:
    span = [] if source.months is None else [" to ".join(source.months)]
    asked = ", ".join([*span, *(source.forces or ()), *(source.categories or ())]) or "all"
    months = held["months"]
    spans = f"{months[0]} to {months[-1]} ({len(months):,} months)" if months else "no month"
    of = f" of {listed(held['forces'])}" if held["forces"] else ""
    return (
        f"{source.path.name} has no record of the selection ({asked}). It holds {spans}{of}, "
        f"with {listed(held['categories'], most=16)}."
    )


def _police_report(
    sums: Sums, number: int, source: RecordSource, facts: pd.DataFrame
) -> PoliceReport:
    parts = sums.parts(number)
    total = {
        name: sum(part.chunk_facts[name] for part in parts) for name in ("rows_read", "undated")
    }
    duplicates, unnamed = sums.duplicates(number)
    kept, repeated = int(facts["rows"].sum()), sums.repeated.get(number, 0)
    by_place = facts.groupby("place")["rows"].sum()
    return PoliceReport(
        files=tuple(dict.fromkeys(part.name for part in parts)),
        rows_read=total["rows_read"],
        rows_kept=kept,
        not_selected=total["rows_read"] - total["undated"] - repeated - kept,
        duplicates=duplicates,
        duplicates_kept=unnamed,
        repeated_crime_ids=repeated,
        without_coordinates=int(by_place.get(NOWHERE, 0)),
        outside=int(by_place.get(OFF_MAP, 0)),
        without_month=total["undated"],
        without_category=int(facts.loc[facts["category"] == NOT_STATED, "rows"].sum()),
        categories=tuple(sorted(set(facts["category"]))),
        **_months(facts, source.months),
    )


def _months(facts: pd.DataFrame, span: tuple[str, str] | None) -> dict[str, Any]:
    """Say what is odd about the months of recorded crime, as `read_police` does."""
    held = sorted(set(facts["month"]))
    first, last = span or (held[0], held[-1])
    whole = [str(period) for period in pd.period_range(first, last, freq="M")]
    by_force = {
        str(force): tuple(month for month in held if month not in set(months))
        for force, months in facts.groupby("force")["month"]
    }
    coded = facts[facts["code"] != UNCODED].groupby("month")["rows"].sum()
    newer = facts[facts["code"] == MADE_FOR_2021].groupby("month")["rows"].sum()
    of_2021 = {month: int(newer.get(month, 0)) for month in held}
    return {
        "vintages": {m: vintage_in_month(m, int(coded.get(m, 0)), of_2021[m]) for m in held},
        "coded_2021": of_2021,
        "missing_months": tuple(month for month in whole if month not in set(held)),
        "missing_by_force": {force: gone for force, gone in by_force.items() if gone},
        "forces": tuple(sorted(by_force)),
        "first_month": held[0],
        "last_month": held[-1],
    }


def _service_report(
    reports: Iterable[ServiceReport | None], months: list[str], *, guessed: bool
) -> ServiceReport:
    """Add up what was found out about the parts of a table."""
    known = [report for report in reports if report is not None]
    if len(known) == 1:
        return replace(known[0], guessed=guessed)
    table = replace(
        known[0].table,
        rows=sum(report.table.rows for report in known),
        empty_rows=sum(report.table.empty_rows for report in known),
        ragged_rows=sum(report.table.ragged_rows for report in known),
    )
    span = (
        pd.period_range(months[0], months[-1], freq="M") if months else pd.PeriodIndex([], freq="M")
    )
    whole = [str(month) for month in span]
    ambiguous = [report.ambiguous_dates for report in known]
    summed: dict[str, Any] = {n: sum(getattr(report, n) for report in known) for n in _SUMMED}
    return replace(
        known[0],
        table=table,
        guessed=guessed,
        undated_rows=(),
        ambiguous_dates=sum(ambiguous) if all(ambiguous) else 0,  # one part settles the order
        missing_months=tuple(month for month in whole if month not in set(months)),
        categories=tuple(sorted({name for report in known for name in report.categories})),
        first_month=months[0] if months else None,
        last_month=months[-1] if months else None,
        **summed,
    )
