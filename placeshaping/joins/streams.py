"""
Records past memory: read, placed and counted one partition after the other.

What stays in memory is the counts and, until the end, 16 bytes for each record
with a Crime ID: a 64-bit digest of it and the cell that its record went into.
Repeats are found when all partitions are in, and taken back from their cells.
So the record of a repeat that stays is the same as in memory, whichever
partitions the two lie in: the first with coordinates in the order of files and
rows, else the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import geopandas as gpd
import pandas as pd

from placeshaping._core.checks import check_choice
from placeshaping._core.errors import EmptyError
from placeshaping._core.progress import track
from placeshaping.joins._merging import Sums
from placeshaping.joins._partial import Counter, make_counter
from placeshaping.joins._streamed import finish
from placeshaping.joins.points import Outside
from placeshaping.sources.partitions import settle_sources
from placeshaping.sources.streams import (
    CHUNK_ROWS,
    Partition,
    RecordSource,
    plan_partitions,
)
from placeshaping.sources.values import DateOrder

Records = str | Path | RecordSource | Sequence[str | Path | RecordSource]


@dataclass(frozen=True)
class Plan:
    """
    What is to be counted: partitions, and what counts each of them.

    Attributes
    ----------
    partitions
        In their order.
    counter
        Picklable; the same for all partitions.
    """

    partitions: list[Partition]
    counter: Counter


def count_streamed(
    records: Records,
    areas: gpd.GeoDataFrame,
    *,
    kind: Literal["police", "services"] = "police",
    months: tuple[str, str] | None = None,
    forces: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    category: str | None = None,
    date_order: DateOrder = "british",
    postcodes: pd.DataFrame | str | Path | None = None,
    changes: pd.DataFrame | None = None,
    outside: Outside = "raise",
    limit: float = 100.0,
    every_month: bool = False,
    chunk_rows: int = CHUNK_ROWS,
) -> pd.DataFrame:
    r"""
    Count records by area, month and category without holding them in memory.

    The answer, reports included, is that of `count_by_area` on `read_police`
    or `read_services`. Memory: the counts, 16 bytes for each record with a
    Crime ID (24 where a file is cut into blocks), and one partition.

    Parameters
    ----------
    records
        One or several files, folders or ZIP archives, or `RecordSource` for
        records of different kinds. Each source's Crime IDs stand for
        themselves, as if each had been read on its own.
    areas
        Polygons indexed by ``area_code``, EPSG:27700.
    kind, months, forces, categories, columns, category, date_order, postcodes
        Of `records` given as paths; see `RecordSource`.
    changes, outside, limit
        As in `place_events`.
    every_month
        Give rows also to months whose records are all of categories that were
        not asked for: nothing was recorded of those that were.
    chunk_rows
        Rows of a partition, at most. Police.uk's monthly files are not cut
        unless they are larger; large ones are cut at line ends.

    Returns
    -------
    counts
        As `count_by_area` gives it. ``attrs["report"]`` is the `PlacementReport`,
        ``attrs["records"]`` the `PoliceReport` or `ServiceReport` of each source.

    Raises
    ------
    InputError
        As `read_police`, `read_services` and `place_events` raise; or if an option is none of
        its choices, or `chunk_rows` no whole number of one or more.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import box
    >>> codes = pd.Index(["E01000001"], name="area_code")
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 7e5, 7e5)], index=codes, crs=27700)
    >>> text = (
    ...     "Crime ID,Month,Reported by,Longitude,Latitude,LSOA code,Crime type\n"
    ...     "a1,2024-01,Essex Police,0.9,51.9,,Burglary\n"
    ...     "a1,2024-01,Essex Police,0.9,51.9,,Burglary\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "2024-01-essex-street.csv").write_text(text)
    ...     counts = count_streamed(folder, areas)
    >>> counts["count"].tolist(), counts.attrs["records"][0].repeated_crime_ids
    ([1], 1)
    """
    check_choice(outside, get_args(Outside), name="outside")
    sources = sources_of(
        records,
        kind=kind,
        months=months,
        forces=forces,
        categories=categories,
        columns=columns,
        category=category,
        date_order=date_order,
        postcodes=postcodes,
    )
    plan = plan_counting(
        sources,
        areas,
        changes=changes,
        limit=limit if outside == "nearest" else None,
        chunk_rows=chunk_rows,
    )
    sums = Sums(len(areas))
    for partition in track(plan.partitions, label="Counting records"):
        sums.add(plan.counter.count(partition))
    return finish(sums, sources, areas, changes=changes, outside=outside, every_month=every_month)


def sources_of(
    records: Records,
    *,
    kind: Literal["police", "services"],
    months: tuple[str, str] | None,
    forces: Sequence[str] | None,
    categories: Sequence[str] | None,
    columns: Mapping[str, str] | None,
    category: str | None,
    date_order: DateOrder,
    postcodes: pd.DataFrame | str | Path | None,
) -> tuple[RecordSource, ...]:
    """
    Describe records given as paths, all in the same way.

    Parameters
    ----------
    records, kind, months, forces, categories, columns, category, date_order, postcodes
        As in `count_streamed`.

    Returns
    -------
    sources
        One each.

    Raises
    ------
    EmptyError
        If there are none.
    InputError
        If `kind` is another.

    Examples
    --------
    >>> options = dict.fromkeys(["months", "forces", "categories", "columns", "category"])
    >>> sources = sources_of(
    ...     "crime.zip", kind="police", date_order="british", postcodes=None, **options
    ... )
    >>> sources[0].path.name
    'crime.zip'
    """
    given = [records] if isinstance(records, str | Path | RecordSource) else list(records)
    if not given:
        msg = "There are no records to count. Name a file, a folder or a ZIP archive."
        raise EmptyError(msg)
    return tuple(
        one
        if isinstance(one, RecordSource)
        else RecordSource(
            path=Path(one),
            kind=kind,
            months=months,
            forces=None if forces is None else tuple(forces),
            categories=None if categories is None else tuple(categories),
            columns=columns,
            category=category,
            date_order=date_order,
            postcodes=postcodes,
        )
        for one in given
    )


def plan_counting(
    sources: tuple[RecordSource, ...],
    areas: gpd.GeoDataFrame,
    *,
    changes: pd.DataFrame | None,
    limit: float | None,
    chunk_rows: int,
    threads: int | None = None,
) -> Plan:
    """
    Cut records into partitions and compile the areas.

    Parameters
    ----------
    sources
        From `sources_of`.
    areas, changes, limit, chunk_rows
        As in `count_streamed`; `limit` is ``None`` where the nearest is not asked for.
    threads
        Threads that place a partition's records; as many as cores where not given.

    Returns
    -------
    plan
        Partitions and counter.

    Raises
    ------
    InputError
        If a file or the areas cannot serve.
    """
    partitions = plan_partitions(sources, chunk_rows=chunk_rows)
    settled = settle_sources(sources, partitions)
    counter = make_counter(settled, areas, changes=changes, limit=limit, threads=threads)
    return Plan(partitions, counter)
