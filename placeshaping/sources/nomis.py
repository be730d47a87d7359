"""
Tables of Nomis, the census and labour market service, page by page.

Nomis gives 25,000 rows an answer, says in ``RECORD_COUNT`` how many there are,
and answers a wrong parameter with status 200 and nothing.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pandas as pd
from pandas.errors import EmptyDataError, ParserError

from placeshaping._core.errors import FetchError
from placeshaping._core.progress import track
from placeshaping.sources.answers import PassingError, refuse_web_page
from placeshaping.sources.network import Connection, Trials

_MOST_PAGES = 2000


def fetch_rows(
    connection: Connection,
    url: str,
    query: Mapping[str, str],
    *,
    usual: Mapping[str, str] | None = None,
    label: str = "Fetching rows",
) -> pd.DataFrame:
    """
    Fetch all rows of a query.

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
    for _ in track(range(_MOST_PAGES), label=label, total=None):
        address = f"{url}?{urlencode({**query, 'RecordOffset': str(got)}, safe=',')}"
        page = _page(connection, address, first=not parts, wrong=_suspects(query, usual))
        if parts and list(page.columns) != list(parts[0].columns):
            msg = f"{urlsplit(url).netloc} changed its columns between pages. Run it again."
            raise FetchError(msg)
        stated = _stated_total(page)
        if stated is not None:
            total = stated
        parts.append(page)
        got += len(page)
        if total is None or got >= total or not len(page):
            break
    if total is not None and got != total:
        msg = f"{urlsplit(url).netloc} sent {got:,} rows of {total:,}. Run it again."
        raise FetchError(msg)
    table = pd.concat(parts, ignore_index=True)
    return table.drop(columns=[c for c in table.columns if c.upper() in _COUNTING])


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


def _page(connection: Connection, address: str, *, first: bool, wrong: str) -> pd.DataFrame:
    host = urlsplit(address).netloc
    trials = Trials(connection, address)
    while True:
        body = connection.get(address)
        refuse_web_page(body, host)
        if body.strip():
            try:
                return _parsed(body)
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
