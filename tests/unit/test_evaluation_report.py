"""An evaluation's counts are protected, its report attacked; planted leaks are seen."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import DisclosureError, HiddenError
from placeshaping.disclosure.panels import protect_panel
from placeshaping.disclosure.policies import POLICIES
from placeshaping.reports.evaluation import make_evaluation, record_of, write_evaluation
from placeshaping.shaping.evaluation import make_panel
from placeshaping.verify.files import verify_file

CODES = [f"E0100{n:04}" for n in range(60)]
TODAY = dt.date(2026, 2, 3)


def panel(mean=2.0, *, effect=0.0, seed=0, months=36, treated=8, rings=True):
    rng = np.random.default_rng(seed)
    means = np.repeat(rng.gamma(2, mean / 2, 60)[:, None], months, axis=1)
    means[:treated, 24:] *= 1 + effect
    counts = pd.DataFrame(
        {
            "area_code": np.repeat(CODES, months),
            "period": np.tile(pd.date_range("2023-01-01", periods=months, freq="MS"), 60),
            "count": rng.poisson(means).ravel(),
        }
    )
    around = pd.Series("ring 1", index=CODES[treated : treated + 6]) if rings else None
    return make_panel(counts, treated=CODES[:treated], start="2025-01-01", rings=around)


def report_on(protected):
    return make_evaluation(
        protected,
        title="Did it work?",
        what="Burglary",
        measure="the new lighting",
        where=["Marshwick 001A"],
        made_on=TODAY,
        synthetic=False,
        already_published="https://data.police.uk",
    )


@pytest.fixture(scope="module")
def councillor():
    return report_on(protect_panel(panel(effect=-0.5), policy=POLICIES["councillor"]))


@pytest.mark.parametrize("name", ["councillor", "public", "nhs", "ons-10-5"])
def test_no_protected_count_is_small_or_exact(name):
    policy = POLICIES[name]
    protected = protect_panel(panel(), policy=policy)
    for one in (protected.whole, protected.blocks):
        if one is not None:
            values = one.counts.to_numpy()
            assert values.min() >= policy.threshold - policy.rounding / 2
            assert (values % policy.rounding == 0).all()


def test_sensitive_categories_have_the_stricter_threshold():
    plain, strict = (
        protect_panel(panel(), policy=POLICIES["councillor"], sensitive=sensitive)
        for sensitive in (False, True)
    )
    assert (plain.threshold, strict.threshold) == (5, 10)
    assert len(strict.whole.roles) < len(plain.whole.roles)


def test_totals_stay_within_what_rounding_does():
    exact = panel()
    protected = protect_panel(exact, policy=POLICIES["councillor"])
    for role in ("treated", "comparison", "ring 1"):
        units = (protected.whole.roles == role).sum()
        for after in (False, True):
            off = protected.whole.total(role, after=after) - exact.total(role, after=after)
            assert abs(off) <= 2.5 * units


def test_groups_of_areas_stay_where_their_areas_are():
    exact = panel(mean=0.15)
    place = np.random.default_rng(0).uniform(0, 1000, (60, 2))
    known = pd.DataFrame(place, exact.roles.index, ["easting", "northing"])
    protected = protect_panel(
        dataclasses.replace(exact, centres=known), policy=POLICIES["councillor"]
    )
    grouped = protected.whole.centres
    assert len(grouped) == len(protected.whole.roles) < 40
    assert (grouped.min() >= place.min(axis=0)).all()
    assert (grouped.max() <= place.max(axis=0)).all()
    assert protected.whole.total("comparison", after=False) == pytest.approx(
        exact.total("comparison", after=False), abs=2.5 * len(grouped)
    )


def test_internal_counts_are_as_they_are():
    exact = panel()
    protected = protect_panel(exact, policy=POLICIES["internal"])
    pd.testing.assert_frame_equal(protected.whole.counts, exact.counts)
    assert protected.blocks.months == 3
    assert "nothing was rounded or hidden" in protected.statement[-1]


def test_too_few_records_are_not_told_of():
    with pytest.raises(HiddenError, match="treated areas together have fewer than 5 records"):
        protect_panel(panel(mean=0.005), policy=POLICIES["councillor"])


def test_a_ring_of_too_few_records_is_left_out_and_told():
    exact = panel()
    counts = exact.counts.copy()
    counts.loc[exact.roles == "ring 1"] = 0.0
    protected = protect_panel(
        dataclasses.replace(exact, counts=counts), policy=POLICIES["councillor"]
    )
    assert protected.whole.rings == []
    assert "Too little was recorded in ring 1" in protected.statement[-1]


def test_policies_without_counts_or_with_keys_are_refused():
    with pytest.raises(DisclosureError, match="shows no counts"):
        protect_panel(panel(), policy=POLICIES["police"])


def test_areas_finer_than_the_policy_tells_of_are_refused():
    exact = panel()
    fine = pd.Index([f"E0000{n:04}" for n in range(60)], name="area_code")
    finer = dataclasses.replace(
        exact, counts=exact.counts.set_axis(fine), roles=exact.roles.set_axis(fine)
    )
    with pytest.raises(DisclosureError, match="nothing finer than lsoa"):
        protect_panel(finer, policy=POLICIES["public"])


def test_nothing_but_a_protected_panel_is_reported_on():
    with pytest.raises(DisclosureError, match="takes a ProtectedPanel, not a Panel"):
        report_on(panel())
    protected = protect_panel(panel(), policy=POLICIES["councillor"])
    protected.whole.counts.iloc[0, 0] = 3.0
    with pytest.raises(DisclosureError, match="not one that was changed"):
        report_on(protected)


def test_the_effect_of_rounding_is_told(councillor):
    told = " ".join(councillor.protected.statement)
    assert "then rounded to 5" in told
    assert "standard error" in told


def test_rounding_leaves_the_finding_as_it_is(councillor):
    exact = report_on(protect_panel(panel(effect=-0.5), policy=POLICIES["internal"]))
    for report in (councillor, exact):
        assert report.findings.verdict == "fewer"
    rows = [r.findings.of("treated") for r in (councillor, exact)]
    assert rows[0]["percent"] == pytest.approx(rows[1]["percent"], abs=3)


@pytest.mark.parametrize("name", ["councillor", "public", "open", "nhs"])
def test_page_and_record_withstand_the_attacker(name, tmp_path):
    report = report_on(protect_panel(panel(effect=-0.3), policy=POLICIES[name]))
    files = write_evaluation(report, tmp_path)
    assert [file.name for file in files][:2] == ["report.html", "evaluation.json"]
    for file in files:
        if file.suffix in (".html", ".json"):
            verdict = verify_file(file)
            assert verdict.declared_policy == name
            assert verdict.passed, verdict.breaches[:3]


def test_the_page_begins_with_the_finding(councillor, tmp_path):
    page = write_evaluation(councillor, tmp_path)[0].read_text("utf-8")
    lead = page.split('<p class="lead">')[1].split("</p>")[0]
    assert lead.replace("&lt;", "<") == councillor.lead
    assert "After the new lighting, burglary in the treated areas was" in lead
    assert "The row &#39;treated&#39; answers" in page


def test_the_record_holds_the_finding_and_the_rows(councillor):
    record = json.loads(json.dumps(record_of(councillor)))
    assert record["verdict"] == "fewer"
    assert [row["part"] for row in record["displacement"]] == [
        "comparison", "treated", "ring 1", "treated and rings",
    ]  # fmt: skip
    assert [row["areas"] for row in record["displacement"]] == [46, 8, 6, 14]


# Planted leaks


def leaked(protected, name):
    """Return what a report would say were the policy's name all that it took from it."""
    exact = protect_panel(panel(effect=-0.5), policy=POLICIES["internal"])
    object.__setattr__(exact, "policy", POLICIES[name])
    object.__setattr__(exact, "threshold", protected.threshold)
    object.__setattr__(exact, "_seal", exact._digest())
    return report_on(exact)


