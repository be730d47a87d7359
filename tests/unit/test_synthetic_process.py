"""Events of the invented district are what their stated parameters say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placeshaping.synthetic.district import District, make_district


@pytest.fixture(scope="module")
def district() -> District:
    return make_district(200, seed=7, months=36)


def _offences(district: District) -> dict[str, dict[str, float]]:
    return {o["category"]: o for o in district.truth["offences"]}


def _linked(district: District, category: str) -> pd.DataFrame:
    """Pair each triggered event with the event that set it off."""
    events = district.events
    of_kind = events[(events["category"] == category) & (events["parent"] >= 0)]
    before = events.iloc[of_kind["parent"]]
    return pd.DataFrame(
        {
            "days": (of_kind["time"].to_numpy() - before["time"].to_numpy())
            / np.timedelta64(1, "D"),
            "dx": of_kind["easting"].to_numpy() - before["easting"].to_numpy(),
            "dy": of_kind["northing"].to_numpy() - before["northing"].to_numpy(),
            "same": before["category"].to_numpy() == category,
        }
    )


def test_events_are_in_the_order_of_time_and_within_the_record(district: District):
    time = district.events["time"]
    assert time.is_monotonic_increasing
    assert time.min() >= pd.Timestamp("2022-07-01")
    assert time.max() < pd.Timestamp("2025-07-01")
    assert time.dt.strftime("%Y-%m").nunique() == 36


@pytest.mark.parametrize("category", ["Burglary", "Vehicle crime", "Shoplifting"])
def test_branching_ratio_is_the_stated_one(district: District, category: str):
    """Children per parent, over parents early enough for theirs to fall in the record."""
    truth = _offences(district)[category]
    events = district.events
    late = events["time"].max() - pd.Timedelta(days=100)
    parents = events.index[(events["category"] == category) & (events["time"] < late)]
    children = events["parent"].isin(parents).sum()
    expected = truth["branching"] * len(parents) - truth["lost_outside"]
    assert abs(children - expected) < 4 * np.sqrt(expected)


def test_triggered_events_follow_the_stated_kernel(district: District):
    for category, truth in _offences(district).items():
        linked = _linked(district, category)
        assert linked["same"].all()
        if truth["branching"] == 0:
            assert linked.empty
            continue
        n = len(linked)
        mean = 1 / truth["omega_per_day"]
        assert linked["days"].min() >= 0
        assert linked["days"].mean() == pytest.approx(
            mean, abs=4.5 * mean / np.sqrt(n) + 0.02 * mean
        )
        for step in ("dx", "dy"):
            sigma = truth["sigma_metres"]
            near = sigma * 4.5 / np.sqrt(2 * n) + 0.02 * sigma
            assert linked[step].std() == pytest.approx(sigma, abs=near)
            assert abs(linked[step].mean()) < 4.5 * sigma / np.sqrt(n) + 0.02 * sigma


def test_background_has_the_stated_rate(district: District):
    counts = district.events.groupby(["category", "origin"], observed=False).size().unstack()
    for category, truth in _offences(district).items():
        expected = truth["mu_per_day"] * district.truth["days"]
        assert abs(counts.loc[category, "background"] - expected) < 4.5 * np.sqrt(
            expected
        ) + 0.01 * (expected)


def test_the_share_of_triggered_events_is_the_branching_ratio(district: District):
    """At rest, a share n of all events is triggered, whatever the cluster sizes."""
    burglary = district.events[district.events["category"] == "Burglary"]
    share = (burglary["origin"] == "triggered").mean()
    n = _offences(district)["Burglary"]["branching"]
    assert share == pytest.approx(n, abs=4.5 * np.sqrt(n / len(burglary)) / (1 - n))


def test_season_is_the_stated_one(district: District):
    truth = _offences(district)["Anti-social behaviour"]
    events = district.events
    chosen = (events["category"] == "Anti-social behaviour") & (events["origin"] == "background")
    angle = 2 * np.pi * (events.loc[chosen, "time"].dt.day_of_year - 1 - truth["peak_day"]) / 365.25
    amplitude = 2 * np.cos(angle).mean()
    assert amplitude == pytest.approx(truth["season"], abs=0.05)
    assert 2 * np.sin(angle).mean() == pytest.approx(0, abs=0.05)


def test_planted_hot_spots_are_where_and_when_the_truth_says(district: District):
    events = district.events[district.events["origin"] == "planted"]
    for spot in district.truth["planted"]:
        own = events[events["category"] == spot["category"]]
        expected = spot["events_per_day"] * (spot["last_day"] - spot["first_day"])
        assert abs(len(own) - expected) < 4.5 * np.sqrt(expected)
        assert np.hypot(
            own["easting"].mean() - spot["easting"], own["northing"].mean() - spot["northing"]
        ) < 4.5 * spot["sigma_metres"] * np.sqrt(2 / len(own))
        day = (own["time"] - pd.Timestamp(district.truth["first_day"])).dt.days
        assert day.min() >= spot["first_day"]


def test_parents_come_before_their_children(district: District):
    events = district.events
    rows = np.flatnonzero(events["parent"] >= 0)
    assert (events["parent"].to_numpy()[rows] < rows).all()
    assert (events["origin"].to_numpy()[rows] == "triggered").all()
