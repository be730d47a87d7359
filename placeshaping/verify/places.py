"""Public places and postcode sectors on a page: names and places, and nothing that counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from placeshaping._core.checks import listed
from placeshaping.verify.loose_numbers import code_pairs

MOST_PLACES = 2_000

_KEYS = {"title", "names", "x", "y"}
_ADDRESS = re.compile(r"(?i)https?://[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?::\d+)?(?:[/?#]|$)")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_SECTOR = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d")


def faults_of_places(
    given: Any, declaration: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    """
    Say what is wrong with the public places of a page.

    Parameters
    ----------
    given
        What the page's data hold.
    declaration
        What the file says of itself: title -> address of each kind of place.

    Yields
    ------
    fault
        What, and a proof.

    Examples
    --------
    >>> kind = {"title": "Libraries", "names": ["Old Library"], "x": [-1.1], "y": [52.6]}
    >>> list(faults_of_places([kind], {"places": {"Libraries": "https://example.org/list"}}))
    []
    >>> next(faults_of_places([kind], None))
    ('shows places of which the file does not say where they are published', 'Libraries')
    """
    said = (declaration or {}).get("places")
    declared = said if isinstance(said, Mapping) else {}
    for kind in given if isinstance(given, list) else [given]:
        if not isinstance(kind, dict) or set(kind) != _KEYS:
            yield "holds places with other fields than names and points", str(kind)[:80]
            continue
        title, names = str(kind["title"]), kind["names"]
        if not _ADDRESS.match(str(declared.get(title, ""))):
            yield "shows places of which the file does not say where they are published", title
        if not isinstance(names, list) or any(not isinstance(name, str) for name in names):
            yield "holds places without names", title
            continue
        if len(names) > MOST_PLACES:
            yield f"shows {len(names):,} places of a kind, as no list of public ones does", title
        odd = [name for name in names if not _LETTERS.search(name) or code_pairs(name)]
        if odd:
            yield "holds names of places that are numbers", listed(odd)
        axes = [kind["x"], kind["y"]]
        if any(not _numbers(axis, len(names)) for axis in axes):
            yield "has not one point for each place", title
            continue
        seen = list(zip(names, *axes, strict=True))
        if len(set(seen)) < len(seen):
            again = [str(one[0]) for k, one in enumerate(seen) if one in seen[:k]]
            yield "holds places that stand there again: how often is a count", listed(again)


def faults_of_sectors(given: Any, areas: int) -> Iterator[tuple[str, str]]:
    """
    Say what is wrong with the postcode sectors of a page.

    Examples
    --------
    >>> list(faults_of_sectors({"LE1 6": [1, 0]}, 2))
    []
    >>> [what for what, _ in faults_of_sectors({"LE1 6": [7]}, 2)]
    ['holds postcode sectors that are none, or of areas that there are not']
    """
    odd = [
        f"{name}: {places}"[:40]
        for name, places in (given.items() if isinstance(given, dict) else [("", given)])
        if not _SECTOR.fullmatch(str(name))
        or not isinstance(places, list)
        or len(set(map(str, places))) < len(places)
        or any(type(place) is not int or not 0 <= place < areas for place in places)
    ]
    if odd:
        yield "holds postcode sectors that are none, or of areas that there are not", listed(odd)


def _numbers(axis: Any, size: int) -> bool:
    """Tell whether something is as many numbers of degrees."""
    return (
        isinstance(axis, list)
        and len(axis) == size
        and all(type(value) in (int, float) and -180 <= value <= 180 for value in axis)
    )