def test_exact_counts_under_a_protecting_name_are_seen(councillor, tmp_path):
    page, record, *_ = write_evaluation(leaked(councillor.protected, "councillor"), tmp_path)
    for file in (page, record):
        verdict = verify_file(file)
        assert not verdict.passed
        assert any("not rounded to 5" in breach.what for breach in verdict.breaches)


@pytest.mark.parametrize("name", ["expected", "difference", "percent", "se_poisson"])
def test_numbers_of_exact_counts_beside_rounded_ones_are_seen(councillor, name, tmp_path):
    record = record_of(councillor)
    record["displacement"][1][name] *= 1.01
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(record), "utf-8")
    breaches = [breach.what for breach in verify_file(path).breaches]
    assert breaches == [f"1 number in {name!r} not worked out from the counts that are shown"]


def test_a_count_in_words_is_seen(councillor, tmp_path):
    record = record_of(councillor)
    record["paragraph"] += " There were 217 records before."
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(record), "utf-8")
    assert any("counts 217 in words" in b.what for b in verify_file(path).breaches)


def test_a_column_that_is_not_on_the_list_is_seen(councillor, tmp_path):
    record = record_of(councillor)
    record["displacement"][0]["victims"] = 12
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(record), "utf-8")
    assert any("not on the list" in b.what for b in verify_file(path).breaches)


def test_an_evaluation_without_its_comparison_is_refused(councillor, tmp_path):
    record = record_of(councillor)
    del record["displacement"][0]
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(record), "utf-8")
    assert any("no row of comparison areas" in b.what for b in verify_file(path).breaches)
