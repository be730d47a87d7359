"""Scan statistics against every window listed in plain numpy, and what cannot be scanned."""

import geopandas as gpd
import numba
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import xlogy
from shapely import Point

from placeshaping._core.errors import (
    CRSError,
    DuplicateError,
    EmptyError,
    GeometryError,
    InputError,
)
from placeshaping.hotspots import scan_windows
from placeshaping.hotspots._scan_tables import gumbel_p
from placeshaping.hotspots.scan import CLUSTERS, scan
from placeshaping.hotspots.scan_models import make_model
from placeshaping.hotspots.scan_windows import window_lists
from placeshaping.hotspots.scan_words import scan_sentences
from placeshaping.maps.words import label_words

STEPS = 7
MONTHS = pd.date_range("2024-01-01", periods=STEPS, freq="MS")


def make_places(size=18, seed=0):
    xy = np.random.default_rng(seed).uniform(1e5, 2e5, (size, 2)).round()
    codes = pd.Index([f"a{i:02}" for i in range(size)], name="area_code")
    return pd.DataFrame(xy, index=codes, columns=["easting", "northing"])


def make_grid(size=5):
    square = np.arange(size * size)
    xy = {"easting": 1e5 + square % size * 1e3, "northing": 1e5 + square // size * 1e3}
    return pd.DataFrame(xy, index=pd.Index([f"a{i:02}" for i in square], name="area_code"))


def make_data(places, seed=0, steps=STEPS, mean=3.0):
    """Return cases, people and controls, areas by steps."""
    rng = np.random.default_rng(seed)
    shape = (len(places), steps)
    people = rng.integers(50, 400, shape)
    cases = rng.poisson(mean * people / people.mean())
    controls = rng.poisson(2 * mean, shape)
    columns = MONTHS[:steps]
    return (pd.DataFrame(table, places.index, columns) for table in (cases, people, controls))


# Every window, in plain numpy


def poisson_ratio(inside, expected, total):
    return (
        xlogy(inside, inside / expected)
        + xlogy(total - inside, (total - inside) / (total - expected))
    )  # fmt: skip


def bernoulli_ratio(inside, size, total, people):
    out, rest = total - inside, people - size

    def fit(y, n):
        return xlogy(y, y / n) + xlogy(n - y, (n - y) / n)

    return fit(inside, size) + fit(out, rest) - fit(total, people)


def every_window(places, weight, *, max_share=0.5, max_radius=np.inf):
    """Yield the members of every circle, ties entering together."""
    xy = places.to_numpy()
    for centre in range(len(xy)):
        distance = np.hypot(*(xy - xy[centre]).T).round(6)
        for radius in np.unique(distance):
            members = distance <= radius
            if radius <= max_radius and weight[members].sum() <= max_share * weight.sum() + 1e-9:
                yield centre, members


def every_stretch(steps, analysis, max_duration=0.5):
    if analysis == "spatial":
        return [(0, steps)]
    longest = max(1, int(max_duration * steps + 1e-9))
    ends = [steps] if analysis == "prospective" else range(1, steps + 1)
    return [(b, e) for e in ends for b in range(max(0, e - longest), e)]


def best_by_hand(places, cases, weight, weight_of, value, *, analysis, rates="high", **limits):
    """Return the highest ratio of all windows; `value` tells E and the ratio."""
    best = 0.0
    for _, members in every_window(places, weight, **limits):
        for b, e in every_stretch(cases.shape[1], analysis):
            inside = cases[members, b:e].sum()
            if not weight_of(members, slice(b, e)):
                continue
            expected, ratio = value(members, slice(b, e), inside)
            high = inside > expected
            if (rates == "high" and not high) or (rates == "low" and high):
                continue
            if high and inside < 2:
                continue
            best = max(best, ratio)
    return best


def brute(model, places, cases, people, controls, **options):
    c = cases.to_numpy(float)
    total = c.sum()
    if model == "bernoulli":
        base = trials = c + controls.to_numpy(float)

        def value(members, span, inside):
            size = trials[members, span].sum()
            ratio = bernoulli_ratio(inside, size, total, trials.sum())
            return total * size / trials.sum(), ratio

        weight = trials.sum(axis=1)
    else:
        if model == "poisson":
            base, weight = people.to_numpy(float), people.to_numpy(float).sum(axis=1)
        else:
            base, weight = np.outer(c.sum(axis=1), c.sum(axis=0)), c.sum(axis=1)
        mean = base * total / base.sum()

        def value(members, span, inside):
            expected = mean[members, span].sum()
            return expected, poisson_ratio(inside, expected, total)

    def weight_of(members, span):
        return base[members, span].sum()

    return best_by_hand(places, c, weight, weight_of, value, **options)


def given(model, people, controls):
    return {
        "poisson": {"population": people},
        "bernoulli": {"controls": controls},
        "permutation": {},
    }[model]


@pytest.mark.parametrize("analysis", ["retrospective", "prospective"])
@pytest.mark.parametrize("rates", ["high", "low", "both"])
@pytest.mark.parametrize("model", ["poisson", "bernoulli", "permutation"])
@pytest.mark.parametrize("places", [make_places(), make_grid(4)], ids=["scattered", "grid"])
def test_the_best_window_is_the_best_of_all_listed_by_hand(model, rates, analysis, places):
    for seed, mean in ((1, 3.0), (2, 0.3)):
        cases, people, controls = make_data(places, seed, mean=mean)
        options = {"analysis": analysis, "rates": rates}
        expected = brute(model, places, cases, people, controls, **options)
        result = scan(
            cases, places, model=model, simulations=19, **given(model, people, controls), **options
        )
        best = result.clusters["log_likelihood_ratio"].iloc[0]
        assert best == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rates", ["high", "low", "both"])
@pytest.mark.parametrize("model", ["poisson", "bernoulli"])
def test_the_best_circle_is_the_best_of_all_listed_by_hand(model, rates):
    places = make_places(30)
    cases, people, controls = (t.iloc[:, :1] for t in make_data(places, 4))
    options = {"analysis": "spatial", "rates": rates}
    for limits in ({}, {"max_share": 0.2}, {"max_radius": 2e4}):
        expected = brute(model, places, cases, people, controls, **options, **limits)
        result = scan(
            cases, places, model=model, simulations=19,
            **given(model, people, controls), **options, **limits,
        )  # fmt: skip
        best = result.clusters["log_likelihood_ratio"].iloc[0]
        assert best == pytest.approx(expected, rel=1e-9)


def test_maxima_of_simulations_are_those_of_all_windows():
    """The faster search without each centre's best finds the same highest ratio."""
    places = make_places(12)
    cases, people, controls = make_data(places, 5, steps=4)
    for model in ("poisson", "bernoulli", "permutation"):
        options = given(model, people, controls)
        result = scan(
            cases, places, model=model, analysis="retrospective", simulations=19, rng=8, **options
        )
        made = make_model(model, cases, options.get("population"), options.get("controls"))
        seeds = np.random.default_rng(8).integers(0, 2**63, 19)
        for number in range(4):
            drawn = made.draw(np.random.default_rng(seeds[number]))
            table = pd.DataFrame(drawn, cases.index, cases.columns)
            left = (cases + controls - table) if model == "bernoulli" else None
            expected = brute(model, places, table, people, left, analysis="retrospective")
            assert result.maxima[number] == pytest.approx(expected, rel=1e-9)


# Five digits, worked by hand


def test_a_ratio_worked_by_hand():
    # 10 cases among 40; one of four equal areas holds 7: 7 ln 2.8 + 3 ln 0.4
    places = make_places(4)
    cases = pd.Series([7, 1, 1, 1], index=places.index)
    people = pd.Series(10, index=places.index)
    top = scan(cases, places, population=people, max_share=0.25).clusters.iloc[0]
    assert top["log_likelihood_ratio"] == pytest.approx(4.45846, abs=5e-6)
    assert top["relative_risk"] == pytest.approx(7 / 2.5 / (3 / 7.5))
    assert top["expected"] == 2.5
    # the same as Bernoulli adds 3 ln 0.4 + 27 ln 1.2 of those who are no cases
    top = scan(
        cases, places, model="bernoulli", controls=people - cases, max_share=0.25
    ).clusters.iloc[0]
    assert top["log_likelihood_ratio"] == pytest.approx(4.45846 + 2.17381, abs=1e-5)


# What is drawn where nothing clusters


def test_poisson_draws_are_multinomial():
    places = make_places(5)
    cases, people, _ = make_data(places, 1, steps=2)
    people.iloc[0, 0], cases.iloc[0, 0] = 0, 0
    model = make_model("poisson", cases, people, None)
    draws = np.array([model.draw(np.random.default_rng(k)) for k in range(4000)])
    total = cases.to_numpy().sum()
    assert (draws.sum(axis=(1, 2)) == total).all()
    assert (draws[:, 0, 0] == 0).all()
    odds = people.to_numpy() / people.to_numpy().sum()
    np.testing.assert_allclose(draws.mean(axis=0), total * odds, rtol=0.06)
    expected = total * odds * (1 - odds)
    np.testing.assert_allclose(draws.var(axis=0), expected, rtol=0.12)
    one = stats.binom.cdf(draws[:, 2, 1], total, odds[2, 1])
    reference = stats.binom.rvs(total, odds[2, 1], size=4000, random_state=1)
    assert stats.ks_2samp(one, stats.binom.cdf(reference, total, odds[2, 1])).pvalue > 1e-3


def test_bernoulli_draws_are_choices_among_all():
    places = make_places(4)
    cases, _, controls = make_data(places, 2, steps=2)
    model = make_model("bernoulli", cases, None, controls)
    draws = np.array([model.draw(np.random.default_rng(k)) for k in range(4000)])
    trials = (cases + controls).to_numpy()
    total, people = cases.to_numpy().sum(), trials.sum()
    assert (draws.sum(axis=(1, 2)) == total).all()
    assert (draws <= trials).all()
    share = trials / people
    np.testing.assert_allclose(draws.mean(axis=0), total * share, rtol=0.05)
    variance = total * share * (1 - share) * (people - total) / (people - 1)
    np.testing.assert_allclose(draws.var(axis=0), variance, rtol=0.12)


def test_permutation_draws_keep_how_many_each_area_and_step_has():
    cases, _, _ = make_data(make_places(6), 3)
    model = make_model("permutation", cases, None, None)
    draws = np.array([model.draw(np.random.default_rng(k)) for k in range(2000)])
    assert (draws.sum(axis=2) == cases.sum(axis=1).to_numpy()).all()
    assert (draws.sum(axis=1) == cases.sum(axis=0).to_numpy()).all()
    np.testing.assert_allclose(draws.mean(axis=0), model.expected, rtol=0.1, atol=0.05)


# The result


def planted(places, near=(), *, usual=2, high=25):
    cases = pd.DataFrame(usual, index=places.index, columns=MONTHS)
    cases.loc[["a12", *near], MONTHS[4:6]] = high
    return cases


def test_a_planted_cluster_is_found_where_and_when_it_is():
    places = make_grid()
    cases = planted(places, ["a11", "a13", "a07", "a17"], usual=6)
    for model in ("poisson", "permutation"):
        options = {"population": pd.Series(100, index=places.index)} if model == "poisson" else {}
        result = scan(cases, places, model=model, analysis="retrospective", **options)
        top = result.clusters.loc[1]
        assert (top["centre"], top["areas"], top["radius"]) == ("a12", 5, 1000)
        assert (top["start"], top["end"], top["steps"]) == (MONTHS[4], MONTHS[5], 2)
        assert top["observed"] == 250
        assert top["p_value"] == 0.001
        assert top["p_gumbel"] < 1e-10
        assert np.isnan(top["recurrence"])
        labels = result.areas["cluster"]
        assert labels.index[labels == "most_likely_high"].tolist() == [
            "a07", "a11", "a12", "a13", "a17",
        ]  # fmt: skip


def test_a_prospective_scan_finds_what_lasts_and_says_how_rare_it_is():
    places = make_grid()
    people = pd.Series(100, index=places.index)
    past = planted(places)
    gone = scan(past, places, population=people, analysis="prospective").clusters
    assert gone.empty or (gone["end"] == MONTHS[-1]).all()
    lasting = past.copy()
    lasting.loc["a12", MONTHS[6]] = 25
    top = scan(lasting, places, population=people, analysis="prospective").clusters.loc[1]
    assert (top["centre"], top["start"], top["end"]) == ("a12", MONTHS[4], MONTHS[6])
    assert top["recurrence"] == pytest.approx(1000)


def test_clusters_share_no_area_and_come_in_the_order_of_their_ratio():
    places = make_grid(8)
    cases, people, _ = make_data(places, 7, steps=2)
    cases.loc[["a00", "a01"]] += 30
    cases.loc[["a63", "a62"]] += 20
    result = scan(cases, places, population=people, analysis="spatial", significance=1.0)
    ratio = result.clusters["log_likelihood_ratio"]
    assert (ratio.diff().dropna() <= 0).all()
    counted = result.areas["rank"].value_counts().sort_index()
    assert counted.tolist() == result.clusters["areas"].tolist()
    assert result.areas.loc["a00", "cluster"] == "most_likely_high"
    assert result.areas.loc["a63", "cluster"] == "secondary_high"
    assert len(scan(cases, places, population=people, most=1).clusters) == 1


def test_low_rates_have_labels_of_their_own():
    places = make_grid()
    cases = pd.Series(20, index=places.index)
    cases[["a00", "a01", "a05"]] = 1
    people = pd.Series(100, index=places.index)
    result = scan(cases, places, population=people, rates="both")
    assert result.areas.loc["a00", "cluster"] == "most_likely_low"
    assert result.clusters.loc[1, "relative_risk"] < 1
    assert tuple(result.areas["cluster"].cat.categories) == CLUSTERS


def test_areas_of_a_result_keep_the_order_of_the_cases():
    places = make_grid()
    cases = planted(places).sample(frac=1, random_state=1)
    people = pd.Series(100, index=places.index)
    result = scan(cases, places, population=people, analysis="retrospective", simulations=99)
    assert result.areas.index.equals(cases.index)
    np.testing.assert_array_equal(result.areas["observed"], cases.sum(axis=1))
    assert result.areas["expected"].sum() == pytest.approx(result.areas["observed"].sum())


def test_the_answer_is_the_same_on_any_number_of_threads():
    places = make_places()
    cases, people, _ = make_data(places)
    had = numba.get_num_threads()
    runs = []
    try:
        for threads in (1, had):
            numba.set_num_threads(threads)
            runs.append(scan(cases, places, population=people, analysis="retrospective", rng=4))
    finally:
        numba.set_num_threads(had)
    np.testing.assert_array_equal(runs[0].maxima, runs[1].maxima)
    pd.testing.assert_frame_equal(runs[0].clusters, runs[1].clusters)
    other = scan(cases, places, population=people, analysis="retrospective", rng=5)
    assert (other.maxima != runs[0].maxima).any()


def test_lists_held_in_parts_give_the_same_answer(monkeypatch):
    places = make_places(40)
    cases, people, _ = make_data(places, steps=1)
    whole = scan(cases, places, population=people, simulations=49)
    monkeypatch.setattr(scan_windows, "LIST_LENGTH", 100)
    monkeypatch.setattr(scan_windows, "BLOCK", 200)
    lists = list(
        window_lists(places.to_numpy(), np.full(40, 1 / 40), max_share=0.5, max_radius=1e9)
    )
    assert len(lists) > 5
    parts = scan(cases, places, population=people, simulations=49)
    np.testing.assert_array_equal(parts.maxima, whole.maxima)
    pd.testing.assert_frame_equal(parts.clusters, whole.clusters)


def test_ties_in_distance_enter_together():
    (lists,) = window_lists(
        make_grid(3).to_numpy(), np.full(9, 1 / 9), max_share=0.6, max_radius=9e9
    )
    middle = slice(lists.start[4], lists.start[5])
    assert lists.order[middle].tolist()[0] == 4
    assert sorted(lists.order[middle].tolist()) == [1, 3, 4, 5, 7]
    assert lists.closes[middle].tolist() == [True, False, False, False, True]


def test_gumbel_p_follows_the_rank_among_many():
    maxima = stats.gumbel_r.rvs(loc=4, scale=1.3, size=20_000, random_state=1)
    ratio = np.array([5.0, 7.0, 10.0])
    np.testing.assert_allclose(gumbel_p(ratio, maxima), stats.gumbel_r.sf(ratio, 4, 1.3), rtol=0.1)
    assert gumbel_p(np.array([1.0, 2.0]), np.full(5, 1.5)).tolist() == [1, 0]


# What is missing, and what is refused


def test_steps_missing_in_the_records_are_left_out_and_told():
    places = make_grid()
    cases = planted(places).drop(columns=MONTHS[2])
    people = pd.Series(100, index=places.index)
    result = scan(cases, places, population=people, analysis="retrospective", simulations=99)
    assert "missing in the records: 1." in result.clusters.attrs["cautions"][0]
    assert result.areas["expected"].sum() == pytest.approx(cases.to_numpy().sum())
    spatial = scan(cases, places, population=people, simulations=99)
    assert "left out" in spatial.areas.attrs["cautions"][0]


def test_a_long_table_of_several_categories_is_read_by_one():
    places = make_grid()
    wide = planted(places)
    people = pd.Series(100, index=places.index)
    long = wide.reset_index().melt("area_code", var_name="period", value_name="count")
    both = pd.concat([long.assign(category="x"), long.assign(category="y", count=1)])
    options = {"population": people, "analysis": "retrospective", "simulations": 19}
    ours = scan(both, places, category="x", **options)
    pd.testing.assert_frame_equal(ours.clusters, scan(wide, places, **options).clusters)
    with pytest.raises(InputError, match=r"2 categories \(x, y\). Choose one"):
        scan(both, places, **options)


def test_an_area_without_a_count_expects_nothing_in_that_step():
    places = make_grid()
    cases = planted(places).astype(float)
    cases.iloc[0, 0] = np.nan
    people = pd.Series(100, index=places.index)
    result = scan(cases, places, population=people, analysis="retrospective", simulations=19)
    assert result.areas["expected"].iloc[0] < result.areas["expected"].iloc[1]
    with pytest.raises(InputError, match="1 areas lack a count in some step"):
        scan(cases, places, model="permutation", analysis="retrospective")


def test_areas_too_large_for_any_window_are_told():
    places = make_places(6)
    people = pd.Series([1000, 10, 10, 10, 10, 10], index=places.index)
    cases = pd.Series([5, 1, 2, 1, 1, 1], index=places.index)
    result = scan(cases, places, population=people, simulations=19)
    assert "1 of 6 areas alone hold more than 50%" in result.clusters.attrs["cautions"][0]


def test_a_constant_series_has_no_cluster():
    places = make_grid()
    result = scan(
        pd.Series(4, index=places.index), places, population=pd.Series(9, index=places.index)
    )
    assert result.clusters.empty
    assert (result.areas["cluster"] == "none").all()
    assert "Poisson model" in result.clusters.attrs["method"]


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"cases": lambda c: c * 0}, EmptyError, "at least two cases; given: 0"),
        ({"cases": lambda c: -c}, InputError, "negative or infinite"),
        ({"cases": lambda c: c + 0.5}, InputError, "25 counts are not whole"),
        ({"cases": lambda c: c.iloc[:1]}, EmptyError, "at least two areas; given: 1"),
        ({"cases": lambda c: pd.concat([c, c[:2]])}, DuplicateError, "2 area codes stand more"),
        ({"population": lambda p: p * (p.index != "a03")}, InputError, r"population of zero \(a03"),
        ({"population": lambda p: p[2:]}, InputError, r"2 of 25 areas have no population \(a00"),
        ({"population": lambda p: -p}, InputError, "negative or infinite in 25 areas"),
        ({"population": lambda _: None}, InputError, "needs population: population="),
        ({"population": lambda p: pd.concat([p, p[:1]])}, DuplicateError, "population: 1 area"),
        ({"controls": lambda p: p}, InputError, "poisson model does not use controls"),
        ({"areas": lambda a: a[3:]}, InputError, r"3 of 25 areas have no row in areas"),
        ({"areas": lambda a: a / 1e5}, CRSError, "look like degrees"),
        ({"areas": lambda a: a.assign(easting=np.nan)}, GeometryError, "25 of 25 areas have no"),
        ({"analysis": "retrospective"}, InputError, "retrospective analysis needs cases by step"),
        ({"analysis": "circles"}, InputError, "analysis is 'circles'"),
        ({"rates": "hot"}, InputError, "rates is 'hot'"),
        ({"model": "normal"}, InputError, "model is 'normal'"),
        ({"max_share": 0.8}, InputError, "max_share is 0.8. Give a number above 0 and up to 0.5"),
        ({"max_duration": 0.0}, InputError, "max_duration is 0"),
        ({"max_radius": -5}, InputError, "max_radius is -5"),
        ({"simulations": 5}, InputError, "simulations is 5. Give a whole number of 19"),
        ({"most": 0}, InputError, "most is 0"),
    ],
)
def test_what_cannot_be_scanned_is_refused(change, error, match):
    places = make_grid()
    options = {
        "cases": pd.Series(4, index=places.index),
        "areas": places,
        "population": pd.Series(100, index=places.index),
    }
    for name, value in change.items():
        options[name] = value(options.get(name, 1)) if callable(value) else value
    cases, areas = options.pop("cases"), options.pop("areas")
    with pytest.raises(error, match=match):
        scan(cases, areas, **options)


