"""Concentration, Gini and Lorenz against published tables and simulations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import DuplicateError, EmptyError, InputError
from placeshaping.statistics.concentration import (
    concentration_index,
    describe_inequality,
    gini,
    lorenz_curve,
)
from placeshaping.statistics.inequality import slope_index

# Deaths under five, India 1982-92, by wealth: World Bank, Quantitative Techniques for Health
# Equity Analysis, technical note 7, table 1
BIRTHS = [29939, 28776, 26528, 24689, 19739]
RATES = [154.7, 152.9, 119.5, 86.9, 54.3]
GROUPS = pd.Index(["poorest", "second", "middle", "fourth", "richest"])


def india():
    births = pd.Series(BIRTHS, GROUPS)
    return pd.Series(RATES, GROUPS) * births / 1000, births, pd.Series(range(1, 6), GROUPS)


def make_areas(seed=0, areas=200, slope=-0.6):
    rng = np.random.default_rng(seed)
    index = pd.Index([f"a{i:03}" for i in range(areas)])
    rank = pd.Series(rng.permutation(areas) + 1, index)
    people = pd.Series(rng.integers(1000, 2500, areas), index)
    rate = 0.05 * np.exp(slope * rank / areas) * rng.gamma(8, 1 / 8, areas)
    return pd.Series(rng.poisson(rate * people), index), people, rank


def test_the_published_index_comes_out():
    assert concentration_index(*india()).index == pytest.approx(-0.1694, abs=5e-5)


def test_the_published_curve_comes_out():
    curve = lorenz_curve(india()[0], india()[1], by=india()[2])
    assert curve["people"].round(2).tolist() == [0, 0.23, 0.45, 0.66, 0.85, 1]
    assert curve["events"].round(2).tolist() == [0, 0.30, 0.59, 0.79, 0.93, 1]


def test_the_index_is_the_covariance_of_rates_and_ranks():
    # The other definition: twice the covariance over the mean (Kakwani et al. 1997, equation 2)
    count, people, rank = make_areas()
    order = rank.sort_values().index
    weight = people[order] / people.sum()
    middle = weight.cumsum() - weight / 2
    rate = count[order] / people[order]
    mean = (weight * rate).sum()
    expected = 2 / mean * (weight * (rate - mean) * (middle - 0.5)).sum()
    assert concentration_index(count, people, rank).index == pytest.approx(expected)


def test_the_standard_error_of_areas_is_that_of_drawing_them_anew():
    count, people, rank = make_areas(3)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(400):
        chosen = rng.integers(0, len(count), len(count))
        anew = pd.RangeIndex(len(chosen))
        parts = [pd.Series(s.to_numpy()[chosen], anew) for s in (count, people, rank)]
        drawn.append(concentration_index(*parts).index)
    found = concentration_index(count, people, rank)
    assert found.standard_error == pytest.approx(np.std(drawn), rel=0.15)
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * found.standard_error, rel=1e-3)


def test_the_standard_error_of_sampling_is_that_of_poisson_counts():
    count, people, rank = make_areas(4, areas=60)
    rng = np.random.default_rng(0)
    drawn = [
        concentration_index(pd.Series(rng.poisson(count), count.index), people, rank).index
        for _ in range(400)
    ]
    found = concentration_index(count, people, rank, interval="sampling")
    assert found.standard_error == pytest.approx(np.std(drawn), rel=0.12)


def test_no_gradient_is_zero_and_all_on_one_end_is_not():
    index = pd.RangeIndex(10)
    people, rank = pd.Series(100, index), pd.Series(np.arange(10) + 1, index)
    level = concentration_index(pd.Series(5, index), people, rank)
    assert level.index == pytest.approx(0)
    assert level.standard_error == pytest.approx(0, abs=1e-7)
    one = pd.Series([50, *[0] * 9], index)
    assert concentration_index(one, people, rank).index == pytest.approx(-0.9)


def test_gini_is_the_mean_difference():
    values = np.random.default_rng(0).poisson(4, 120).astype(float)
    expected = np.abs(values[:, None] - values).mean() / (2 * values.mean())
    assert gini(values) == pytest.approx(expected)
    assert gini(np.repeat(values, 3)) == pytest.approx(expected)
    people = np.random.default_rng(1).integers(1, 9, 120)
    assert gini(values * people, people) == pytest.approx(gini(np.repeat(values, people)))


def test_gini_of_nothing_is_missing_and_gaps_are_left_out():
    assert np.isnan(gini([0, 0]))
    assert gini([1, np.nan, 3]) == gini([1, 3])
    with pytest.raises(InputError, match="1 counts are negative"):
        gini([-1, 2])
    with pytest.raises(InputError, match="exposure of zero"):
        gini([3, 2], [0, 1])


def test_a_lorenz_curve_sags_and_encloses_the_gini():
    count, people, _ = make_areas()
    curve = lorenz_curve(count, people)
    assert (curve["events"] <= curve["people"] + 1e-12).all()
    area = np.trapezoid(curve["events"], curve["people"])
    assert 1 - 2 * area == pytest.approx(gini(count, people))
    assert curve["areas"].sum() == len(count)


def test_gaps_are_left_out_and_tags_kept():
    count, people, rank = make_areas(areas=20)
    rank = rank.astype(float).rename("imd_rank")
    rank.iloc[3] = np.nan
    tag_columns(rank, {"imd_rank": "audit_only"})
    curve = lorenz_curve(count, people, by=rank)
    assert curve.attrs["left_out_areas"] == 1
    assert set(column_tags(curve).values()) == {"audit_only"}
    assert column_tags(lorenz_curve(count, people)) == {}


def test_what_has_no_order_is_refused():
    count, people, rank = make_areas(areas=20)
    with pytest.raises(InputError, match="1 of 20 areas have no rank"):
        concentration_index(count, people, rank.iloc[1:])
    with pytest.raises(EmptyError, match="There are 2 groups by rank"):
        concentration_index(count, people, rank * 0 + (rank > 9))
    with pytest.raises(EmptyError, match="no events"):
        lorenz_curve(count * 0, people)
    with pytest.raises(DuplicateError, match="stand more than once"):
        lorenz_curve(pd.concat([count, count]), people)
    with pytest.raises(InputError, match="interval is 'area'"):
        concentration_index(count, people, rank, interval="area")


def line(rates):
    table = pd.DataFrame({"exposure": 1000.0, "count": rates, "rate": rates})
    table.attrs["per"] = 1000
    return table


def test_the_paragraph_says_which_way_and_how_sure():
    rising, level = line([60, 50, 41, 30, 20]), line([40, 41, 39, 41, 40])
    text = describe_inequality(rising, slope_index(rising))
    assert text.startswith(
        "Rates of recorded crime rise with deprivation. At the most deprived end"
    )
    assert "a gap of 50 per 1,000" in text
    assert "no clear slope" in describe_inequality(level, slope_index(level), what="demand")
    falling = line([2, 20, 41, 50, 60])
    text = describe_inequality(falling, slope_index(falling))
    assert "fall as deprivation rises" in text
    falling.attrs["left_out_areas"] = 2
    open_ended = replace(slope_index(rising), relative_upper=float("inf"))
    assert "upwards with 95% confidence" in describe_inequality(rising, open_ended)
    steep = line([60, 30, 5, 0, 0])
    assert "Between the two ends there is a gap" in describe_inequality(steep, slope_index(steep))
    assert "2 areas without" in describe_inequality(falling, slope_index(falling))
