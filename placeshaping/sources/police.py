"""
Recorded crime as data.police.uk hands it out: monthly street-level CSV files of each force.

Known quirks of the files, all of them reported and none of them corrected in
silence: LSOA codes are of 2011 until early 2023 and of 2021 from June 2023,
mixed in between; some records have no coordinates; some points lie far off;
anti-social behaviour has no Crime ID, so that equal rows may be different
incidents at one published point.
"""

from __future__ import annotations

import os
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
from placeshaping._core.errors import EmptyError
from placeshaping._core.progress import track
from placeshaping.sources.archives import Member, Reader
from placeshaping.sources.offences import NOT_STATED, check_categories
from placeshaping.sources.police_files import Part, force_key, parse_part
from placeshaping.sources.police_members import (
    check_months,
    force_in_name,
    months_told,
    select_members,
    selection_told,
    street_members,
)
from placeshaping.sources.police_places import grid_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHARES = 6
"""Shares of the files for each thread: enough for all to end at about the same time."""

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
    span = check_months(months)
    forces, categories = _named(forces), _named(categories)
    wanted = None if forces is None else {force_key(name): name for name in forces}
    members = select_members(street_members(path), span, wanted, where=path.name)
    parts = _read(members)
    events, ids, lost = _assemble(parts)
    rows_read = len(events) + lost
    events, ids = _select_rows(events, ids, span, wanted, categories, where=path.name)
    keep, repeated = _without_repeats(events, ids)
    duplicates = int(events.pop("duplicate").sum())
    kept = int((events.pop("unnamed_duplicate") & keep).sum())
    events = events if keep.all() else events[keep].reset_index(drop=True)
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


def _read(members: list[Member]) -> list[Part]:
    """Unpack and parse a few files at a time, on all cores; the parts come in order."""
    workers = os.cpu_count() or 1
    few = -(-len(members) // (_SHARES * workers))
    shares = [members[start : start + few] for start in range(0, len(members), few)]
    with ThreadPoolExecutor(max_workers=workers) as pool:
        read = pool.map(_read_share, shares)
        tracked = track(read, label="Reading records", total=len(shares))
        return [part for share in tracked for part in share]


def _read_share(members: list[Member]) -> list[Part]:
    parts = []
    with Reader() as reader:
        for member in members:
            force = force_in_name(member.name)
            parts.append(parse_part(reader.read(member), force=force, where=member.place))
    return parts


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
        what = [selection_told(span, wanted), *(chosen if categories is not None else [])]
        msg = (
            f"{where} has no record of the selection ({', '.join(filter(None, what)) or 'all'}). "
            f"It holds {months_told(held['month'])} of {listed(held['force'])}, "
            f"with {listed(present, most=16)}."
        )
        raise EmptyError(msg)
    if not keep.all():
        events, ids = events[keep].reset_index(drop=True), ids[keep]
    names = sorted(chosen) if categories is not None else _occurring(events["category"])
    events["category"] = events["category"].cat.set_categories(names)
    return events, ids


def _occurring(values: pd.Series[Any]) -> list[str]:
    """Return the categories that occur, sorted."""
    used = np.bincount(values.cat.codes, minlength=len(values.cat.categories)) > 0
    return sorted(values.cat.categories[used])


def _without_repeats(
    events: pd.DataFrame, ids: NDArray[np.uint64]
) -> tuple[NDArray[np.bool_], int]:
    """Keep one row for each Crime ID and category: the first located, else the first."""
    keep = np.ones(len(events), dtype=bool)
    named = np.flatnonzero(ids)
    named = named[pd.Series(ids[named]).duplicated(keep=False).to_numpy()]
    category = events["category"].cat.codes.to_numpy()
    key = pd.DataFrame({"id": ids[named], "category": category[named]})
    again = key.duplicated(keep=False).to_numpy()
    if not again.any():
        return keep, 0
    rows = named[again]
    order = np.argsort(np.isnan(events["longitude"].to_numpy()[rows]), kind="stable")
    spare = key[again].iloc[order].duplicated().to_numpy()
    keep[rows[order][spare]] = False
    return keep, int((~keep).sum())


def _locate(events: pd.DataFrame) -> int:
    """Give the events their place on the grid and their period; count points off the map."""
    x = events.pop("longitude").to_numpy()
    y = events.pop("latitude").to_numpy()
    easting, northing = grid_places(x, y)
    events.insert(0, "easting", easting)
    events.insert(1, "northing", northing)
    month = events.pop("month")
    first_days = pd.to_datetime(pd.Series(month.cat.categories) + "-01").to_numpy()
    events.insert(2, "period", first_days[month.cat.codes.to_numpy()].astype("datetime64[s]"))
    return int((np.isfinite(x) & np.isfinite(y) & np.isnan(easting)).sum())


def _describe(events: pd.DataFrame, span: tuple[str, str] | None) -> dict[str, Any]:
    month, first_days = pd.factorize(events["period"].to_numpy(), sort=True)
    held = pd.DatetimeIndex(first_days).strftime("%Y-%m").tolist()
    first, last = span or (held[0], held[-1])
    whole = [str(p) for p in pd.period_range(first, last, freq="M")]
    by_force = _missing_by_force(events["force"], month, held)
    code, codes = pd.factorize(events["area_code"])
    newer = np.array([*map(made_for_2021, codes), False])  # the last is for "no code"
    coded = np.bincount(month[code >= 0], minlength=len(held)).tolist()
    of_2021 = np.bincount(month[newer[code]], minlength=len(held)).tolist()
    return {
        "vintages": dict(zip(held, map(vintage_in_month, held, coded, of_2021), strict=True)),
        "coded_2021": dict(zip(held, of_2021, strict=True)),
        "missing_months": tuple(m for m in whole if m not in set(held)),
        "missing_by_force": {force: gone for force, gone in by_force.items() if gone},
        "forces": tuple(sorted(by_force)),
        "categories": tuple(_occurring(events["category"])),
        "without_category": int((events["category"] == NOT_STATED).sum()),
        "first_month": held[0],
        "last_month": held[-1],
    }


def _missing_by_force(
    forces: pd.Series[Any], month: NDArray[np.intp], held: list[str]
) -> dict[str, tuple[str, ...]]:
    """Return for each force that has rows the months, of those held, for which it has none."""
    names = forces.cat.categories
    present = np.zeros((len(names), len(held)), dtype=bool)
    present[forces.cat.codes, month] = True
    return {
        str(name): tuple(m for m, has in zip(held, row, strict=True) if not has)
        for name, row in zip(names, present, strict=True)
        if row.any()
    }


def vintage_in_month(month: str, coded: int, of_2021: int) -> str:
    """
    Tell of which census year the LSOA codes of a month are.

    Parameters
    ----------
    month
        As ``"2023-01"``.
    coded, of_2021
        Records that have a code; those among them whose code did not exist before 2021.

    Returns
    -------
    vintage
        ``"2011"``, ``"2021"``, ``"mixed"``, or ``"unknown"`` where no code tells.

    Examples
    --------
    >>> vintage_in_month("2023-01", 100, 0), vintage_in_month("2023-06", 100, 4)
    ('2011', '2021')
    """
    if not coded:
        return "unknown"
    if not of_2021:
        return "2011" if month < _SWITCH else "unknown"
    return "2021" if month >= _SWITCH else "mixed"
