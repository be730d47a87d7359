"""
Any table that users have: delimited text, workbook, Parquet, GeoPackage.

What can differ is found out and reported: encoding, delimiter, sheet, the row
that holds the header. Everything from text and workbooks arrives as text;
`placeshaping.sources.values` turns it into numbers and dates.
"""

from __future__ import annotations

import csv as text_csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import EmptyError, FileFormatError
from placeshaping.sources.archives import Reader, list_members, looks_zipped
from placeshaping.sources.cells import Grid, grid_of, unique_names
from placeshaping.sources.spatial import without_driver_warnings
from placeshaping.sources.text import TextLayout, sniff
from placeshaping.sources.workbooks import read_sheets

_TEXT = (".csv", ".tsv", ".txt", ".tab")
_WORKBOOKS = (".xlsx", ".xlsm")
_TABLES = (*_TEXT, *_WORKBOOKS, ".parquet", ".gz")


@dataclass(frozen=True)
class TableReport:
    """
    How a table was found in its file.

    Attributes
    ----------
    name
        Base name of the file.
    kind
        ``"text"``, ``"workbook"``, ``"parquet"`` or ``"spatial"``.
    encoding, delimiter
        Of text; otherwise ``None``.
    sheet
        Of a workbook; otherwise ``None``.
    header_row
        The row that held the column names, counted from 1.
    rows
        Rows of the result.
    empty_rows
        Rows without any value, which were left out.
    ragged_rows
        Rows with values beyond the header's last column, which were left out.
    """

    name: str
    kind: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    header_row: int
    rows: int
    empty_rows: int
    ragged_rows: int


