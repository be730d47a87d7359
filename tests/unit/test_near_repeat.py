"""Near repeats against dense matrices, pointpats, every permutation there is, and worked pairs."""

from itertools import permutations

import geopandas as gpd
import numba
import numpy as np
import pandas as pd
import pytest
from pointpats.spacetime import Knox
from scipy import stats
from scipy.spatial.distance import cdist

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    DuplicateError,
    EmptyError,
    GeometryError,
    InputError,
)
from placeshaping.hotspots._space_time import find_close
from placeshaping.hotspots.near_repeat import PATTERNS, describe_near_repeat, knox
from placeshaping.hotspots.repeat_risk import near_repeat_pairs, risk_bands

BANDS = {"distances": [0, 100, 200, 300], "days": [0, 7, 14, 28]}


def make_events(number=300, seed=0, size=3000, span=200):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.uniform(4e5, 4e5 + size, (number, 2)), columns=["easting", "northing"])
    start = np.datetime64("2024-01-01T12:00", "s")
    table["time"] = start + rng.integers(0, span, number).astype("timedelta64[D]")
    return table


def with_repeats(seed=0, number=300, repeats=40):
    """Events of which some are followed within 3 days and 50 m."""
    rng = np.random.default_rng(seed)
    first = make_events(number, seed)
    then = first[:repeats].copy()
    then[["easting", "northing"]] += rng.uniform(-35, 35, (repeats, 2))
    then["time"] += pd.to_timedelta(rng.integers(0, 4, repeats), "D")
    return pd.concat([first, then], ignore_index=True)


def dense(events, distances, days, metric="euclidean"):
    """The table by whole matrices, as R's NearRepeat has them."""
    xy = events[["easting", "northing"]].to_numpy()
    date = events["time"].dt.floor("D").to_numpy().astype("datetime64[D]").astype(int)
    upper = np.triu_indices(len(xy), 1)
    far = cdist(xy, xy, "cityblock" if metric == "manhattan" else metric)[upper]
    long = np.abs(date[:, None] - date)[upper]
    return np.histogram2d(far, long, [[*distances[:-1], np.nextafter(distances[-1], 0)],
                                      [*days[:-1], days[-1] - 0.5]])[0]  # fmt: skip


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_the_table_is_that_of_dense_matrices(metric):
    events = with_repeats()
    table = knox(events, **BANDS, same_place=False, metric=metric, permutations=0)
    expected = dense(events, BANDS["distances"], BANDS["days"], metric)
    assert table["observed"].tolist() == expected.ravel().astype(int).tolist()


def test_bands_that_begin_above_zero_leave_the_near_pairs_out():
    events = with_repeats()
    whole = knox(events, **BANDS, same_place=False, permutations=99)
    part = knox(
        events, distances=[100, 200, 300], days=[7, 14, 28], same_place=False, permutations=99
    )
    kept = whole[(whole["from_m"] >= 100) & (whole["from_days"] >= 7)]
    columns = ["observed", "expected", "p_value"]
    pd.testing.assert_frame_equal(part[columns], kept[columns].reset_index(drop=True), rtol=0.5)
    assert part["observed"].tolist() == kept["observed"].tolist()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_counts_expectation_and_p_are_those_of_pointpats():
    events = with_repeats(repeats=12)
    days = (events["time"].dt.floor("D") - pd.Timestamp("2024-01-01")).dt.days.to_numpy()
    # pointpats takes <=: 13.5 days is what is under 14.
    theirs = Knox(
        events[["easting", "northing"]].to_numpy(), days[:, None].astype(float),
        delta=200, tau=13.5, permutations=999,
    )  # fmt: skip
    ours = knox(events, distances=[0, 200], days=[0, 14], same_place=False, permutations=999)
    assert ours["observed"].item() == theirs.statistic_
    assert ours["expected"].item() == pytest.approx(theirs.expected[0, 0])
    p = ours["p_value"].item()
    assert abs(p - theirs.p_sim) < 4 * np.sqrt(2 * max(p, 0.001) / 999)


def test_expectation_and_p_come_from_all_permutations():
    # Six events have 720 orders of their dates: all of them are looked at.
    xy = np.array([[0, 0], [0, 0], [50, 0], [60, 40], [500, 0], [520, 30]]) + 4e5
    date = np.array([0, 2, 3, 9, 10, 30])
    events = pd.DataFrame(xy, columns=["easting", "northing"]).assign(time=date)
    table = knox(events, distances=[0, 100], days=[0, 7, 14], permutations=9999)
    close = np.triu(cdist(xy, xy) < 100, 1) & (cdist(xy, xy) > 0)
    counts = []
    for order in permutations(date):
        lag = np.abs(np.subtract.outer(order, order))
        counts.append([(close & (lag < 7)).sum(), (close & (lag >= 7) & (lag < 14)).sum()])
    counts = np.array(counts)
    cells = table.iloc[2:]
    np.testing.assert_allclose(cells["expected"], counts.mean(axis=0))
    exact = (counts >= cells["observed"].to_numpy()).mean(axis=0)
    np.testing.assert_allclose(cells["p_value"], exact, atol=4 * np.sqrt(0.25 / 9999))


