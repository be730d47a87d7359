"""Postcodes as people write them, found in a directory of those that there are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeshaping.sources.values import to_postcodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIKE_DIGITS = str.maketrans("OILS", "0115")
_LIKE_LETTERS = str.maketrans("015", "OIS")
_SHAPE = re.compile(r"^([A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}|GIR 0AA)$")


@dataclass(frozen=True)
class FoundPostcodes:
    """
    Where the postcodes of a column stand in a directory.

    Attributes
    ----------
    position
        Row of the directory for each value; -1 where there is none.
    tidy
        The postcodes in capitals with one space; missing where they are none.
    mended
        Whether a letter had been written for a digit or the reverse.
    """

    position: NDArray[np.intp]
    tidy: pd.Series[str]
    mended: NDArray[np.bool_]


def find_postcodes(values: pd.Series[Any], directory: pd.Index[Any]) -> FoundPostcodes:
    """
    Find postcodes in a directory, however they are written.

    Case, spaces and punctuation do not matter; a letter for a digit (O for 0,
    I or L for 1, S for 5) or the reverse is mended where that leads to one
    postcode that exists.

    Parameters
    ----------
    values
        A column of postcodes.
    directory
        Those that there are, in capitals with one space, each once.

    Returns
    -------
    found
        Row, tidy text, and whether it was mended; in the order of `values`.

    Examples
    --------
    >>> found = find_postcodes(pd.Series(["le1 6xx", "LEI 6XX", "LE1 6ZZ"]), pd.Index(["LE1 6XX"]))
    >>> found.position.tolist(), found.mended.tolist()
    ([0, 0, -1], [False, True, False])
    """
    text = values.astype("str").where(values.notna())
    tidy = to_postcodes(text)
    position = directory.get_indexer(pd.Index(tidy))
    lost = (position < 0) & text.notna().to_numpy()
    label, distinct = pd.factorize(text[lost])
    tried = [
        (number, guess)
        for number, value in enumerate(distinct)
        for guess in meant_postcodes(str(value))
    ]
    guesses = pd.DataFrame(tried, columns=["value", "guess"])
    guesses["at"] = directory.get_indexer(pd.Index(guesses["guess"]))
    guesses = guesses[guesses["at"] >= 0].drop_duplicates("value", keep=False).set_index("value")
    at = guesses["at"].reindex(label).fillna(-1).to_numpy(dtype=np.intp)
    mended = np.zeros(len(text), dtype=bool)
    mended[lost] = at >= 0
    position, tidy = position.copy(), tidy.copy()
    position[lost] = at
    tidy[mended] = guesses["guess"].reindex(label[at >= 0]).to_numpy()
    return FoundPostcodes(position, tidy, mended)


def meant_postcodes(value: str) -> list[str]:
    """
    Return the postcodes that may be meant by something that is none.

    Parameters
    ----------
    value
        As somebody wrote it.

    Returns
    -------
    postcodes
        In capitals with one space; they need not exist.

    Examples
    --------
    >>> meant_postcodes("LEI 6XX"), meant_postcodes("nowhere")
    (['LE1 6XX'], [])
    """
    plain = re.sub(r"[^A-Z0-9]", "", value.upper())
    outward, inward = plain[:-3], plain[-3:]
    if not 2 <= len(outward) <= 4 or len(inward) < 3:
        return []
    unit = inward[0].translate(_LIKE_DIGITS) + inward[1:].translate(_LIKE_LETTERS)
    guesses = {f"{outward.translate(_LIKE_LETTERS)} {unit}"}  # GIR 0AA, which has no digit before
    for letters in (1, 2):  # the area: LE or W
        area = outward[:letters].translate(_LIKE_LETTERS)
        first = outward[letters : letters + 1].translate(_LIKE_DIGITS)
        last = outward[letters + 1 :]
        lasts = {last, last.translate(_LIKE_DIGITS), last.translate(_LIKE_LETTERS)}
        guesses |= {f"{area}{first}{end} {unit}" for end in lasts}
    return sorted(guess for guess in guesses if _SHAPE.match(guess))
