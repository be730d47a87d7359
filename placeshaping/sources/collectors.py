"""How each kind of source is fetched: from its address into a checked file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.errors import FetchError, InputError, OutputError, RecipeError
from placeshaping._core.output import output_error
from placeshaping.sources.archives import open_archive
from placeshaping.sources.catalogue import Entry, find_entry, shipped_entry
from placeshaping.sources.content import check_content
from placeshaping.sources.downloads import Served, WholeOnlyError, download
from placeshaping.sources.feature_pages import (
    LayerInfo,
    check_codes,
    new_pages_next_time,
    read_pages,
    write_areas,
)
from placeshaping.sources.geoportal import any_of, describe_layer, fetch_pages
from placeshaping.sources.network import Connection
from placeshaping.sources.nomis import fetch_rows, write_rows
from placeshaping.sources.places_within import find_districts
from placeshaping.sources.police_archive import Editions, take_force
from placeshaping.sources.postcode_directory import newest_edition, write_directory
from placeshaping.sources.remote_zip import RemoteZip, open_remote_zip
from placeshaping.sources.tabular import read_table

_DISTRICT = re.compile(r"^LAD\d\dCD$", re.IGNORECASE)
_MONTH_ZIP = re.compile(r"^\d{4}-\d{2}\.zip$")


@dataclass(frozen=True)
class Asked:
    """
    What of a source is wanted.

    Attributes
    ----------
    within
        Names or codes of places; empty for everywhere.
    force, first, last
        Of recorded crime: the force and the months.
    """

    within: tuple[str, ...] = ()
    force: str | None = None
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True)
class Job:
    """
    One fetch: what, with what, and where to.

    Attributes
    ----------
    entry, entries
        The catalogue's entry, and all of them.
    asked
        What of it.
    connection
        The way to the server.
    folder
        Where unfinished work goes; it is there again at the next run.
    by_hand
        Files dropped in by hand that serve.
    lookup
        Name of another entry to its file, fetched where need be.
    lookup_held
        The same, but ``None`` where it would have to be fetched.
    places
        Names of the entries that places are looked up in.
    whole
        Whether whole archives may be downloaded.
    """

    entry: Entry
    entries: Mapping[str, Entry]
    asked: Asked
    connection: Connection
    folder: Path
    by_hand: tuple[Path, ...]
    lookup: Callable[[str], Path]
    lookup_held: Callable[[str], Path | None]
    places: tuple[str, ...]
    whole: bool = False


@dataclass(frozen=True)
class Collected:
    """
    What was fetched.

    Attributes
    ----------
    path
        The file, checked, in the job's folder.
    rows
        Rows in it, where that has a meaning.
    notes
        What to tell the user.
    served
        What the server said of it.
    """

    path: Path
    rows: int | None = None
    notes: tuple[str, ...] = ()
    served: Served | None = None


def collect(job: Job) -> Collected:
    """
    Fetch one source into a checked file.

    Parameters
    ----------
    job
        What, with what, and where to.

    Returns
    -------
    collected
        The file.

    Raises
    ------
    FetchError
        If the server cannot be reached, or what it sends is not what was asked for.
    """
    return _COLLECTORS[job.entry.kind](job)


def _file(job: Job) -> Collected:
    entry = job.entry
    part = job.folder / "download.part"
    resumed = part.is_file()
    while True:
        served = download(job.connection, entry.url, part, label=f"Downloading {entry.name}")
        path = job.folder / entry.file
        part.replace(path)
        try:
            return Collected(path, check_content(path, entry, origin=entry.file), served=served)
        except FetchError:
            path.unlink(missing_ok=True)
            if not resumed:
                raise
            resumed = False  # what was there from before may have been at fault: once more, anew


def _table(job: Job) -> Collected:
    entry = job.entry
    layer = describe_layer(job.connection, entry.url)
    layer = replace(layer, table=True)
    _check_fields(layer, entry)
    pages = fetch_pages(job.connection, layer, job.folder, label=f"Fetching {entry.name}")
    with new_pages_next_time(job.folder):
        table = read_pages(pages, layer)
        check_codes(table, entry.code, rows=entry.rows, where=entry.name)
    path = job.folder / entry.file
    _written(path, lambda: table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8"))
    return Collected(path, len(table), served=_edited(layer))


@dataclass(frozen=True)
class _Wanted:
    """Which areas are wanted: conditions for the server, and what must come of them."""

    conditions: Sequence[str] = ("1=1",)
    codes: Sequence[str] | None = None
    column: str | None = None
    districts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


def _features(job: Job) -> Collected:
    if job.by_hand:
        return _features_by_hand(job)
    entry, within = job.entry, job.asked.within
    layer = describe_layer(job.connection, entry.url)
    _check_fields(layer, entry)
    wanted = _conditions(job, layer) if within else _Wanted()
    pages = fetch_pages(
        job.connection,
        layer,
        job.folder,
        conditions=wanted.conditions,
        label=f"Fetching {entry.name}",
    )
    if not pages:
        msg = f"{entry.name} has no area{f' within {listed(within)}' if within else ''}."
        raise FetchError(msg)
    with new_pages_next_time(job.folder):
        areas = read_pages(pages, layer)
        check_codes(areas, entry.code, rows=None if within else entry.rows, where=entry.name)
    if wanted.column is not None:
        _in_district(areas, wanted.column, wanted.districts, where=entry.name)
    notes = [*wanted.notes, *_absent(areas, entry, wanted.codes)]
    return _save_areas(job, areas, notes, _edited(layer))


def _features_by_hand(job: Job) -> Collected:
    """Take the areas of a place out of a file dropped in by hand."""
    entry, source = job.entry, job.by_hand[0]
    areas = _read_areas(source)
    districts, notes = _districts(job)
    column = next((str(c) for c in areas.columns if _DISTRICT.match(str(c))), None)
    if column is not None:
        wanted = _in_district(areas, column, districts, where=source.name)
    else:
        codes = _codes(job, entry, districts)
        if entry.code not in areas:
            msg = f"{source.name} has no column {entry.code!r}. Set `code` in the catalogue."
            raise FetchError(msg)
        wanted = areas[entry.code].isin(codes)
        notes += _absent(areas[wanted], entry, codes)
    if not wanted.any():
        msg = f"{source.name} has no area within {listed(job.asked.within)}."
        raise FetchError(msg)
    return _save_areas(job, areas[wanted], [*notes, f"Taken from {source.name}."], None)


def _read_areas(path: Path) -> gpd.GeoDataFrame:
    if path.suffix.casefold() in {".parquet", ".geoparquet"}:
        return gpd.read_parquet(path)
    return gpd.read_file(path, engine="pyogrio")


def _save_areas(
    job: Job, areas: gpd.GeoDataFrame, notes: Sequence[str], served: Served | None
) -> Collected:
    entry = job.entry
    name = entry.file
    if job.asked.within:
        place = re.sub(r"[^a-z0-9]+", "-", "-".join(job.asked.within).casefold()).strip("-")
        name = f"{Path(entry.file).stem}-{place[:60]}.gpkg"
    path = job.folder / name
    empty = int(areas.geometry.isna().sum())
    told = [f"{empty:,} areas came without an outline."] if empty else []
    path.unlink(missing_ok=True)
    _written(path, lambda: write_areas(areas, path, layer=entry.name))
    return Collected(path, len(areas), (*notes, *told), served)


def _written(path: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        raise output_error(error, path) from error
    except RuntimeError as error:  # pyogrio: the driver could not write
        msg = f"{path.name} could not be written ({error}). Is the disk full?"
        raise OutputError(msg) from error


def _check_fields(layer: LayerInfo, entry: Entry) -> None:
    absent = entry.missing_columns(layer.fields)
    if absent:
        msg = (
            f"{layer.name} has no column {listed(absent)}; it has "
            f"{listed(layer.fields, most=12)}. Is the address of [{entry.name}] still right?"
        )
        raise FetchError(msg)


def _edited(layer: LayerInfo) -> Served:
    return Served(layer.url, modified=None if layer.edited is None else str(layer.edited))


def _districts(job: Job) -> tuple[list[tuple[str, str]], list[str]]:
    if not job.places:
        msg = "The catalogue has no entry with places = true to look places up in."
        raise RecipeError(msg)
    tables, lost = [], {}
    for name in job.places:
        try:
            tables.append(read_table(job.lookup(name)))
        except FetchError as error:
            lost[name] = error
    if not tables:
        raise next(iter(lost.values()))
    try:
        districts, notes = find_districts(job.asked.within, tables)
    except InputError as error:
        if not lost:
            raise
        msg = f"{error} {listed(list(lost))} could not be asked: {next(iter(lost.values()))}"
        raise FetchError(msg) from error
    told = [f"Without {name}, which could not be had." for name in lost]
    return districts, [*notes, *told]


def _conditions(job: Job, layer: LayerInfo) -> _Wanted:
    """Say on the server's side which areas are wanted."""
    districts, notes = _districts(job)
    column = next((name for name in layer.fields if _DISTRICT.match(name)), None)
    if column is not None:
        conditions = _in_districts(column, districts, layer.fields)
        return _Wanted(conditions, None, column, districts, notes)
    codes = _codes(job, job.entry, districts)
    return _Wanted(any_of(job.entry.code or "", codes), codes, notes=notes)


