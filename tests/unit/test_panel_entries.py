"""What the ledger keeps of evaluations, and what it refuses by it."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.ledger import open_ledger
from placeshaping.disclosure.ledger.entry import CELLS, MEMBERS, LedgerEntry
from placeshaping.disclosure.panel_entries import entries_of_panel
from placeshaping.disclosure.panels import protect_panel
from placeshaping.disclosure.policies import POLICIES
from placeshaping.project.former import Former
from placeshaping.shaping.evaluation import make_panel

DAY = dt.date(2026, 2, 3)
PUBLIC = POLICIES["public"]
MONTHS = pd.date_range("2024-01-01", periods=4, freq="MS")
COUNTS = {
    "a": [12, 11, 3, 13],
    "b": [1, 0, 0, 0],
    "c": [30, 31, 32, 33],
    "d": [40, 41, 42, 43],
}


def entries(treated, start, *, counts=COUNTS, policy=PUBLIC, parts=None):
    rows = [(a, m, n) for a, own in counts.items() for m, n in zip(MONTHS, own, strict=True)]
    table = pd.DataFrame(rows, columns=["area_code", "period", "count"])
    panel = make_panel(table, treated=treated, start=start)
    return entries_of_panel(
        protect_panel(panel, policy=policy),
        panel.roles,
        parts=parts or {},
        categories=["Burglary"],
        dataset="Crime",
        title="Lights",
        made_on=DAY,
    )


def map_entry():
    """Return a map of the whole span: a is shown, b is hidden."""
    rows = [("a", "shown", 40), ("b", "hidden", pd.NA)]
    cells = pd.DataFrame(rows, columns=["area_code", "status", "count"]).assign(
        level="lsoa", first="2024-01", last="2024-04", category="Burglary", threshold=10
    )
    cells = cells[CELLS].astype({"count": "Int64"})
    return LedgerEntry("Crime", "Map", DAY, PUBLIC, cells, pd.DataFrame(columns=MEMBERS, dtype=str))


def test_another_start_gives_the_month_between_away_and_is_refused(tmp_path):
    with open_ledger(tmp_path / "l.sqlite") as ledger:
        for entry in entries(["a"], "2024-03-01"):
            assert ledger.conflicts(entry).empty
            ledger.record(entry)
        proofs = [p for e in entries(["a"], "2024-04-01") for p in ledger.conflicts(e)["proof"]]
    assert any("2024-03" in proof for proof in proofs)  # 3, told as 0 to 4 or 1 to 4


def test_an_area_that_a_map_hides_is_not_given_away_by_treating_it_with_another(tmp_path):
    with open_ledger(tmp_path / "l.sqlite") as ledger:
        assert ledger.conflicts(map_entry()).empty
        ledger.record(map_entry())
        found = [p for e in entries(["a", "b"], "2024-03-01") for p in ledger.conflicts(e)["proof"]]
    assert any("b" in proof for proof in found)


def test_the_same_evaluation_again_is_entered_once(tmp_path):
    with Former(tmp_path / "l.sqlite") as former:
        for _ in range(2):
            with former.entering_checked(entries(["a"], "2024-03-01")) as enter:
                enter()
        numbers = former.ledger.list()
    assert len(numbers) == len(entries(["a"], "2024-03-01"))
    assert set(numbers["state"]) == {"recorded"}


def test_a_refused_evaluation_leaves_nothing_that_counts_as_out(tmp_path):
    with Former(tmp_path / "l.sqlite") as former:
        with former.entering_checked(entries(["a"], "2024-03-01")) as enter:
            enter()
        known = len(former.ledger.list())
        with (
            pytest.raises(DisclosureError, match="together with what was released before"),
            former.entering_checked(entries(["a"], "2024-04-01")) as enter,
        ):
            enter()
        later = former.ledger.list().iloc[known:]
    assert not later["left_the_house"].any()


def test_a_total_of_several_groups_is_known_so_much_the_less():
    whole = [e for e in entries(["a"], "2024-03-01") if "comparison" in set(e.cells["area_code"])]
    error = {entry.policy.rounding // 2 for entry in whole}
    assert error == {4}  # c with b, and d: two numbers, each within 2
    assert {entry.cells["threshold"].max() for entry in whole} == {10}


def test_larger_areas_are_known_by_the_smallest_that_they_are_made_of():
    parts = {"a": ["a1", "a2"]}
    members = entries(["a"], "2024-03-01", parts=parts)[0].members
    assert set(members.loc[members["whole"] == "treated", "part"]) == {"a1", "a2"}


def test_many_groups_make_no_rules_that_contradict_themselves():
    counts = {f"a{n}": [20, 21, 22, 23] for n in range(40)} | {"z": [50, 50, 50, 50]}
    made = entries(["z"], "2024-03-01", counts=counts)
    assert max(entry.policy.rounding for entry in made) == 2 * 2 * 40 + 1
    wide = replace(PUBLIC, rounding=1, method="suppress")
    assert {
        e.policy.rounding for e in entries(["z"], "2024-03-01", counts=counts, policy=wide)
    } == {1}
