"""What a release holds, and what it refuses."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.permission import check_policy
from placeshaping.disclosure.policies import POLICIES, Policy, policy_named
from placeshaping.disclosure.protection import round_counts, suppress_small
from placeshaping.disclosure.release import Release, release, require_release
from placeshaping.hotspots.study import Study
from placeshaping.statistics.rates import crude_rate

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)


def released(study: Study, policy: str | Policy = "councillor", **options: Any) -> Release:
    return release(study, policy=policy, title="Recorded crime", made_on=DAY, **options)


@pytest.fixture(scope="module")
def study(make_study: MakeStudy) -> Study:
    return make_study()


def true_table(study: Study, level: str) -> pd.Series[int]:
    return study.table(level)["count"]


@pytest.mark.parametrize("policy", ["councillor", "public"])
def test_no_small_count_leaves_and_the_rest_are_rounded(make_study: MakeStudy, policy: str) -> None:
    study = make_study(mean=3.0)
    rules = policy_named(policy)
    for level, table in released(study, policy).tables.items():
        counts, true = table.values["count"], true_table(study, level)
        shown = table.values["status"] == "shown"
        assert counts[~shown].isna().all()
        assert (counts[shown] % rules.rounding == 0).all()
        assert (abs(counts[shown] - true[shown.to_numpy()]) <= 2).all()
        small = (true < rules.threshold) & (true >= rules.smallest_hidden)
        assert not (shown & small.to_numpy()).any()
        assert (shown & (true == 0).to_numpy()).any() == (
            rules.zeros_shown and bool((true == 0).any())
        )


def test_rates_come_from_the_rounded_counts(study: Study) -> None:
    table = released(study).tables["lsoa"]
    view = table.view(period="2024 to 2025", category="Robbery")
    shown = view["status"] == "shown"
    expected = crude_rate(view["count"][shown], table.areas["residents"][shown] * 2)
    assert np.allclose(view.loc[shown, "rate"].astype(float), expected["rate"], atol=0.006)
    assert np.allclose(view.loc[shown, "upper"].astype(float), expected["upper"], atol=0.006)
    assert view.loc[~shown, ["rate", "lower", "upper", "rate_smoothed"]].isna().all().all()


def test_burglary_is_over_households(study: Study) -> None:
    table = released(study, "internal").tables["lsoa"]
    view = table.view(period="2024", category="Burglary")
    expected = 1000 * view["count"] / table.areas["households"]
    assert np.allclose(view["rate"].astype(float), expected.astype(float), atol=0.006)


def test_internal_release_is_stamped_and_holds_everything(study: Study) -> None:
    made = released(study, "internal")
    for level in study.ladder.levels:
        values = made.tables[level].values
        assert values["count"].astype(int).tolist() == true_table(study, level).tolist()
    assert "gi_star" in made.tables["lsoa"].values
    assert made.declaration["stamp"].startswith("Internal")


def test_scores_do_not_leave_as_numbers_under_a_protecting_policy(study: Study) -> None:
    values = released(study).tables["lsoa"].values
    assert "cluster" in values
    assert not {"gi_star", "p_value", "q_value"} & set(values.columns)


def test_planted_hot_spot_is_found(study: Study) -> None:
    view = released(study).tables["lsoa"].view(period="2024 to 2025", category="Burglary")
    corner = view["cluster"].to_numpy().reshape(8, 8)
    assert set(corner[:2, :2].ravel()) == {"hot_99"}
    assert not set(corner[5:, 5:].ravel()) & {"hot_99", "hot_95"}


def test_levels_too_full_of_hidden_areas_are_left_out_and_told(make_study: MakeStudy) -> None:
    made = released(make_study(mean=0.15), "public")
    assert "lsoa" not in made.levels
    assert any("Level LSOA is left out" in sentence for sentence in made.statement)


def test_nothing_to_show_at_any_level_is_refused(make_study: MakeStudy) -> None:
    with pytest.raises(DisclosureError, match="longer span, fewer categories, or a coarser level"):
        released(make_study(mean=0.001), "public")


def test_open_needs_an_address_where_the_records_are_published(study: Study) -> None:
    with pytest.raises(DisclosureError, match="already_published = None"):
        released(study, "open", sensitivity="open")
    with pytest.raises(DisclosureError, match="sensitivity = 'personal'"):
        released(study, "open", already_published="https://example.org")
    with pytest.raises(DisclosureError, match="'our desk' is no address"):
        released(study, "open", sensitivity="open", already_published="our desk")
    made = released(
        study, "open", sensitivity="open", already_published="https://example.org/crime"
    )
    assert made.declaration["already_published"] == "https://example.org/crime"
    assert any("https://example.org/crime" in sentence for sentence in made.statement)


def test_release_cannot_be_made_by_hand(study: Study) -> None:
    made = released(study)
    parts = {f.name: getattr(made, f.name) for f in dataclasses.fields(made) if f.init}
    with pytest.raises(DisclosureError, match=r"made by disclosure\.release"):
        Release(**parts)


def test_release_cannot_be_copied_under_another_policy(study: Study) -> None:
    with pytest.raises(DisclosureError, match=r"made by disclosure\.release"):
        dataclasses.replace(released(study, "internal"), policy=POLICIES["open"])


def test_writers_refuse_a_release_whose_tables_were_changed(study: Study) -> None:
    made = released(study)
    assert require_release(made, wanted_by="area_map") is made
    made.tables["lsoa"].values.loc[0, "count"] = 3
    with pytest.raises(DisclosureError, match="changed after it was made"):
        require_release(made, wanted_by="area_map")


def test_policy_of_ones_own_under_a_known_name_is_refused(study: Study) -> None:
    loose = dataclasses.replace(POLICIES["public"], threshold=0)
    with pytest.raises(DisclosureError, match="other rules than the policy of that name"):
        released(study, loose)


def test_hidden_area_has_no_class_either(study: Study) -> None:
    values = released(study).tables["lsoa"].values
    assert values.loc[values["status"] == "hidden", "cluster"].isna().all()
    assert values.loc[values["status"] == "shown", "cluster"].notna().all()


def test_release_is_frozen(study: Study) -> None:
    made = released(study)
    with pytest.raises(dataclasses.FrozenInstanceError, match="title"):
        made.title = "x"  # type: ignore[misc]
    with pytest.raises(TypeError, match="does not support item assignment"):
        made.tables["lsoa"] = made.tables["msoa"]  # type: ignore[index]


def test_writers_refuse_anything_but_a_release(study: Study) -> None:
    with pytest.raises(DisclosureError, match=r"area_map takes a Release, not a Study.*internal"):
        require_release(study, wanted_by="area_map")


def test_unknown_policy_suggests_the_nearest() -> None:
    with pytest.raises(DisclosureError, match="Did you mean councillor"):
        policy_named("councilor")


def test_unknown_sensitivity_is_refused() -> None:
    with pytest.raises(DisclosureError, match="use one of: open, personal, special"):
        check_policy(POLICIES["public"], sensitivity="secret")  # type: ignore[arg-type]


def test_deciles_are_protected_like_any_level(make_study: MakeStudy) -> None:
    study = make_study(mean=0.3)
    groups = released(study).deprivation
    assert groups is not None
    shown = groups.values["status"] == "shown"
    assert not shown.all()
    assert (groups.values.loc[shown, "count"] % 5 == 0).all()
    assert groups.values.loc[~shown, ["count", "rate"]].isna().all().all()


def test_deciles_add_up_to_the_areas(study: Study) -> None:
    groups = released(study, "internal").deprivation
    assert groups is not None
    by_view = groups.values.groupby(["period", "category"], observed=True)["count"].sum()
    whole = study.table("district").groupby(["period", "category"], observed=True)["count"].sum()
    assert by_view.tolist() == whole.tolist()
    sizes = groups.values.groupby(["period", "category"], observed=True)["areas"].sum()
    assert set(sizes) == {64}


def test_rounding_is_to_the_nearest_multiple() -> None:
    counts = np.arange(40)
    rounded = round_counts(counts, POLICIES["public"])
    assert (rounded % 5 == 0).all()
    assert (abs(rounded - counts) <= 2).all()


def test_open_hides_nothing() -> None:
    assert not suppress_small(np.arange(5), POLICIES["open"]).any()


def test_area_that_the_records_do_not_cover_is_missing_not_zero(make_study: MakeStudy) -> None:
    codes = [f"E01{900_001 + i}" for i in range(64) if i % 8 < 4]
    study = make_study(covered=codes)
    table = study.table()
    outside = (~table["area_code"].isin(codes)).to_numpy()
    assert table.loc[outside, ["count", "rate", "gi_star"]].isna().all().all()
    made = released(study)
    values = made.tables["lsoa"].values
    assert (values.loc[outside, "status"] == "missing").all()
    assert values.loc[outside, ["count", "rate"]].isna().all().all()
    assert not (values.loc[~outside, "status"] == "missing").any()
    districts = made.tables["district"].view(period="2024", category="Robbery")
    assert districts["status"].tolist() == ["shown", "missing"]


def test_level_of_which_no_area_is_covered_whole_is_left_out(make_study: MakeStudy) -> None:
    made = released(make_study(covered=[f"E01{900_001 + i}" for i in range(8, 64)]))
    assert made.levels == ("lsoa", "msoa")


def test_cautions_name_no_area_that_is_not_shown(make_study: MakeStudy) -> None:
    made = released(make_study(mean=0.15), "public")
    text = " ".join((*made.statement, *made.cautions, *made.notes))
    names = make_study().ladder.areas["lsoa"]["area_name"]
    assert "lsoa" not in made.levels
    assert not any(name in text for name in names)


def test_release_prints_as_a_line_and_gives_its_table(study: Study) -> None:
    made = released(study)
    assert repr(made).startswith("<Release 'Recorded crime', policy 'councillor', levels lsoa")
    assert "not protected" in repr(study)
    table = made.table("msoa")
    assert len(table) == len(made.tables["msoa"].values)
    assert table["area_name"].str.startswith("Marsh ").all()


def test_statement_says_what_was_hidden(study: Study) -> None:
    made = released(study)
    text = " ".join(made.statement)
    hidden = int((made.tables["lsoa"].values["status"] == "hidden").sum())
    assert "Counts under 5 are hidden (zero is shown)" in text
    assert f"LSOA: {hidden:,} of " in text
