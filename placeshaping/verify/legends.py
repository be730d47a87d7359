"""Read the edges of classes as data, and count the classes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import numpy as np

from placeshaping._core.checks import listed
from placeshaping.verify.cells import numbers_of
from placeshaping.verify.contents import Contents
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

MOST_CLASSES = 5
"""Classes that may stand in a legend."""

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_FINEST_STEP = 1000
_MOST_STEPS = 8
_QUANTILES = (1.645, 1.96, 2.576, 2.58, 3.29)
_RENDERER = re.compile(r"<renderer-v2\b([^>]{0,2000})>(.*?)</renderer-v2>", re.DOTALL)
_RANGE = re.compile(r'<range\b[^>]*?\blower="([^"]*)"[^>]*?\bupper="([^"]*)"')
_RANGE_REVERSED = re.compile(r'<range\b[^>]*?\bupper="([^"]*)"[^>]*?\blower="([^"]*)"')
_ENUMERATED = re.compile(r"\bclass\b(?!.*\b(?:count|rate|gi_star)\b)")
_FIELD = re.compile(r'attr="([^"]*)"')


def check_edges(edges: Sequence[object], *, where: str, shown: bool = False) -> Iterator[Breach]:
    """
    Look for too many classes, and for edges that are values of the data.

    Parameters
    ----------
    edges
        Inner edges of classes.
    where
        Where they stand.
    shown
        Whether the numbers that are classed stand in the file. Then edges may
        be multiples of a round step; else each must be a round number itself.

    Yields
    ------
    breach
        One for the number of classes, one for the edges.

    Examples
    --------
    >>> [breach.what for breach in check_edges([3, 7, 12], where="legend")]
    ['3 of 3 class edges are no round numbers: they are values of the data']
    >>> list(check_edges([10, 25, 500], where="legend"))
    []
    """
    numbers = [float(e) for e in edges if isinstance(e, int | float) and math.isfinite(e)]
    if len(edges) + 1 > MOST_CLASSES:
        what = f"has {len(edges) + 1} classes; at most {MOST_CLASSES} may leave"
        yield Breach(where, what, listed([f"{n:g}" for n in numbers]), attack="classes")
    odd = [number for number in numbers if not _is_round(number)]
    if shown and _on_steps(odd, numbers):
        odd = []
    if odd:
        verb = "is no round number" if len(odd) == 1 else "are no round numbers"
        they = "it is a value" if len(odd) == 1 else "they are values"
        what = f"{len(odd)} of {len(numbers)} class edges {verb}: {they} of the data"
        yield Breach(where, what, listed([f"{n:g}" for n in odd]), attack="classes")


def attack_legends(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Look at the legends of a file: classes of its styles, and those that its page draws.

    An edge among counts must be one that could be shown. An edge among numbers
    that stand in the file may be a multiple of a round step, one among others
    must be a round number.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> ranges = "".join(f'<range lower="{i}" upper="{i + 1}"/>' for i in range(10))
    >>> style = f'<renderer-v2 attr="rate"><ranges>{ranges}</ranges></renderer-v2>'
    >>> contents = Contents("geopackage", texts={"layer_styles": style})
    >>> [breach.what for breach in attack_legends(contents, RULES["public"])][:1]
    ['has 10 classes; at most 5 may leave']
    """
    if not rules.protects:
        return
    for where, text in contents.texts.items():
        for attributes, body in _RENDERER.findall(text):
            found = _FIELD.search(attributes)
            edges = _inner(body)
            if found and edges is not None:
                yield from _edges_of(found.group(1), edges, contents, rules, where)
    # a page works its rates out from the counts that it shows
    counted = _stands("count", contents)
    for label, edges in contents.legends.items():
        yield from check_edges(edges, where=f"legend of {label}", shown=counted)


def _inner(body: str) -> list[float] | None:
    """Return the inner edges of a style's ranges above nought; None where it has none."""
    pairs = _RANGE.findall(body) or [(low, up) for up, low in _RANGE_REVERSED.findall(body)]
    try:
        ranges = [(float(low), float(up)) for low, up in pairs]
    except ValueError:
        return None
    classes = sorted({(low, up) for low, up in ranges if up > low})
    return [low for low, _ in classes[1:]] if classes else None


def _edges_of(
    field: str, edges: Sequence[float], contents: Contents, rules: Rules, where: str
) -> Iterator[Breach]:
    """Judge the edges of one legend by the column that it classes."""
    column = next((c for c in ("count", "rate", "gi_star") if c in field), field)
    if _ENUMERATED.search(field) and list(edges) == [2.0, 3.0, 4.0, 5.0][: len(edges)]:
        return  # classes that the file holds as such, by their number
    if column == "count":
        yield from check_edges([0] * len(edges), where=where)
        small = [e for e in edges if 0 < e < rules.threshold and not _is_round(e)]
        uneven = [
            e
            for e in edges
            if rules.method == "round"
            and float(e).is_integer()  # between whole numbers there is no count
            and e >= rules.threshold
            and e % rules.rounding
            and not _is_round(e)
        ]
        if (small or uneven) and not _on_steps([*small, *uneven], edges, finest=_MOST_STEPS):
            hidden = number_of(len(small + uneven), "class edge is", names="class edges are")
            what = f"{hidden} no round number, nor a count that could be shown: values of the data"
            yield Breach(where, what, listed([f"{e:g}" for e in small + uneven]), attack="classes")
        return
    yield from check_edges(edges, where=where, shown=_stands(column, contents))


def _stands(column: str, contents: Contents) -> bool:
    """Tell whether a column holds a number anywhere in the file."""
    return any(
        bool(np.isfinite(numbers_of(table.frame[column])).any())
        for table in contents.tables
        if column in table.frame and table.frame.columns.is_unique
    )


def _on_steps(
    odd: Sequence[float], numbers: Sequence[float], *, finest: int = _FINEST_STEP
) -> bool:
    """Tell whether edges are multiples of one round step that is not too fine for them."""
    largest = max(map(abs, numbers), default=1.0)
    spread = (max(numbers) - min(numbers) if len(numbers) > 1 else 0.0) or largest
    power = math.floor(math.log10(spread)) if spread > 0 else 0
    steps = [digits * 10.0 ** (power - down) for down in range(4) for digits in _ROUND[:4]]
    return any(
        all(abs(edge / step - round(edge / step)) < 1e-6 for edge in odd)
        for step in steps
        if step >= spread / finest
    )


def _is_round(number: float) -> bool:
    size = abs(number)
    if size == 0 or size in _QUANTILES:
        return True
    digits = size / 10.0 ** math.floor(math.log10(size))
    return any(math.isclose(digits, known, rel_tol=1e-9) for known in _ROUND)
