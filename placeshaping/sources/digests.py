"""Text as 64-bit numbers: equal for equal texts, and all but surely for those alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Digests = NDArray[np.uint64]

_MISSING = np.uint64(0)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_ROOM = 1 << 14  # words mixed at a time: 128 kB


def text_digests(column: Any) -> Digests:
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
    found = [_of_texts(chunk) for chunk in chunks]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)


def row_digests(table: Any, first: Digests) -> Digests:
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
        bits = _of_numbers(column) if pa.types.is_floating(column.type) else _of_words(column)
        digests = (digests ^ bits) * _SPREAD
        digests ^= digests >> np.uint64(29)
    return digests


def _of_numbers(column: Any) -> Digests:
    values = column.to_numpy() + 0.0  # -0.0 is 0.0
    values[np.isnan(values)] = np.nan  # which has many patterns of bits
    bits: Digests = values.view(np.uint64)
    return bits


def _of_words(column: Any) -> Digests:
    """Digest a column of few distinct texts, each once."""
    coded = column.combine_chunks().dictionary_encode()
    known = np.append(text_digests(coded.dictionary), _MISSING)
    indices = coded.indices.fill_null(len(known) - 1)
    digests: Digests = known[indices.to_numpy(zero_copy_only=False)]
    return digests


def _of_texts(texts: Any) -> Digests:
    """Mix eight bytes at a time; one at least, so that 0 is left for what is missing."""
    if not len(texts):
        return np.zeros(0, dtype=np.uint64)
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    starts, lengths = ends[:-1].astype(np.int64), np.diff(ends)
    letters = np.frombuffer(data or b"", dtype=np.uint8)
    digests = lengths.astype(np.uint64)
    words = -(-lengths // 8)
    for width in np.unique(words[words > 0]).tolist():
        rows = np.flatnonzero(words == width)
        passes = min(-(-len(rows) * width // _ROOM), len(rows))
        for few in np.array_split(rows, passes):
            text = _side_by_side(letters, starts[few], lengths[few], width)
            digests[few] = _mixed(text, digests[few])
    digests = (digests ^ (digests >> np.uint64(30))) * _MIX
    digests ^= digests >> np.uint64(27)
    digests = np.maximum(digests, np.uint64(1))
    if texts.null_count:
        digests[texts.is_null().to_numpy(zero_copy_only=False)] = _MISSING
    return digests


def _side_by_side(
    letters: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int32], width: int
) -> NDArray[np.uint64]:
    """Return texts as rows of words of eight bytes, filled up with zeros."""
    length, begin = int(lengths[0]), int(starts[0])
    held = np.zeros((len(starts), 8 * width), dtype=np.uint8)
    if (lengths == length).all() and (np.diff(starts) == length).all():
        held[:, :length] = letters[begin : begin + held.shape[0] * length].reshape(-1, length)
    else:
        step = np.arange(8 * width)
        within = step < lengths[:, None]
        held[within] = letters[(starts[:, None] + step)[within]]
    return held.view("<u8")


def _mixed(text: NDArray[np.uint64], digests: Digests) -> Digests:
    for word in text.T:
        digests = (digests ^ word) * _SPREAD
        digests ^= digests >> np.uint64(32)
    return digests
