"""Inspections: the past is the past, the truth is found, rules are held beside, lots are drawn."""

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.columns import column_tags
from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    EmptyError,
    InputError,
    UnmatchedError,
)
from placeshaping.shaping.inspection_audit import coarsen_audit
from placeshaping.shaping.inspection_cases import HISTORY, inspection_cases, standing_on
from placeshaping.shaping.inspection_list import (
    add_outcomes,
    audit_inspections,
    make_inspection_list,
    score_list,
)
from placeshaping.shaping.inspection_words import describe_inspections
from placeshaping.shaping.targeting import fit_inspections
from placeshaping.shaping.targeting_scores import (
    ANYWHERE,
    INSPECTOR,
    MODEL,
    RULES,
    describe_targeting,
    score_targeting,
    taken,
    targeting_finding,
)
from placeshaping.synthetic.premises import make_premises

FEATURES = ["storeys", "age", "landlord", "arrears"]


@pytest.fixture(scope="module")
def made():
    return make_premises(1_500, seed=2)


@pytest.fixture(scope="module")
def cases(made):
    return inspection_cases(
        made.visits,
        made.properties,
        features=FEATURES,
        complaints=made.complaints,
        inspector="inspector",
    )


@pytest.fixture(scope="module")
def model(cases):
    return fit_inspections(cases, form="logistic", replicates=10)


@pytest.fixture(scope="module")
def scores(cases):
    return score_targeting(cases, inspections=0.2, form="logistic", draws=299)


@pytest.fixture(scope="module")
def standing(made):
    return standing_on(
        pd.Timestamp("2026-01-01"),
        made.visits,
        made.properties,
        features=FEATURES,
        complaints=made.complaints,
    )


def small_visits(**columns):
    days = pd.to_datetime(["2025-01-10", "2025-06-10", "2025-06-10"])
    table = {"property": ["a", "a", "b"], "date": days, "found": [True, False, True]}
    return pd.DataFrame({**table, **columns})


HOMES = pd.DataFrame({"area_code": ["x", "x"], "storeys": [2, 3]}, index=["a", "b"])


def test_the_past_is_counted_as_a_plain_loop_counts_it(made, cases):
    rng = np.random.default_rng(0)
    for row in rng.choice(len(cases), 60, replace=False):
        case = cases.iloc[row]
        before = made.visits[
            (made.visits["property"] == case["property"]) & (made.visits["date"] < case["date"])
        ]
        told = made.complaints[
            (made.complaints["property"] == case["property"])
            & (made.complaints["date"] < case["date"])
        ]
        year = told["date"] >= case["date"] - pd.Timedelta(days=365)
        since = (case["date"] - before["date"].max()).days if len(before) else np.nan
        expected = (len(before), before["found"].sum(), since, year.sum(), len(told))
        assert [case[name] for name in HISTORY] == pytest.approx(expected, nan_ok=True)


def test_what_happens_on_the_day_or_later_changes_nothing_before_it(made, cases):
    later = made.visits.copy()
    day = pd.Timestamp("2024-07-01")
    rng = np.random.default_rng(1)
    after = later["date"] >= day
    later.loc[after, "found"] = rng.random(after.sum()) < 0.5
    moved = inspection_cases(
        later, made.properties, features=FEATURES, complaints=made.complaints, inspector="inspector"
    )
    before = (cases["date"] <= day).to_numpy()
    columns = [*HISTORY, *FEATURES]
    pd.testing.assert_frame_equal(moved.loc[before, columns], cases.loc[before, columns])


def test_cases_and_lists_are_personal(cases, standing, model):
    made = make_inspection_list(standing, model, inspections=30)
    assert column_tags(cases)["found"] == "personal"
    assert column_tags(cases)["arrears"] == "personal"
    assert set(column_tags(made).values()) == {"personal"}


def test_chances_are_near_the_truth_and_calibrated(made, standing, model):
    truth = made.truth.reindex(standing.index)
    given = model.predict(standing)
    rank = truth.rank().corr(given["chance"].rank())
    assert rank > 0.6
    fifths = pd.qcut(given["chance"], 5, labels=False)
    told, true = given["chance"].groupby(fifths).mean(), truth.groupby(fifths).mean()
    assert (told - true).abs().max() < 0.1
    assert (given["low"] <= given["chance"]).all()
    assert (given["chance"] <= given["high"]).all()
    assert model.loss < model.loss_of_share
    assert model.tagged == {
        "arrears": "personal",
        **dict.fromkeys(HISTORY, "personal"),
    }


