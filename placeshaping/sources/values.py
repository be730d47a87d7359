"""Text into numbers, dates and postcodes, with what could not be read marked as missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    Column = pd.Series[Any]

DateOrder = Literal["british", "american"]

_POSTCODE = r"^(?:[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}|GIR0AA|BFPO\d{1,4})$"
"""Without its space; GIR 0AA is one of its own, BFPO and a number a post office of the forces."""

_EXCEL_EPOCH = pd.Timestamp("1899-12-30")
_DATE = re.compile(r"^(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{2}|\d{4})(?:[ T,]+(\d{1,2}:.*))?$")


def to_numbers(values: Column) -> Column:
    """
    Read numbers as people write them: thousands separators, percent and pound signs, brackets.

    What is no number becomes missing.

    Parameters
    ----------
    values
        A column of a table.

    Returns
    -------
    numbers
        Floats, with the index of `values`.

    Examples
    --------
    >>> to_numbers(pd.Series(["1,296", "12%", "(5)", "-", "2 500.5"])).to_list()
    [1296.0, 12.0, -5.0, nan, 2500.5]
    """
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return values.astype("float64")
    numbers = pd.to_numeric(values, errors="coerce")
    odd = numbers.isna() & values.notna()
    if odd.any():
        text = values[odd].astype("str").str.strip()
        text = text.str.replace("\u2212", "-", regex=False)
        text = text.str.replace(r"^\((.*)\)$", r"-\1", regex=True)
        text = text.str.replace(r"[£$%\s\u00a0\u202f]", "", regex=True)
        grouped = text.str.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
        text = text.where(~grouped, text.str.replace(",", "", regex=False))
        numbers = numbers.astype("float64")
        numbers[odd] = pd.to_numeric(text, errors="coerce")
    return numbers.astype("float64")


def to_dates(values: Column, *, order: DateOrder = "british") -> Column:
    """
    Read dates: ISO, day/month/year, month names, months alone, Excel's day numbers.

    Where day and month could be exchanged, `order` decides; a value that fits
    the other order alone (01/31/2024 in British order) is missing, not guessed.

    Parameters
    ----------
    values
        A column of a table.
    order
        ``"british"`` (day first) or ``"american"`` (month first).

    Returns
    -------
    dates
        Timestamps without zone, with the index of `values`.

    Examples
    --------
    >>> to_dates(pd.Series(["03/02/2024", "2024-02-03", "3 Feb 2024", "45325", "31/31/2024"])
    ...     ).dt.strftime("%d %b").to_list()
    ['03 Feb', '03 Feb', '03 Feb', '03 Feb', nan]
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        return _naive(values)
    if pd.api.types.is_numeric_dtype(values):
        values = values.astype("float64").map(lambda n: f"{n:g}" if n < 1e6 else f"{n:.0f}")
    text = values.astype("str").str.strip()
    distinct = pd.Series(text.dropna().unique(), dtype="str")
    iso = distinct.str.fullmatch(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")
    read = pd.to_datetime(distinct.where(iso), format="ISO8601", errors="coerce").dt.as_unit("s")
    if not iso.all():
        odd = [_one_date(value, order) for value in distinct[~iso]]
        read[~iso] = pd.Series(odd, index=distinct.index[~iso], dtype="datetime64[s]")
    stamps = pd.Series(read.to_numpy(), index=pd.Index(distinct))
    return text.map(stamps).astype("datetime64[s]")


def _naive(values: Column) -> Column:
    """Drop the time zone: clocks as they are read in London."""
    if values.dt.tz is not None:
        values = values.dt.tz_convert("Europe/London").dt.tz_localize(None)
    return values.dt.as_unit("s")


def _one_date(text: str, order: DateOrder) -> pd.Timestamp | None:
    found = _DATE.match(text)
    if found:
        first, second, year, clock = found.groups()
        day, month = (first, second) if order == "british" else (second, first)
        full = year if len(year) == 4 else f"20{year}"
        return _stamp(f"{full}-{int(month):02d}-{int(day):02d} {clock or ''}".strip())
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        days = float(text)
        return (_EXCEL_EPOCH + pd.Timedelta(days=days)).round("s") if days >= 20_000 else None
    if re.fullmatch(r"\d{6}", text):
        text = f"{text[:4]}-{text[4:]}"
    named = re.fullmatch(r"([A-Za-z]{3,9})[ \-](\d{2}|\d{4})", text)
    if named:
        year = named[2] if len(named[2]) == 4 else f"20{named[2]}"
        text = f"1 {named[1]} {year}"
    if re.fullmatch(r"\d{1,4}(\.\d*)?", text) and not re.fullmatch(r"(19|20)\d\d", text):
        return None
    if not re.search(r"\d", text) or re.match(r"^\d{1,2}[/.\-]", text):
        return None
    return _stamp(text)


def _stamp(text: str) -> pd.Timestamp | None:
    try:
        stamp = pd.Timestamp(text)
    except (ValueError, OverflowError):
        return None
    if pd.isna(stamp):
        return None
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert("Europe/London").tz_localize(None)
    return stamp if 1900 <= stamp.year <= 2200 else None


def to_postcodes(values: Column) -> Column:
    """
    Write postcodes in capitals with one space; what is no postcode becomes missing.

    Numbers of the British Forces Post Office (BFPO 12) are postcodes too.

    Parameters
    ----------
    values
        A column of a table.

    Returns
    -------
    postcodes
        Text, with the index of `values`.

    Examples
    --------
    >>> to_postcodes(pd.Series(["le1 6xx", " CO43SQ ", "n/a"])).to_list()
    ['LE1 6XX', 'CO4 3SQ', nan]
    """
    text = values.astype("str").str.upper().str.replace(r"[^A-Z0-9]", "", regex=True)
    valid = text.str.fullmatch(_POSTCODE).fillna(False).to_numpy(dtype=bool)
    forces = text.str.startswith("BFPO").eq(True)
    spaced = (text.str[:-3] + " " + text.str[-3:]).mask(forces, text.str[:4] + " " + text.str[4:])
    return spaced.where(valid)


def share_of(mask: Any) -> float:
    """
    Return the share of rows that are true.

    Parameters
    ----------
    mask
        One truth value a row.

    Returns
    -------
    share
        Between 0 and 1; 0 of no rows.

    Examples
    --------
    >>> share_of([True, False])
    0.5
    """
    flags = np.asarray(mask, dtype=bool)
    return float(flags.mean()) if flags.size else 0.0
