"""The block of a page on which wards are painted: borders, places, proposals, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_KEYS = {
    "name", "digest", "councillors", "sizes", "tolerance", "square_metres", "outer_metres",
    "neighbours", "groups", "proposals",
}  # fmt: skip
_KINDS = {"parish", "parish_ward", "polling_district", "community"}
_DIGEST = re.compile(r"[0-9a-f]{12}")
_MOST_COUNCILLORS = 1000
_LARGEST_WARD = 99
_ROUGH = 1.05
"""Borders are whole metres: a small circle may seem to hold a little more than it can."""

Whole = NDArray[np.int64]
Fault = tuple[str, str]


def faults_of_review(
    review: Any, size: int, declaration: Mapping[str, Any] | None
) -> Iterator[Fault]:
    """
    Look for what the block of a painting page must not hold.

    Numbers of units stand in it for borders and areas alone, which no polygon
    could have otherwise; everything else is a name, a position in a list, or
    a number of councillors.

    Parameters
    ----------
    review
        The block.
    size
        How many units the page has.
    declaration
        What the file says of itself: the block must be of the same review.

    Yields
    ------
    what, proof
        Of each fault.

    Examples
    --------
    >>> block = {"name": "A", "digest": "0" * 12, "electors": [3]}
    >>> next(faults_of_review(block, 1, None))
    ("holds the field 'electors', which is not on the list", '[3]')
    """
    if not isinstance(review, Mapping):
        yield "holds a review that is none", type(review).__name__
        return
    yield from _unknown(review, _KEYS)
    yield from _identity(review, declaration or {})
    yield from _borders(review, size)
    for group in _listed(review.get("groups")):
        yield from _group(group, size)
    kinds = [str(group.get("kind")) for group in _listed(review.get("groups"))]
    if not set(kinds) <= _KINDS or len(kinds) != len(set(kinds)):
        yield "holds kinds of places that are not known, or one twice", ", ".join(kinds)
    for proposal in _listed(review.get("proposals")):
        yield from _proposal(proposal, size)


def _unknown(given: Mapping[str, Any], known: set[str]) -> Iterator[Fault]:
    for key, value in given.items():
        if key not in known:
            yield f"holds the field {key!r}, which is not on the list", str(value)[:80]


def _listed(given: Any) -> list[Mapping[str, Any]]:
    """Return the entries of a list that are objects; what is none counts as an empty one."""
    if not isinstance(given, list):
        return [{}]
    return [one if isinstance(one, Mapping) else {} for one in given]


def _identity(review: Mapping[str, Any], declaration: Mapping[str, Any]) -> Iterator[Fault]:
    digest = str(review.get("digest"))
    if not _DIGEST.fullmatch(digest):
        yield "has a mark of its review that is none", digest[:80]
    for key, own in (("digest", "digest"), ("review", "name")):
        if key in declaration and declaration[key] != review.get(own):
            yield f"is of another review than the file declares ({key})", str(review.get(own))[:80]
    councillors = [review.get("councillors"), *_numbers_in(review.get("sizes"))]
    if not all(_is_whole(number, 1, _MOST_COUNCILLORS) for number in councillors):
        yield "has numbers of councillors that are none", str(councillors)[:80]
    tolerance = review.get("tolerance")
    if not isinstance(tolerance, int | float) or not 0 < tolerance < 1:
        yield "has a mark of equality that is no share", str(tolerance)[:80]


def _numbers_in(given: Any) -> list[Any]:
    return given if isinstance(given, list) and given else [None]


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _whole(given: Any, size: int | None, low: int, high: float = np.inf) -> Whole | None:
    """Return whole numbers between two limits, so many of them; None where they are none."""
    if not isinstance(given, list) or (size is not None and len(given) != size):
        return None
    if not all(isinstance(n, int) and not isinstance(n, bool) and low <= n <= high for n in given):
        return None
    return np.asarray(given, dtype=np.int64)


def _borders(review: Mapping[str, Any], size: int) -> Iterator[Fault]:
    area = _whole(review.get("square_metres"), size, 0)
    outer = _whole(review.get("outer_metres"), size, 0)
    given = review.get("neighbours")
    pairs = given if isinstance(given, Mapping) else {}
    yield from _unknown(pairs, {"one", "other", "metres"})
    one = _whole(pairs.get("one"), None, 0, size - 1)
    many = None if one is None else len(one)
    other = _whole(pairs.get("other"), many, 0, size - 1)
    metres = _whole(pairs.get("metres"), many, 0)
    if area is None or outer is None or one is None or other is None or metres is None:
        yield "has no areas, borders and neighbours of its units", ""
        return
    steps = np.diff(one * size + other)
    if (one >= other).any() or (steps <= 0).any():
        yield "has pairs of neighbours that are not in order, or stand twice", ""
    border = outer + np.bincount(one, metres, size) + np.bincount(other, metres, size)
    odd = np.flatnonzero(4 * np.pi * area > _ROUGH * (border + 4.0) ** 2)
    if len(odd):
        what = f"has {len(odd):,} units larger than their borders can hold"
        yield what, f"unit {odd[0]}: {area[odd[0]]:,} m2 within {border[odd[0]]:,.0f} m"


def _group(group: Mapping[str, Any], size: int) -> Iterator[Fault]:
    yield from _unknown(group, {"kind", "names", "of"})
    names = group.get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        yield "has places without names", str(names)[:80]
        return
    of = _whole(group.get("of"), size, -1, len(names) - 1)
    if of is None or len(set(of.tolist()) - {-1}) != len(names):
        yield "has places that are not those of its units", str(group.get("of"))[:80]


def _proposal(proposal: Mapping[str, Any], size: int) -> Iterator[Fault]:
    yield from _unknown(proposal, {"name", "wards", "of"})
    wards = _listed(proposal.get("wards"))
    for ward in wards:
        yield from _unknown(ward, {"id", "name", "councillors"})
        texts = (ward.get("id"), ward.get("name"))
        sound = all(isinstance(text, str) for text in texts)
        if not sound or not _is_whole(ward.get("councillors"), 1, _LARGEST_WARD):
            yield "has a ward that is none", str(dict(ward))[:80]
    named = isinstance(proposal.get("name"), str)
    if not named or _whole(proposal.get("of"), size, -1, len(wards) - 1) is None:
        yield "has a proposal that does not give each unit a ward", str(proposal.get("of"))[:80]
