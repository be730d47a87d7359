"""Emerging hot spots: cube, scores, trend, the 17 categories, and what cannot be judged."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pymannkendall
import pytest
from esda import G_Local
from libpysal.graph import Graph
from scipy import stats
from shapely import box

from placeshaping._core.errors import ColumnError, DuplicateError, EmptyError, InputError
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots._categories import UNKNOWN, classify
from placeshaping.hotspots._trend import mann_kendall
from placeshaping.hotspots.cube import make_cube
from placeshaping.hotspots.cube_scores import cube_scores
from placeshaping.hotspots.emerging import CATEGORIES, emerging_hotspots
from placeshaping.hotspots.emerging_words import SENTENCES, emerging_paragraph, emerging_summary
from placeshaping.hotspots.getis import getis_ord
from placeshaping.maps.words import label_words
from placeshaping.statistics.testing import false_discovery_rate

SIZE, STEPS = 7, 12
CODES = pd.Index([f"a{i:02}" for i in range(SIZE * SIZE)], name="area_code")
AREAS = gpd.GeoDataFrame(
    geometry=[box(x, y, x + 1, y + 1) for y in range(SIZE) for x in range(SIZE)], index=CODES
)
NEIGHBOURS = contiguity(AREAS)
MONTHS = pd.date_range("2024-01-01", periods=STEPS, freq="MS", name="period")


def make_counts(seed=0, steps=STEPS, mean=4.0):
    rng = np.random.default_rng(seed)
    drawn = rng.poisson(rng.gamma(2, mean / 2, (len(CODES), 1)), (len(CODES), steps))
    return pd.DataFrame(drawn, index=CODES, columns=MONTHS[:steps]).astype(float)


def make_long(wide):
    return wide.reset_index().melt("area_code", var_name="period", value_name="count")


# The cube


def test_a_long_table_and_its_wide_form_give_one_cube():
    wide = make_counts()
    pd.testing.assert_frame_equal(make_cube(make_long(wide)), wide, check_freq=False)
    pd.testing.assert_frame_equal(make_cube(wide), wide, check_freq=False)


def test_steps_out_of_order_are_put_in_order():
    wide = make_counts()
    shuffled = wide[wide.columns[[3, 1, 2, 0, *range(4, STEPS)]]]
    pd.testing.assert_frame_equal(make_cube(shuffled), wide, check_freq=False)


def test_months_missing_in_the_records_are_unknown():
    cube = make_cube(make_counts().drop(columns=MONTHS[[3, 4]]))
    assert cube.columns.tolist() == MONTHS.tolist()
    assert cube.isna().all().to_numpy().nonzero()[0].tolist() == [3, 4]


def test_quarters_weeks_and_numbers_are_steps_too():
    values = np.arange(6.0).reshape(2, 3)
    for columns in (
        pd.PeriodIndex(["2024Q1", "2024Q2", "2024Q4"], freq="Q"),
        pd.to_datetime(["2024-01-01", "2024-01-08", "2024-01-22"]),
        pd.Index([3, 4, 6]),
        pd.Index(["2024-01-01", "2024-02-01", "2024-04-01"]),
    ):
        cube = make_cube(pd.DataFrame(values, index=list("ab"), columns=columns))
        assert cube.shape == (2, 4)
        assert cube.isna().all().tolist() == [False, False, True, False]
        assert cube.iloc[:, 3].tolist() == [2, 5]
        assert cube.columns[3] == pd.Index(columns)[2] or str(cube.columns[3].date()) == columns[2]


def test_a_category_without_a_record_in_a_month_has_zeros_there():
    counts = make_long(make_counts(steps=5)).assign(category="Burglary")
    counts.loc[counts["period"] == MONTHS[2], "category"] = "Robbery"
    cube = make_cube(counts, category="Burglary")
    assert (cube[MONTHS[2]] == 0).all()
    with pytest.raises(InputError, match=r"2 categories \(Burglary, Robbery\). Choose one"):
        make_cube(counts)
    with pytest.raises(InputError, match="no category 'Arson', but Burglary"):
        make_cube(counts, category="Arson")


def test_events_are_counted_in_areas():
    areas = AREAS.set_geometry(AREAS.geometry.scale(1000, 1000, origin=(0, 0))).set_crs(27700)
    events = pd.DataFrame(
        {
            "easting": [500.0, 500.0, 1500.0],
            "northing": 500.0,
            "period": pd.to_datetime(["2024-01-01", "2024-03-01", "2024-03-01"]),
            "category": ["x", "x", "y"],
        }
    )
    cube = make_cube(events, areas=areas)
    assert cube.index.equals(areas.index)
    assert cube.iloc[0].tolist()[0::2] == [1, 1]
    assert cube.iloc[:, 1].isna().all()
    assert make_cube(events, areas=areas, category="y").iloc[1].tolist()[0::2] == [0, 1]
    with pytest.raises(InputError, match="If they are events, give the areas"):
        make_cube(events.assign(area_code="a", count=1).drop(columns="count"))


def test_areas_set_the_order_and_missing_rows_of_a_long_table_are_zero():
    counts = make_long(make_counts().iloc[:10])
    cube = make_cube(counts, areas=AREAS)
    assert cube.index.equals(AREAS.index)
    assert (cube.iloc[10:] == 0).all(axis=None)
    assert make_cube(make_counts().iloc[:10], areas=AREAS).iloc[10:].isna().all(axis=None)
    with pytest.raises(InputError, match=r"1 of 10 areas of records are not in areas \(a00\)"):
        make_cube(counts, areas=AREAS.iloc[1:])


@pytest.mark.parametrize(
    ("spoil", "error", "match"),
    [
        (lambda c: pd.concat([c, c.iloc[:2]]), DuplicateError, "2 area codes stand more than once"),
        (lambda c: c.mul(-1), InputError, "values are negative or infinite"),
        (lambda c: c.replace(c.iloc[0, 0], np.inf), InputError, "negative or infinite"),
        (lambda c: c.astype(str), ColumnError, "Not numbers"),
        (lambda c: c.mul(np.nan), EmptyError, "Every value of records is missing"),
        (lambda c: c.iloc[:0], EmptyError, "0 areas and 12 steps"),
        (
            lambda c: c.set_axis([f"m{k}" for k in range(STEPS)], axis=1),
            InputError,
            "neither dates",
        ),
        (
            lambda c: c.rename(columns={MONTHS[0]: pd.Timestamp("1824-01-01")}),
            InputError,
            "12 steps, but 2,412 lie between",
        ),
        (lambda c: make_long(c).drop(columns="count"), InputError, "count"),
        (lambda c: pd.concat([make_long(c)] * 2), DuplicateError, "588 rows repeat an area"),
        (lambda c: make_long(c).assign(period=pd.NaT), ColumnError, "588 rows have no period"),
        (lambda c: c.rename(columns={MONTHS[0]: MONTHS[1]}), DuplicateError, "1 steps stand twice"),
    ],
)
def test_what_is_no_cube_is_refused(spoil, error, match):
    with pytest.raises(error, match=match):
        make_cube(spoil(make_counts()))


# Scores


def stacked_graph(before, steps=STEPS):
    """Return every bin's neighbourhood as a graph of bins, itself not included."""
    near = NEIGHBOURS.sparse.toarray() > 0
    pairs = []
    for t in range(steps):
        for lag in range(before + 1):
            if t - lag < 0:
                continue
            block = near | (np.eye(len(near), dtype=bool) & (lag > 0))
            for i, j in zip(*block.nonzero(), strict=True):
                pairs.append((f"{i}-{t}", f"{j}-{t - lag}"))
    focal, neighbour = zip(*pairs, strict=True)
    table = pd.Series(1, index=pd.MultiIndex.from_arrays([focal, neighbour]))
    table.index.names = ["focal", "neighbor"]
    order = [f"{i}-{t}" for t in range(steps) for i in range(len(near))]
    arrays = table.index.get_level_values(0), table.index.get_level_values(1)
    return Graph.from_arrays(*arrays, table.to_numpy()), order


