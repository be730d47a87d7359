"""
Recorded crime as data.police.uk hands it out: monthly street-level CSV files of each force.

Known quirks of the files, all of them reported and none of them corrected in
silence: LSOA codes are of 2011 until early 2023 and of 2021 from June 2023,
mixed in between; some records have no coordinates; some points lie far off;
anti-social behaviour has no Crime ID, so that equal rows may be different
incidents at one published point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from placeshaping._core.checks import listed
from placeshaping._core.codes import made_for_2021
from placeshaping._core.crs import DEGREE_BOUNDS, to_grid
from placeshaping._core.errors import DuplicateError, EmptyError, RecipeError
from placeshaping._core.progress import track
from placeshaping.sources.archives import Member, Reader, list_members
from placeshaping.sources.offences import NOT_STATED, check_categories
from placeshaping.sources.police_files import Part, force_key, parse_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STREET = re.compile(r"^(\d{4}-\d{2})-(.+)-street\.csv$", re.IGNORECASE)
_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_SWITCH = "2023-06"  # from this month on police.uk gives codes of 2021 (data.police.uk changelog)


@dataclass(frozen=True)
class PoliceReport:
    """
    What was read from police.uk files, what was left out, and what is odd about it.

    Attributes
    ----------
    files
        Base names of the files that were read.
    rows_read
        Rows in those files.
    rows_kept
        Rows of the result.
    not_selected
        Rows of other months, forces or categories in the files that were read.
    duplicates
        Rows equal in every column to an earlier one.
    duplicates_kept
        Those among them that were kept, having no Crime ID.
    repeated_crime_ids
        Rows left out because their Crime ID and category stand in another row.
    without_coordinates
        Kept rows that have no coordinates.
    outside
        Kept rows whose coordinates lie outside the United Kingdom (0, 0 among them).
    without_category, without_month
        Kept rows that state no category; rows left out that state no month.
    vintages
        For each month the vintage of its LSOA codes: ``"2011"``, ``"2021"``,
        ``"mixed"``, or ``"unknown"`` where no row has one.
    coded_2021
        For each month how many rows bear a code that did not exist before 2021.
    missing_months
        Months of the selected span for which there is no row at all.
    missing_by_force
        Months of the span for which one force has no row while another has.
    forces, categories
        Forces and categories of the kept rows.
    first_month, last_month
        Of the kept rows, as ``"2023-01"``.
    """

    files: tuple[str, ...]
    rows_read: int
    rows_kept: int
    not_selected: int
    duplicates: int
    duplicates_kept: int
    repeated_crime_ids: int
    without_coordinates: int
    outside: int
    without_category: int
    without_month: int
    vintages: Mapping[str, str]
    coded_2021: Mapping[str, int]
    missing_months: tuple[str, ...]
    missing_by_force: Mapping[str, tuple[str, ...]]
    forces: tuple[str, ...]
    categories: tuple[str, ...]
    first_month: str
    last_month: str


def read_police(
    path: str | Path,
    *,
    months: tuple[str, str] | None = None,
    forces: str | Sequence[str] | None = None,
    categories: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    r"""
    Read recorded crime from police.uk files.

    A Crime ID names one recorded crime: of the rows that share an ID and a
    category, the first that has coordinates stays (else the first). Rows of
    one ID in different categories stay, being different offences. Rows
    without an ID all stay, equal or not.

    Parameters
    ----------
    path
        A ZIP archive as downloaded, the folder unpacked from it, a folder of
        archives, or one CSV file. Outcome and stop-and-search files are passed over.
    months
        First and last month to keep, as ``("2023-01", "2025-12")``.
    forces
        Forces to keep, by file name (``"essex"``) or by name (``"Essex Police"``);
        one, or a list.
    categories
        Categories to keep, one or a list; spelling and case of earlier years are
        understood.

    Returns
    -------
    events
        One row an event: `easting`, `northing` (metres, EPSG:27700; missing
        where not located in the United Kingdom), `period` (first of the
        month), `category`, `area_code` (the published LSOA code or missing),
        `force`. ``attrs["report"]`` holds a `PoliceReport`.

    Raises
    ------
    MissingFileError, FileFormatError
        If there is no such file, or it is damaged.
    ColumnError
        If a file lacks a column, or a category is unknown.
    DuplicateError
        If a month of a force stands in two files.
    EmptyError
        If nothing is left by the selection.

    Examples
    --------
    >>> import tempfile
    >>> text = (
    ...     "Crime ID,Month,Reported by,Longitude,Latitude,LSOA code,Crime type\n"
    ...     "a1,2024-01,Essex Police,0.9,51.9,E01021637,Burglary\n"
    ...     ",2024-01,Essex Police,,,,Anti-social behaviour\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "2024-01-essex-street.csv").write_text(text)
    ...     events = read_police(folder)
    >>> events[["category", "area_code"]].iloc[0].to_list()
    ['Burglary', 'E01021637']
    >>> events.attrs["report"].without_coordinates
    1
    """
    path = Path(path)
    span = _check_months(months)
    forces, categories = _named(forces), _named(categories)
    wanted = None if forces is None else {force_key(name): name for name in forces}
    members = _select(_street_members(path), span, wanted, where=path.name)
    parts = _read(members)
    events, ids, lost = _assemble(parts)
    rows_read = len(events) + lost
    events, ids = _select_rows(events, ids, span, wanted, categories, where=path.name)
    keep, repeated = _without_repeats(events, ids)
    duplicates = int(events.pop("duplicate").sum())
    kept = int((events.pop("unnamed_duplicate") & keep).sum())
    events = events[keep].reset_index(drop=True)
    outside = _locate(events)
    events.attrs["report"] = PoliceReport(
        files=tuple(member.name for member in members),
        rows_read=rows_read,
        rows_kept=len(events),
        not_selected=rows_read - lost - repeated - len(events),
        duplicates=duplicates,
        duplicates_kept=kept,
        repeated_crime_ids=repeated,
        without_coordinates=int(events["easting"].isna().sum()) - outside,
        outside=outside,
        without_month=lost,
        **_describe(events, span),
    )
    return events


def _named(given: str | Sequence[str] | None) -> Sequence[str] | None:
    """Take a single text as one name, not as its letters."""
    return [given] if isinstance(given, str) else given


def _check_months(months: tuple[str, str] | None) -> tuple[str, str] | None:
    if months is None:
        return None
    first, last = months
    for month in (first, last):
        if not _MONTH.match(month):
            msg = f"{month!r} is not a month. Write it as 2023-01."
            raise RecipeError(msg)
    if first > last:
        msg = f"The first month, {first}, comes after the last, {last}. Exchange them."
        raise RecipeError(msg)
    return first, last


def _street_members(path: Path) -> list[Member]:
    found = list_members(path)
    street = [member for member in found if member.name.casefold().endswith("-street.csv")]
    if not street and path.is_file() and len(found) == 1 and found[0].inside is None:
        return found  # a single CSV file may have any name
    if not street:
        names = [member.name for member in found]
        held = f"it holds {listed(names)}" if names else "it holds no CSV file"
        msg = (
            f"{path.name} has no street-level file (named like 2024-01-essex-street.csv); {held}. "
            "Tick 'Include crime data' when downloading from data.police.uk."
        )
        raise EmptyError(msg)
    names = [member.name.casefold() for member in street]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        places = [member.place for member in street if member.name.casefold() == twice[0]]
        msg = (
            f"{len(twice):,} files stand more than once under {path.name} ({listed(twice)}), "
            f"for example as {listed(places)}. Keep one of each, or every record counts twice."
        )
        raise DuplicateError(msg)
    return street


def _select(
    members: list[Member],
    span: tuple[str, str] | None,
    wanted: Mapping[str, str] | None,
    *,
    where: str,
) -> list[Member]:
    """Keep the files that can hold something wanted, going by their names."""
    chosen, held_months, held_forces = [], set(), set()
    for member in members:
        found = _STREET.match(member.name)
        if found is None:
            chosen.append(member)
            continue
        month, force = found.groups()
        held_months.add(month)
        held_forces.add(force)
        in_span = span is None or span[0] <= month <= span[1]
        if in_span and (wanted is None or force_key(force) in wanted):
            chosen.append(member)
    if not chosen:
        msg = f"{where} has nothing of the selection ({_asked(span, wanted)}). It holds "
        raise EmptyError(msg + f"{_spans(held_months)} of {listed(sorted(held_forces))}.")
    if wanted is not None and held_forces:
        absent = [name for key, name in wanted.items() if key not in map(force_key, held_forces)]
        if absent and len(chosen) == len([m for m in chosen if _STREET.match(m.name)]):
            msg = f"{where} has no force {listed(absent)}. It holds {listed(sorted(held_forces))}."
            raise EmptyError(msg)
    return chosen


def _asked(span: tuple[str, str] | None, wanted: Mapping[str, str] | None) -> str:
    asked = [] if span is None else [f"{span[0]} to {span[1]}"]
    return ", ".join([*asked, *(wanted or {}).values()])


def _spans(months: set[str]) -> str:
    return f"{min(months)} to {max(months)} ({len(months):,} months)" if months else "no month"


def _read(members: list[Member]) -> list[Part]:
    """Unpack one file after another, parsing those before it meanwhile."""
    parts = []
    with Reader() as reader, ThreadPoolExecutor(max_workers=2) as pool:
        for member in track(members, label="Reading records", total=len(members)):
            found = _STREET.match(member.name)
            force = None if found is None else found.group(2)
            raw = reader.read(member)
            parts.append(pool.submit(parse_part, raw, force=force, where=member.place))
        return [part.result() for part in parts]


def _assemble(parts: list[Part]) -> tuple[pd.DataFrame, NDArray[np.uint64], int]:
    """Put the parts under each other; rows without a month are left out and counted."""
    columns = {}
    for name in parts[0].table.columns:
        pieces = [part.table[name] for part in parts]
        if name in {"category", "force", "month"}:
            columns[name] = pd.Series(union_categoricals(pieces, sort_categories=True))
        else:
            columns[name] = pd.concat(pieces, ignore_index=True)
    table = pd.DataFrame(columns)
    ids = np.concatenate([part.ids for part in parts])
    stated = table["month"].notna().to_numpy()
    if stated.all():
        return table, ids, 0
    return table[stated].reset_index(drop=True), ids[stated], int((~stated).sum())


def _select_rows(
    events: pd.DataFrame,
    ids: NDArray[np.uint64],
    span: tuple[str, str] | None,
    wanted: Mapping[str, str] | None,
    categories: Sequence[str] | None,
    *,
    where: str,
) -> tuple[pd.DataFrame, NDArray[np.uint64]]:
    keep = np.ones(len(events), dtype=bool)
    held = {column: list(events[column].cat.categories) for column in ("month", "force")}
    if span is not None:
        inside = [month for month in held["month"] if span[0] <= month <= span[1]]
        keep &= events["month"].isin(inside).to_numpy()
    if wanted is not None:
        ours = [force for force in held["force"] if force_key(force) in wanted]
        keep &= events["force"].isin(ours).to_numpy()
    present = list(events["category"].cat.categories)
    chosen = present if categories is None else check_categories(categories, present)
    if categories is not None:
        keep &= events["category"].isin(chosen).to_numpy()
    if not keep.any():
        what = [_asked(span, wanted), *(chosen if categories is not None else [])]
        msg = (
            f"{where} has no record of the selection ({', '.join(filter(None, what)) or 'all'}). "
            f"It holds {_spans(set(held['month']))} of {listed(held['force'])}, "
            f"with {listed(present, most=16)}."
        )
        raise EmptyError(msg)
    if not keep.all():
        events, ids = events[keep].reset_index(drop=True), ids[keep]
    names = sorted(chosen) if categories is not None else sorted(set(events["category"]))
    events["category"] = events["category"].cat.set_categories(names)
    return events, ids


def _without_repeats(
    events: pd.DataFrame, ids: NDArray[np.uint64]
) -> tuple[NDArray[np.bool_], int]:
    """Keep one row for each Crime ID and category: the first located, else the first."""
    category = events["category"].cat.codes.to_numpy()
    named = np.flatnonzero(ids)
    key = pd.DataFrame({"id": ids[named], "category": category[named]})
    again = key.duplicated(keep=False).to_numpy()
    keep = np.ones(len(events), dtype=bool)
    if not again.any():
        return keep, 0
    rows = named[again]
    order = np.argsort(np.isnan(events["longitude"].to_numpy()[rows]), kind="stable")
    spare = key[again].iloc[order].duplicated().to_numpy()
    keep[rows[order][spare]] = False
    return keep, int((~keep).sum())


def _locate(events: pd.DataFrame) -> int:
    """Turn longitude and latitude into easting and northing; count points off the map."""
    x = events.pop("longitude").to_numpy()
    y = events.pop("latitude").to_numpy()
    west, south, east, north = DEGREE_BOUNDS
    known = np.isfinite(x) & np.isfinite(y)
    inside = known & (x >= west) & (x <= east) & (y >= south) & (y <= north)
    easting, northing = np.full(len(x), np.nan), np.full(len(x), np.nan)
    # Crimes are published at a few thousand snap points: transform each of those once.
    points, back = np.unique(x[inside] + 1j * y[inside], return_inverse=True)
    grid_x, grid_y = to_grid(points.real, points.imag)
    easting[inside], northing[inside] = grid_x[back], grid_y[back]
    events.insert(0, "easting", easting)
    events.insert(1, "northing", northing)
    month = events.pop("month")
    first_days = pd.to_datetime(pd.Series(month.cat.categories) + "-01").to_numpy()
    events.insert(2, "period", first_days[month.cat.codes.to_numpy()].astype("datetime64[s]"))
    return int((known & ~inside).sum())


def _describe(events: pd.DataFrame, span: tuple[str, str] | None) -> dict[str, Any]:
    first_days, back = np.unique(events["period"].to_numpy(), return_inverse=True)
    labels = pd.DatetimeIndex(first_days).strftime("%Y-%m")
    month = pd.Series(pd.Categorical.from_codes(back, labels), index=events.index)
    held = sorted(set(month.cat.categories))
    first, last = span or (held[0], held[-1])
    whole = [str(p) for p in pd.period_range(first, last, freq="M")]
    by_force = {
        str(force): tuple(m for m in held if m not in set(group.unique()))
        for force, group in month.groupby(events["force"], observed=True)
    }
    codes = events["area_code"]
    new = {code for code in codes.dropna().unique() if made_for_2021(code)}
    coded = codes.notna().groupby(month, observed=True).sum()
    of_2021 = codes.isin(new).groupby(month, observed=True).sum()
    return {
        "vintages": {m: _vintage(m, int(coded[m]), int(of_2021[m])) for m in held},
        "coded_2021": {m: int(of_2021[m]) for m in held},
        "missing_months": tuple(m for m in whole if m not in set(held)),
        "missing_by_force": {force: gone for force, gone in by_force.items() if gone},
        "forces": tuple(sorted(by_force)),
        "categories": tuple(events["category"].cat.remove_unused_categories().cat.categories),
        "without_category": int((events["category"] == NOT_STATED).sum()),
        "first_month": held[0],
        "last_month": held[-1],
    }


def _vintage(month: str, coded: int, of_2021: int) -> str:
    if not coded:
        return "unknown"
    if not of_2021:
        return "2011" if month < _SWITCH else "unknown"
    return "2021" if month >= _SWITCH else "mixed"
