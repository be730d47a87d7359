"""How areas are fetched: all of a layer, or those of a place, which a lookup tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.errors import FetchError, InputError, RecipeError
from placeshaping.sources.catalogue import Entry, find_entry
from placeshaping.sources.downloads import Served
from placeshaping.sources.feature_pages import (
    LayerInfo,
    check_codes,
    new_pages_next_time,
    read_pages,
    write_areas,
)
from placeshaping.sources.geoportal import any_of, describe_layer, fetch_pages
from placeshaping.sources.jobs import Collected, Job, check_fields, served_by, write_checked
from placeshaping.sources.places_within import find_districts
from placeshaping.sources.tabular import read_table

_DISTRICT = re.compile(r"^LAD\d\dCD$", re.IGNORECASE)


@dataclass(frozen=True)
class _Wanted:
    """Which areas are wanted: conditions for the server, and what must come of them."""

    conditions: Sequence[str] = ("1=1",)
    codes: Sequence[str] | None = None
    column: str | None = None
    districts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


def collect_areas(job: Job) -> Collected:
    """
    Fetch areas, all or those of a place, into a checked file.

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
    if job.by_hand:
        return _features_by_hand(job)
    entry, within = job.entry, job.asked.within
    layer = describe_layer(job.connection, entry.url)
    check_fields(layer, entry)
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
    return _save_areas(job, areas, notes, served_by(layer))


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
    write_checked(path, lambda: write_areas(areas, path, layer=entry.name))
    return Collected(path, len(areas), (*notes, *told), served)


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