@pytest.mark.parametrize("before", [0, 1, 2])
def test_scores_against_the_whole_cube_are_those_of_esda_on_its_bins(before):
    counts = make_counts()
    graph, order = stacked_graph(before)
    y = pd.Series(counts.to_numpy().ravel(order="F"), index=order).reindex(graph.unique_ids)
    reference = G_Local(y.to_numpy(), graph, transform="B", star=True, permutations=0)
    expected = pd.Series(reference.Zs, index=graph.unique_ids).loc[order]
    scores = cube_scores(counts, NEIGHBOURS, steps_before=before)
    np.testing.assert_allclose(scores["gi_star"], expected, atol=1e-10)
    np.testing.assert_allclose(scores["p_value"], 2 * stats.norm.sf(abs(expected)), atol=1e-12)
    np.testing.assert_allclose(scores["q_value"], false_discovery_rate(scores["p_value"]))


def test_each_step_alone_is_what_getis_ord_makes_of_it():
    counts = make_counts()
    counts.iloc[5, 3] = np.nan
    counts.iloc[:, 7] = 2.0
    ours = cube_scores(counts, NEIGHBOURS, window="step", steps_before=0)
    theirs = getis_ord(counts, NEIGHBOURS)
    for column in ("gi_star", "p_value", "q_value"):
        np.testing.assert_allclose(ours[column], theirs[column], atol=1e-10)