def test_steps_and_controls_must_fit():
    places = make_grid()
    cases, people, controls = make_data(places)
    with pytest.raises(EmptyError, match="1 steps: a prospective analysis needs at least two"):
        scan(cases.iloc[:, :1], places, population=people, analysis="prospective")
    with pytest.raises(InputError, match="1 steps of the cases are not in population"):
        scan(cases, places, population=people.iloc[:, 1:], analysis="prospective")
    with pytest.raises(EmptyError, match="There are no controls"):
        scan(cases, places, model="bernoulli", controls=controls * 0, analysis="prospective")
    with pytest.raises(InputError, match="numbers of controls are not whole"):
        scan(cases, places, model="bernoulli", controls=controls / 3, analysis="prospective")
    with pytest.raises(InputError, match="it needs counts of at least two steps"):
        scan(cases, places, model="permutation")


def test_boundaries_must_be_on_the_national_grid():
    places = make_grid()
    points = [Point(x, y).buffer(400) for x, y in places.to_numpy()]
    areas = gpd.GeoDataFrame(geometry=points, index=places.index, crs=27700)
    cases, people = pd.Series(4, index=places.index), pd.Series(9, index=places.index)
    cases["a12"] = 30
    by_shape, by_point = (
        scan(cases, where, population=people, simulations=19) for where in (areas, places)
    )
    pd.testing.assert_frame_equal(by_shape.clusters, by_point.clusters, rtol=1e-6)
    with pytest.raises(CRSError, match="27700 is needed"):
        scan(cases, areas.to_crs(4326), population=people)


