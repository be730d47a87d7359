"""Digests of texts and rows: equal for equal ones, and for no others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from placeshaping.sources.digests import row_digests, text_digests

NONE = np.zeros(1, dtype=np.uint64)


def test_distinct_texts_have_distinct_digests():
    texts = [f"{number:x}" for number in range(100_000)] + ["", "\0", "\0\0", "é" * 20, "a" * 64]
    found = text_digests(pa.array(texts))
    assert len(np.unique(found)) == len(texts)
    assert found.min() > 0


def test_the_end_of_a_text_counts_as_much_as_its_beginning():
    texts = ["a" * place + "b" + "a" * (63 - place) for place in range(64)]
    assert len(np.unique(text_digests(pa.array(texts)))) == 64


def test_every_bit_of_a_digest_is_as_often_set_as_not():
    found = text_digests(pa.array([str(number) for number in range(20_000)]))
    set_bits = np.unpackbits(found.view(np.uint8)).reshape(-1, 64).mean(axis=0)
    assert np.abs(set_bits - 0.5).max() < 0.02


def test_missing_is_zero_and_empty_is_not():
    assert text_digests(pa.array(["", None, "a"])).astype(bool).tolist() == [True, False, True]
    assert text_digests(pa.array([None, None], pa.string())).tolist() == [0, 0]
    assert text_digests(pa.array(["", ""])).astype(bool).all()
    assert text_digests(pa.chunked_array([], pa.string())).tolist() == []


def test_a_text_has_the_same_digest_whatever_stands_beside_it():
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("abé"), size)) for size in rng.integers(0, 40, 300)]
    together = text_digests(pa.array(texts))
    assert together.tolist() == [int(text_digests(pa.array([text]))[0]) for text in texts]
    even = [text for text in texts if len(text.encode()) == 16]
    assert text_digests(pa.array(even)).tolist() == [together[texts.index(x)] for x in even]


def test_many_texts_and_long_ones_are_digested_in_several_passes():
    texts = [f"{number:030}" for number in range(9_000)] + [x * 150_000 for x in "xyz"]
    found = text_digests(pa.array(texts))
    assert len(np.unique(found)) == len(texts)
    for row in (0, 4_499, 4_500, 8_999, -1):
        assert found[row] == text_digests(pa.array([texts[row]]))[0]


def test_chunks_and_slices_do_not_matter():
    texts = ["one", None, "three", "four", ""]
    whole = text_digests(pa.array(texts))
    chunked = pa.chunked_array([texts[:2], texts[2:]])
    assert text_digests(chunked).tolist() == whole.tolist()
    assert text_digests(pa.array(texts)[1:4]).tolist() == whole[1:4].tolist()
    assert text_digests(chunked[1:4]).tolist() == whole[1:4].tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": ["x"], "b": ["y"]}, {"a": ["y"], "b": ["x"]}),
        ({"a": ["xy"], "b": [""]}, {"a": ["x"], "b": ["y"]}),
        ({"a": [None], "b": ["x"]}, {"a": ["x"], "b": [None]}),
        ({"a": [""], "b": ["x"]}, {"a": [None], "b": ["x"]}),
        ({"a": [0.5], "b": ["x"]}, {"a": [None], "b": ["x"]}),
    ],
)
def test_rows_that_differ_have_different_digests(one, other):
    kind = pa.float64() if one["a"] == [0.5] else pa.string()
    schema = pa.schema({"a": kind, "b": pa.string()})
    found = [row_digests(pa.table(row, schema=schema), NONE) for row in (one, other)]
    assert found[0] != found[1]


def test_missing_numbers_are_equal_and_so_are_both_zeros():
    table = pa.table({"x": pa.array([None, float("nan"), 0.0, -0.0])})
    found = row_digests(table, np.zeros(4, dtype=np.uint64))
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert found[0] != found[2]