def _name_column(column: str) -> str:
    return column[:-2] + ("NM" if column[-1].isupper() else "nm")


def _in_district(
    table: pd.DataFrame, column: str, districts: Sequence[tuple[str, str]], *, where: str
) -> pd.Series[bool]:
    """Tell which rows are in the districts; a district without any is refused, not passed over."""
    name = _name_column(column)
    codes = table[column].astype("str")
    names = table[name].astype("str") if name in table else codes
    gone = [n for c, n in districts if not ((codes == c) | (names == n)).any()]
    if gone:
        msg = (
            f"{where} has no area in {listed(gone)}: it knows the districts of another year. "
            "Name the districts of that year, or fetch without `within`."
        )
        raise FetchError(msg)
    return codes.isin([c for c, _ in districts]) | names.isin([n for _, n in districts])


def _in_districts(
    column: str, districts: Sequence[tuple[str, str]], fields: Sequence[str]
) -> list[str]:
    """By code, and by name too: a district may have been given a new code in between."""
    by_code = any_of(column, [code for code, _ in districts])
    name = _name_column(column)
    if name not in fields:
        return by_code
    by_name = any_of(name, [name for _, name in districts])
    return [f"({c} OR {n})" for c, n in zip(by_code, by_name, strict=True)]


def _codes(job: Job, entry: Entry, districts: Sequence[tuple[str, str]]) -> list[str]:
    """Find the codes of the areas in the districts, in a lookup at hand or on the server."""
    if entry.lookup is None or entry.code is None:
        msg = f"{entry.name} cannot be restricted to a place. Leave `within` out."
        raise RecipeError(msg)
    held = job.lookup_held(entry.lookup)
    table = _lookup_rows(job, entry.lookup, districts) if held is None else read_table(held)
    column = next((str(c) for c in table.columns if _DISTRICT.match(str(c))), None)
    if column is None or entry.code not in table:
        msg = f"The lookup {entry.lookup} lacks {entry.code} or a district code like LAD25CD."
        raise FetchError(msg)
    inside = _in_district(table, column, districts, where=f"The lookup {entry.lookup}")
    return sorted(table.loc[inside, entry.code].astype("str").unique())


