"""
Residents and households by area: the denominators of rates.

From the census (Nomis tables, or long tables with one row an area and
category), mid-year estimates by single year of age, the denominators of the
Indices of Deprivation, or any table with area codes and counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.columns import tag_columns
from placeshaping._core.errors import ColumnError, DuplicateError
from placeshaping.sources.code_columns import find_area_column, holds_area_codes, vintage_of
from placeshaping.sources.deprivation import find_deprivation_columns
from placeshaping.sources.tabular import read_table
from placeshaping.sources.values import to_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESIDENTS = (
    r"(total |all |usual |number of |all usual )?residents",
    r"(total |all |mid year |resident )?population( total)?( mid \d{4})?( excluding prisoners)?",
    r"all ages|all persons|persons|total persons",
    r"residence type total( measures value)?",
    r"(sex|age) (total|all persons|all categories \w+)( measures value)?",
    r"total( all usual residents)?( measures value)?",
    r"obs value|observation",
)
_HOUSEHOLDS = (
    r"(total |all |number of )?households",
    r".*total all households( measures value)?",
    r"(household \w+|tenure( of household)?|accommodation type) total.*",
)
_OWN_CODES = (
    r"(\w+ )*(beat|area|sector|zone|neighbourhood|locality|patch|ward)? ?code",
    r"(\w+ )*(beat|area|sector|zone|neighbourhood|locality|patch|ward)"
    r"( (id|ref|reference|number|no))?",
)
_NO_CODES = re.compile(r"post ?code|population|km2|hectare|sq")
_AGE = re.compile(r"^(?:age )?(\d{1,3})(?: ?plus| and over|\+)?$")
_COMPOSITION = re.compile(
    r"ethnic|religio|disab|country of birth|passport|language|nationality|sexual|gender ident"
)


@dataclass(frozen=True)
class PopulationReport:
    """
    What was read from a table of population.

    Attributes
    ----------
    name
        Base name of the file.
    rows
        Rows read.
    areas
        Areas of the result.
    columns
        Column of the result to column (or range of columns) of the file.
    code_column
        The column of area codes.
    vintage
        Census year of the codes, or ``None``.
    missing
        Column of the result to how many areas lack a value, where any does.
    without_code
        Rows left out because they have no code.
    source_of
        Where the numbers come from, in words, when the file is one of another
        kind: the denominators of the Indices of Deprivation; else ``None``.
    """

    name: str
    rows: int
    areas: int
    columns: Mapping[str, str]
    code_column: str
    vintage: str | None
    missing: Mapping[str, int]
    without_code: int
    source_of: str | None = None


def read_population(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    code: str | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    r"""
    Read residents or households by area.

    Parameters
    ----------
    path
        CSV (gzipped or not), XLSX or Parquet.
    columns
        Column of the result to column of the file, such as ``{"residents": "Pop 2024"}``;
        recognised where not given.
    code
        The column of area codes. Where not given it is recognised by its name
        or by official codes in it; failing that it is the one column named
        like a code, beat, area, sector, zone, neighbourhood, locality, patch or
        ward whose values are all there, all different and no measurements.
    sheet
        The sheet of a workbook; the largest where not given.

    Returns
    -------
    population
        Index `area_code`, columns `residents` or `households` or both (or those
        of `columns`). Census composition asked for by `columns` (ethnic group,
        disability, religion, ...) is tagged ``audit_only``. ``attrs``:
        `vintage`, `report` (`PopulationReport`).

    Raises
    ------
    MissingFileError, FileFormatError, EmptyError
        If there is no such file, or it is no table.
    ColumnError
        If no count is recognised, or a column is missing or holds no counts.
    DuplicateError
        If an area stands twice with unlike totals.
    VintageError
        If a column that says 2011 holds codes made for 2021.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "people.csv"
    ...     _ = path.write_text("LSOA21CD,residents\nE01000001,\"1,474\"\n")
    ...     population = read_population(path)
    >>> population["residents"].to_dict(), population.attrs["vintage"]
    ({'E01000001': 1474}, '2021')
    """
    table = read_table(path, sheet=sheet)
    found = table.attrs["report"]
    if code is None and not holds_area_codes(table):
        code = find_own_codes(table)
    area = find_area_column(table, code=code, where=found.name)
    coded = table[table[area.code].notna()]
    codes = coded[area.code].astype("str").str.strip()
    counts, sources = _counts(coded.drop(columns=area.code), columns, where=found.name)
    result = _one_row_each(counts, codes.to_numpy(), where=found.name)
    vintage = vintage_of(result.index, area, where=found.name)
    composition = [n for n, source in sources.items() if _COMPOSITION.search(_plain(source))]
    tag_columns(result, dict.fromkeys(composition, "audit_only"))
    result.attrs["vintage"] = vintage
    result.attrs["report"] = PopulationReport(
        name=found.name,
        rows=len(table),
        areas=len(result),
        columns=sources,
        code_column=area.code,
        vintage=vintage,
        missing={str(n): int(gaps) for n, gaps in result.isna().sum().items() if gaps},
        without_code=len(table) - len(coded),
        source_of=_source_of(table, sources),
    )
    return result


def _source_of(table: pd.DataFrame, sources: Mapping[str, str]) -> str | None:
    """Say so where population comes along with the Indices of Deprivation."""
    if not any(name.startswith("imd_") for name in find_deprivation_columns(list(table.columns))):
        return None
    years = {year for name in sources.values() for year in re.findall(r"mid[ -]?(\d{4})", name)}
    dated = f", mid-{' and mid-'.join(sorted(years))}" if years else ""
    return f"denominators of the Indices of Deprivation{dated}"


def find_own_codes(table: pd.DataFrame) -> str | None:
    """
    Find the column of a council's own area codes, by its name and its values.

    Parameters
    ----------
    table
        The table, as `read_table` gives it.

    Returns
    -------
    column
        The one named like a code or an area, whose values are all there, all
        different, and no measurements; None where there is none, or several.

    Examples
    --------
    >>> find_own_codes(pd.DataFrame({"Beat": ["B1", "B2"], "residents": [10, 20]}))
    'Beat'
    """
    for pattern in _OWN_CODES:
        named = [
            str(name)
            for name in table.columns
            if re.fullmatch(pattern, _plain(str(name))) and not _NO_CODES.search(_plain(str(name)))
        ]
        fitting = [name for name in named if _names_rows(table[name], name)]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    return None


def _names_rows(values: pd.Series[Any], name: str) -> bool:
    """Tell whether a column can name its rows: complete, unique, and no sizes of areas."""
    if values.empty or values.isna().any() or not values.is_unique:
        return False
    numbers = to_numbers(values)
    measured = bool((numbers % 1 > 0).any())
    return not measured and not (_plain(name) == "area" and numbers.notna().all())


def find_population_columns(names: list[str]) -> dict[str, str]:
    """
    Recognise the columns of residents and households: standard name to name in the file.

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
    >>> find_population_columns(["Residence type: Total; measures: Value", "total_households"])
    {'residents': 'Residence type: Total; measures: Value', 'households': 'total_households'}
    """
    plain = {_plain(name): name for name in reversed(names)}
    found = {}
    for role, patterns in (("residents", _RESIDENTS), ("households", _HOUSEHOLDS)):
        for pattern in patterns:
            match = next((name for p, name in plain.items() if re.fullmatch(pattern, p)), None)
            if match is not None:
                found[role] = match
                break
    if "households" in found and _plain(found.get("residents", "")) in {"total", "obs value"}:
        del found["residents"]
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()


def _counts(
    table: pd.DataFrame, columns: Mapping[str, str] | None, *, where: str
) -> tuple[pd.DataFrame, dict[str, str]]:
    names = [str(name) for name in table.columns]
    if columns is not None:
        check_columns(names, columns.values(), where=where)
        chosen = dict(columns)
    else:
        chosen = find_population_columns(names)
    if chosen:
        read = {to: _numbers(table[source], source, where=where) for to, source in chosen.items()}
        return pd.DataFrame(read), chosen
    ages = [name for name in names if _AGE.match(_plain(name)) or re.fullmatch(r"\d+\+", name)]
    if len(ages) < 10:
        msg = (
            f"{where} has no column of residents or households that is recognised "
            f"({listed(names, most=12)}). Name it with columns={{'residents': ...}}."
        )
        raise ColumnError(msg)
    total = sum((_numbers(table[name], name, where=where) for name in ages[1:]),
                _numbers(table[ages[0]], ages[0], where=where))  # fmt: skip
    return pd.DataFrame({"residents": total}), {"residents": f"{ages[0]} to {ages[-1]}"}


def _numbers(values: pd.Series[Any], source: str, *, where: str) -> pd.Series[Any]:
    numbers = to_numbers(values)
    lost = (numbers.isna() & values.notna()) | (numbers < 0)
    if lost.any():
        shown = listed(list(values[lost].unique()), most=3)
        msg = f"{where}: {int(lost.sum()):,} values of {source!r} are no counts ({shown})."
        raise ColumnError(msg + " Correct or empty them.")
    return numbers


def _one_row_each(counts: pd.DataFrame, codes: NDArray[Any], *, where: str) -> pd.DataFrame:
    """Keep one row an area; a long table repeats the same total for each category."""
    table = counts.set_axis(pd.Index(codes, name="area_code", dtype="str"), axis=0)
    again = pd.DataFrame({"code": codes}).join(counts.reset_index(drop=True)).duplicated()
    first = table[~again.to_numpy()]
    if not first.index.is_unique:
        unlike = first.index[first.index.duplicated()].unique()
        msg = (
            f"{where}: {len(unlike):,} areas have more than one total ({listed(list(unlike))}). "
            "Keep one year and one category of each, or name the column of totals with "
            "columns=; in a recipe, give a file with one row an area."
        )
        raise DuplicateError(msg)
    whole = [n for n in first.columns if first[n].notna().all() and (first[n] % 1 == 0).all()]
    return first.astype(dict.fromkeys(whole, "int64"))