def test_a_neighbourhood_step_is_compared_with_the_steps_that_it_spans():
    counts = make_counts(steps=5)
    ours = cube_scores(counts, NEIGHBOURS, window="neighbourhood_step", steps_before=1)
    of_last = ours.loc[ours["period"] == MONTHS[4], "gi_star"]
    pair = cube_scores(counts.iloc[:, 3:], NEIGHBOURS, window="cube", steps_before=1)
    expected = pair.loc[pair["period"] == MONTHS[4], "gi_star"]
    np.testing.assert_allclose(of_last, expected, atol=1e-10)


def test_an_unknown_step_is_nobodys_neighbour():
    counts = make_counts(steps=6)
    gap = make_cube(counts.drop(columns=MONTHS[2]))
    scores = cube_scores(gap, NEIGHBOURS, steps_before=1).set_index("period", append=True)
    assert scores.xs(MONTHS[2], level=1).isna().all(axis=None)
    assert scores.drop(MONTHS[2], level=1).notna().all(axis=None)
    alone = cube_scores(gap, NEIGHBOURS, steps_before=0).set_index("period", append=True)
    after = scores.xs(MONTHS[3], level=1)["gi_star"]
    np.testing.assert_allclose(after, alone.xs(MONTHS[3], level=1)["gi_star"], atol=1e-12)


def test_options_that_are_none_are_refused():
    with pytest.raises(InputError, match="window is 'year'"):
        cube_scores(make_counts(), NEIGHBOURS, window="year")
    with pytest.raises(InputError, match="steps_before is -1"):
        cube_scores(make_counts(), NEIGHBOURS, steps_before=-1)
    with pytest.raises(InputError, match="significance is 5"):
        emerging_hotspots(make_counts(), NEIGHBOURS, significance=5)
    with pytest.raises(InputError, match="3 of 49 areas are not in the graph"):
        emerging_hotspots(make_counts(), contiguity(AREAS.iloc[3:]))


# The trend


@pytest.mark.parametrize("seed", range(6))
def test_the_trend_is_that_of_pymannkendall(seed):
    rng = np.random.default_rng(seed)
    series = rng.integers(0, 4 + 3 * seed, (20, 8 + seed)).astype(float)
    z, p = mann_kendall(series)
    expected = [pymannkendall.original_test(row) for row in series]
    np.testing.assert_allclose(z, [row.z for row in expected], atol=1e-12)
    np.testing.assert_allclose(p, [row.p for row in expected], atol=1e-12)


def test_a_trend_worked_by_hand():
    # 1 2 2 3: five pairs rise, one ties; variance (4 3 13 - 2 1 9) / 18
    z, _ = mann_kendall(np.array([[1.0, 2.0, 2.0, 3.0]]))
    assert z[0] == pytest.approx((5 - 1) / np.sqrt((156 - 18) / 18))


@pytest.mark.parametrize(("before", "plain"), [(1, 0.13), (2, 0.2)])
def test_scores_that_share_steps_have_the_nominal_rate_of_false_trends(before, plain):
    rng = np.random.default_rng(before)
    single = rng.normal(size=(4000, 24))
    series = sum(np.pad(single, ((0, 0), (lag, 0)))[:, :24] for lag in range(before + 1)) / np.sqrt(
        np.minimum(np.arange(24), before) + 1
    )
    _, p = mann_kendall(series)
    assert (p < 0.05).mean() > plain
    _, p = mann_kendall(series, steps_before=before)
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.012)


def test_scores_that_share_no_step_are_not_corrected():
    series = np.full((3, 12), np.nan)
    series[:, ::3] = np.random.default_rng(1).normal(size=(3, 4))
    for one, other in zip(mann_kendall(series), mann_kendall(series, steps_before=2), strict=True):
        np.testing.assert_allclose(one, other)


def test_missing_steps_and_noise_below_a_tie_change_no_trend():
    rng = np.random.default_rng(3)
    series = rng.integers(0, 5, (10, 9)).astype(float)
    holed = np.insert(series, [2, 2, 7], np.nan, axis=1)
    for other in (holed, series + rng.normal(0, 1e-13, series.shape)):
        np.testing.assert_array_equal(mann_kendall(other)[0], mann_kendall(series)[0])
    assert mann_kendall(np.full((1, 5), 0.1 + 0.2))[0][0] == 0
    assert np.isnan(mann_kendall(np.full((1, 5), np.nan))[0][0])


