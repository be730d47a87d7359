"""
Records of local services: reports, referrals, inspections, visits, premises.

From whatever table a council exports, with a column mapping or a good guess
that is told. Only date, place, category and count are carried on: names,
addresses and free text stay in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_columns, listed, near_names
from placeshaping._core.errors import ColumnError, EmptyError
from placeshaping.sources.guesses import ROLES, guess_columns
from placeshaping.sources.offences import NOT_STATED
from placeshaping.sources.places import Places, locate, read_postcodes
from placeshaping.sources.tabular import TableReport, read_table
from placeshaping.sources.values import DateOrder, to_dates, to_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL_RECORDS = "All records"
"""The category of records whose file has none."""

_SHOWN = 20
_ODD = 0.05  # more than this share unreadable: the column is not what it was taken for
_TEXT = pd.Series(["text"]).dtype  # str from pandas 3 on, object before
_UNSAID = ("na", "n/a", "#n/a", "null", "none", "nan", "-", "--", "not known", "unknown")


@dataclass(frozen=True)
class ServiceReport:
    """
    What was read from a file of records, what was left out, and how its columns were taken.

    Attributes
    ----------
    table
        How the table was found: encoding, delimiter, sheet, empty rows.
    columns
        Role to column name.
    guessed
        Whether `columns` is a guess.
    rows_read
        Rows with any value.
    rows_kept
        Rows of the result.
    blank_rows
        Rows left out because they have neither date, place nor category.
    without_date
        Rows left out because their date is missing or cannot be read.
    undated_rows
        The first 20 of those, by their row number in the file (the header being 1).
    ambiguous_dates
        Kept rows whose day and month could be exchanged; `date_order` decided. None
        where any date of the file, having a day above 12, shows the order.
    date_order
        ``"british"`` (day first) or ``"american"``.
    without_count
        Rows left out because their count is missing or no number.
    without_coordinates, null_island, outside, unreadable_coordinates
        Kept rows that are not located: no coordinates; at 0, 0; outside the
        United Kingdom; coordinates that are no numbers.
    located_by_postcode, unknown_postcodes
        Kept rows that a postcode located, or failed to.
    with_area_code
        Kept rows that state an area code.
    missing_months
        Months between the first and the last without any record.
    categories
        Categories of the kept rows.
    first_month, last_month
        As ``"2024-01"``; ``None`` where the file has no dates.
    ended_postcodes, mended_postcodes
        Kept rows located by a postcode that is no longer in use; by one in which
        a letter had been written for a digit (O for 0) or the reverse.
    """

    table: TableReport
    columns: Mapping[str, str]
    guessed: bool
    rows_read: int
    rows_kept: int
    blank_rows: int
    without_date: int
    undated_rows: tuple[int, ...]
    ambiguous_dates: int
    date_order: str
    without_count: int
    without_coordinates: int
    null_island: int
    outside: int
    unreadable_coordinates: int
    located_by_postcode: int
    unknown_postcodes: int
    with_area_code: int
    missing_months: tuple[str, ...]
    categories: tuple[str, ...]
    first_month: str | None
    last_month: str | None
    ended_postcodes: int = 0
    mended_postcodes: int = 0


def read_services(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    category: str | None = None,
    date_order: DateOrder = "british",
    postcodes: pd.DataFrame | str | Path | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    r"""
    Read records of a local service.

    Parameters
    ----------
    path
        Any table that `read_table` reads.
    columns
        Which column is which: roles ``date``, ``longitude`` and ``latitude`` or
        ``easting`` and ``northing``, ``postcode``, ``area_code``, ``category``,
        ``count``. Guessed where not given; see `guess_columns`.
    category
        One category for all rows, in place of a column.
    date_order
        What 03/02/2024 means: 3 February (``"british"``) or 2 March (``"american"``).
    postcodes
        Lookup from postcode to place, for records that have nothing better: the
        ONS Postcode Directory, or any table with postcodes and coordinates.
    sheet
        The sheet of a workbook.

    Returns
    -------
    events
        One row a record: `easting`, `northing` (metres, EPSG:27700; missing where
        not located), `period` (first of the month; missing throughout where the
        file has no dates), `time` where dates are finer than months, `category`,
        `area_code` as stated or missing. Where the file is already counted,
        `count`: how many records a row stands for. ``attrs["report"]`` holds a
        `ServiceReport`.

    Raises
    ------
    MissingFileError, FileFormatError, EmptyError
        If there is no such file, it is damaged, or no record is left.
    ColumnError
        If a column is missing, nothing says where records lie, or the dates are
        in the other order.
    CRSError
        If coordinates are of another kind than their column says.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tipping.csv"
    ...     _ = path.write_text("Date;Easting;Northing\n03/02/2024;458700;304600\n")
    ...     events = read_services(path, category="Fly-tipping")
    >>> events["period"].dt.strftime("%Y-%m").item(), events["category"].item()
    ('2024-02', 'Fly-tipping')
    """
    table = read_table(path, sheet=sheet)
    found: TableReport = table.attrs["report"]
    roles = dict(columns) if columns is not None else guess_columns(table)
    _check_roles(table, roles, where=found.name)
    names = [str(name) for name in table.columns]
    table = _unsaid_to_missing(table[list(dict.fromkeys(roles.values()))])
    if category is not None:
        roles.pop("category", None)
    lookup = None if postcodes is None else read_postcodes(postcodes)
    _check_placed(names, roles, lookup is not None, where=found.name)
    keep, facts, dates = _sort_out(table, roles, date_order, where=found.name)
    table, dates = table[keep], dates[keep]
    places = locate(table, roles, postcodes=lookup, where=found.name)
    events = _events(table, roles, places, dates, category)
    events.attrs["report"] = ServiceReport(
        table=found,
        columns=roles,
        guessed=columns is None,
        rows_read=found.rows,
        rows_kept=len(events),
        date_order=date_order,
        ambiguous_dates=_ambiguous(table, roles),
        without_coordinates=places.without,
        null_island=places.null_island,
        outside=places.outside,
        unreadable_coordinates=places.unreadable,
        located_by_postcode=places.by_postcode,
        unknown_postcodes=places.unknown_postcodes,
        ended_postcodes=places.ended_postcodes,
        mended_postcodes=places.mended_postcodes,
        with_area_code=int(events["area_code"].notna().sum()),
        categories=tuple(str(name) for name in events["category"].cat.categories),
        **facts,
        **_span(events),
    )
    return events


def _check_roles(table: pd.DataFrame, roles: Mapping[str, str], *, where: str) -> None:
    for role in roles:
        if role not in ROLES:
            near = near_names(role, ROLES)
            hint = f"Did you mean {listed(near)}?" if near else f"Roles: {', '.join(ROLES)}."
            msg = f"There is no role {role!r} for a column. {hint}"
            raise ColumnError(msg)
    check_columns(table.columns, roles.values(), where=where)
    for first, second in (("longitude", "latitude"), ("easting", "northing")):
        if (first in roles) != (second in roles):
            lone, other = (first, second) if first in roles else (second, first)
            msg = f"{where}: {lone} is mapped but {other} is not. Map both."
            raise ColumnError(msg)


def _unsaid_to_missing(table: pd.DataFrame) -> pd.DataFrame:
    """Take the words that exports write for nothing (NA, NULL, -) as nothing."""
    columns = {}
    for name in table.columns:
        values = table[name]
        if pd.api.types.is_string_dtype(values):
            values = values.mask(values.astype("str").str.casefold().isin(_UNSAID))
        columns[name] = values
    return pd.DataFrame(columns, index=table.index)


def _check_placed(
    names: list[str], roles: Mapping[str, str], has_lookup: bool, *, where: str
) -> None:
    if {"longitude", "easting", "area_code"} & set(roles):
        return
    if "postcode" in roles and has_lookup:
        return
    if "postcode" in roles:
        msg = (
            f"{where} places its records by postcode alone ({roles['postcode']}). "
            "Give postcodes= (records.postcodes in a recipe), a lookup such as the ONS Postcode "
            "Directory."
        )
        raise ColumnError(msg)
    near = [n for role in ("longitude", "easting", "postcode") for n in near_names(role, names)]
    hint = f"Is it {listed(near)}?" if near else f"It has: {listed(names, most=12)}."
    msg = (
        f"{where} has no column that says where a record lies (longitude and latitude, easting "
        f"and northing, postcode, or area code). {hint} Map it with columns= "
        "(records.columns in a recipe)."
    )
    raise ColumnError(msg)


def _sort_out(
    table: pd.DataFrame, roles: Mapping[str, str], order: DateOrder, *, where: str
) -> tuple[NDArray[np.bool_], dict[str, Any], pd.Series[Any]]:
    """Mark the rows that can be used, and count the others."""
    used = [column for role, column in roles.items() if role != "count"]
    blank = table[used].isna().all(axis=1).to_numpy()
    dates = _dates(table, roles, order, where=where)
    undated = np.zeros(len(table), dtype=bool)
    if "date" in roles:
        undated = dates.isna().to_numpy() & ~blank
    uncounted = np.zeros(len(table), dtype=bool)
    if "count" in roles:
        uncounted = _counts(table, roles, where=where).isna().to_numpy() & ~blank & ~undated
    keep = ~(blank | undated | uncounted)
    if not keep.any():
        msg = f"{where} has no usable record: {int(undated.sum()):,} of {len(table):,} undated."
        raise EmptyError(msg + " Check the column mapping.")
    facts = {
        "blank_rows": int(blank.sum()),
        "without_date": int(undated.sum()),
        "undated_rows": tuple(int(row) for row in table.index[undated][:_SHOWN]),
        "without_count": int(uncounted.sum()),
    }
    return keep, facts, dates


def _dates(
    table: pd.DataFrame, roles: Mapping[str, str], order: DateOrder, *, where: str
) -> pd.Series[Any]:
    if "date" not in roles:
        return pd.Series(pd.NaT, index=table.index, dtype="datetime64[s]")
    if order not in {"british", "american"}:
        msg = f"date_order is {order!r}. Use 'british' (day first) or 'american' (month first)."
        raise ColumnError(msg)
    values = table[roles["date"]]
    dates = to_dates(values, order=order)
    lost = dates.isna() & values.notna()
    if lost.mean() > _ODD:
        other: DateOrder = "american" if order == "british" else "british"
        if not (to_dates(values, order=other).isna() & values.notna()).any():
            msg = (
                f"{where}: {int(lost.sum()):,} dates in {roles['date']!r}, like "
                f"{values[lost].iloc[0]}, fit the {other} order only. Pass date_order={other!r}."
            )
            raise ColumnError(msg)
    if not dates.notna().any():
        shown = listed(list(values.dropna().unique()), most=3)
        msg = f"{where}: the column {roles['date']!r} holds no date ({shown}). Map another."
        raise ColumnError(msg)
    return dates


def _counts(table: pd.DataFrame, roles: Mapping[str, str], *, where: str) -> pd.Series[Any]:
    values = table[roles["count"]]
    counts = to_numbers(values)
    wrong = (counts < 0) | (counts % 1 > 0)
    texts = counts.isna() & values.notna()
    if texts.mean() > _ODD:
        wrong |= texts
    if wrong.any():
        rows = [f"row {row}: {value}" for row, value in values[wrong].head(_SHOWN).items()]
        msg = (
            f"{where}: {int(wrong.sum()):,} values of {roles['count']!r} are no counts "
            f"({listed(rows, most=3)}). A count is a whole number, zero or more: mend those rows, "
            "map another column as count, or map columns without count, each row then being one "
            "record."
        )
        raise ColumnError(msg)
    return counts


def _events(
    table: pd.DataFrame,
    roles: Mapping[str, str],
    places: Places,
    dates: pd.Series[Any],
    category: str | None,
) -> pd.DataFrame:
    stamps = dates.to_numpy().astype("datetime64[s]")
    months = stamps.astype("datetime64[M]").astype("datetime64[s]")
    if "category" in roles:
        names = table[roles["category"]].astype("str").where(table[roles["category"]].notna())
        names = names.str.strip().fillna(NOT_STATED)
    else:
        names = pd.Series(category or ALL_RECORDS, index=table.index, dtype="str")
    events: dict[str, Any] = {
        "easting": places.easting,
        "northing": places.northing,
        "period": months,
    }
    known = stamps[~np.isnat(stamps)]
    if len(known) and (known != known.astype("datetime64[M]")).any():
        events["time"] = stamps
    events["category"] = pd.Categorical(names.to_numpy(dtype=object))
    events["area_code"] = _area_codes(table, roles)
    if "count" in roles:
        events["count"] = to_numbers(table[roles["count"]]).to_numpy().astype("int64")
    return pd.DataFrame(events)


def _area_codes(table: pd.DataFrame, roles: Mapping[str, str]) -> Any:
    if "area_code" not in roles:
        nothing = pd.Series(None, index=table.index, dtype="object")
        return nothing.astype(_TEXT).array
    values = table[roles["area_code"]]
    return values.astype("str").where(values.notna()).str.strip().array


def _ambiguous(table: pd.DataFrame, roles: Mapping[str, str]) -> int:
    """Count dates whose day and month could be exchanged, where no other settles the order."""
    if "date" not in roles:
        return 0
    values = table[roles["date"]]
    if pd.api.types.is_datetime64_any_dtype(values):
        return 0
    british = to_dates(values)
    american = to_dates(values, order="american")
    if (british.notna() != american.notna()).any():
        return 0  # a day above 12 shows the order of the whole column
    return int((british.notna() & american.notna() & (british != american)).sum())


def _span(events: pd.DataFrame) -> dict[str, Any]:
    periods = events["period"].dropna()
    if periods.empty:
        return {"first_month": None, "last_month": None, "missing_months": ()}
    held = set(periods.dt.strftime("%Y-%m").unique())
    whole = [str(p) for p in pd.period_range(min(held), max(held), freq="M")]
    return {
        "first_month": min(held),
        "last_month": max(held),
        "missing_months": tuple(m for m in whole if m not in held),
    }
