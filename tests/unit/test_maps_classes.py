"""Classes: round edges, about equally full, covering everything."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.disclosure.classes import is_round
from placeshaping.maps.classes import Scheme, assign_class, class_edges
from placeshaping.maps.palettes import CLUSTERS, sequential


@pytest.mark.parametrize("spread", [0.3, 0.6, 1.0, 1.6])
@pytest.mark.parametrize("middle", [0.02, 3, 80, 40_000])
def test_edges_of_skewed_values_are_round_and_cover_them(middle: float, spread: float) -> None:
    values = np.random.default_rng(7).lognormal(np.log(middle), spread, 653)
    edges = class_edges(values)
    assert 4 <= len(edges) <= 6
    assert edges[0] == 0
    assert edges[-1] > values.max()
    assert list(edges) == sorted(set(edges))
    filled = np.bincount(assign_class(values, edges), minlength=len(edges) - 1)
    assert filled.sum() == len(values)
    assert filled.min() > 0
    if spread >= 0.6:
        assert all(is_round(edge) for edge in edges)


def test_narrow_values_take_multiples_of_a_round_step() -> None:
    edges = class_edges(np.linspace(81, 119, 60))
    assert edges[1:-1] == (90.0, 95.0, 105.0, 110.0) or len(edges) >= 4
    assert all(float(edge).is_integer() for edge in edges)


@pytest.mark.parametrize(
    ("values", "edges"),
    [([0, 0, 0], (0.0, 1.0)), ([7], (0.0, 10.0)), ([5, 50], (0.0, 100.0))],
)
def test_few_values_make_few_classes(values: list[float], edges: tuple[float, ...]) -> None:
    assert class_edges(values) == edges


def test_edges_do_not_depend_on_order_nor_on_missing_values() -> None:
    values = np.random.default_rng(3).gamma(2, 40, 200)
    shuffled = np.random.default_rng(4).permutation(np.append(values, [np.nan] * 5))
    assert class_edges(values) == class_edges(shuffled)


def test_no_more_classes_than_asked_for() -> None:
    values = np.random.default_rng(3).gamma(2, 40, 200)
    assert [len(class_edges(values, most=most)) - 1 for most in (1, 2, 3, 4, 5)] == [1, 2, 3, 4, 5]


def test_mostly_zero_counts_still_make_classes() -> None:
    edges = class_edges([0] * 90 + [1] * 6 + [2] * 3 + [9])
    assert len(edges) >= 3


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_every_scheme_makes_round_edges_that_are_nobodys_value(scheme: Scheme) -> None:
    values = np.random.default_rng(11).lognormal(np.log(73), 0.8, 900)
    edges = class_edges(values, scheme=scheme)
    assert 3 <= len(edges) <= 6
    assert all(is_round(edge) for edge in edges)
    assert not set(edges) & set(values.tolist())
    assert list(edges) == sorted(set(edges))
    assert edges[0] == 0
    assert edges[-1] > values.max()


def test_scheme_lands_on_the_round_numbers_nearest_to_its_breaks() -> None:
    values = np.r_[np.linspace(8, 12, 30), np.linspace(85, 95, 30), np.linspace(460, 480, 30)]
    evenly = class_edges(np.linspace(1, 999, 99), most=3, scheme="equal_interval")
    assert evenly == (0.0, 250.0, 500.0, 1000.0)
    assert class_edges(values, most=3, scheme="fisher_jenks") == (0.0, 10.0, 100.0, 500.0)


def test_schemes_of_many_values_do_not_depend_on_their_order() -> None:
    values = np.random.default_rng(5).lognormal(4, 0.7, 35_672)
    mixed = np.random.default_rng(6).permutation(values)
    for scheme in get_args(Scheme):
        assert class_edges(values, scheme=scheme) == class_edges(mixed, scheme=scheme)


def test_narrow_values_under_a_scheme_take_multiples_of_a_round_step() -> None:
    edges = class_edges(np.linspace(81.3, 118.9, 60), scheme="quantiles")
    assert len(edges) == 6
    assert all(float(edge).is_integer() for edge in edges)


def test_scheme_that_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="There is no scheme 'box'"):
        class_edges([1, 2], scheme="box")  # type: ignore[arg-type]


def test_values_that_cannot_be_classed_are_refused() -> None:
    with pytest.raises(InputError, match="1 values are negative"):
        class_edges([1, -2])
    with pytest.raises(EmptyError, match="no value"):
        class_edges([np.nan])
    with pytest.raises(InputError, match="from 1 to 5"):
        class_edges([1, 2], most=9)


def test_every_number_of_classes_has_a_palette() -> None:
    assert [len(sequential(size)) for size in (1, 2, 3, 4, 5)] == [1, 2, 3, 4, 5]
    with pytest.raises(InputError, match="no palette of 6"):
        sequential(6)


def test_hot_spot_labels_name_the_evidence() -> None:
    assert list(CLUSTERS) == ["hot_99", "hot_95", "none", "cold_95", "cold_99"]
    assert CLUSTERS["hot_99"].label == "Hot spot, very strong evidence"