# The categories

HAND = {
    "new": ("........h", 0),
    "consecutive": (".......hh", 1),
    "sporadic": (".h.....hh", 0),
    "oscillating": (".c...hh.h", 0),
    "intensifying": (".hhhhhhhhh", 1),
    "persistent": (".hhhhhhhhh", 0),
    "diminishing": (".hhhhhhhhh", -1),
    "historical": ("hhhhhhhhh.", 1),
}


def code_of(series, trend):
    state = {"h": 1, "c": -1, ".": 0, "?": UNKNOWN}
    states = np.array([[state[letter] for letter in series]], dtype=np.int8)
    code = int(classify(states, np.array([trend], dtype=np.int8))[0])
    return CATEGORIES[code] if code >= 0 else None


def mirrored(series):
    return series.translate(str.maketrans("hc", "ch"))


@pytest.mark.parametrize(("shape", "case"), HAND.items())
def test_each_category_by_hand(shape, case):
    series, trend = case
    assert code_of(series, trend) == f"{shape}_hot"
    assert code_of(mirrored(series), -trend) == f"{shape}_cold"


@pytest.mark.parametrize(
    ("series", "trend", "expected"),
    [
        ("..........", 1, "no_pattern"),
        ("hhhh.h...", 1, "no_pattern"),  # hot before, under 90 %, not now
        ("hhhhhhhh.", 1, "no_pattern"),  # 8 of 9 is under 90 %
        ("hhhhhhhhhc", 0, "oscillating_cold"),  # cold now, so not historical
        ("chhhhhhhhh", 0, "persistent_hot"),  # mostly hot, though once cold
        ("c.......h", 0, "oscillating_hot"),  # hot for the first time, but cold before
        ("c......hh", 0, "oscillating_hot"),
        ("h......hh", 0, "sporadic_hot"),  # a run at the end, but hot before it
        ("h.h.h.h.h", 1, "sporadic_hot"),
        ("hhhh", 0, "persistent_hot"),
        (".?.?.??h?h", 0, "consecutive_hot"),  # unknown steps break no run
        ("?????.hhhhhhhhh", 0, "persistent_hot"),  # nine of ten known steps
        ("hhhhhhhhh?", 0, None),  # the final step is unknown
    ],
)
def test_cases_between_the_definitions(series, trend, expected):
    assert code_of(series, trend) == expected
    if expected in (None, "no_pattern"):
        assert code_of(mirrored(series), -trend) == expected
    else:
        shape, sign = expected.split("_")
        other = {"hot": "cold", "cold": "hot"}[sign]
        assert code_of(mirrored(series), -trend) == f"{shape}_{other}"


# The whole


def planted(rows, steps, high=40.0):
    counts = make_counts(mean=3.0)
    counts.loc[rows, MONTHS[list(steps)]] = high
    return counts


CORNER = CODES[[0, 1, 7, 8]]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([11], "new_hot"),
        ([9, 10, 11], "consecutive_hot"),
        (range(12), "persistent_hot"),
        ([2, 6, 11], "sporadic_hot"),
        (range(11), "historical_hot"),
    ],
)
def test_a_planted_corner_has_its_category(steps, expected):
    result = emerging_hotspots(planted(CORNER, steps), NEIGHBOURS, steps_before=0)
    assert result.loc["a00", "category"] == expected
    assert result.loc["a00", "hot_steps"] == len(list(steps))
    assert result.loc["a00", "hot_share"] == len(list(steps)) / STEPS
    assert result.loc["a48", "category"] == "no_pattern"


@pytest.mark.parametrize(("sign", "expected"), [(1, "intensifying_hot"), (-1, "diminishing_hot")])
def test_a_rise_and_a_fall_are_told_apart(sign, expected):
    counts = make_counts(mean=3.0)
    ramp = 30.0 + 5 * np.arange(STEPS)[::sign]
    counts.loc[CORNER] = ramp
    result = emerging_hotspots(counts, NEIGHBOURS)
    assert result.loc["a00", "category"] == expected
    assert np.sign(result.loc["a00", "trend_z"]) == sign


def test_the_result_has_the_shape_that_maps_need():
    counts = make_counts()
    result = emerging_hotspots(counts, NEIGHBOURS)
    assert result.index.equals(counts.index)
    assert tuple(result["category"].cat.categories) == CATEGORIES
    assert len(CATEGORIES) == 17
    np.testing.assert_allclose(result["total_count"], counts.sum(axis=1))
    np.testing.assert_allclose(result["mean_count"], counts.mean(axis=1))
    assert result.attrs["cautions"] == ()
    assert "1 earlier step, against the whole cube" in result.attrs["method"]
    last = cube_scores(counts, NEIGHBOURS).tail(len(CODES))
    np.testing.assert_allclose(result["gi_star"], last["gi_star"])
    np.testing.assert_allclose(result["q_value"], last["q_value"])