def test_the_model_finds_more_than_plain_rules_and_knowing_the_inspector_more_still(scores):
    for scheme in ("area", "time"):
        table = scores.loc[scheme]
        assert table.loc[MODEL, "precision"] > table.loc[list(RULES), "precision"].max()
        assert table.loc[INSPECTOR, "precision"] > table.loc[MODEL, "precision"]
        assert table.loc[ANYWHERE, "lift"] == pytest.approx(1)
        assert 0 < scores.attrs["of_gain"][scheme] < 0.6
    assert scores.attrs["use"] == MODEL
    assert "Had it known who went" in describe_targeting(scores)


def test_where_nothing_can_be_learned_a_plain_rule_is_used(cases):
    rng = np.random.default_rng(5)
    noise = cases.assign(found=rng.permutation(cases["found"].to_numpy()))
    scores = score_targeting(noise, inspections=0.2, form="logistic", by=["area"], draws=299)
    assert scores.attrs["use"] != MODEL
    assert targeting_finding(scores).startswith("Go by the plain rule")
    assert scores.loc["area"].loc[MODEL, "low"] < scores.loc["area"].loc[ANYWHERE, "precision"]


def test_ties_are_broken_by_lot_on_average():
    rank = np.array([2.0, 1.0, 1.0, 1.0, 0.0])
    assert taken(rank, 0.4).tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])
    assert taken(rank, 0.4).sum() == pytest.approx(2)


def test_boosted_trees_serve_as_well(cases, standing):
    model = fit_inspections(cases, form="boosted", replicates=2)
    assert model.form == "boosted"
    assert model.loss < model.loss_of_share
    assert model.predict(standing)["chance"].between(0, 1).all()


def test_reasons_rise_with_what_pulls(made, standing, model):
    listed = make_inspection_list(standing, model, inspections=60, by_lot=0)
    assert listed["reasons"].str.contains("usual|never visited").mean() > 0.9
    pulls = model.pulls(standing)
    tall = standing["storeys"] >= 4
    assert pulls.loc[tall, "storeys"].mean() > 0
    assert pulls.loc[standing["storeys"] <= 2, "storeys"].mean() <= 0
    usual = standing.assign(**model.usual)
    assert model.pulls(usual).abs().to_numpy().max() < 1e-9


def test_a_list_is_in_order_with_a_share_by_lot(standing, model):
    listed = make_inspection_list(standing, model, inspections=50, by_lot=0.2, rng=4)
    assert len(listed) == listed.index.nunique() == 50
    assert listed["chosen_by"].value_counts().to_dict() == {"rank": 40, "lot": 10}
    ranked = listed["chosen_by"] == "rank"
    assert listed.loc[ranked, "chance"].is_monotonic_decreasing
    assert listed["order"].tolist() == list(range(1, 51))
    assert not ranked.iloc[:40].all()
    again = make_inspection_list(standing, model, inspections=50, by_lot=0.2, rng=4)
    pd.testing.assert_frame_equal(listed, again)
    assert "10 drawn by lot" in describe_inspections(listed)
    assert "arrears (personal)" in describe_inspections(listed)


def test_the_lot_is_drawn_evenly_among_all(standing, model):
    drawn = pd.Series(0, index=standing.index)
    few = standing.iloc[:60]
    for seed in range(300):
        listed = make_inspection_list(few, model, inspections=20, by_lot=0.5, rng=seed)
        drawn.loc[listed.index[listed["chosen_by"] == "lot"]] += 1
    counts = drawn.iloc[:60]
    assert counts.sum() == 3_000
    assert ((counts - 50) ** 2 / (50 * 50 / 60)).sum() < 59 + 5 * np.sqrt(2 * 59)


def test_a_plain_rule_may_order_the_list(standing, model):
    listed = make_inspection_list(standing, model, inspections=30, by="most complaints", by_lot=0)
    complaints = standing.loc[listed.index, "complaints_year"]
    assert complaints.is_monotonic_decreasing


def test_outcomes_go_back_into_the_record_and_the_model_learns(made, standing, model):
    listed = make_inspection_list(standing, model, inspections=100, by_lot=0.3, rng=1)
    rng = np.random.default_rng(1)
    outcomes = pd.DataFrame(
        {
            "property": listed.index,
            "date": pd.Timestamp("2026-02-01"),
            "found": rng.random(100) < made.truth.reindex(listed.index).to_numpy(),
            "inspector": "Inspector A",
        }
    )
    both = add_outcomes(made.visits, listed, outcomes)
    assert len(both) == len(made.visits) + 100
    assert both["random"].sum() == made.visits["random"].sum() + 30
    told = score_list(listed, outcomes)
    assert told.loc["rank", "visits"] == 70
    assert told.loc["rank", "rate"] > told.loc["lot", "rate"]
    with pytest.raises(DuplicateError, match="stand in the record already"):
        add_outcomes(both, listed, outcomes)
    cases = inspection_cases(both, made.properties, features=FEATURES, complaints=made.complaints)
    assert fit_inspections(cases, form="logistic", replicates=0).visits == len(both)


