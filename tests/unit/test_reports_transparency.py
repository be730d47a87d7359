"""The record that goes with a patrol layer: what it says, when it refuses, how burden is kept."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.columns import tag_columns
from placeshaping._core.errors import ColumnError, FileFormatError, InputError, WithdrawnError
from placeshaping._core.provenance import SourceFile
from placeshaping.likelihood.fairness import burden_audit, burden_drift
from placeshaping.likelihood.groups import residents_by_decile
from placeshaping.likelihood.offences import Override
from placeshaping.reports.burden_register import add_burden, read_burdens
from placeshaping.reports.layer_audit import Triggers, Urn, audit_layer, decide
from placeshaping.reports.transparency import LayerFacts, TransparencyRecord, write_record
from placeshaping.reports.transparency_page import NOT_FOR
from placeshaping.verify.files import verify_file

TODAY = dt.date(2026, 2, 3)
UNITS = pd.Index([f"E01{i:06}" for i in range(40)], name="area_code")
DECILE = pd.Series(np.arange(40) % 10 + 1, index=UNITS)
PEOPLE = residents_by_decile(DECILE, pd.Series(1500, index=UNITS))
KIND = "deprivation decile"


def flagged(heavy=1):
    """Flag all areas of one decile, and one of every other."""
    part = pd.Series(0.0, index=UNITS)
    part.iloc[:10] = 0.5
    part[heavy == DECILE] = 1.0
    return part


def facts(**changes):
    told = {
        "title": "Burglary <b>late</b>",
        "purpose": "To prevent burglary.",
        "decides": "A. Superintendent",
        "contact": "nobody@example.org",
        "shift": "4 February 2026, 22:00 to 06:00",
        "offences": {"Burglary": "reported"},
        "overrides": (),
        "model": "trailing 12 months",
        "because": "It was the plainest.",
        "parameters": {"level": 0.25},
        "seed": 0,
        "method": "Cells were joined.",
        "records_from": "2023-01-01",
        "records_to": "2025-12-31",
        "precision": "Places are snapped.",
        "unlocated": 0.02,
        "elsewhere": 0.01,
        "sources": (SourceFile("records", "crime.zip", "a" * 64),),
        "cells": 24,
        "patrols": 3,
        "share_of_area": 0.02,
        "cell_size": 250,
        "made_on": TODAY,
        "expires": dt.date(2026, 2, 6),
        "policy": "police",
        "privacy": ("No count leaves.",),
    }
    return LayerFacts(**(told | changes))


@pytest.fixture(scope="module")
def audit():
    urn = Urn((3.0, 5.0), (300.0, 500.0), "mixed", days=60)
    return audit_layer(flagged().to_frame("now"), {KIND: PEOPLE}, urn=urn)


def record(audit):
    decision = decide(lift_upper=1.1, audit=audit, decided_on=TODAY)
    return TransparencyRecord(facts(), decision, audit)


def test_the_page_says_what_the_committee_asks_for(audit, tmp_path):
    page, markdown, data = write_record(record(audit), tmp_path)
    html = page.read_text("utf-8")
    for heading in ("What it must not be used for", "Who bears it", "Feedback"):
        assert heading in html
        assert heading in markdown.read_text("utf-8")
    assert "A. Superintendent" in html
    assert "expires on 6 February 2026" in html
    assert "&lt;b&gt;late" in html
    assert "<b>late" not in html
    assert json.loads(data.read_text("utf-8"))["not_for"] == list(NOT_FOR)


def test_the_json_holds_the_burden(audit, tmp_path):
    told = json.loads(write_record(record(audit), tmp_path)[2].read_text("utf-8"))
    rows = {row["group"]: row for row in told["audit"]["burdens"][KIND]}
    table = burden_audit(flagged().to_frame("now"), PEOPLE)
    assert rows["1"]["burden_ratio"] == pytest.approx(table.loc["1", "burden_ratio"], rel=1e-5)
    assert told["audit"]["feedback"]["lower"] <= told["audit"]["feedback"]["upper"]


def scores():
    row = {"category": "Burglary", "share": 0.05, "model": "trailing 12 months", "origins": 8}
    row |= {"baseline": True, "chosen": True, "default": True, "n": 120.0, "N": 400.0}
    row |= {"p_value": np.nan, "p_holm": np.nan, "note": ""}
    estimates = {"hit_rate": 0.3, "pai": 6.0, "pei": 0.7, "lift_vs_baseline": 1.0}
    estimates |= {"difference": 0.0, "poisson_deviance": 0.9}
    for name, value in estimates.items():
        row |= {name: value, f"{name}_lower": value * 0.9, f"{name}_upper": value * 1.1}
    return pd.DataFrame([row])


def test_the_page_withstands_the_attacker(audit, tmp_path):
    decision = decide(lift_upper=1.1, audit=audit, decided_on=TODAY)
    full = TransparencyRecord(facts(), decision, audit, scores())
    page = write_record(full, tmp_path)[0]
    assert "30.0%" in page.read_text("utf-8")
    verdict = verify_file(page, today=TODAY)
    assert verdict.judged_policy == "councillor"
    assert [breach.what for breach in verdict.breaches] == []
    late = verify_file(page, today=dt.date(2026, 3, 1))
    assert [breach.what for breach in late.breaches] == ["has expired"]


def test_change_of_ten_deciles_over_releases_is_no_list_of_numbers(tmp_path):
    first = burden_audit(flagged(5).to_frame("x"), PEOPLE)
    former = {KIND: {"2026-01-01": first, "2026-01-02": first}}
    followed = audit_layer(flagged(5).to_frame("now"), {KIND: PEOPLE}, former=former)
    for path in write_record(record(followed), tmp_path):
        assert [breach.what for breach in verify_file(path, today=TODAY).breaches] == [], path.name
    assert "| decile 10 |" in (tmp_path / "transparency.md").read_text("utf-8")


def test_residents_must_be_tagged_for_the_audit_alone():
    loose = PEOPLE.copy()
    loose.attrs = {}
    with pytest.raises(ColumnError, match="10 columns of residents by deprivation decile"):
        audit_layer(flagged().to_frame("now"), {KIND: loose})
    tag_columns(loose, dict.fromkeys(loose.columns, "audit_only"))
    assert audit_layer(flagged().to_frame("now"), {KIND: loose}).feedback is None


def test_burdens_are_kept_and_drift_is_told(tmp_path):
    register = tmp_path / "burdens.json"
    for number, heavy in enumerate((5, 1)):
        table = burden_audit(flagged(heavy).to_frame("x"), PEOPLE)
        add_burden(register, table, series="Fen", released_on=TODAY + dt.timedelta(days=number))
    add_burden(register, table, series="Marsh", released_on=TODAY)
    kept = read_burdens(register, series="Fen")
    assert list(kept) == ["2026-02-03", "2026-02-04"]
    direct = burden_drift({"a": burden_audit(flagged(5).to_frame("x"), PEOPLE), "b": table})
    drift = burden_drift(kept)
    np.testing.assert_allclose(drift["change"], direct["change"], atol=1e-4)
    assert [p.name for p in tmp_path.iterdir()] == ["burdens.json"]


def test_a_release_of_the_same_day_takes_the_place_of_the_first(tmp_path):
    register = tmp_path / "burdens.json"
    for heavy in (5, 1):
        table = burden_audit(flagged(heavy).to_frame("x"), PEOPLE)
        add_burden(register, table, series="Fen", released_on=TODAY)
    kept = read_burdens(register, series="Fen")
    assert kept["2026-02-03"]["burden_ratio"].idxmax() == "1"


def test_a_damaged_register_is_not_taken_for_an_empty_one(tmp_path):
    register = tmp_path / "burdens.json"
    register.write_text('{"version": 1, "rel', "utf-8")
    with pytest.raises(FileFormatError, match="no register of burdens"):
        read_burdens(register, series="Fen")


def test_a_risen_burden_withdraws_the_layer_until_somebody_signs():
    first = burden_audit(flagged(5).to_frame("x"), PEOPLE)
    audit = audit_layer(flagged(1).to_frame("now"), {KIND: PEOPLE}, former={KIND: {"one": first}})
    with pytest.raises(WithdrawnError, match="burden ratio of 1 has risen") as caught:
        decide(lift_upper=None, audit=audit, decided_on=TODAY)
    assert len(caught.value.reasons) == 1
    signed = Override("A. Chief", "A new estate was built there.")
    decision = decide(lift_upper=None, audit=audit, decided_on=TODAY, override=signed)
    assert decision.override == signed
    assert "A. Chief. Reason: A new estate was built there." in " ".join(decision.words)
    loose = Triggers(most_rise=99.0)
    assert decide(lift_upper=None, audit=audit, decided_on=TODAY, triggers=loose).reasons == ()


def test_a_model_that_surely_finds_less_is_withdrawn():
    with pytest.raises(WithdrawnError, match=r"upper limit of its lift is 0\.97"):
        decide(lift_upper=0.97, audit=None, decided_on=TODAY)
    assert decide(lift_upper=1.0, audit=None, decided_on=TODAY).reasons == ()


def test_a_signature_needs_a_name_and_a_reason():
    with pytest.raises(InputError, match="needs a name and a reason"):
        decide(lift_upper=0.9, audit=None, decided_on=TODAY, override=Override("A", " "))


def test_a_signature_without_cause_is_not_printed():
    decision = decide(
        lift_upper=1.2, audit=None, decided_on=TODAY, override=Override("A. Chief", "In case.")
    )
    assert decision.override is None
    assert "A. Chief" not in " ".join(decision.words)


def test_what_was_not_measured_is_said(tmp_path):
    decision = decide(lift_upper=None, audit=None, decided_on=TODAY)
    page = write_record(TransparencyRecord(facts(), decision), tmp_path)[0].read_text("utf-8")
    assert "Lift over trailing counts was not measured." in page
    assert "No backtest goes with this layer" in page
    assert "the burden is not known" in page


def test_discovered_offences_drift_and_reported_ones_do_not():
    ends = {
        tag: Urn((3.0, 2.0), (30.0, 20.0), tag, days=200).run().share
        for tag in ("reported", "discovered")
    }
    assert ends["reported"] == pytest.approx(0.6, abs=0.02)
    assert ends["discovered"] > 0.65