# Words


def test_sentences_say_where_when_and_how_sure():
    places = make_grid()
    cases = planted(places, ["a11", "a13", "a07", "a17"])
    result = scan(
        cases, places, population=pd.Series(100, index=places.index), analysis="prospective",
        max_duration=0.5,
    )  # fmt: skip
    retro = scan(
        cases, places, population=pd.Series(100, index=places.index), analysis="retrospective"
    )
    texts = scan_sentences(retro.clusters, names={"a12": "Marsh 012"}, what="burglaries")
    assert texts.index.equals(retro.clusters.index)
    assert texts[1].startswith(
        "Around Marsh 012 (5 areas within 1.0 km), from May 2024 to June 2024: 250 "
        "burglaries, where "
    )
    assert "None of 999 maps drawn at random held as strong a cluster" in texts[1]
    assert label_words([*texts, *scan_sentences(result.clusters)]) == []


def test_sentences_do_not_make_much_of_what_chance_brings():
    row = {"centre": "a", "radius": 0.0, "areas": 1, "start": 2019, "end": 2019, "observed": 4,
           "expected": 2.0, "p_value": 0.4, "recurrence": 2.5}  # fmt: skip
    text = scan_sentences(pd.DataFrame([row], index=[1])).loc[1]
    assert text.startswith("In a, in 2019: 4 records, where 2.0 were expected.")
    assert "nothing follows from it" in text
    sure = scan_sentences(pd.DataFrame([row | {"p_value": 0.01, "recurrence": 100.0}]))[0]
    assert sure.endswith(
        "About 1 in 100 maps drawn at random holds one as strong somewhere. "
        "Looking anew at every step, chance brings one in 100 steps."
    )