def test_bands_are_half_open_and_labelled_as_computed():
    xy = [[0, 0], [60, 80], [1000, 0], [1000, 0], [3000, 0], [3000, 99.99]]
    events = pd.DataFrame(np.array(xy) + 4e5, columns=["easting", "northing"])
    events["time"] = [0, 7, 100, 106, 300, 300]
    table = knox(events, distances=[0, 100, 200], days=[0, 1, 7, 14], permutations=0)
    seen = table[table["observed"] > 0].astype(object)
    found = seen[["distance_band", "day_band", "observed"]].to_numpy().tolist()
    assert found == [
        ["0 m (same place)", "1 to 6 days", 1],
        ["over 0 m, under 100 m", "same day", 1],
        ["100 m to under 200 m", "7 to 13 days", 1],
    ]
    assert table[["from_m", "to_m"]].iloc[-1].tolist() == [100, 200]
    assert table["distance_band"].cat.ordered
    assert table["pattern"].isna().all()


def test_manhattan_goes_round_the_corner():
    xy = [[0, 0], [60, 80], [10_000, 0], [20_000, 0], [30_000, 0], [40_000, 0]]
    events = pd.DataFrame(np.array(xy) + 4e5, columns=["easting", "northing"]).assign(time=range(6))
    bands = {"distances": [0, 110], "days": [0, 2], "permutations": 0}
    assert knox(events, **bands, same_place=False)["observed"].tolist() == [1]
    with pytest.raises(EmptyError, match=r"No two of 6 events are within 110 m\. Take larger"):
        knox(events, **bands, metric="manhattan")


def test_rows_may_come_in_any_order():
    events = with_repeats()
    events.loc[:40, ["easting", "northing"]] = events.loc[0, ["easting", "northing"]].to_numpy()
    table = knox(events, **BANDS, permutations=199)
    mixed = knox(events.sample(frac=1, random_state=1), **BANDS, permutations=199)
    pd.testing.assert_frame_equal(table, mixed)


def test_answers_do_not_depend_on_the_number_of_threads():
    events = with_repeats()
    many = knox(events, **BANDS, permutations=300, rng=5)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = knox(events, **BANDS, permutations=300, rng=5)
    finally:
        numba.set_num_threads(threads)
    pd.testing.assert_frame_equal(many, one)


def test_a_generator_serves_as_seed():
    events = with_repeats()
    one, other = (
        knox(events, **BANDS, permutations=99, rng=np.random.default_rng(4)) for _ in "ab"
    )
    pd.testing.assert_frame_equal(one, other)


def test_planted_repeats_are_found_and_nothing_else():
    table = knox(with_repeats(repeats=40), **BANDS)
    more = table[table["pattern"] == "more"]
    assert more[["from_m", "to_m", "from_days"]].to_numpy().tolist() == [[0, 100, 0]]
    assert more["lower"].item() > 1.5
    assert tuple(table["pattern"].cat.categories) == PATTERNS


def test_two_sided_finds_cells_with_fewer_pairs():
    rng = np.random.default_rng(2)
    # Two places, each with its own half of the year: pairs far apart in time are rare.
    places = rng.normal([[4e5, 3e5], [4.1e5, 3e5]], 30, (150, 2, 2)).reshape(-1, 2)
    events = pd.DataFrame(places, columns=["easting", "northing"])
    events["time"] = np.tile([0, 200], 150) + rng.integers(0, 150, 300)
    bands = {"distances": [0, 300], "days": [0, 100, 200, 350], "same_place": False}
    table = knox(events, **bands, alternative="two-sided")
    assert table["pattern"].tolist() == ["more", "fewer", "fewer"]
    upper = knox(events, **bands)
    assert upper["pattern"].tolist() == ["more", "as expected", "as expected"]
    assert upper["p_value"].iloc[1] == 1


def test_without_correction_q_is_p():
    table = knox(with_repeats(), **BANDS, correction=None, permutations=99)
    assert table["q_value"].tolist() == table["p_value"].tolist()


def test_q_is_that_of_benjamini_and_hochberg():
    table = knox(with_repeats(), **BANDS, permutations=99)
    np.testing.assert_allclose(table["q_value"], stats.false_discovery_control(table["p_value"]))


