"""
Tables of Nomis, the census and labour market service, page by page.

Nomis gives 25,000 rows an answer, says in ``RECORD_COUNT`` how many there are,
and answers a wrong parameter with status 200 and nothing.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pandas as pd
from pandas.errors import EmptyDataError, ParserError

from placeshaping._core.errors import FetchError
from placeshaping._core.output import output_error
from placeshaping._core.progress import track
from placeshaping.sources.answers import PassingError, refuse_web_page
from placeshaping.sources.network import Connection, Trials

_MOST_PAGES = 2000
_PAGE = 25_000


def fetch_rows(
    connection: Connection,
    url: str,
    query: Mapping[str, str],
    *,
    usual: Mapping[str, str] | None = None,
    folder: Path | None = None,
    label: str = "Fetching rows",
) -> pd.DataFrame:
    """
    Fetch all rows of a query.

    Pages that are in the folder from an earlier run are kept, as long as the
    first one, which is always asked for, is what it was.

    Parameters
    ----------
    connection
        The way to the server.
    url
        Address of the dataset, ending like ``NM_2021_1.data.csv``.
    query
        Its parameters; `select` should name ``record_count``.
    usual
        Parameters that are known to work, to tell which one is likely wrong.
    folder
        Where the pages are kept until all are there.
    label
        What the progress bar says.

    Returns
    -------
    table
        All rows, as text.

    Raises
    ------
    FetchError
        If the answer is empty (the message names the likely wrong parameter),
        or not all rows come.
    """
    parts: list[pd.DataFrame] = []
    got, total = 0, None
    host, shelf = urlsplit(url).netloc, _Shelf(folder)
    for _ in track(range(_MOST_PAGES), label=label, total=None):
        address = f"{url}?{urlencode({**query, 'RecordOffset': str(got)}, safe=',')}"
        page = shelf.take(got, address)
        if page is None:
            body, page = _page(connection, address, first=not parts, wrong=_suspects(query, usual))
            shelf.put(got, address, body)
        if parts and list(page.columns) != list(parts[0].columns):
            shelf.clear()
            msg = f"{host} changed its columns between pages. Run it again."
            raise FetchError(msg)
        stated = _stated_total(page)
        total = total if stated is None else stated
        parts.append(page)
        got += len(page)
        if total is None or got >= total or not len(page):
            break
    _check_all(got, total, host, shelf)
    table = pd.concat(parts, ignore_index=True)
    return table.drop(columns=[c for c in table.columns if c.upper() in _COUNTING])


def _check_all(got: int, total: int | None, host: str, shelf: _Shelf) -> None:
    if not got or (total is not None and got != total):
        shelf.clear()
        msg = f"{host} sent {got:,} rows of {total or 'none'}. Run it again."
        raise FetchError(msg.replace("0 rows of none", "no row"))
    if total is None and got >= _PAGE:
        msg = (
            f"{host} sent {got:,} rows and does not say how many there are: the rest may be "
            "missing. Add record_count to `select` under [...query] in boundaries/catalogue.toml."
        )
        raise FetchError(msg)


@dataclass(frozen=True)
class _Shelf:
    """The pages of an earlier run, where there is a folder for them."""

    folder: Path | None

    def take(self, offset: int, address: str) -> pd.DataFrame | None:
        """Return a page that was kept; never the first, which tells whether the others hold."""
        if self.folder is None or not offset:
            return None
        try:
            return _parsed(self._place(self.folder, offset, address).read_bytes())
        except (OSError, PassingError):
            return None

    def put(self, offset: int, address: str, body: bytes) -> None:
        if self.folder is None:
            return
        path = self._place(self.folder, offset, address)
        if not offset and not (path.is_file() and path.read_bytes() == body):
            self.clear()
        staged = path.with_suffix(".new")
        try:
            staged.write_bytes(body)
            staged.replace(path)
        except OSError as error:
            raise output_error(error, path) from error

    def clear(self) -> None:
        for path in [] if self.folder is None else self.folder.glob("rows-*.csv"):
            path.unlink()

    @staticmethod
    def _place(folder: Path, offset: int, address: str) -> Path:
        return folder / f"rows-{hashlib.sha256(address.encode()).hexdigest()[:16]}-{offset:09}.csv"


_COUNTING = {"RECORD_COUNT", "RECORD_OFFSET"}


def _suspects(query: Mapping[str, str], usual: Mapping[str, str] | None) -> str:
    """Name the parameters that differ from those that are known to work, else all."""
    usual = usual or {}
    changed = [f"{k}={v} (known to work: {usual[k]})" for k, v in query.items()
               if k in usual and usual[k] != v]  # fmt: skip
    added = [f"{k}={v} (not known)" for k, v in query.items() if usual and k not in usual]
    missing = [f"{k}={v} (left out)" for k, v in usual.items() if k not in query]
    told = [*changed, *added, *missing]
    return ", ".join(told or [f"{key}={value}" for key, value in query.items()])


def _page(
    connection: Connection, address: str, *, first: bool, wrong: str
) -> tuple[bytes, pd.DataFrame]:
    host = urlsplit(address).netloc
    trials = Trials(connection, address)
    while True:
        body = connection.get(address)
        refuse_web_page(body, host)
        if body.strip():
            try:
                return body, _parsed(body)
            except PassingError as trouble:
                trials.again(trouble)
        elif first:
            dataset = urlsplit(address).path.rpartition("/")[2].partition(".")[0]
            msg = (
                f"{host} answers with nothing, as it does when the dataset ({dataset}) or a "
                f"parameter is wrong. Likely: {wrong}. Set it under [...query] in "
                "boundaries/catalogue.toml."
            )
            raise FetchError(msg)
        else:
            trials.again(PassingError("a page came empty"))


def _parsed(body: bytes) -> pd.DataFrame:
    told = "a page came cut short"
    if not body.endswith(b"\n"):
        raise PassingError(told)
    try:
        page = pd.read_csv(io.BytesIO(body), dtype="str", keep_default_na=False)
    except (ParserError, EmptyDataError, UnicodeDecodeError) as error:
        raise PassingError(told) from error
    return page


def _stated_total(page: pd.DataFrame) -> int | None:
    columns = [c for c in page.columns if c.upper() == "RECORD_COUNT"]
    if not columns or not len(page) or not page[columns[0]].iloc[-1].isdecimal():
        return None
    return int(page[columns[0]].iloc[-1])


def write_rows(table: pd.DataFrame, path: Path, *, rename: Mapping[str, str]) -> pd.DataFrame:
    """
    Write rows as CSV under other column names.

    Parameters
    ----------
    table
        From `fetch_rows`.
    path
        Where to.
    rename
        Column to new name, in either case.

    Returns
    -------
    table
        What was written.
    """
    folded = {old.upper(): new for old, new in rename.items()}
    renamed = table.rename(columns={c: folded.get(c.upper(), c) for c in table.columns})
    renamed.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    return renamed