def read_table(
    path: str | Path, *, sheet: str | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    r"""
    Read any table.

    Parameters
    ----------
    path
        CSV (comma, semicolon, tab or bar; UTF-8, UTF-16 or Windows-1252; gzipped,
        or alone in a ZIP archive), XLSX, Parquet, or a spatial file (GeoPackage,
        GeoJSON, Shapefile): of its points come columns `longitude` and
        `latitude`, or `easting` and `northing`, as the file states them.
    sheet
        The sheet of a workbook; the one with most rows where not given.
    columns
        Read these columns only, to save time.

    Returns
    -------
    table
        Text columns (missing where empty) from text and workbooks, typed ones
        from other files. The index is the row's number in the file, the header
        being row 1. ``attrs["report"]`` holds a `TableReport`.

    Raises
    ------
    MissingFileError, FileFormatError
        If there is no such file, or it is damaged or no table.
    EmptyError
        If it has no rows.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "visits.csv"
    ...     _ = path.write_bytes("place;visits\r\nCafé;1\r\n;\r\n".encode("cp1252"))
    ...     table = read_table(path)
    >>> table.to_dict("list"), table.attrs["report"].empty_rows
    ({'place': ['Café'], 'visits': ['1']}, 1)
    """
    path = check_file(path)
    if path.is_dir() and not list(path.glob("*.shp")):
        msg = f"{path.name} is a folder. Give one file in it."
        raise FileFormatError(msg)
    kind = _kind(path)
    if kind == "spatial":
        table, facts = _read_spatial(path), {"kind": "spatial"}
    else:
        raw = _content(path)
        if raw[:4] == b"PAR1":
            table, facts = _read_parquet(raw, path.name, columns), {"kind": "parquet"}
        elif raw[:4] == b"PK\x03\x04":
            table, facts = _read_workbook(raw, path.name, sheet)
        else:
            table, facts = read_text(raw, where=path.name, columns=columns)
    return _finish(table, facts, path.name)


def _kind(path: Path) -> str:
    suffix = path.suffix.casefold()
    if path.is_dir() or suffix in {".gpkg", ".geojson", ".shp", ".fgb", ".kml", ".gml"}:
        return "spatial"
    if suffix in {".xls", ".ods", ".xlsb", ".doc", ".docx", ".pdf", ".mdb", ".accdb"}:
        msg = f"{path.name}: {suffix} is not read. Save it as .xlsx or .csv and give that."
        raise FileFormatError(msg)
    return "table"


def _content(path: Path) -> bytes:
    """Return the bytes of the table, unpacked."""
    suffix = path.suffix.casefold()
    if suffix == ".zip" or (looks_zipped(path) and suffix not in _WORKBOOKS):
        members = list_members(path, suffixes=_TABLES)
        if len(members) != 1:
            names = listed([member.name for member in members]) or "none"
            msg = f"{path.name} holds {len(members):,} tables ({names}). Unpack it; give one."
            raise FileFormatError(msg)
        with Reader() as reader:
            return _unzipped(reader.read(members[0]), members[0].place)
    try:
        return _unzipped(path.read_bytes(), path.name)
    except OSError as error:
        msg = f"{path.name} cannot be read ({error.strerror or error}). Close it elsewhere first."
        raise FileFormatError(msg) from error


def _unzipped(raw: bytes, where: str) -> bytes:
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        msg = f"{where} is cut short or damaged ({error}). Download it again."
        raise FileFormatError(msg) from error


def read_text(
    raw: bytes, *, where: str, columns: Sequence[str] | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """
    Read the bytes of delimited text; see `read_table`.

    A regular table is read by a compiled parser; one with titles above its
    header, blank lines or uneven rows row by row.

    Parameters
    ----------
    raw
        The bytes of the file.
    where
        Name of the file, for messages.
    columns
        Read these columns only.

    Returns
    -------
    table, facts
        The rows, and how they were found.
    """
    layout = sniff(raw, where=where)
    facts = {"kind": "text", "encoding": layout.encoding, "delimiter": layout.delimiter}
    names = unique_names(layout.header)
    if any(not name.strip() for name in layout.header):
        return _read_uneven(layout, raw, facts)
    try:
        table = csv.read_csv(
            pa.BufferReader(layout.to_utf8(raw)),
            read_options=csv.ReadOptions(column_names=names, skip_rows=1),
            parse_options=csv.ParseOptions(
                delimiter=layout.delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[n for n in names if columns is None or n in columns],
                strings_can_be_null=True,
                null_values=[""],
            ),
        ).to_pandas()
    except pa.ArrowInvalid:
        return _read_uneven(layout, raw, facts)
    table.index = pd.RangeIndex(2, len(table) + 2)
    return _stripped(table), facts


def _read_uneven(
    layout: TextLayout, raw: bytes, facts: dict[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    text = layout.to_utf8(raw).decode("utf-8", errors="replace")
    rows = list(text_csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter))
    while rows and not any(rows[-1]):
        rows.pop()
    grid = grid_of(rows)
    found = {"header_row": grid.header_row, "ragged_rows": grid.overflowing}
    return _of_grid(grid), {**facts, **found}


def _of_grid(grid: Grid) -> pd.DataFrame:
    table = pd.DataFrame(grid.rows, columns=list(grid.header), index=grid.numbers, dtype="str")
    return _stripped(table)


def _stripped(table: pd.DataFrame) -> pd.DataFrame:
    """Trim the text; what was blank becomes missing."""
    columns = {}
    for name in table.columns:
        values = table[name].astype("str").where(table[name].notna()).str.strip()
        columns[name] = values.mask(values == "")
    return pd.DataFrame(columns, index=table.index)


def _read_parquet(raw: bytes, where: str, columns: Sequence[str] | None) -> pd.DataFrame:
    try:
        file = pq.ParquetFile(io.BytesIO(raw))
        shapes = {b"geo"} & set(file.schema_arrow.metadata or {})
        names = [n for n in file.schema_arrow.names if columns is None or n in columns]
        if shapes:
            names = [n for n in names if not pa.types.is_binary(file.schema_arrow.field(n).type)]
        table: pd.DataFrame = file.read(columns=names).to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        msg = f"{where} is no whole Parquet file. Download or export it again."
        raise FileFormatError(msg) from error
    return table.reset_index(drop=isinstance(table.index, pd.RangeIndex)).set_axis(
        pd.RangeIndex(2, len(table) + 2)
    )


def _read_workbook(
    raw: bytes, where: str, sheet: str | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    sheets = read_sheets(raw, where=where, sheet=sheet)
    if sheet is not None and sheet not in sheets:
        near = near_names(sheet, sheets)
        hint = f"Did you mean {listed(near)}?" if near else f"It has: {listed(list(sheets))}."
        msg = f"{where} has no sheet {sheet!r}. {hint}"
        raise FileFormatError(msg)
    chosen = sheet or max(sheets, key=lambda name: sheets[name].cells)
    facts = {"kind": "workbook", "sheet": chosen, "header_row": sheets[chosen].header_row}
    return _of_grid(sheets[chosen]), {**facts, "ragged_rows": sheets[chosen].overflowing}


def _read_spatial(path: Path) -> pd.DataFrame:
    import geopandas as gpd
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        with without_driver_warnings():
            rows = pyogrio.read_dataframe(path)
    except (DataSourceError, DataLayerError) as error:
        msg = f"{path.name} cannot be read as a spatial file. Export it again as GeoPackage."
        raise FileFormatError(msg) from error
    table = pd.DataFrame(rows.drop(columns="geometry", errors="ignore"))
    if isinstance(rows, gpd.GeoDataFrame) and len(rows) and rows.crs is not None:
        table = table.assign(**_coordinates(rows))
    return table.set_axis(pd.RangeIndex(2, len(table) + 2))


def _coordinates(rows: Any) -> dict[str, Any]:
    """Give the points' coordinates in the file's own words: degrees, or grid metres."""
    points = rows.geometry.representative_point() if _areal(rows) else rows.geometry
    if not rows.crs.is_geographic and rows.crs.to_epsg() != 27700:
        points = points.to_crs(27700)
    names = ("longitude", "latitude") if rows.crs.is_geographic else ("easting", "northing")
    return {names[0]: points.x.to_numpy(), names[1]: points.y.to_numpy()}


def _areal(rows: Any) -> bool:
    return not (rows.geom_type.dropna() == "Point").all()


def _finish(table: pd.DataFrame, facts: dict[str, Any], name: str) -> pd.DataFrame:
    blank = table.isna().all(axis=1).to_numpy()
    kept = table[~blank].copy() if blank.any() else table
    if kept.empty:
        msg = f"{name} has no rows under its header. Export or download it again."
        raise EmptyError(msg)
    defaults = {"encoding": None, "delimiter": None, "sheet": None, "ragged_rows": 0}
    kept.attrs["report"] = TableReport(
        name=name,
        rows=len(kept),
        empty_rows=int(blank.sum()),
        **{**defaults, "header_row": 1, **facts},
    )
    return kept
