"""
Areas and tables of an ArcGIS feature service, such as the Open Geography portal's.

A service gives at most 1,000 or 2,000 features an answer; the rest is asked
for page by page, in the order of its own identifiers. Troubles come as a JSON
``error`` under status 200.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import FetchError
from placeshaping._core.output import output_error
from placeshaping._core.progress import track
from placeshaping.sources.answers import PassingError
from placeshaping.sources.feature_pages import (
    LayerInfo,
    new_pages_next_time,
    service_of,
    values_of,
)
from placeshaping.sources.network import Connection

_MOST = 2000
_PASSING = {429, 500, 502, 503, 504}
_LONG = 1500
_TOGETHER = 500


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
    fields = told.get("fields")
    held = [one for one in fields if isinstance(one, dict)] if isinstance(fields, list) else []
    names = tuple(str(one["name"]) for one in held if one.get("name"))
    if not names:
        msg = (
            f"{urlsplit(url).netloc} describes no columns of {service_of(url)}. Check the address."
        )
        raise FetchError(msg)
    ids = [n for n in names if n.casefold() in {"fid", "objectid", "ogc_fid"}]
    most, edits = told.get("maxRecordCount"), told.get("editingInfo")
    size = most if isinstance(most, int) and most > 0 else _MOST
    return LayerInfo(
        url=url,
        name=str(told.get("name") or service_of(url)),
        fields=names,
        id_field=str(told.get("objectIdField") or (ids[0] if ids else names[0])),
        page_size=min(size, _MOST),
        edited=edits.get("lastEditDate") if isinstance(edits, dict) else None,
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
    given = error if isinstance(error, dict) else {"message": error}
    details = given.get("details")
    reasons = [str(given.get("message") or "no reason given")]
    reasons += map(str, details) if isinstance(details, list) else []
    told = f"the service says: {'; '.join(dict.fromkeys(r.rstrip('. ') for r in reasons if r))}"
    code = given.get("code")
    if isinstance(code, int) and code in _PASSING:
        raise PassingError(told)
    msg = f"{told[0].upper()}{told[1:]} (code {code})."
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
        If the service keeps failing, stops before all are there, or has more
        than it said.
    OutputError
        If a page cannot be written.
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


def _ask(connection: Connection, layer: LayerInfo, check: Any, **query: str | int) -> Any:
    form = {key: str(value) for key, value in query.items()}
    if len(form.get("where", "")) > _LONG:
        return connection.get_json(f"{layer.url}/query", form=form, check=check)
    return connection.get_json(f"{layer.url}/query?{urlencode(form)}", check=check)


def _count(connection: Connection, layer: LayerInfo, condition: str) -> int:
    told = _ask(connection, layer, check_answer, where=condition, returnCountOnly="true", f="json")
    count = told.get("count")
    if not isinstance(count, int) or count < 0:
        msg = (
            f"{service_of(layer.url)} does not say how many features there are. Check the address."
        )
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
    try:
        pages.mkdir(parents=True)
        note.write_text(text, encoding="utf-8")
    except OSError as error:
        raise output_error(error, note) from error


def _pages(
    connection: Connection,
    layer: LayerInfo,
    folder: Path,
    number: int,
    condition: str,
    count: int,
    columns: Sequence[str],
) -> Iterator[Path]:
    got, more = 0, False
    while got < count:
        path = folder / "pages" / f"{number:04}-{got:08}.json"
        page = _kept(path)
        if page is None:
            page = _page(connection, layer, condition, got, columns)
            staged = path.with_suffix(".new")
            try:
                staged.write_text(json.dumps(page), encoding="utf-8")
                staged.replace(path)
            except OSError as error:
                raise output_error(error, path) from error
        got += len(page["features"])
        more = _says_more(page)
        yield path
    if got > count or (more and _features_from(connection, layer, condition, got, columns)):
        with new_pages_next_time(folder):
            msg = (
                f"{service_of(layer.url)} sends more than the {count:,} features that it counted. "
                "Run it again."
            )
            raise FetchError(msg)


def _kept(path: Path) -> Any:
    """Return a page of an earlier run, or None where it is not there or not whole."""
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
        check_answer(page)
        _check_features(page)
    except (OSError, ValueError, FetchError, PassingError):
        return None
    return page if page["features"] else None


def _says_more(page: Any) -> bool:
    inner = page.get("properties")
    said = inner.get("exceededTransferLimit") if isinstance(inner, dict) else None
    return bool(page.get("exceededTransferLimit") or said)


def _page(
    connection: Connection, layer: LayerInfo, condition: str, offset: int, columns: Sequence[str]
) -> Any:
    def check(content: Any) -> None:
        check_answer(content)
        _check_features(content)
        if not content["features"]:
            told = f"the service sends no feature from number {offset:,} on"
            raise PassingError(told)

    return _ask(connection, layer, check, **_query(layer, condition, offset, columns))


def _features_from(
    connection: Connection, layer: LayerInfo, condition: str, offset: int, columns: Sequence[str]
) -> bool:
    """Ask whether there are features beyond the last that was counted."""

    def check(content: Any) -> None:
        check_answer(content)
        _check_features(content)

    beyond = _ask(connection, layer, check, **_query(layer, condition, offset, columns))
    return bool(beyond["features"])


def _query(
    layer: LayerInfo, condition: str, offset: int, columns: Sequence[str]
) -> dict[str, str | int]:
    shape: dict[str, str | int] = {"f": "json", "returnGeometry": "false"}
    if not layer.table:
        shape = {"f": "geojson", "outSR": str(NATIONAL_GRID)}
    return {
        "where": condition,
        "outFields": ",".join(columns),
        "orderByFields": layer.id_field,
        "resultOffset": offset,
        "resultRecordCount": layer.page_size,
        **shape,
    }


def _check_features(content: Any) -> None:
    """Refuse what is no list of features with plain values."""
    features = content.get("features", [])
    if isinstance(features, list) and all(_is_feature(one) for one in features):
        content["features"] = features
        return
    msg = "The service answers with features that are none. Check the address."
    raise FetchError(msg)


def _is_feature(one: Any) -> bool:
    values = values_of(one) if isinstance(one, dict) else None
    return isinstance(values, dict) and not any(
        isinstance(value, dict | list) for value in values.values()
    )