def test_missing_months_are_told_and_count_nowhere():
    counts = planted(CORNER, range(12)).drop(columns=MONTHS[[2, 3]])
    result = emerging_hotspots(counts, NEIGHBOURS)
    assert (result["known_steps"] == 10).all()
    assert result.loc["a00", "hot_share"] == 1
    assert "2 of 12 steps are missing in the records" in result.attrs["cautions"][0]
    assert result.attrs["missing_steps"] == tuple(MONTHS[[2, 3]])


def test_an_area_without_its_last_step_has_no_category():
    counts = make_counts()
    counts.iloc[4, -1] = np.nan
    result = emerging_hotspots(counts, NEIGHBOURS)
    assert pd.isna(result["category"].iloc[4])
    assert result["category"].notna().sum() == len(CODES) - 1
    told = result.attrs["cautions"]
    assert any("1 of 49 areas lack a count in some further step" in text for text in told)
    assert any("1 of 49 areas have no category" in text for text in told)


def test_islands_have_no_category():
    areas = pd.concat([AREAS, gpd.GeoDataFrame(geometry=[box(50, 50, 51, 51)], index=["island"])])
    counts = pd.concat([make_counts(), make_counts().iloc[[0]].set_axis(["island"])])
    result = emerging_hotspots(counts, contiguity(areas))
    assert pd.isna(result.loc["island", "category"])
    assert np.isnan(result.loc["island", "gi_star"])
    assert any("1 of 50 areas have no neighbours" in text for text in result.attrs["cautions"])


@pytest.mark.parametrize("value", [0.0, 3.0])
@pytest.mark.parametrize("window", ["cube", "neighbourhood_step", "step"])
def test_where_nothing_varies_there_is_no_pattern(value, window):
    counts = pd.DataFrame(value, index=CODES, columns=MONTHS)
    result = emerging_hotspots(counts, NEIGHBOURS, window=window)
    assert (result["category"] == "no_pattern").all()
    assert result["gi_star"].isna().all()
    assert "Every count is the same" in result.attrs["cautions"][0]


def test_short_series_are_refused_or_told():
    with pytest.raises(
        EmptyError, match="records hold 3 steps; emerging hot spots need at least 4"
    ):
        emerging_hotspots(make_counts(steps=3), NEIGHBOURS)
    with pytest.raises(EmptyError, match="1 areas have counts"):
        emerging_hotspots(make_counts().iloc[:1], NEIGHBOURS)
    told = emerging_hotspots(make_counts(steps=5), NEIGHBOURS).attrs["cautions"]
    assert "Only 5 steps are known" in told[0]


def test_few_areas_are_told():
    result = emerging_hotspots(make_counts().iloc[:14], NEIGHBOURS)
    assert "Only 14 areas" in result.attrs["cautions"][0]


def test_the_input_is_not_changed():
    counts = make_counts()
    before = counts.copy()
    emerging_hotspots(counts, NEIGHBOURS)
    pd.testing.assert_frame_equal(counts, before)


# Words


def test_the_summary_has_a_sentence_for_each_category():
    result = emerging_hotspots(planted(CORNER, [11]), NEIGHBOURS, steps_before=0)
    summary = emerging_summary(result)
    assert summary.index.tolist() == list(CATEGORIES)
    assert summary["areas"].sum() == len(CODES)
    assert summary["share"].sum() == pytest.approx(1)
    assert summary.loc["new_hot", "areas"] == (result["category"] == "new_hot").sum() > 0
    assert summary["sentence"].is_unique
    assert set(SENTENCES) == set(CATEGORIES)


def test_the_paragraph_names_areas_and_judges_none():
    result = emerging_hotspots(planted(CORNER, [11]), NEIGHBOURS, steps_before=0)
    names = {code: f"Marsh {code}" for code in CODES}
    text = emerging_paragraph(result, names=names, what="recorded burglaries")
    assert "hot spots of recorded burglaries" in text
    assert "New hot spots: Marsh a00" in text
    assert label_words([text, *SENTENCES.values()]) == []


def test_the_paragraph_tells_what_is_missing():
    counts = make_counts().drop(columns=MONTHS[5])
    text = emerging_paragraph(emerging_hotspots(counts, NEIGHBOURS))
    assert text.endswith("1 step is missing in the records and counted nowhere.")
    assert text.startswith("Of 49 areas, 3 are hot spots of records")