def test_limits_are_those_of_a_jackknife_by_hand():
    events = with_repeats()
    table = knox(events, distances=[0, 100], days=[0, 7], same_place=False, permutations=0)
    cell = np.floor((events[["easting", "northing"]] - events[["easting", "northing"]].min()) / 100)
    order = np.lexsort((events["easting"], events["northing"], cell["easting"], cell["northing"]))
    block = np.empty(len(events), dtype=int)
    block[order] = np.arange(len(events)) * 20 // len(events)
    logs = [
        np.log(knox(events[block != b], distances=[0, 100], days=[0, 7], same_place=False,
                    permutations=0)["ratio"].item())
        for b in range(20)
    ]  # fmt: skip
    variance = max(19 / 20 * np.sum((logs - np.mean(logs)) ** 2), 1 / table["observed"].item())
    reach = np.exp(stats.t.ppf(0.975, 19) * np.sqrt(variance))
    assert table["upper"].item() == pytest.approx(table["ratio"].item() * reach)
    assert table["lower"].item() == pytest.approx(table["ratio"].item() / reach)


def test_where_no_pair_was_seen_the_upper_limit_is_of_poisson():
    events = make_events(60, seed=1, span=300)
    table = knox(events, distances=[0, 200], days=[0, 1, 2, 3], same_place=False, permutations=0)
    none = table[table["observed"] == 0].iloc[0]
    assert none["lower"] == 0
    assert none["upper"] == pytest.approx(stats.chi2.ppf(0.975, 2) / 2 / none["expected"])


def test_points_in_metres_serve_as_well():
    events = with_repeats()
    points = gpd.GeoDataFrame(
        {"time": events["time"]},
        geometry=gpd.points_from_xy(events["easting"], events["northing"]),
        crs=27700,
    )
    pd.testing.assert_frame_equal(
        knox(points, **BANDS, permutations=9), knox(events, **BANDS, permutations=9)
    )


def test_input_stays_as_it_is_and_times_of_day_do_not_count():
    events = with_repeats()
    before = events.copy()
    table = knox(events, **BANDS, permutations=9)
    pd.testing.assert_frame_equal(events, before)
    later = events.assign(time=events["time"].dt.floor("D") + pd.Timedelta(hours=23))
    pd.testing.assert_frame_equal(knox(later, **BANDS, permutations=9), table)
    zoned = events.assign(time=events["time"].dt.tz_localize("Europe/London"))
    pd.testing.assert_frame_equal(knox(zoned, **BANDS, permutations=9), table)


def test_cautions_tell_what_a_reader_must_know(caplog):
    snapped = make_events(90)
    snapped[["easting", "northing"]] = (snapped[["easting", "northing"]] // 1500) * 1500
    snapped["time"] = snapped["time"].dt.to_period("M").dt.start_time
    table = knox(snapped, permutations=199)
    text = " ".join(table.attrs["cautions"])
    assert "Only 90 events" in text
    assert "the records are monthly" in text
    assert "90 of 90 events share their coordinates" in text
    assert "bands must be there before one is found" in text
    assert "records are monthly" in caplog.text
    long = knox(make_events(200, span=2000), permutations=0)
    assert "rose or fell at their own pace" in long.attrs["cautions"][-1]


def test_the_method_is_named_in_a_sentence():
    method = knox(with_repeats(), **BANDS, permutations=99, metric="manhattan").attrs["method"]
    assert method.startswith("Knox table of 340 events (Knox 1964; Townsley")
    assert "manhattan distance" in method
    assert "99 permutations" in method


def test_a_paragraph_says_what_was_found():
    told = describe_near_repeat(knox(with_repeats(), **BANDS), what="burglaries")
    assert told.startswith(
        "In 340 burglaries, the pairs at different places under 100 m apart, 0 to 6 "
    )
    assert "within 100 m and within 7 days, in 1 of 12 bands" in told
    none = describe_near_repeat(knox(make_events(), **BANDS))
    assert none.startswith("In 300 records no band of distance and days holds more pairs")
    with pytest.raises(InputError, match="no p-values"):
        describe_near_repeat(knox(make_events(), **BANDS, permutations=0))


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"easting": -1.1, "northing": 52.6}, CRSError, "those are degrees"),
        ({"easting": "x"}, ColumnError, "hold no numbers"),
        ({"time": "2024-01-01"}, ColumnError, r"pd\.to_datetime"),
        ({"time": 7}, InputError, "All 300 events have one date"),
        ({"easting": np.nan}, InputError, "300 of 300 rows of events have no coordinates"),
        ({"time": pd.NaT}, InputError, "300 of 300 rows of events have no time"),
        ({"northing": np.arange(300) * 1e4 + 1e5}, EmptyError, "within 500 m"),
    ],
)
def test_bad_events_are_refused(change, error, match):
    with pytest.raises(error, match=match):
        knox(make_events().assign(**change))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"distances": [0, 200, 100]}, r"distances are \[0, 200, 100\]"),
        ({"distances": [100, 200]}, "give 0 first, or same_place=False"),
        ({"days": [0]}, "edges of at least one band"),
        ({"days": [0, 1.5]}, "whole numbers of days"),
        ({"metric": "miles"}, "metric is 'miles'"),
        ({"alternative": "less"}, "alternative is 'less'"),
        ({"permutations": -1}, "permutations is -1"),
    ],
)
def test_bad_options_are_refused(options, match):
    with pytest.raises(InputError, match=match):
        knox(make_events(), **options)


