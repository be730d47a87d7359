"""
Records too many for memory: cut into partitions, each read on its own.

A partition is a file, a member of a ZIP archive, a block of a large CSV file or
some row groups of a Parquet file. It names what to read and holds nothing of
it, so that another process, or another machine that sees the same paths, can
read it where it lies. What `read_police` and `read_services` find out about a
whole table is carried along in parts that add up.
"""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from placeshaping._core.checks import check_choice, check_file, check_whole
from placeshaping._core.errors import EmptyError, FileFormatError
from placeshaping.sources.archives import Member, list_members
from placeshaping.sources.police_files import force_key
from placeshaping.sources.police_members import check_months, select_members, street_members
from placeshaping.sources.values import DateOrder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Digests = NDArray[np.uint64]

CHUNK_ROWS = 250_000
"""Rows that a partition has at most, as nearly as the length of its lines tells."""

_PEEK = 1 << 16
_SPLIT_TEXT = (".csv", ".tsv", ".txt", ".tab")
_TABLES = (*_SPLIT_TEXT, ".parquet", ".xlsx", ".xlsm", ".zip", ".gz")


@dataclass(frozen=True)
class RecordSource:
    """
    Records to be counted, and which of them.

    Attributes
    ----------
    path
        A file, a folder or a ZIP archive. Records of recorded crime may also be
        Parquet files with police.uk's columns.
    kind
        ``"police"`` reads as `read_police` does, ``"services"`` as `read_services`.
    months
        First and last month to keep, as ``("2023-01", "2025-12")``.
    forces
        Forces to keep (``"police"``).
    categories
        Categories to keep.
    columns, category, date_order, postcodes
        As in `read_services` (``"services"``).
    """

    path: Path
    kind: Literal["police", "services"] = "police"
    months: tuple[str, str] | None = None
    forces: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    columns: Mapping[str, str] | None = None
    category: str | None = None
    date_order: DateOrder = "british"
    postcodes: pd.DataFrame | str | Path | None = None

    def __post_init__(self) -> None:
        check_choice(self.kind, ["police", "services"], name="kind")

    def absolute(self) -> RecordSource:
        """
        Name the path so that a process in another folder finds it.

        Returns
        -------
        source
            The same records, by their absolute path.
        """
        return replace(self, path=self.path.absolute())


@dataclass(frozen=True)
class Partition:
    """
    What one task reads.

    Attributes
    ----------
    source
        Number of its `RecordSource`.
    order
        Place among all partitions, which decides what comes first.
    member
        The file, alone or in an archive.
    start, stop
        The lines that begin in these bytes of the unpacked text; `stop` is
        ``None`` where the file is read whole.
    row_groups
        Row groups of a Parquet file; ``None`` for all.
    """

    source: int
    order: int
    member: Member
    start: int = 0
    stop: int | None = None
    row_groups: tuple[int, ...] | None = None

    @property
    def whole(self) -> bool:
        """Whether the partition is all of its file."""
        return self.stop is None and self.row_groups is None


def plan_partitions(
    sources: Sequence[RecordSource], *, chunk_rows: int = CHUNK_ROWS
) -> list[Partition]:
    r"""
    Cut records into partitions, opening each file but not reading it.

    Parameters
    ----------
    sources
        The records.
    chunk_rows
        Rows of a partition, at most, judged by the length of the first lines.
        Workbooks, gzipped and UTF-16 files are never cut.

    Returns
    -------
    partitions
        In the order in which `read_police` and `read_services` would read.

    Raises
    ------
    MissingFileError, FileFormatError, DuplicateError
        If a file is missing, damaged, or stands twice.
    InputError
        If `chunk_rows` is no whole number of one or more.
    EmptyError
        If no file holds anything that was asked for.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "2024-01-essex-street.csv"
    ...     _ = path.write_text("Crime ID,Month\n" + "a,2024-01\n" * 100_000)
    ...     parts = plan_partitions([RecordSource(path)], chunk_rows=40_000)
    >>> len(parts), parts[0].start, parts[-1].stop
    (3, 0, 1000015)
    """
    chunk_rows = check_whole(chunk_rows, name="chunk_rows")
    found: list[Partition] = []
    for number, source in enumerate(sources):
        for member in _members(source):
            for cut in _cuts(member, source, chunk_rows):
                found.append(Partition(number, len(found), member, **cut))
    return found


