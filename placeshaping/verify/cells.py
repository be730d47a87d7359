"""Numbers and fields that stand in a file and must not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping._core.codes import level_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.labels import label_columns
from placeshaping.verify.record_columns import may_be_lines, record_columns
from placeshaping.verify.review_columns import review_columns
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, Finding, number_of

COLUMNS = {
    "fid", "geom", "geometry", "area_code", "area_name", "parent_code", "level", "residents",
    "households", "imd_decile", "members", "ward_code", "msoa_code", "period", "category", "status",
    "count", "rate", "lower", "upper", "rate_smoothed", "cluster", "areas", "exposure", "slope",
    "slope_lower", "slope_upper", "ratio",
}  # fmt: skip
"""Columns that a released table may have."""

SCORES = {"gi_star", "p_value", "q_value"}
"""Columns that it may have where numbers of statistics may leave."""

CLASSED = {"class", "rank"}
"""Columns that stand in the place of counts, where a policy shows none."""

LEVELS = {"lsoa", "msoa", "ward", "district", "county", "csp", "police_force", "area"}
"""Levels that are an LSOA or coarser; "area" is a council's own."""

_MEASURES = ("count", "rate", "lower", "upper", "rate_smoothed", "gi_star", "q_value", "p_value")
_COUNTS = re.compile(
    r"^(?:n|nr|num|number|total|sum|freq|frequency|value|values|all)$"
    r"|(?:^|[\s_])(?:counts?|records?|recorded|crimes?|incidents?|offences?|events?|cases?|reports?"
    r"|victims?|referrals?|visits?)(?:$|[\s_\d,(])",
    re.IGNORECASE,
)
_CATEGORY = re.compile(
    r"(?i)burglar|robber|theft|arson|violen|assault|drugs|weapon|shoplift|anti.?social|vandal"
    r"|homicid|murder|\brape|fly.?tipping"
)
"""Words in the names of categories: a column of that name counts them."""

_NO_COUNT = re.compile(r"(?i)\b(?:rate|per|share|%|percent|score|index|interval|areas?)\b|_id\b")
GRID = re.compile(r"grid_(\d+)")
"""Name of a level that is a grid, with the side of its cells in metres."""

_CELL = re.compile(r"^[SH](\d+)E-?\d+N-?\d+$")
"""Code of a cell, which begins with its side in metres."""

MARKS = ("hidden", "missing")
_AREAL = {"POLYGON", "MULTIPOLYGON", "GEOMETRY", "NONE", "CURVEPOLYGON", "MULTISURFACE"}
_EXAMPLES = 3
_LISTED = 100


