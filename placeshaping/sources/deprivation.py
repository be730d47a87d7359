"""
Indices of deprivation by LSOA, for audit and description alone.

The English Indices of 2019 (LSOA 2011) and 2025 (LSOA 2021) in the layouts of
their files 1, 2 and 7, tables with shortened names, and the composite index of
the United Kingdom. Rank 1 and decile 1 are the most deprived. Every column is
tagged ``audit_only``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeshaping._core.checks import check_unique, listed, near_names
from placeshaping._core.columns import tag_columns
from placeshaping._core.errors import ColumnError
from placeshaping.sources.code_columns import CodeColumns, find_area_column, vintage_of
from placeshaping.sources.tabular import read_table
from placeshaping.sources.values import to_numbers

if TYPE_CHECKING:
    from placeshaping._core.codes import Vintage

DOMAINS: tuple[str, ...] = (
    "imd", "income", "employment", "education", "health", "crime", "housing", "environment",
)  # fmt: skip
"""The index and its seven domains, as columns begin with them."""

MEASURES: tuple[str, ...] = ("rank", "decile", "score")
"""What is told of each, as columns end with it."""

_STARTS = {
    "index of multiple deprivation": "imd",
    "imd": "imd",
    "income": "income",
    "employment": "employment",
    "education": "education",
    "health": "health",
    "crime": "crime",
    "barriers to housing": "housing",
    "housing": "housing",
    "living environment": "environment",
    "environment": "environment",
}
_SKIPPED = re.compile(r"sub ?domain|idaci|idaopi|affecting|quintile|numerator|denominator")
_COMPOSITE = re.compile(r"^uk imd [ewsn] (score|rank|pop decile)$")


@dataclass(frozen=True)
class DeprivationReport:
    """
    What was read from a table of deprivation.

    Attributes
    ----------
    name
        Base name of the file.
    areas
        Areas read.
    edition
        ``"2015"``, ``"2019"``, ``"2025"``, ``"composite"``, or ``None``.
    vintage
        Census year of the area codes, or ``None``.
    code_column
        The column of area codes.
    columns
        Column of the result to column of the file.
    missing
        Column of the result to how many areas lack a value, where any does.
    empty_rows
        Rows without any value or without a code, which were left out.
    """

    name: str
    areas: int
    edition: str | None
    vintage: str | None
    code_column: str
    columns: Mapping[str, str]
    missing: Mapping[str, int]
    empty_rows: int


def read_deprivation(path: str | Path, *, sheet: str | None = None) -> pd.DataFrame:
    r"""
    Read an index of deprivation.

    Parameters
    ----------
    path
        CSV (gzipped or not), XLSX or Parquet.
    sheet
        The sheet of a workbook; the largest where not given.

    Returns
    -------
    deprivation
        Index `area_code`; of `imd_rank`, `imd_decile`, `imd_score`, `income_rank`,
        ... those that the file has; all tagged ``audit_only``. ``attrs``:
        `vintage`, `edition`, `report` (`DeprivationReport`).

    Raises
    ------
    MissingFileError, FileFormatError, EmptyError
        If there is no such file, or it is no table.
    ColumnError
        If it holds no index of deprivation, or 1 is the least deprived in it.
    DuplicateError
        If an area stands twice.
    VintageError
        If a column that says 2011 holds codes made for 2021.

    Examples
    --------
    >>> import tempfile
    >>> name = "Index of Multiple Deprivation (IMD) Rank"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "iod.csv"
    ...     _ = path.write_text(f'LSOA code (2011),{name}\nE01000001,"29,199"\n')
    ...     table = read_deprivation(path)
    >>> table["imd_rank"].to_dict(), table.attrs["edition"]
    ({'E01000001': 29199}, '2019')
    """
    table = read_table(path, sheet=sheet)
    found = table.attrs["report"]
    columns = find_area_column(table, where=found.name)
    chosen, composite = _choose(table, where=found.name)
    coded = table[table[columns.code].notna()]
    index = pd.Index(coded[columns.code].astype("str").str.strip(), name="area_code", dtype="str")
    check_unique(index, where=found.name)
    vintage = vintage_of(index, columns, where=found.name)
    if composite and vintage is None:
        vintage = "2011"
    values = {
        name: _column(coded[source], source, name, where=found.name)
        for name, source in chosen.items()
    }
    result = pd.DataFrame({name: column.to_numpy() for name, column in values.items()}, index=index)
    _check_direction(result, where=found.name)
    edition = "composite" if composite else _edition(table, columns, vintage)
    tag_columns(result, dict.fromkeys(result.columns, "audit_only"))
    missing = {str(name): int(gaps) for name, gaps in result.isna().sum().items() if gaps}
    result.attrs["vintage"] = vintage
    result.attrs["edition"] = edition
    result.attrs["report"] = DeprivationReport(
        name=found.name,
        areas=len(result),
        edition=edition,
        vintage=vintage,
        code_column=columns.code,
        columns=chosen,
        missing=missing,
        empty_rows=found.empty_rows + len(table) - len(coded),
    )
    return result


def find_deprivation_columns(names: list[str]) -> dict[str, str]:
    """
    Recognise the columns of an index of deprivation: standard name to name in the file.

    Parameters
    ----------
    names
        Names of the columns in the file.

    Returns
    -------
    columns
        Standard name to name in the file.

    Examples
    --------
    >>> find_deprivation_columns(["Income Rank (where 1 is most deprived)", "IMD_decile"])
    {'imd_decile': 'IMD_decile', 'income_rank': 'Income Rank (where 1 is most deprived)'}
    """
    held: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[\W_]+", " ", name.casefold()).strip()
        measure = re.search(r"\b(rank|decile|score)\b", plain)
        if measure is None or _SKIPPED.search(plain):
            continue
        domain = next((d for start, d in _STARTS.items() if plain.startswith(start)), None)
        if domain is not None:
            held.setdefault(f"{domain}_{measure.group(1)}", name)
    order = [f"{domain}_{measure}" for domain in DOMAINS for measure in MEASURES]
    return {name: held[name] for name in order if name in held}


def _choose(table: pd.DataFrame, *, where: str) -> tuple[dict[str, str], bool]:
    names = [str(name) for name in table.columns]
    plain = {name: re.sub(r"[\W_]+", " ", name.casefold()).strip() for name in names}
    chosen = find_deprivation_columns(names)
    composite = {
        f"imd_{found.group(1).rpartition(' ')[2]}": name
        for name in names
        if (found := _COMPOSITE.match(plain[name]))
    }
    if composite:
        order = [name for name in ("imd_rank", "imd_decile", "imd_score") if name in composite]
        return {**{name: composite[name] for name in order}, **chosen}, True
    if not any(name.startswith("imd_") for name in chosen):
        near = near_names("Index of Multiple Deprivation (IMD) Rank", names)
        hint = f"Is it {listed(near)}?" if near else f"It has: {listed(names, most=12)}."
        msg = f"{where} has no index of deprivation (IMD rank, decile or score). {hint}"
        raise ColumnError(msg)
    return chosen, False


def _column(values: pd.Series[Any], source: str, name: str, *, where: str) -> pd.Series[Any]:
    """Read one column; ranks and deciles are whole numbers from 1."""
    numbers = to_numbers(values)
    lost = numbers.isna() & values.notna()
    if lost.any():
        msg = (
            f"{where}: {int(lost.sum()):,} values of {source!r} are no numbers "
            f"({listed(list(values[lost].unique()), most=3)}). Correct or empty them."
        )
        raise ColumnError(msg)
    if name.endswith("_score"):
        return numbers
    highest = 10 if name.endswith("_decile") else float("inf")
    wrong = (numbers < 1) | (numbers > highest)
    if wrong.any():
        msg = (
            f"{where}: {int(wrong.sum()):,} values of {source!r}, like {numbers[wrong].iloc[0]:g}, "
            f"are no {name.rpartition('_')[2]}. Check the columns."
        )
        raise ColumnError(msg)
    whole = numbers.notna().all() and bool((numbers % 1 == 0).all())
    return numbers.astype("int64") if whole else numbers


def _check_direction(table: pd.DataFrame, *, where: str) -> None:
    """Refuse an index in which 1 is the least deprived: maps would say the reverse."""
    for first, second, sign in (
        ("imd_rank", "imd_decile", 1),
        ("imd_rank", "imd_score", -1),
        ("imd_decile", "imd_score", -1),
    ):
        if not {first, second} <= set(table.columns) or len(table) < 10:
            continue
        along = table[first].corr(table[second], method="spearman") if _varied(table, first) else 0
        if along * sign < -0.5:
            msg = (
                f"{where}: {first} and {second} run against each other. Rank 1 and decile 1 must "
                "be the most deprived, and a higher score more deprived. Turn the column round."
            )
            raise ColumnError(msg)


def _varied(table: pd.DataFrame, name: str) -> bool:
    return len(table[name].dropna().unique()) > 1


def _edition(table: pd.DataFrame, columns: CodeColumns, vintage: Vintage | None) -> str | None:
    years = {
        year
        for name in table.columns
        if "district" in str(name).casefold()
        for year in re.findall(r"\((\d{4})\)", str(name))
    }
    if "2013" in years:
        return "2015"
    if columns.vintage is None and vintage is None:
        return None
    return {"2011": "2019", "2021": "2025"}.get(vintage or "")
