"""What is public anyway: how many people live in each area, and which area holds which."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_file
from placeshaping._core.codes import is_gss
from placeshaping._core.errors import FileFormatError
from placeshaping.verify.cells import numbers_of
from placeshaping.verify.claims import add_parents
from placeshaping.verify.contents import UnreadableError
from placeshaping.verify.coordinates import places_in
from placeshaping.verify.plain_files import read_csv
from placeshaping.verify.workbook_file import read_workbook

_HOUSEHOLDS = re.compile(r"(?i)household")
_RESIDENTS = re.compile(r"(?i)resident|population|persons|people|usual|^(?:total|all|observation)")


@dataclass
class Public:
    """
    What anybody knows.

    Attributes
    ----------
    people
        Indexed by area code: `residents`, `households`, as far as known.
    parents
        Code of an area -> codes of the areas that hold it.
    addresses
        Easting and northing of every address; None where they are not known.
    """

    people: pd.DataFrame = field(default_factory=pd.DataFrame)
    parents: dict[str, list[str]] = field(default_factory=dict)
    addresses: NDArray[np.float64] | None = None


def read_public(path: str | Path) -> Public:
    r"""
    Read public populations, and lookups beside them, from a CSV file or workbook.

    Parameters
    ----------
    path
        A table with a column of area codes. Columns named for residents,
        population or people, and for households, are taken; further columns
        of area codes say which area lies in which. A table without codes but
        with coordinates is one of addresses, by which masked points are traced.

    Returns
    -------
    public
        What is known.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If it is no table, or names neither areas nor addresses.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "people.csv"
    ...     _ = file.write_text("lsoa21cd,population\nE01000001,1520\nE01000002,1610\n")
    ...     read_public(file).people["residents"].tolist()
    [1520.0, 1610.0]
    """
    path = check_file(path)
    public = Public()
    parts = []
    for frame in _frames(path):
        codes = [str(column) for column in frame.columns if _coded(frame[column])]
        if not codes:
            public.addresses = places_in(frame) if public.addresses is None else public.addresses
            continue
        finest = min(codes, key=lambda column: -frame[column].nunique())
        frame = frame.dropna(subset=[finest])
        for column in codes:
            if column != finest:
                rows = frame[[finest, column]].dropna().drop_duplicates().astype(str)
                add_parents(public.parents, zip(rows[finest], rows[column], strict=True))
        parts.append(_people(frame, finest))
    if not parts and public.addresses is None:
        msg = (
            f"{path.name} has no column of area codes such as E01000001, nor coordinates of "
            "addresses: give a table with one or the other."
        )
        raise FileFormatError(msg)
    people = pd.concat(parts) if parts else public.people
    public.people = people[~people.index.duplicated()]
    return public


def _frames(path: Path) -> list[pd.DataFrame]:
    try:
        if path.suffix.casefold() == ".xlsx":
            return [table.frame for table in read_workbook(path).tables]
        if path.suffix.casefold() == ".gz":
            return [pd.read_csv(path, dtype=object)]
        return [table.frame for table in read_csv(path).tables]
    except (UnreadableError, ValueError, OSError) as error:
        msg = f"{path.name} could not be read as a table of populations: {error}."
        raise FileFormatError(msg) from error


def _coded(column: pd.Series) -> bool:
    """Tell whether a column holds area codes."""
    some = column.dropna().astype(str).head(50)
    return len(some) > 0 and bool(some.map(is_gss).all())


def _people(frame: pd.DataFrame, codes: str) -> pd.DataFrame:
    found: dict[str, object] = {}
    for column in frame.columns:
        name = str(column)
        kind = "households" if _HOUSEHOLDS.search(name) else None
        kind = kind or ("residents" if _RESIDENTS.search(name) else None)
        if kind and kind not in found and name != codes:
            found[kind] = numbers_of(frame[column])
    return pd.DataFrame(found, index=pd.Index(frame[codes].astype(str)))