def _lookup_rows(job: Job, name: str, districts: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Ask the server for the rows of a lookup that are in the districts, and no others."""
    entry = find_entry(job.entries, name)
    layer = replace(describe_layer(job.connection, entry.url), table=True)
    column = next((field for field in layer.fields if _DISTRICT.match(field)), None)
    if column is None:
        msg = (
            f"{layer.name} has no column of districts such as LAD25CD, but {listed(layer.fields)}."
        )
        raise FetchError(msg)
    folder = job.folder / name
    folder.mkdir(exist_ok=True)
    pages = fetch_pages(
        job.connection,
        layer,
        folder,
        conditions=_in_districts(column, districts, layer.fields),
        label=f"Fetching {name}",
    )
    if not pages:
        msg = f"{layer.name} has no area in {listed([n for _, n in districts])}."
        raise FetchError(msg)
    with new_pages_next_time(folder):
        return read_pages(pages, layer)


def _absent(areas: pd.DataFrame, entry: Entry, codes: Sequence[str] | None) -> list[str]:
    if codes is None or entry.code is None:
        return []
    gone = sorted(set(codes) - set(areas[entry.code]))
    told = f"{len(gone):,} of {len(codes):,} areas have no outline there ({listed(gone)})."
    return [told] if gone else []


def _police(job: Job) -> Collected:
    asked, entry = job.asked, job.entry
    local = {}
    dated = {path.name: path for path in job.by_hand if _MONTH_ZIP.match(path.name)}
    if job.by_hand:
        others = [path for path in job.by_hand if path.name not in dated]
        local[entry.url] = others[0] if others else dated[max(dated)]
    if entry.month_url is not None:
        for name, path in dated.items():
            local[entry.month_url.format(month=name.removesuffix(".zip"))] = path
    editions = Editions(entry.url, entry.month_url, job.connection, job.whole, local)
    taken = take_force(
        editions, job.folder, force=asked.force or "", first=asked.first, last=asked.last
    )
    months = taken.months
    notes = [f"{len(months):,} months of {taken.force}, {months[0]} to {months[-1]}."]
    if taken.missing:
        notes.append(f"Not published: {listed(taken.missing, most=12)}.")
    return Collected(taken.path, None, tuple(notes), Served(entry.url))


def _postcodes(job: Job) -> Collected:
    if job.by_hand:
        with open_archive(job.by_hand[0]) as local:
            path = write_directory(RemoteZip(local, job.by_hand[0].name), job.folder)
        return Collected(path, notes=(f"Taken from {job.by_hand[0].name}.",))
    edition = newest_edition(job.connection, job.entry.url, job.entry.query)
    try:
        with open_remote_zip(job.connection, edition.url) as archive:
            path = write_directory(archive, job.folder)
            return Collected(path, notes=(f"{edition.title}.",), served=archive.served)
    except WholeOnlyError:
        part = job.folder / "onspd.zip.part"
        served = download(job.connection, edition.url, part, label=f"Downloading {edition.title}")
    check_content(part, replace(job.entry, file="onspd.zip"), origin=edition.title)
    with open_archive(part) as whole:
        path = write_directory(RemoteZip(whole, edition.title), job.folder)
    return Collected(path, notes=(f"{edition.title}.",), served=served)


def _nomis(job: Job) -> Collected:
    entry = job.entry
    usual = shipped_entry(entry.name)
    table = fetch_rows(
        job.connection,
        entry.url,
        entry.query,
        usual=None if usual is None else usual.query,
        folder=job.folder,
        label=f"Fetching {entry.name}",
    )
    path = job.folder / entry.file
    renamed = pd.DataFrame()

    def write() -> None:
        nonlocal renamed
        renamed = write_rows(table, path, rename=entry.rename)

    _written(path, write)
    code = next((new for old, new in entry.rename.items() if old.upper() == "GEOGRAPHY_CODE"), None)
    check_codes(renamed, code, rows=entry.rows, where=entry.name)
    return Collected(path, len(renamed), served=Served(entry.url))


_COLLECTORS: dict[str, Callable[[Job], Collected]] = {
    "file": _file,
    "table": _table,
    "features": _features,
    "police": _police,
    "postcodes": _postcodes,
    "nomis": _nomis,
}
