"""Bandwidths against scipy, scikit-learn's leave-one-out likelihood, and sums by hand."""

import logging

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.model_selection import GridSearchCV, LeaveOneOut
from sklearn.neighbors import KernelDensity

from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping.hotspots._likelihood import binned_likelihood, exact_likelihood
from placeshaping.hotspots.bandwidth import QUARTIC, RULES, choose_bandwidth, event_weights


def make_events(number=150, seed=0):
    rng = np.random.default_rng(seed)
    towns = rng.normal([[450_000, 300_000], [454_000, 303_000]], 500, (number // 2, 2, 2))
    return pd.DataFrame(towns.reshape(-1, 2), columns=["easting", "northing"])


def test_in_the_plane_scott_is_the_normal_rule_of_scipy():
    events = make_events()
    kde = stats.gaussian_kde(events.to_numpy().T)
    spread = np.sqrt(events.var(ddof=1).mean())
    for rule, factor in (("normal", kde.silverman_factor()), ("scott", kde.scotts_factor())):
        found = choose_bandwidth(events, rule=rule, kernel="gaussian")
        assert found == pytest.approx(spread * factor)


def test_the_robust_rule_takes_the_smaller_spread():
    events = make_events()
    quartile = np.mean(stats.iqr(events.to_numpy(), axis=0))
    expected = 0.9 * min(np.sqrt(events.var().mean()), quartile / 1.34) * len(events) ** (-1 / 6)
    assert choose_bandwidth(events, rule="silverman", kernel="gaussian") == pytest.approx(expected)
    far = pd.concat([events, events[:5] + 1e5])
    robust, normal = (choose_bandwidth(far, rule=rule) for rule in ("silverman", "normal"))
    assert robust < normal / 3


def test_a_quartic_kernel_reaches_farther_by_the_canonical_factor():
    # Integrals of the squared kernel and of its second moment, by quadrature.
    r = (np.arange(100_000) + 0.5) / 100_000
    quartic = 3 / np.pi * (1 - r**2) ** 2
    rough = np.mean(quartic**2 * 2 * np.pi * r)
    moment = np.mean(quartic * r**2 * np.pi * r)
    canonical = (rough / moment**2 / (1 / (4 * np.pi))) ** (1 / 6)
    assert pytest.approx(canonical, rel=1e-6) == QUARTIC
    events = make_events()
    for rule in set(RULES) - {"nearest"}:
        one, other = (
            choose_bandwidth(events, rule=rule, kernel=k) for k in ("gaussian", "quartic")
        )
        assert other == pytest.approx(one * QUARTIC)


def test_the_likelihood_is_that_of_scikit_learn_leaving_one_out():
    events = make_events(100)
    tried = np.geomspace(50, 2000, 12)
    search = GridSearchCV(KernelDensity(), {"bandwidth": tried}, cv=LeaveOneOut())
    search.fit(events.to_numpy())
    scores = exact_likelihood(events.to_numpy(), np.ones(len(events)), tried)
    theirs = search.cv_results_["mean_test_score"]
    usable = theirs > -500
    np.testing.assert_allclose(scores[usable] / len(events), theirs[usable], rtol=1e-9)
    best = choose_bandwidth(events, kernel="gaussian")
    assert (
        exact_likelihood(events.to_numpy(), np.ones(len(events)), np.array([best]))[0]
        >= scores.max()
    )


def test_records_of_one_place_are_left_out_together():
    events = make_events(100)
    alone = choose_bandwidth(events, kernel="gaussian")
    stacked = pd.concat([events, *[events[:30]] * 4])
    assert choose_bandwidth(stacked, kernel="gaussian") > alone / 2
    weighted = events.assign(times=np.where(np.arange(100) < 30, 5, 1))
    found = choose_bandwidth(weighted, weights="times")
    assert found == pytest.approx(choose_bandwidth(stacked), rel=0.005)


def test_binned_likelihood_comes_close_to_the_exact_one():
    events = make_events(2000)
    places, ones = events.to_numpy(), np.ones(len(events))
    tried = np.geomspace(60, 1500, 10)
    exact, binned = (find(places, ones, tried) for find in (exact_likelihood, binned_likelihood))
    np.testing.assert_allclose(binned, exact, atol=0.002 * len(events))
    assert binned_likelihood(places, ones, np.array([1.0]))[0] == -np.inf


def test_many_places_are_searched_binned():
    rng = np.random.default_rng(5)
    spots = rng.normal([450_000, 300_000], 1_000, (4_000, 2))
    events = pd.DataFrame(spots, columns=["easting", "northing"])
    found = choose_bandwidth(events, kernel="gaussian")
    normal = choose_bandwidth(events, rule="normal", kernel="gaussian")
    assert 0.7 * normal < found < 1.3 * normal


def test_the_mean_distance_to_a_neighbour_counts_places_once():
    events = make_events(60)
    far = np.sort(cdist(events, events), axis=1)
    found = choose_bandwidth(pd.concat([events, events]), rule="nearest", neighbours=4)
    assert found == pytest.approx(far[:, 4].mean())


def test_places_in_tight_clumps_are_told(caplog):
    rng = np.random.default_rng(0)
    clumps = np.repeat(rng.uniform(4e5, 4.5e5, (40, 2)), 10, axis=0)
    clumps += rng.normal(0, 0.5, clumps.shape)
    events = pd.DataFrame(clumps, columns=["easting", "northing"])
    with caplog.at_level(logging.WARNING):
        choose_bandwidth(events)
    assert "places stand in tight clumps" in caplog.text


def test_events_without_weight_do_not_count():
    events = make_events(40).assign(loss=np.where(np.arange(40) < 20, 2.0, 0.0))
    for rule in RULES:
        found = choose_bandwidth(events, rule=rule, weights="loss")
        assert found == pytest.approx(choose_bandwidth(events[:20], rule=rule, weights="loss"))
    with pytest.raises(EmptyError, match="There are 1 events"):
        choose_bandwidth(events.assign(loss=[1.0, *[0.0] * 39]), weights="loss")


def test_what_gives_no_bandwidth_is_refused():
    events = make_events(30)
    with pytest.raises(EmptyError, match="There are 8 events"):
        choose_bandwidth(events[:8])
    with pytest.raises(InputError, match="stand at one place"):
        choose_bandwidth(events * 0 + 4e5)
    with pytest.raises(InputError, match="rule is 'best'"):
        choose_bandwidth(events, rule="best")
    with pytest.raises(InputError, match="30 places have no 30th neighbour"):
        choose_bandwidth(events, rule="nearest", neighbours=30)
    stacked = events.copy()
    stacked.loc[3:27, ["easting", "northing"]] = 4.5e5
    with pytest.raises(InputError, match="The middle half of the events stands at one place"):
        choose_bandwidth(stacked, rule="silverman")


def test_weights_are_checked():
    events = make_events(20).assign(loss=1.0)
    assert event_weights(events, None).tolist() == [1.0] * 20
    with pytest.raises(ColumnError, match=r"loss of events holds \w+, not numbers"):
        event_weights(events.assign(loss="x"), "loss")
    with pytest.raises(InputError, match=r"1 of 20 weights \(loss\) are negative"):
        event_weights(events.assign(loss=[-1.0, *[1.0] * 19]), "loss")
    with pytest.raises(InputError, match=r"All 20 weights \(loss\) are zero"):
        event_weights(events.assign(loss=0), "loss")