def test_too_few_events_and_too_long_a_record_are_refused():
    with pytest.raises(EmptyError, match="at least 5 events, and 100 to be trusted; given: 4"):
        knox(make_events(4))
    with pytest.raises(EmptyError, match="events has no rows"):
        knox(make_events(4)[:0])
    ages = make_events(10)
    ages.loc[0, "time"] = pd.Timestamp("1900-01-01")
    with pytest.raises(InputError, match="90 years or more"):
        knox(ages)


def test_too_many_pairs_are_refused_before_they_are_kept():
    xy, days = np.zeros((50, 2)), np.arange(50)
    with pytest.raises(InputError, match=r"1,225 pairs of events are within 500 m: too many"):
        find_close(xy, days, np.array([0.0, 500]), same_place=True, metric="euclidean", most=1_000)


def test_points_must_be_points_in_metres():
    events = make_events(10)
    points = gpd.GeoDataFrame(
        events, geometry=gpd.points_from_xy(events["easting"], events["northing"])
    )
    with pytest.raises(CRSError, match="states no coordinate reference system"):
        knox(points)
    with pytest.raises(CRSError, match="unit is not the metre"):
        knox(points.set_crs(4326))
    with pytest.raises(GeometryError, match="10 of 10 rows of events have no point"):
        knox(points.set_crs(27700).set_geometry(points.buffer(1).set_crs(27700)))


def test_pairs_name_who_came_first():
    events = with_repeats(repeats=40)
    events.index = [f"r{i}" for i in range(len(events))]
    pairs = near_repeat_pairs(events, distance=60, days=4)
    planted = {(f"r{i}", f"r{300 + i}") for i in range(40)}
    assert planted <= set(zip(pairs["originator"], pairs["follow_on"], strict=True))
    assert pairs["distance"].max() < 60
    assert pairs["days"].between(0, 3).all()
    table = knox(events, distances=[0, 60], days=[0, 4], same_place=False, permutations=0)
    assert len(pairs) == table["observed"].item()
    assert events["time"][pairs["originator"]].is_monotonic_increasing


def test_pairs_of_one_day_follow_the_clock():
    events = make_events(3, size=1)
    events["time"] = pd.to_datetime(["2024-01-01 23:00", "2024-01-01 08:00", "2024-01-02 01:00"])
    pairs = near_repeat_pairs(events, metric="manhattan")
    assert pairs[["originator", "follow_on", "days"]].to_numpy().tolist() == [
        [1, 0, 0], [1, 2, 1], [0, 2, 1],
    ]  # fmt: skip
    assert near_repeat_pairs(events, distance=1e-9).empty


def test_pairs_need_labels_and_limits():
    events = make_events(6)
    with pytest.raises(DuplicateError, match="index labels stand more than once"):
        near_repeat_pairs(events.set_axis([0] * 6))
    with pytest.raises(InputError, match="distance is 0"):
        near_repeat_pairs(events, distance=0)


def test_risk_bands_ring_the_recent_events_alone():
    events = with_repeats()
    table = knox(events, **BANDS, permutations=99)
    bands = risk_bands(events, table, on="2024-03-31")
    age = (pd.Timestamp("2024-03-31") - events["time"].dt.floor("D")).dt.days
    recent = events.index[(age >= 0) & (age < 28)]
    assert bands["event"].unique().tolist() == recent.tolist()
    assert len(bands) == 4 * len(recent)
    row = bands[(bands["age_days"] < 7) & (bands["to_m"] == 100)].iloc[0]
    cell = table[(table["from_days"] == 0) & (table["to_m"] == 100)].iloc[0]
    assert (
        row[["lower", "upper", "pattern"]].tolist() == cell[["lower", "upper", "pattern"]].tolist()
    )
    assert row["lift"] == cell["ratio"]
    assert row["days_left"] == 7 - row["age_days"]
    assert row["easting"] == events.loc[row["event"], "easting"]


def test_risk_bands_need_a_table_and_a_day():
    events = with_repeats()
    table = knox(events, **BANDS, permutations=9)
    with pytest.raises(ColumnError, match="table has no column"):
        risk_bands(events, table[["ratio"]], on="2024-03-31")
    with pytest.raises(InputError, match="on is 'soon'"):
        risk_bands(events, table, on="soon")
    assert risk_bands(events, table, on="2030-01-01").empty
