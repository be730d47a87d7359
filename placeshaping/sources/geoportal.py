"""
Areas and tables of an ArcGIS feature service, such as the Open Geography portal's.

A service gives at most 1,000 or 2,000 features an answer; the rest is asked
for page by page, in the order of its own identifiers. Troubles come as a JSON
``error`` under status 200.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from placeshaping._core.checks import listed
from placeshaping._core.crs import NATIONAL_GRID, looks_like_degrees
from placeshaping._core.errors import FetchError
from placeshaping._core.progress import track
from placeshaping.sources.answers import PassingError
from placeshaping.sources.network import Connection

_MOST = 2000
_PASSING = {429, 500, 502, 503, 504}
_BOOKKEEPING = re.compile(r"^(fid|ogc_fid|objectid.*|globalid|shape_*(area|length|leng).*)$", re.I)
_LONG = 1500
_TOGETHER = 500


@dataclass(frozen=True)
class LayerInfo:
    """
    What a service says of a layer.

    Attributes
    ----------
    url
        Address of the layer.
    name
        Its name.
    fields
        Names of its columns.
    id_field
        The column of its own identifiers.
    page_size
        Features that it gives at once.
    edited
        When it was last edited, where it says so.
    table
        Whether it has no geometries.
    """

    url: str
    name: str
    fields: tuple[str, ...]
    id_field: str
    page_size: int
    edited: int | None
    table: bool


def describe_layer(connection: Connection, url: str) -> LayerInfo:
    """
    Ask a service what its layer holds.

    Parameters
    ----------
    connection
        The way to the server.
    url
        Address of the layer, ending like ``/FeatureServer/0``.

    Returns
    -------
    layer
        Columns, page size and date of the last edit.

    Raises
    ------
    FetchError
        If there is no such layer, or the server cannot be reached.
    """
    told = connection.get_json(f"{url}?f=json", check=check_answer)
    names = tuple(str(column["name"]) for column in told.get("fields") or ())
    if not names:
        msg = f"{urlsplit(url).netloc} describes no columns of {_service(url)}. Check the address."
        raise FetchError(msg)
    ids = [n for n in names if n.casefold() in {"fid", "objectid", "ogc_fid"}]
    return LayerInfo(
        url=url,
        name=str(told.get("name") or _service(url)),
        fields=names,
        id_field=str(told.get("objectIdField") or (ids[0] if ids else names[0])),
        page_size=max(1, min(int(told.get("maxRecordCount") or _MOST), _MOST)),
        edited=(told.get("editingInfo") or {}).get("lastEditDate"),
        table=told.get("type") == "Table" or not told.get("geometryType"),
    )


def check_answer(content: Any) -> None:
    """
    Refuse an answer of a service that is an error under status 200.

    Parameters
    ----------
    content
        The answer.

    Raises
    ------
    PassingError
        If the trouble may pass.
    FetchError
        If it will not: a wrong address, column or condition.
    """
    if not isinstance(content, dict):
        msg = "The service answers with something that is no feature collection."
        raise FetchError(msg)
    error = content.get("error")
    if error is None:
        return
    details = error.get("details") or []
    reasons = [str(error.get("message") or "no reason given"), *map(str, details)]
    told = f"the service says: {'; '.join(dict.fromkeys(r.rstrip('. ') for r in reasons if r))}"
    if error.get("code") in _PASSING:
        raise PassingError(told)
    msg = f"{told[0].upper()}{told[1:]} (code {error.get('code')})."
    raise FetchError(msg)


def any_of(column: str, values: Sequence[str]) -> list[str]:
    """
    Write the conditions that find the rows with any of these values, some hundred at a time.

    Parameters
    ----------
    column
        Name of the column.
    values
        What it may hold.

    Returns
    -------
    conditions
        SQL, to be asked one after the other.

    Examples
    --------
    >>> any_of("LAD25NM", ["King's Lynn and West Norfolk"])
    ["LAD25NM IN ('King''s Lynn and West Norfolk')"]
    """
    quoted = ["'" + value.replace("'", "''") + "'" for value in values]
    return [
        f"{column} IN ({','.join(quoted[start : start + _TOGETHER])})"
        for start in range(0, len(quoted), _TOGETHER)
    ]


def fetch_pages(
    connection: Connection,
    layer: LayerInfo,
    folder: Path,
    *,
    conditions: Sequence[str] = ("1=1",),
    columns: Sequence[str] = ("*",),
    label: str = "Fetching areas",
) -> list[Path]:
    """
    Fetch the features that meet any of the conditions, a file a page.

    Pages that are in the folder from an earlier run are kept, unless the layer
    was edited since.

    Parameters
    ----------
    connection
        The way to the server.
    layer
        From `describe_layer`.
    folder
        Where the pages go.
    conditions
        SQL; no feature may meet two of them.
    columns
        The columns to ask for.
    label
        What the progress bar says.

    Returns
    -------
    pages
        In the order of the layer's own identifiers, condition by condition.

    Raises
    ------
    FetchError
        If the service keeps failing, or stops before all are there.
    """
    counts = [_count(connection, layer, condition) for condition in conditions]
    _same_state(folder, {"layer": vars(layer), "conditions": [*conditions], "counts": counts})
    jobs = [
        (number, condition, count)
        for number, (condition, count) in enumerate(zip(conditions, counts, strict=True))
    ]
    pages: list[Path] = []
    total = sum(-(-count // layer.page_size) for count in counts)
    work = (
        page
        for number, condition, count in jobs
        for page in _pages(connection, layer, folder, number, condition, count, columns)
    )
    pages.extend(track(work, label=label, total=total))
    return pages


def _service(url: str) -> str:
    return url.split("/services/")[-1].split("/")[0]


def _ask(connection: Connection, layer: LayerInfo, check: Any, **query: str | int) -> Any:
    form = {key: str(value) for key, value in query.items()}
    if len(form.get("where", "")) > _LONG:
        return connection.get_json(f"{layer.url}/query", form=form, check=check)
    return connection.get_json(f"{layer.url}/query?{urlencode(form)}", check=check)


def _count(connection: Connection, layer: LayerInfo, condition: str) -> int:
    told = _ask(connection, layer, check_answer, where=condition, returnCountOnly="true", f="json")
    count = told.get("count")
    if not isinstance(count, int):
        msg = f"{_service(layer.url)} does not say how many features there are. Check the address."
        raise FetchError(msg)
    return count


def _same_state(folder: Path, state: dict[str, Any]) -> None:
    """Drop the pages of an earlier run where the layer or the question differs."""
    note = folder / "state.json"
    text = json.dumps(state, sort_keys=True, default=list)
    if note.is_file() and note.read_text(encoding="utf-8") == text:
        return
    pages = folder / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir(parents=True)
    note.write_text(text, encoding="utf-8")


def _pages(
    connection: Connection,
    layer: LayerInfo,
    folder: Path,
    number: int,
    condition: str,
    count: int,
    columns: Sequence[str],
) -> Any:
    got = 0
    while got < count:
        path = folder / "pages" / f"{number:04}-{got:08}.json"
        if not path.is_file():
            page = _page(connection, layer, condition, got, columns)
            staged = path.with_suffix(".new")
            staged.write_text(json.dumps(page), encoding="utf-8")
            staged.replace(path)
        else:
            page = json.loads(path.read_text(encoding="utf-8"))
        got += len(page["features"])
        yield path


def _page(
    connection: Connection, layer: LayerInfo, condition: str, offset: int, columns: Sequence[str]
) -> Any:
    def check(content: Any) -> None:
        check_answer(content)
        if not content.get("features"):
            told = f"the service sends no feature from number {offset:,} on"
            raise PassingError(told)

    shape = {"f": "json", "returnGeometry": "false"}
    if not layer.table:
        shape = {"f": "geojson", "outSR": str(NATIONAL_GRID)}
    return _ask(
        connection,
        layer,
        check,
        where=condition,
        outFields=",".join(columns),
        orderByFields=layer.id_field,
        resultOffset=offset,
        resultRecordCount=layer.page_size,
        **shape,
    )


def read_pages(pages: Sequence[Path], layer: LayerInfo) -> pd.DataFrame:
    """
    Put pages under each other.

    Parameters
    ----------
    pages
        From `fetch_pages`.
    layer
        From `describe_layer`.

    Returns
    -------
    table
        A GeoDataFrame on the British National Grid, or a table where the
        layer has no geometries; the service's bookkeeping is left out.

    Raises
    ------
    FetchError
        If a feature came twice: the layer was changed in between.
    """
    rows: list[dict[str, Any]] = []
    shapes: list[Any] = []
    for page in pages:
        features = json.loads(page.read_text(encoding="utf-8"))["features"]
        rows.extend(f.get("properties") or f.get("attributes") or {} for f in features)
        if not layer.table:
            held = pyogrio.read_dataframe(page, columns=[])
            shapes.append(held.geometry.to_numpy())
    table = pd.DataFrame(rows)
    twice = int(table[layer.id_field].duplicated().sum()) if layer.id_field in table else 0
    if twice:
        msg = (
            f"{_service(layer.url)} sent {twice:,} features twice: it was changed while it was "
            "read. Run it again."
        )
        raise FetchError(msg)
    table = table.drop(columns=[name for name in table.columns if _BOOKKEEPING.match(str(name))])
    if layer.table:
        return table
    outlines = gpd.GeoSeries(np.concatenate(shapes))
    # A service that passes over outSR sends degrees.
    found = 4326 if looks_like_degrees(outlines.total_bounds) else NATIONAL_GRID
    areas = gpd.GeoDataFrame(table, geometry=outlines, crs=found)
    projected: pd.DataFrame = areas.to_crs(NATIONAL_GRID)
    return projected


def write_areas(areas: gpd.GeoDataFrame, path: Path, *, layer: str) -> None:
    """
    Write areas as a GeoPackage, alike for alike areas.

    Parameters
    ----------
    areas
        What to write.
    path
        Where to.
    layer
        Name of the layer.
    """
    areas.to_file(path, driver="GPKG", layer=layer, engine="pyogrio", index=False)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE gpkg_contents SET last_change = '1970-01-01T00:00:00.000Z'")
        database.commit()


def check_codes(table: pd.DataFrame, code: str | None, *, rows: int | None, where: str) -> None:
    """
    Check that each area is there once, and as many as there must be.

    Parameters
    ----------
    table
        What came.
    code
        The column of codes.
    rows
        How many there must be, where that is known.
    where
        Name of the source, for messages.

    Raises
    ------
    FetchError
        If not.
    """
    if rows is not None and len(table) != rows:
        msg = (
            f"{where}: {len(table):,} rows came where {rows:,} are expected. If the publisher "
            "changed them, set the new number as `rows` in boundaries/catalogue.toml."
        )
        raise FetchError(msg)
    if code is None:
        return
    if code not in table:
        held = listed([str(name) for name in table.columns], most=12)
        msg = f"{where} has no column {code!r}; it has {held}. Set `code` in the catalogue."
        raise FetchError(msg)
    twice = table[code][table[code].duplicated()].unique()
    if len(twice):
        msg = f"{where}: {len(twice):,} codes came more than once ({listed(list(twice))})."
        raise FetchError(msg)
