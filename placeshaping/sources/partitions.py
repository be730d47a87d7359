"""What lies in a partition: the records asked for, and facts that add up to the report."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pyarrow import csv

from placeshaping._core.errors import EmptyError, FileFormatError
from placeshaping.sources.archives import Reader
from placeshaping.sources.guesses import guess_columns
from placeshaping.sources.offences import normalise_category
from placeshaping.sources.places import read_postcodes
from placeshaping.sources.police_files import force_key, parse_part
from placeshaping.sources.police_members import force_in_name
from placeshaping.sources.police_places import grid_places
from placeshaping.sources.services import ServiceReport, read_services
from placeshaping.sources.streams import Partition, RecordSource, open_parquet
from placeshaping.sources.tabular import read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Digests = NDArray[np.uint64]


@dataclass(frozen=True)
class Chunk:
    """
    The records of a partition that were asked for.

    Attributes
    ----------
    events
        `easting`, `northing` (metres, EPSG:27700), `month`, `category`,
        `force` (categorical text), `area_code`, `given` (longitude is not
        missing), `off_map` (outside the United Kingdom), and `count` where
        rows stand for several records.
    ids
        A 64-bit digest of each Crime ID; 0 where there is none.
    rows_read, undated
        Rows of the partition; those of no month, which are left out.
    duplicates, duplicates_kept
        Rows equal to an earlier one of the file, and those without Crime ID;
        not known (0) for a part of a file.
    digests
        For a part of a file, digests of its whole rows, those with a Crime ID
        and those without; ``None`` for a whole file.
    months, forces, categories
        What the partition holds, asked for or not.
    covered
        Months asked for that have any record of the forces asked for, of
        whatever category.
    report
        Of the records of a service; ``None`` for recorded crime.
    """

    events: pd.DataFrame
    ids: Digests
    rows_read: int
    undated: int
    duplicates: int
    duplicates_kept: int
    digests: tuple[Digests, Digests] | None
    months: tuple[str, ...]
    forces: tuple[str, ...]
    categories: tuple[str, ...]
    covered: tuple[str, ...]
    report: ServiceReport | None = None


def settle_sources(
    sources: Sequence[RecordSource], partitions: Sequence[Partition]
) -> tuple[RecordSource, ...]:
    """
    Decide once what every partition of a table needs: which column is which, and postcodes.

    Parameters
    ----------
    sources
        The records.
    partitions
        From `plan_partitions`.

    Returns
    -------
    settled
        The sources, with the columns guessed from the first rows where a table is
        cut and none were given, and postcodes as a table.

    Examples
    --------
    >>> settle_sources([RecordSource(Path("crime.zip"))], [])[0].columns is None
    True
    """
    settled = list(sources)
    for part in partitions:
        source = settled[part.source]
        if source.kind == "services" and source.columns is None and not part.whole:
            with _piece(part) as piece:
                guess = guess_columns(read_table(piece))
            settled[part.source] = replace(source, columns=guess)
    for number, source in enumerate(settled):
        if source.postcodes is not None and not isinstance(source.postcodes, pd.DataFrame):
            settled[number] = replace(source, postcodes=read_postcodes(source.postcodes))
    return tuple(settled)


def read_partition(partition: Partition, source: RecordSource) -> Chunk:
    r"""
    Read the records of a partition.

    Parameters
    ----------
    partition
        From `plan_partitions`.
    source
        What its records are and which of them are wanted.

    Returns
    -------
    chunk
        The records, and what adds up to the report.

    Raises
    ------
    FileFormatError, ColumnError
        If the file is damaged or lacks a column.

    Examples
    --------
    >>> from placeshaping.sources.archives import Member
    >>> text = (
    ...     "Crime ID,Month,Reported by,Longitude,Latitude,LSOA code,Crime type\n"
    ...     "a1,2024-01,Essex Police,0.9,51.9,E01021637,Burglary\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "2024-01-essex-street.csv"
    ...     _ = path.write_text(text)
    ...     source = RecordSource(path)
    ...     chunk = read_partition(Partition(0, 0, Member(path.name, path)), source)
    >>> chunk.rows_read, chunk.months, chunk.forces
    (1, ('2024-01',), ('essex',))
    """
    if source.kind == "services":
        return _service_chunk(partition, source)
    return _police_chunk(partition, source)


def _police_chunk(partition: Partition, source: RecordSource) -> Chunk:
    member = partition.member
    part = parse_part(
        _text_of(partition),
        force=force_in_name(member.name),
        where=member.place,
        digest_rows=not partition.whole,
    )
    table, ids, row = part.table, part.ids, part.rows
    dated = table["month"].notna().to_numpy()
    near, chosen = _wanted(table, source)
    keep = dated & near & chosen
    covered = tuple(sorted(set(table["month"][dated & near])))
    digests = None
    if row is not None:
        digests = (row[keep & (ids != 0)], row[keep & (ids == 0)])
    held = {name: tuple(table[name].cat.categories) for name in ("month", "force", "category")}
    if not keep.all():
        table, ids = table[keep].reset_index(drop=True), ids[keep]
    duplicates = int(table.pop("duplicate").sum())
    unnamed = int(table.pop("unnamed_duplicate").sum())
    return Chunk(
        events=_located(table),
        ids=ids,
        rows_read=len(dated),
        undated=int((~dated).sum()),
        duplicates=0 if digests else duplicates,
        duplicates_kept=0 if digests else unnamed,
        digests=digests,
        months=held["month"],
        forces=held["force"],
        categories=held["category"],
        covered=covered,
    )


def _wanted(
    table: pd.DataFrame, source: RecordSource
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the rows of the months and forces, and of the categories, that were asked for."""
    keep, of_category = np.ones((2, len(table)), dtype=bool)
    if source.months is not None:
        first, last = source.months
        months = [m for m in table["month"].cat.categories if first <= m <= last]
        keep &= table["month"].isin(months).to_numpy()
    if source.forces is not None:
        keys = {force_key(name) for name in source.forces}
        forces = [f for f in table["force"].cat.categories if force_key(f) in keys]
        keep &= table["force"].isin(forces).to_numpy()
    if source.categories is not None:
        chosen = [normalise_category(name) for name in source.categories]
        of_category = table["category"].isin(chosen).to_numpy()
    return keep, of_category


def _located(table: pd.DataFrame) -> pd.DataFrame:
    longitude, latitude = table["longitude"].to_numpy(), table["latitude"].to_numpy()
    easting, northing = grid_places(longitude, latitude)
    return table.drop(columns=["longitude", "latitude"]).assign(
        easting=easting,
        northing=northing,
        given=~np.isnan(longitude),
        off_map=np.isfinite(longitude) & np.isfinite(latitude) & np.isnan(easting),
    )


def _text_of(partition: Partition) -> bytes:
    """Return the partition's rows as CSV text under the file's header."""
    member = partition.member
    if member.container.suffix.casefold() == ".parquet":
        return _parquet_as_text(partition)
    if partition.stop is None:
        with Reader() as reader:
            return reader.read(member)
    if member.inside is None:
        with member.container.open("rb") as stream:
            return _lines(stream, partition.start, partition.stop)
    try:
        with zipfile.ZipFile(member.container) as archive, archive.open(member.inside) as unpacked:
            return _lines(unpacked, partition.start, partition.stop)
    except zipfile.BadZipFile as error:
        msg = f"{member.place} is damaged ({error}). Download the archive again."
        raise FileFormatError(msg) from error


def _lines(stream: Any, start: int, stop: int) -> bytes:
    """Return the header and the lines that begin at or after `start` and before `stop`."""
    header: bytes = stream.readline()
    first = len(header)
    if start > first:
        stream.seek(start - 1)
        first = start - 1 + len(stream.readline())  # past a line that began before `start`
    block: bytes = stream.read(max(stop - first, 0))
    if block and not block.endswith(b"\n"):
        block += stream.readline()
    return header + block


def _parquet_as_text(partition: Partition) -> bytes:
    file = open_parquet(partition.member.container)
    groups = partition.row_groups or tuple(range(file.num_row_groups))
    sink = io.BytesIO()
    csv.write_csv(file.read_row_groups(list(groups)), sink)
    return sink.getvalue()


def _service_chunk(partition: Partition, source: RecordSource) -> Chunk:
    try:
        events = _read_services(partition, source)
    except EmptyError:
        if partition.whole:
            raise
        return _nothing()
    report: ServiceReport = events.attrs["report"]
    month = events["period"].dt.strftime("%Y-%m")
    held = tuple(sorted(set(month.dropna())))
    categories = tuple(str(name) for name in events["category"].cat.categories)
    keep = np.ones(len(events), dtype=bool)
    if source.months is not None:
        keep &= month.between(*source.months).to_numpy()
    covered = tuple(sorted(set(month[keep].dropna())))
    if source.categories is not None:
        keep &= events["category"].isin(source.categories).to_numpy()
    table = pd.DataFrame(
        {
            "easting": events["easting"],
            "northing": events["northing"],
            "month": pd.Categorical(month),
            "category": events["category"],
            "force": pd.Categorical(["all"]).take(np.zeros(len(events), dtype=np.intp)),
            "area_code": events["area_code"],
            "given": events["easting"].notna(),
            "off_map": False,
        }
    )
    if "count" in events.columns:
        table["count"] = events["count"]
    table = table[keep].reset_index(drop=True)
    return Chunk(
        events=table,
        ids=np.zeros(len(table), dtype=np.uint64),
        rows_read=report.rows_read,
        undated=0,
        duplicates=0,
        duplicates_kept=0,
        digests=None,
        months=held,
        forces=(),
        categories=categories,
        covered=covered,
        report=report,
    )


def _nothing() -> Chunk:
    """Return what a block of empty rows holds."""
    text, number, no = (pd.Series([], dtype=kind) for kind in ("str", "float64", "bool"))
    labels = pd.Categorical([], categories=pd.Index([], dtype="str"))
    names = {"month": labels, "category": labels, "force": labels}
    place = {"easting": number, "northing": number}
    events = pd.DataFrame({**place, **names, "area_code": text, "given": no, "off_map": no})
    none = np.zeros(0, dtype=np.uint64)
    return Chunk(events, none, 0, 0, 0, 0, None, (), (), (), ())


def _read_services(partition: Partition, source: RecordSource) -> pd.DataFrame:
    options: dict[str, Any] = {
        "columns": source.columns,
        "category": source.category,
        "date_order": source.date_order,
        "postcodes": source.postcodes,
    }
    if partition.whole:
        return read_services(partition.member.container, **options)
    with _piece(partition) as piece:
        return read_services(piece, **options)


@contextmanager
def _piece(partition: Partition) -> Iterator[Path]:
    """Give the partition's rows as a file of their own."""
    member = partition.member
    with tempfile.TemporaryDirectory() as folder:
        piece = Path(folder) / f"part of {member.name}"
        if partition.row_groups is not None:
            groups = list(partition.row_groups)
            pq.write_table(open_parquet(member.container).read_row_groups(groups), piece)
        else:
            piece.write_bytes(_text_of(partition))
        yield piece
