"""Who bears a patrol layer: ratios, intervals, drift, concentration, feedback, withdrawal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import EmptyError, InputError, UnmatchedError
from placeshaping.likelihood.fairness import (
    burden_audit,
    burden_drift,
    feedback_urn,
    flag_concentration,
    reweight_discovered,
    withdrawal_reasons,
)

UNITS = pd.Index([f"u{i:03}" for i in range(200)], name="area_code")


def people(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    first = rng.uniform(0, 100, 200)
    return pd.DataFrame({"most deprived": first, "least deprived": 100 - first}, index=UNITS)


def flags(chance: np.ndarray, releases: int = 1, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    drawn = rng.random((200, releases)) < chance[:, None]
    names = [f"release {k + 1}" for k in range(releases)]
    return pd.DataFrame(drawn.astype(float), index=UNITS, columns=names)


def test_everything_flagged_burdens_all_alike() -> None:
    table = burden_audit(flags(np.ones(200)), people())
    assert table["burden_ratio"].tolist() == pytest.approx([1, 1])
    assert not table["screened"].any()


def test_ratios_average_one_over_residents() -> None:
    table = burden_audit(flags(np.full(200, 0.2)), people())
    assert (table["burden_ratio"] * table["share"]).sum() == pytest.approx(1)


def test_flags_that_follow_deprivation_are_seen_with_certainty() -> None:
    residents = people()
    table = burden_audit(flags(residents["most deprived"].to_numpy() / 100), residents)
    assert table.loc["most deprived", "lower"] > 1 > table.loc["least deprived", "upper"]
    assert table["screened"].tolist() == [False, True]


def test_intervals_cover_one_about_as_often_as_they_say() -> None:
    covered = []
    for seed in range(60):
        table = burden_audit(flags(np.full(200, 0.2), seed=seed), people(), draws=199)
        covered.append(table["lower"].iloc[0] <= 1 <= table["upper"].iloc[0])
    assert np.mean(covered) > 0.85


def test_burden_per_crime_is_one_where_flags_follow_crime() -> None:
    residents = people()
    table = burden_audit(flags(np.ones(200)), residents, recorded=residents * 0.1)
    assert table["per_crime_ratio"].tolist() == pytest.approx([1, 1])


def test_the_order_of_units_in_residents_changes_nothing() -> None:
    flagged = flags(np.full(200, 0.3))
    one = burden_audit(flagged, people())
    pd.testing.assert_frame_equal(one, burden_audit(flagged, people().sample(frac=1)))


def test_drift_is_the_last_less_the_first() -> None:
    former = burden_audit(flags(np.full(200, 0.5)), people())
    later = former.assign(burden_ratio=former["burden_ratio"] + [0.3, -0.3])
    drift = burden_drift({"May": former, "June": later})
    assert drift["change"].tolist() == pytest.approx([0.3, -0.3])
    reasons = withdrawal_reasons(lift_upper=1.1, drift=drift)
    assert reasons == (
        "The burden ratio of most deprived has risen by 0.30 since the first release.",
    )


def test_nothing_is_withdrawn_without_a_reason() -> None:
    assert withdrawal_reasons(lift_upper=1.0) == ()
    assert withdrawal_reasons() == ()


def test_concentration_is_highest_where_the_same_cells_come_again() -> None:
    same = flags((np.arange(200) < 20).astype(float), releases=6)
    other = flags(np.full(200, 0.1), releases=6)
    assert flag_concentration(same)["kept"] == 1.0
    assert flag_concentration(same)["always"] == pytest.approx(0.1)
    assert flag_concentration(same)["gini"] > flag_concentration(other)["gini"]


def test_patrols_that_follow_discoveries_run_away_and_the_remedy_holds_them() -> None:
    wild = feedback_urn((0.6, 0.4), (10, 10), discovered=1.0, days=2000, runs=500)
    tame = feedback_urn((0.6, 0.4), (10, 10), discovered=1.0, days=2000, runs=500, corrected=True)
    reported = feedback_urn((0.6, 0.4), (10, 10), discovered=0.0, days=2000, runs=500)
    assert wild.share > 0.75
    assert tame.share == pytest.approx(0.6, abs=0.04)
    assert reported.share == pytest.approx(0.6, abs=0.02)
    assert "60% of the incidents" in wild.sentence


def test_discovered_incidents_weigh_less_where_patrols_were() -> None:
    count = pd.Series([10.0, 10.0], index=["a", "b"])
    weighted = reweight_discovered(count, pd.Series([0.8, 0.2], index=["a", "b"]))
    assert weighted.tolist() == pytest.approx([4, 16])


def test_bad_input_is_refused_by_name() -> None:
    flagged = flags(np.full(200, 0.2))
    with pytest.raises(UnmatchedError, match="residents lacks 5 of 200 units"):
        burden_audit(flagged, people().iloc[5:])
    with pytest.raises(InputError, match="200 numbers that are missing or below zero"):
        burden_audit(flagged, people().assign(third=-1))
    with pytest.raises(EmptyError, match="Nobody lives"):
        burden_audit(flagged * 0, people())
    with pytest.raises(EmptyError, match="no former release"):
        burden_drift({})
    with pytest.raises(InputError, match="above zero"):
        feedback_urn((0.0, 1.0), (1, 1), discovered=0.5)
    with pytest.raises(InputError, match="discovered is 2"):
        feedback_urn((1.0, 1.0), (1, 1), discovered=2)
    with pytest.raises(UnmatchedError, match="1 units have no patrolled share"):
        reweight_discovered(pd.Series([1.0], index=["z"]), pd.Series(dtype=float))