def _members(source: RecordSource) -> list[Member]:
    path = check_file(source.path)
    if source.kind == "services":
        return _service_members(path)
    span = check_months(source.months)
    wanted = None if source.forces is None else {force_key(name): name for name in source.forces}
    members = _parquet_members(path) or street_members(path)
    return select_members([_as_csv(m) for m in members], span, wanted, where=path.name)


def _parquet_members(path: Path) -> list[Member]:
    """List Parquet files, where there are any and no CSV files beside them."""
    if path.is_file() and path.suffix.casefold() != ".parquet":
        return []
    return [] if list_members(path, suffixes=(".csv",)) and path.is_dir() else list_members(
        path, suffixes=(".parquet",)
    )  # fmt: skip


def _as_csv(member: Member) -> Member:
    """Name a Parquet file like the CSV file that it was, for selection by name."""
    stem, dot, suffix = member.name.rpartition(".")
    name = f"{stem}.csv" if dot and suffix.casefold() == "parquet" else member.name
    return Member(name, member.container, member.inside)


def _service_members(path: Path) -> list[Member]:
    if not path.is_dir() or list(path.glob("*.shp")):
        return [Member(path.name, path)]
    files = sorted(p for p in path.iterdir() if p.suffix.casefold() in _TABLES)
    if not files:
        msg = f"{path.name} holds no table. Give a folder of CSV, XLSX or Parquet files."
        raise EmptyError(msg)
    return [Member(file.name, file) for file in files]


def _cuts(member: Member, source: RecordSource, chunk_rows: int) -> list[dict[str, Any]]:
    suffix = member.container.suffix.casefold()
    if suffix == ".parquet":
        return _row_group_cuts(member.container, chunk_rows)
    if source.kind == "services" and suffix not in _SPLIT_TEXT:
        return [{}]
    size, head = _peek(member)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or head.count(b"\n") < 2:
        return [{}]
    per_line = len(head) / (head.count(b"\n") + (not head.endswith(b"\n")))
    block = int(chunk_rows * per_line)
    if size <= block * 1.25:
        return [{}]
    pieces = -(-size // block)
    edges = [block * piece for piece in range(pieces)] + [size]
    return [{"start": a, "stop": b} for a, b in pairwise(edges)]


def _row_group_cuts(path: Path, chunk_rows: int) -> list[dict[str, Any]]:
    file = open_parquet(path)
    cuts: list[dict[str, Any]] = []
    group: list[int] = []
    rows = 0
    for number in range(file.num_row_groups):
        group.append(number)
        rows += file.metadata.row_group(number).num_rows
        if rows >= chunk_rows:
            cuts.append({"row_groups": tuple(group)})
            group, rows = [], 0
    if group:
        cuts.append({"row_groups": tuple(group)})
    return cuts if len(cuts) > 1 else [{}]


def open_parquet(path: Path) -> Any:
    """
    Open a Parquet file without reading its rows.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    file
        A ``pyarrow.parquet.ParquetFile``.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        msg = f"{path.name} is no whole Parquet file. Download or export it again."
        raise FileFormatError(msg) from error


def _peek(member: Member) -> tuple[int, bytes]:
    """Return the size of the unpacked text and its beginning."""
    if member.inside is None:
        with member.container.open("rb") as stream:
            return member.container.stat().st_size, stream.read(_PEEK)
    with zipfile.ZipFile(member.container) as archive:
        size = archive.getinfo(member.inside).file_size
        if size <= _PEEK:
            return size, b""
        try:
            with archive.open(member.inside) as stream:
                return size, stream.read(_PEEK)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            return 0, b""  # reading it whole will say what is wrong