def check_cells(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Look at every table for fields, levels and counts that the policy hides.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> contents = Contents("csv")
    >>> contents.tables.append(Table("t", pd.DataFrame({"area_code": ["a"], "count": [3]})))
    >>> [breach.what for breach in check_cells(contents, RULES["councillor"])]
    ['1 count under 5']
    """
    yield from _levels_declared(contents, rules)
    for table in contents.tables:
        if rules.policy != "internal" and not table.written_for_readers:
            allowed = _allowed(contents, rules, table)
            yield from _fields(table, allowed) if allowed is not None else ()
        yield from _levels(table, contents, rules)
        yield from _marks(table)
        if rules.protects:
            for column in count_columns(table.frame.columns):
                yield from check_counts(table, column, rules)
    if rules.protects:
        yield from _written_out(contents, rules)


def count_columns(columns: Iterable[object]) -> list[str]:
    """
    Return the columns that look as if they counted something.

    Examples
    --------
    >>> count_columns(["area_code", "raw_count", "rate", "Recorded crime", "Burglary", "county"])
    ['raw_count', 'Recorded crime', 'Burglary']
    """
    names = [str(column) for column in columns]
    counting = [name for name in names if _COUNTS.search(name) or _CATEGORY.search(name)]
    return [name for name in counting if not _NO_COUNT.search(name)]


def numbers_of(column: pd.Series) -> NDArray[np.float64]:
    """
    Read a column as numbers, thousands separators and all; what is no number is missing.

    Examples
    --------
    >>> numbers_of(pd.Series(["1,234", "hidden", None, 5])).tolist()
    [1234.0, nan, nan, 5.0]
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column.to_numpy(dtype="float64", na_value=np.nan)
    found = pd.to_numeric(column, errors="coerce")
    texts = column[found.isna() & column.notna()]
    if len(texts):
        plain = texts.astype(str).str.replace(",", "", regex=False).str.strip()
        found = found.astype("float64")
        found.loc[texts.index] = pd.to_numeric(plain, errors="coerce")
    return found.to_numpy(dtype="float64", na_value=np.nan)


def cell_names(frame: pd.DataFrame, rows: NDArray[np.bool_] | NDArray[np.intp]) -> list[str]:
    """
    Name the first of some rows by area, period and category.

    Examples
    --------
    >>> cell_names(pd.DataFrame({"area_code": ["a", "b"]}), np.array([False, True]))
    ['b']
    """
    keys = [c for c in ("area_name", "area_code", "period", "category") if c in frame]
    if "area_name" in keys and "area_code" in keys:
        keys.remove("area_code")
    chosen = frame[keys or list(frame.columns[:2])].to_numpy()[rows][:_EXAMPLES]
    return [", ".join(str(v) for v in row) for row in chosen]


def _allowed(contents: Contents, rules: Rules, table: Table) -> set[str] | None:
    """Return the columns that a table may have; None for any."""
    records = record_columns(contents.declaration, rules)
    if records is None:
        return None
    if records:
        return records | {"fid", "geom", "geometry"}
    labels = label_columns(contents.declaration, rules, table)
    labels |= review_columns(contents.declaration, contents.tables)
    allowed = COLUMNS | labels | set(rules.extra_fields) | (SCORES if rules.numbers else set())
    return allowed | (set() if rules.counts_shown else CLASSED)


def _fields(table: Table, allowed: set[str]) -> Iterator[Breach]:
    unknown = [str(c) for c in table.frame.columns if str(c) not in allowed]
    if unknown:
        fields = number_of(len(unknown), "field is", names="fields are")
        what = f"{fields} not on the list of those that may leave"
        yield Breach(table.where, what, listed(unknown))


def _levels_declared(contents: Contents, rules: Rules) -> Iterator[Breach]:
    declared = (contents.declaration or {}).get("levels")
    if not rules.lsoa_or_coarser or not isinstance(declared, list):
        return
    fine = [str(lvl) for lvl in declared if str(lvl) not in LEVELS and not _is_grid(lvl, rules)]
    if fine:
        yield Breach("declaration", "declares a level finer than an LSOA", listed(fine))


def _is_grid(level: object, rules: Rules) -> bool:
    """Tell whether a level is a grid whose cells are as large as the policy demands."""
    size = GRID.fullmatch(str(level))
    return bool(size and rules.finest_cell and int(size[1]) >= rules.finest_cell)


def _levels(table: Table, contents: Contents, rules: Rules) -> Iterator[Breach]:
    if not rules.lsoa_or_coarser:
        return
    kinds = set(re.findall(r"[A-Z]+", (table.geometry or "").upper()))
    masked = kinds == {"POINT"} and contents.masked_points == table.where
    if kinds - _AREAL and not masked and not may_be_lines(contents.declaration, table):
        what = "holds points or lines, which are finer than any area"
        yield Breach(table.where, what, str(table.geometry))
    if "area_code" not in table.frame:
        return
    codes = pd.Series(table.frame["area_code"].dropna().unique(), dtype=object).astype(str)
    levels = codes.map(level_of)
    sizes = codes.str.extract(_CELL, expand=False).astype(float)
    small = codes[sizes < (rules.finest_cell or 0)]
    if len(small):
        what = f"holds cells of a grid smaller than {rules.finest_cell} m"
        yield Breach(table.where, what, listed(list(small)))
    declared = (contents.declaration or {}).get("levels")
    for level, group in codes.groupby(levels):
        if level not in LEVELS:
            what = f"holds areas of the level {level!r}, finer than an LSOA"
            yield Breach(table.where, what, listed(list(group)))
        elif isinstance(declared, list) and level != "area" and level not in declared:
            what = f"holds areas of the level {level!r}, which the file does not declare"
            yield Breach(table.where, what, listed(list(group)))


def _marks(table: Table) -> Iterator[Breach]:
    """Look for hidden and missing cells that carry a number all the same."""
    frame = table.frame
    if "status" not in frame or not frame.columns.is_unique:
        return
    marked = frame["status"].astype(str).str.casefold().isin(MARKS).to_numpy()
    for column in _MEASURES:
        if column not in frame:
            continue
        numbers = numbers_of(frame[column])
        leaking = marked & np.isfinite(numbers)
        if leaking.any():
            cells = number_of(int(leaking.sum()), "cell")
            what = f"{cells} marked as hidden, with a {column} all the same"
            yield Breach(table.where, what, _examples(frame, leaking, numbers, column))


def check_counts(table: Table, column: str, rules: Rules) -> Iterator[Breach]:
    """
    Look for numbers under the threshold, and for numbers that are not rounded.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> table = Table("t", pd.DataFrame({"area_code": ["a", "b"], "count": [10, 12]}))
    >>> [breach.what for breach in check_counts(table, "count", RULES["public"])]
    ['1 count not rounded to 5']
    """
    given = table.frame[column]
    if isinstance(given, pd.DataFrame):
        yield Breach(table.where, f"the column {column!r} stands more than once")
        return
    numbers = numbers_of(given)
    known = np.isfinite(numbers)
    one, more = ("count", "counts") if column == "count" else ("number", "numbers")
    place = "" if column == "count" else f" in {column!r}"
    least = rules.least_shown(table.frame, len(numbers))
    small = known & (numbers >= rules.smallest_hidden) & (numbers < rules.threshold)
    sensitive = known & ~small & (numbers >= rules.smallest_hidden) & (numbers < least)
    uneven = known & ~small & (np.mod(numbers, rules.multiple) != 0)
    for rows, fault in (
        (small, f"under {rules.threshold}"),
        (sensitive, f"under {rules.sensitive_threshold}, in sensitive categories"),
        (uneven, f"not rounded to {rules.rounding}"),
    ):
        if rows.any():
            what = f"{number_of(int(rows.sum()), one, names=more)}{place} {fault}"
            yield Breach(
                table.where,
                what,
                _examples(table.frame, rows, numbers, column),
                attack="counts",
                cells=_findings(table.frame, rows, numbers, column),
            )


def _findings(
    frame: pd.DataFrame, rows: NDArray[np.bool_], numbers: NDArray[np.float64], column: str
) -> tuple[Finding, ...]:
    """Return a row for each cell, as far as they are listed."""
    places = np.flatnonzero(rows)[:_LISTED]
    names = [cell_names(frame, places[n : n + 1])[0] for n in range(len(places))]
    return tuple(
        Finding(name, f"{name}: {column} {numbers[place]:g}")
        for name, place in zip(names, places, strict=True)
    )


def _examples(
    frame: pd.DataFrame, rows: NDArray[np.bool_], numbers: NDArray[np.float64], column: str
) -> str:
    names = cell_names(frame, rows)
    values = numbers[rows][: len(names)]
    return "; ".join(f"{n}: {column} {v:g}" for n, v in zip(names, values, strict=True))


def _written_out(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """Look at labels, titles and tooltips that count records."""
    for label, number in contents.counted:
        if rules.smallest_hidden <= number < rules.threshold:
            yield Breach("text of the page", f"counts {number}, under {rules.threshold}", label)
        elif number % rules.multiple:
            yield Breach(
                "text of the page", f"counts {number}, not rounded to {rules.rounding}", label
            )