def test_the_lot_tells_how_common_faults_are_where_chosen_visits_do_not(made):
    lot = made.visits["random"]
    shares = made.visits.groupby(lot)["found"].mean()
    true = made.truth.mean()
    assert abs(shares[True] - true) < abs(shares[False] - true)


def test_an_audit_adds_up(standing, model):
    listed = make_inspection_list(standing, model, inspections=100)
    areas = sorted(standing["area_code"].unique())
    deciles = pd.Series(np.arange(len(areas)) % 10 + 1, index=areas)
    audit = audit_inspections(listed, standing, deciles)
    assert audit["properties"].sum() == len(standing)
    assert audit["listed"].sum() == 90
    weighted = (audit["ratio"] * audit["properties"]).sum() / audit["properties"].sum()
    assert weighted == pytest.approx(1)
    with pytest.raises(UnmatchedError, match="1 areas have no decile"):
        audit_inspections(listed, standing, deciles.iloc[1:])


@pytest.mark.parametrize(
    ("properties", "named", "rows"),
    [
        ([40, 30, 30, 50], [9, 5, 1, 6], ["1", "2", "3 to 4"]),
        ([40, 30, 1, 50], [9, 5, 1, 1], ["1", "2 to 4"]),
        ([2, 30, 30, 50], [0, 0, 6, 6], ["1 to 2", "3", "4"]),
        ([3, 3, 3, 1], [1, 0, 1, 1], ["1 to 4"]),
        ([30, 6, 30, 30], [5, 6, 5, 5], ["1", "2 to 3", "4"]),
    ],
)
def test_a_told_audit_speaks_of_no_few_properties(properties, named, rows):
    table = {"properties": properties, "listed": named, "chance": [0.5] * 4}
    audit = pd.DataFrame(table, index=pd.Index([1, 2, 3, 4], name="decile"))
    audit["chance"] = audit["chance"].where(audit["listed"] > 0)
    told = coarsen_audit(audit)
    assert list(told.index) == rows
    assert told[["properties", "listed"]].sum().tolist() == [sum(properties), sum(named)]
    assert told.loc[told["listed"] > 0, "chance"].to_numpy() == pytest.approx(0.5)


def test_who_inspected_is_no_feature(made, cases):
    with pytest.raises(ColumnError, match="says who inspected"):
        inspection_cases(
            made.visits, made.properties, features=["inspector"], inspector="inspector"
        )
    with pytest.raises(ColumnError, match="'inspector' is no feature"):
        fit_inspections(cases, features=["storeys", "inspector"])
    with pytest.raises(ColumnError, match="'found' is no feature"):
        score_targeting(cases, inspections=0.1, features=["found"])


def test_a_feature_that_names_somebody_is_refused(cases):
    owners = cases.assign(landlord=[f"owner {row % 300}" for row in range(len(cases))])
    with pytest.raises(ColumnError, match="'landlord' holds 300 different texts"):
        fit_inspections(owners, features=["storeys", "landlord"])


def test_too_little_is_told_with_what_to_do_until_then(cases):
    with pytest.raises(EmptyError, match=r"20 of each are needed.*by lot"):
        fit_inspections(cases.iloc[:50])
    one = cases.assign(area_code="x")
    with pytest.raises(EmptyError, match="lie in 1 areas; 5 are needed"):
        fit_inspections(one)


@pytest.mark.parametrize(
    ("visits", "error", "told"),
    [
        (small_visits(found=[1, 0, 2]), ColumnError, "1 of 3 visits found neither true nor false"),
        (small_visits(property=["a", "b", "b"]), DuplicateError, "visited on the same day"),
        (small_visits(property=["a", "c", "b"]), UnmatchedError, r"not in the table of prop.*\(c"),
        (small_visits(date=["x", "y", "z"]), ColumnError, "must hold a date"),
        (small_visits().rename(columns={"found": "fuond"}), ColumnError, "Did you mean fuond"),
        (small_visits().iloc[:0], EmptyError, "no visits"),
    ],
)
def test_visits_that_cannot_be_read_are_told(visits, error, told):
    with pytest.raises(error, match=told):
        inspection_cases(visits, HOMES)


def test_options_out_of_range_are_told(cases, standing, model):
    with pytest.raises(InputError, match=r"60 of 300 is 0\.2"):
        score_targeting(cases, inspections=60)
    with pytest.raises(InputError, match="Visit them all"):
        make_inspection_list(standing, model, inspections=5_000)
    with pytest.raises(InputError, match="by_lot is 10"):
        make_inspection_list(standing, model, inspections=50, by_lot=10)
    with pytest.raises(InputError, match="by is 'oldest'"):
        make_inspection_list(standing, model, inspections=50, by="oldest")
