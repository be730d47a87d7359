"""
The register of burdens: what former patrol layers laid on whom, so that change can be told.

A small JSON file beside the layers. It holds ratios by group of residents and
the date of each release, no place and no crime. It is rewritten whole, beside
itself, so that a reader sees the old register or the new one.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping._core.errors import FileFormatError
from placeshaping._core.output import staged_file

_VERSION = 1
_COLUMNS = ("burden_ratio", "lower", "upper")


def read_burdens(path: str | Path, *, series: str) -> dict[str, pd.DataFrame]:
    """
    Read the burdens of former releases of one kind of layer.

    Parameters
    ----------
    path
        The register; it need not be there.
    series
        What is followed, such as ``"Leicestershire, burglary"``.

    Returns
    -------
    burdens
        Day of each release, oldest first -> table by group with
        ``burden_ratio``, ``lower``, ``upper``; for `fairness.burden_drift`.

    Raises
    ------
    FileFormatError
        If the file is no register.
    """
    return {
        str(entry["released_on"]): pd.DataFrame.from_dict(
            entry["burden"], orient="index", columns=list(_COLUMNS)
        )
        .astype(float)
        .rename_axis("group")
        for entry in _entries(Path(path))
        if entry["series"] == series
    }


def add_burden(
    path: str | Path, burden: pd.DataFrame, *, series: str, released_on: dt.date
) -> None:
    """
    Add the burden of a release; a second one of the same day takes the place of the first.

    Parameters
    ----------
    path
        The register; made where there is none.
    burden
        From `fairness.burden_audit`.
    series
        As in `read_burdens`.
    released_on
        The day.

    Raises
    ------
    FileFormatError
        If the file is no register.
    OutputError
        If it cannot be written; it is then as it was.
    """
    path = Path(path)
    day = released_on.isoformat()
    kept = [e for e in _entries(path) if (e["series"], e["released_on"]) != (series, day)]
    rows = {
        str(group): [None if pd.isna(v) else float(f"{v:.6g}") for v in values]
        for group, values in zip(burden.index, burden[list(_COLUMNS)].to_numpy(), strict=True)
    }
    kept.append({"series": series, "released_on": day, "burden": rows})
    kept.sort(key=lambda entry: (str(entry["series"]), str(entry["released_on"])))
    with staged_file(path) as staged:
        text = json.dumps({"version": _VERSION, "releases": kept}, indent=1, ensure_ascii=False)
        staged.write_text(text + "\n", encoding="utf-8", newline="\n")


def _entries(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        entries = found["releases"]
        whole = found["version"] == _VERSION and all(
            {"series", "released_on", "burden"} <= entry.keys() for entry in entries
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        msg = f"{path.name} is no register of burdens: {error}. Restore it from a copy."
        raise FileFormatError(msg) from error
    if not whole:
        msg = f"{path.name} is no register of burdens of this version. Restore it from a copy."
        raise FileFormatError(msg)
    return list(entries)
