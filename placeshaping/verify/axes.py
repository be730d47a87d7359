"""
One axis of a system of counts: areas, periods or categories, and which of them add up.

Every element of an axis is a set of smallest parts. Two elements may overlap
without one holding the other: a ward and an MSOA, this twelve months and the
last. The axis is therefore divided until every element is made of pieces; a
piece that nobody published is a sliver, and it is looked at like a hidden cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Piece = frozenset[Hashable]
Rows = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]


@dataclass
class Axis:
    """
    The elements of an axis, and their sums.

    Attributes
    ----------
    names
        Of every element, for a reader.
    levels
        Level of each element; `""` for a sliver.
    place
        Key of a published element -> its number.
    totals, parts
        Of each sum: the number of its total, and those of its parts.
    """

    names: list[str] = field(default_factory=list)
    levels: list[str] = field(default_factory=list)
    place: dict[Hashable, int] = field(default_factory=dict)
    totals: list[int] = field(default_factory=list)
    parts: list[list[int]] = field(default_factory=list)
    _keys: dict[int, Hashable] = field(default_factory=dict, repr=False)

    def key(self, number: int) -> Hashable | None:
        """Return the key of a published element."""
        if not self._keys:
            self._keys.update({place: key for key, place in reversed(self.place.items())})
        return self._keys.get(number)

    def rows(self) -> Rows:
        """Return totals, the start of each sum's parts, and the parts in a row."""
        start = np.cumsum([0, *(len(part) for part in self.parts)]).astype(np.intp)
        flat = [number for part in self.parts for number in part]
        return np.asarray(self.totals, np.intp), start, np.asarray(flat, np.intp)


def make_axis(
    sets: Mapping[Hashable, Piece],
    *,
    levels: Mapping[Hashable, str],
    names: Mapping[Hashable, str],
    name_piece: Callable[[Piece], str] | None = None,
) -> Axis:
    """
    Divide an axis into pieces, and list the sums among its elements.

    Parameters
    ----------
    sets
        Key of each published element -> the smallest parts that it is made of.
    levels
        Key -> level. Elements of one level that do not overlap and together
        make up an element of another are a sum.
    names
        Key -> name, for a reader.
    name_piece
        Names a sliver by its parts; by default it is named by what holds it.

    Returns
    -------
    axis
        Elements made of the same parts are one element.

    Examples
    --------
    >>> sets = {"MSOA": frozenset("ab"), "ward": frozenset("bc"), "a": frozenset("a")}
    >>> levels = {"MSOA": "msoa", "ward": "ward", "a": "lsoa"}
    >>> axis = make_axis(sets, levels=levels, names={key: key for key in sets})
    >>> axis.names
    ['MSOA', 'ward', 'a', 'MSOA in ward', 'the rest of ward']
    >>> [(axis.names[t], [axis.names[p] for p in parts])
    ...  for t, parts in zip(axis.totals, axis.parts)]
    [('MSOA', ['a', 'MSOA in ward']), ('ward', ['MSOA in ward', 'the rest of ward'])]
    """
    axis = Axis()
    found: dict[Piece, int] = {}
    for key, piece in sets.items():
        if piece not in found:
            found[piece] = len(axis.names)
            axis.names.append(names.get(key, str(key)))
            axis.levels.append(levels.get(key, ""))
        axis.place[key] = found[piece]
    layers = [_pieces(axis, found, name_piece), *_layers(sets, levels, axis)]
    for piece, total in found.items():
        _add_sums(axis, total, piece, layers)
    return axis


def _add_sums(axis: Axis, total: int, piece: Piece, layers: Sequence[Layer]) -> None:
    """List the sums that make up one element, one a layer."""
    seen: set[tuple[int, ...]] = set()
    for layer in layers:
        inside = Counter(layer.number.get(part, -1) for part in piece)
        parts = tuple(sorted(inside))
        whole = len(parts) > 1 and parts[0] >= 0 and parts not in seen
        if whole and all(layer.sizes[part] == inside[part] for part in parts):
            seen.add(parts)
            axis.totals.append(total)
            axis.parts.append(list(parts))


@dataclass(frozen=True)
class Layer:
    """Elements that do not overlap: the one that each smallest part is in, and their sizes."""

    number: dict[Hashable, int]

    @cached_property
    def sizes(self) -> Counter[int]:
        """Smallest parts of each element."""
        return Counter(self.number.values())


def _pieces(
    axis: Axis, found: Mapping[Piece, int], name_piece: Callable[[Piece], str] | None
) -> Layer:
    """Divide the smallest parts by the elements that they stand in; number the new pieces."""
    inside: dict[Hashable, list[int]] = {}
    for piece, number in found.items():
        for part in piece:
            inside.setdefault(part, []).append(number)
    grouped: dict[tuple[int, ...], list[Hashable]] = {}
    for part, holding in inside.items():
        grouped.setdefault(tuple(holding), []).append(part)
    layer: dict[Hashable, int] = {}
    published = len(axis.names)
    for numbers, parts in grouped.items():
        piece = frozenset(parts)
        place = found.get(piece, len(axis.names))
        if place == len(axis.names):
            held = axis.names[:published]
            axis.names.append(name_piece(piece) if name_piece else _sliver(numbers, held))
            axis.levels.append("")
        layer.update(dict.fromkeys(piece, place))
    return Layer(layer)


def _sliver(numbers: Sequence[int], names: Sequence[str]) -> str:
    """Name a piece by the elements that hold it."""
    if len(numbers) == 1:
        return f"the rest of {names[numbers[0]]}"
    return " in ".join(names[number] for number in numbers[-2:])


def _layers(
    sets: Mapping[Hashable, Piece], levels: Mapping[Hashable, str], axis: Axis
) -> list[Layer]:
    """Return, for each level whose elements do not overlap, the element of each smallest part."""
    layers = []
    for level in dict.fromkeys(levels.get(key, "") for key in sets):
        pieces = {
            axis.place[key]: piece for key, piece in sets.items() if levels.get(key, "") == level
        }
        number = {part: place for place, piece in pieces.items() for part in piece}
        if sum(map(len, pieces.values())) == len(number):
            layers.append(Layer(number))
    return layers
