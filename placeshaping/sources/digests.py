"""Text as 64-bit numbers: equal for equal texts, and all but surely for those alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from placeshaping._core.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Digests = NDArray[np.uint64]

_MISSING = np.uint64(0)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def text_digests(column: Any) -> NDArray[np.uint64]:
    """
    Return a 64-bit digest of each text of a column.

    Among 20 million texts, two different ones with the same digest are a one
    in 90,000 chance. The digests are those of every session and machine.

    Parameters
    ----------
    column
        A ``pyarrow`` array of strings, in one or several chunks.

    Returns
    -------
    digests
        In the order of `column`; 0 where the text is missing, and only there.

    Examples
    --------
    >>> digests = text_digests(pa.chunked_array([["a1", None, "a1", "a2"]]))
    >>> digests[0] == digests[2], digests[0] == digests[3], int(digests[1])
    (np.True_, np.False_, 0)
    """
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    found = [_of_chunk(chunk) for chunk in chunks]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)


def row_digests(table: Any, first: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """
    Return 64 bits for each row, equal where all columns are.

    Parameters
    ----------
    table
        A ``pyarrow`` table of texts and floating-point numbers.
    first
        Digests of what else the row consists of.

    Returns
    -------
    digests
        In the order of the rows.

    Examples
    --------
    >>> table = pa.table({"place": ["a", "a", "b"], "x": [0.0, -0.0, 0.0]})
    >>> digests = row_digests(table, np.zeros(3, dtype=np.uint64))
    >>> digests[0] == digests[1], digests[0] == digests[2]
    (np.True_, np.False_)
    """
    digests = first.copy()
    for column in table.columns:
        bits = _bits(column) if pa.types.is_floating(column.type) else text_digests(column)
        digests = (digests ^ bits) * _SPREAD
        digests ^= digests >> np.uint64(29)
    return digests


def _bits(column: Any) -> NDArray[np.uint64]:
    values = column.to_numpy() + 0.0  # -0.0 is 0.0
    values[np.isnan(values)] = np.nan  # which has many patterns of bits
    bits: NDArray[np.uint64] = values.view(np.uint64)
    return bits


def _of_chunk(chunk: Any) -> NDArray[np.uint64]:
    _, offsets, data = chunk.buffers()
    digests = np.zeros(len(chunk), dtype=np.uint64)
    if len(chunk) and data is not None:
        ends = np.frombuffer(offsets, dtype=np.int32)[chunk.offset :]
        _digest(ends, np.frombuffer(data, dtype=np.uint8), digests)
    else:
        digests[:] = 1
    if chunk.null_count:
        digests[chunk.is_null().to_numpy(zero_copy_only=False)] = _MISSING
    return digests


@compiled()
def _digest(ends: NDArray[np.int32], data: NDArray[np.uint8], digests: NDArray[np.uint64]) -> None:
    """Mix eight bytes at a time; write one at least, so that 0 is left for what is missing."""
    for row in range(len(digests)):
        place, end = ends[row], ends[row + 1]
        digest = np.uint64(end - place)
        while place < end:
            word = np.uint64(0)
            for step in range(min(8, end - place)):
                word |= np.uint64(data[place + step]) << np.uint64(8 * step)
            digest = (digest ^ word) * _SPREAD
            digest ^= digest >> np.uint64(32)
            place += 8
        digest = (digest ^ (digest >> np.uint64(30))) * _MIX
        digest ^= digest >> np.uint64(27)
        digests[row] = max(digest, np.uint64(1))
