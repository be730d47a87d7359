"""The ledger's file: what it keeps, what it refuses, and who may write at the same time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from placeshaping._core.errors import (
    ColumnError,
    DisclosureError,
    DuplicateError,
    FileFormatError,
    InputError,
    LockedFileError,
    MissingFileError,
    OutputError,
)
from placeshaping.cli_ledger import ledger_app
from placeshaping.disclosure.ledger import open_ledger
from placeshaping.disclosure.ledger.entry import KEYS, LedgerEntry, entry_of
from placeshaping.disclosure.policies import POLICIES
from placeshaping.disclosure.release import release
from placeshaping.hotspots.study import Study

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)
COLUMNS = ["level", "area_code", "first", "last", "category", "status", "count", "threshold"]


def make_entry(
    *counts: int | None, dataset: str = "crime", title: str = "Crime", policy: str = "councillor"
) -> LedgerEntry:
    """Build a release of areas a, b, ... over 2024; None is hidden."""
    threshold = POLICIES[policy].threshold
    rows = [
        ("lsoa", "abcdefgh"[n], "2024-01", "2024-12", "Burglary",
         "hidden" if count is None else "shown", count, threshold)
        for n, count in enumerate(counts)
    ]  # fmt: skip
    cells = pd.DataFrame(rows, columns=COLUMNS).astype({"count": "Int64"})
    members = pd.DataFrame({"kind": ["category"], "whole": ["Burglary"], "part": ["Burglary"]})
    return LedgerEntry(dataset, title, DAY, POLICIES[policy], cells, members)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def test_what_is_recorded_comes_back(path: Path) -> None:
    entry = make_entry(10, None, 0)
    with open_ledger(path) as ledger:
        number = ledger.record(entry)
    with open_ledger(path, create=False) as ledger:
        shown = ledger.show(number)
        assert ledger.list()["title"].tolist() == ["Crime"]
    assert shown.cells.astype(str).values.tolist() == entry.cells.astype(str).values.tolist()
    assert shown.members.values.tolist() == entry.members.values.tolist()
    assert shown.facts["threshold"] == 5
    assert shown.facts["state"] == "recorded"


def test_the_same_release_is_recorded_once_and_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_ledger(path) as ledger:
        first = ledger.record(make_entry(10, None))
        other = ledger.record(make_entry(10, 15))
        turned = make_entry(10, None)
        turned = dataclasses.replace(turned, cells=turned.cells.iloc[::-1], title="Again")
        with caplog.at_level(logging.WARNING):
            assert ledger.record(turned) == first != other
        assert len(ledger.list()) == 2
    assert "already, as release 1" in caplog.text


def test_every_value_of_a_real_release_is_recorded(make_study: MakeStudy, path: Path) -> None:
    made = release(make_study(), policy="councillor", title="Crime", made_on=DAY, dataset="crime")
    entry = entry_of(made)
    with open_ledger(path) as ledger:
        cells = ledger.show(ledger.record(entry)).cells.set_index(KEYS)
        assert ledger.conflicts(entry).empty
    values = made.tables["msoa"].values
    row = values[values["status"] == "shown"].iloc[0]
    period = next(p for p in made.periods if p.label == row["period"])
    months = (f"{period.first:%Y-%m}", f"{period.last:%Y-%m}")
    found = cells.loc[("msoa", row["area_code"], *months, row["category"])]
    assert found["count"] == row["count"]
    assert set(cells.index.get_level_values("level")) == {*made.levels, "imd_decile"}
    assert set(cells["threshold"]) == {5}
    of_msoa = entry.members[entry.members["whole"] == row["area_code"]]
    assert len(of_msoa) == 4
    assert cells.loc[cells["status"] == "hidden", "count"].isna().all()


def test_values_that_do_not_leave_the_house_are_not_kept(path: Path) -> None:
    entry = make_entry(3, 1, policy="internal")
    with open_ledger(path) as ledger:
        number = ledger.record(entry)
        assert ledger.record(entry) == number
        assert ledger.show(number).cells.empty
        assert not ledger.list()["left_the_house"].any()
    assert b"lsoa" not in path.read_bytes()


def test_counts_that_a_policy_hides_are_refused() -> None:
    with pytest.raises(DisclosureError, match=r"1 cells hold counts .* hides \(b Burglary"):
        make_entry(10, 3)
    entry = make_entry(10, None)
    cells = entry.cells.assign(count=pd.array([10, 2], dtype="Int64"))
    with pytest.raises(DisclosureError, match="takes released values alone"):
        dataclasses.replace(entry, cells=cells)


def test_bad_tables_are_refused() -> None:
    entry = make_entry(10, 20)
    for columns, kind, match in (
        ({"count": [-1, 20]}, ColumnError, "negative or fractional"),
        ({"count": [10.5, 20]}, ColumnError, "negative or fractional"),
        ({"first": ["2024", "2024-01"]}, ColumnError, "1 rows of 'first' are no month"),
        ({"first": ["2025-01", "2024-01"]}, ColumnError, "1 spans end before they begin"),
        ({"status": ["seen", "shown"]}, ColumnError, "'seen' is none of shown"),
        ({"area_code": ["a", "a"]}, DuplicateError, "1 cells stand twice"),
    ):
        with pytest.raises(kind, match=match):
            dataclasses.replace(entry, cells=entry.cells.assign(**columns))
    with pytest.raises(InputError, match="name of its dataset, which is empty"):
        dataclasses.replace(entry, dataset=" ")


def test_an_area_in_two_parents_is_refused() -> None:
    members = pd.DataFrame({"kind": "area", "whole": ["a", "b"], "part": ["x", "x"]})
    with pytest.raises(InputError, match=r"x in a, b, level lsoa"):
        dataclasses.replace(make_entry(10, 20), members=members)
    twice = pd.DataFrame({"kind": "area", "whole": ["a", "a"], "part": ["x", "x"]})
    with pytest.raises(DuplicateError, match="1 rows stand twice"):
        dataclasses.replace(make_entry(10, 20), members=twice)


def test_what_was_hidden_before_is_told(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.record(make_entry(None, None, 20))
        ledger.record(make_entry(10, None, 20))
        asked = make_entry(10, 10, 10, 10)
        assert ledger.hidden_before("crime", asked.cells).tolist() == [False, True, False, False]
        assert not ledger.hidden_before("other", asked.cells).any()


def test_a_withdrawn_release_is_still_known_unless_it_never_left(path: Path) -> None:
    longer = make_entry(12)
    longer = dataclasses.replace(longer, cells=longer.cells.assign(count=10, last="2025-01"))
    with open_ledger(path) as ledger:
        number = ledger.record(make_entry(10, policy="public"))
        new = dataclasses.replace(longer, policy=POLICIES["public"])
        new = dataclasses.replace(new, cells=new.cells.assign(threshold=10))
        assert len(ledger.conflicts(new)) == 1
        ledger.withdraw(number, because="wrong month", on=DAY)
        assert len(ledger.conflicts(new)) == 1
        with pytest.raises(InputError, match="withdrawn on 2026-01-31 already"):
            ledger.withdraw(number, because="again", on=DAY)
        ledger.withdraw(number, because="it was never sent", on=DAY, never_left=True)
        assert ledger.conflicts(new).empty
        with pytest.raises(InputError, match="for a reason"):
            ledger.withdraw(number, because=" ", on=DAY)
        with pytest.raises(InputError, match=r"no release 9\. It has: 1"):
            ledger.withdraw(9, because="x", on=DAY)


def test_a_pending_release_counts_until_it_is_confirmed(path: Path) -> None:
    with open_ledger(path) as ledger:
        number = ledger.record(make_entry(10), pending=True)
        assert ledger.list()["state"].tolist() == ["pending"]
        assert ledger.list()["left_the_house"].tolist() == [True]
        assert ledger.record(make_entry(10)) == number
        assert ledger.list()["state"].tolist() == ["recorded"]
        ledger.confirm(number)
        with pytest.raises(InputError, match="no release 7"):
            ledger.confirm(7)


def test_a_release_recorded_meanwhile_stops_the_one_not_checked_with_it(path: Path) -> None:
    with open_ledger(path) as mine, open_ledger(path) as theirs:
        assert mine.conflicts(make_entry(10)).empty
        theirs.record(make_entry(15))
        with pytest.raises(DisclosureError, match="Release 1 of 'crime' was recorded while"):
            mine.record(make_entry(10))
        mine.conflicts(make_entry(10))
        assert mine.record(make_entry(10)) == 2


RECORD_TEN = """
import datetime as dt, sys, time
from pathlib import Path
import pandas as pd
from placeshaping.disclosure.ledger import open_ledger
from placeshaping.disclosure.ledger.entry import LedgerEntry
from placeshaping.disclosure.policies import POLICIES

path, first = Path(sys.argv[1]), int(sys.argv[2])
members = pd.DataFrame({"kind": ["category"], "whole": ["x"], "part": ["x"]})
path.with_name(f"ready {first}").touch()
while not path.with_name("go").exists():
    time.sleep(0.001)
with open_ledger(path) as ledger:
    for n in range(first, first + 10):
        cells = pd.DataFrame({
            "level": ["lsoa"], "area_code": ["a"], "first": ["2024-01"], "last": ["2024-12"],
            "category": ["x"], "status": ["shown"], "threshold": [5],
            "count": pd.array([10 * (n + 1)], dtype="Int64"),
        })
        ledger.record(LedgerEntry("crime", f"{n}", dt.date(2026, 1, 31), POLICIES["councillor"],
                                  cells, members))
"""


def test_two_processes_record_at_once(path: Path) -> None:
    workers = [
        subprocess.Popen([sys.executable, "-c", RECORD_TEN, str(path), str(first)])
        for first in (0, 10)
    ]
    ready = [path.with_name(f"ready {first}") for first in (0, 10)]
    deadline = time.monotonic() + 60
    while not all(file.exists() for file in ready) and time.monotonic() < deadline:
        time.sleep(0.01)
    path.with_name("go").touch()
    assert [worker.wait(60) for worker in workers] == [0, 0]
    with open_ledger(path, create=False) as ledger:
        table = ledger.list()
        assert sorted(map(int, table["title"])) == list(range(20))
        assert table["id"].tolist() == list(range(1, 21))
        for n, title in zip(table["id"], table["title"], strict=True):
            assert ledger.show(n).cells["count"].tolist() == [10 * (int(title) + 1)]


def test_a_ledger_held_by_another_is_told_and_unchanged(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.record(make_entry(10))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with (
            open_ledger(path, wait=0.05) as ledger,
            pytest.raises(LockedFileError, match="held by another process"),
        ):
            ledger.record(make_entry(20))
    finally:
        holder.close()
    with open_ledger(path) as ledger:
        assert len(ledger.list()) == 1


def test_a_record_that_does_not_fit_the_disk_leaves_nothing(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.record(make_entry(10))
        (pages,) = ledger._connection.execute("PRAGMA page_count").fetchone()
        ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
        many = make_entry(20)
        cells = pd.concat(
            [many.cells.assign(area_code=f"area {n}") for n in range(500)], ignore_index=True
        )
        with pytest.raises(OutputError, match="Free some space"):
            ledger.record(dataclasses.replace(many, cells=cells))
        assert ledger.list()["cells"].tolist() == [1]


def test_files_that_are_no_ledger_are_refused_and_untouched(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and rather longer than the header of one " * 20)
    before = text.read_bytes()
    with pytest.raises(FileFormatError, match=r"notes\.txt is damaged, or is no ledger"):
        open_ledger(text)
    assert text.read_bytes() == before
    other = tmp_path / "layers.gpkg"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE roads (name TEXT)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(FileFormatError, match="is no ledger of placeshaping"):
        open_ledger(other)
    assert other.read_bytes() == before
    with pytest.raises(OutputError, match="is a folder"):
        open_ledger(tmp_path)
    with pytest.raises(OutputError, match="a folder that does not exist"):
        open_ledger(tmp_path / "no" / "ledger.sqlite")
    with pytest.raises(MissingFileError, match="There is no ledger"):
        open_ledger(tmp_path / "none.sqlite", create=False)
    assert not (tmp_path / "none.sqlite").exists()


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


def test_a_newer_ledger_is_refused(path: Path) -> None:
    open_ledger(path).close()
    change(path, "UPDATE meta SET value = '2' WHERE key = 'format'")
    with pytest.raises(FileFormatError, match=r"of format 2, which a newer version"):
        open_ledger(path)


def test_a_damaged_ledger_is_told(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.record(make_entry(10, 15, 20))
    whole = path.read_bytes()
    change(path, "DELETE FROM counts WHERE count = 15")
    with (
        open_ledger(path) as ledger,
        pytest.raises(FileFormatError, match=r"release 1 is not as it was .*2 of its 3 cells"),
    ):
        ledger.conflicts(make_entry(25, 30))
    path.write_bytes(whole)
    change(path, "UPDATE counts SET count = 25 WHERE count = 15")
    with (
        open_ledger(path) as ledger,
        pytest.raises(FileFormatError, match="not as it was recorded"),
    ):
        ledger.show(1)
    path.write_bytes(whole)
    change(path, "DROP TABLE spans")
    with pytest.raises(FileFormatError, match="it lacks spans"):
        open_ledger(path)
    path.write_bytes(whole[: len(whole) // 2])
    with (
        pytest.raises(FileFormatError, match="is damaged, or is no ledger"),
        open_ledger(path) as ledger,
    ):
        ledger.show(1)


def test_the_commands_list_show_and_withdraw(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.record(make_entry(10, None, 0))
    run = CliRunner()
    options = ["--ledger", str(path)]
    listed = run.invoke(ledger_app, ["list", *options])
    assert listed.exit_code == 0
    assert "councillor" in listed.output
    shown = run.invoke(ledger_app, ["show", "1", "--json", *options])
    facts = json.loads(shown.output)
    assert facts["levels"] == [{"level": "lsoa", "shown": 2, "hidden": 1, "missing": 0}]
    assert facts["spans"] == ["2024-01 to 2024-12"]
    assert "2024-01 to 2024-12" in run.invoke(ledger_app, ["show", "1", *options]).output
    missing = run.invoke(ledger_app, ["withdraw", "1", *options])
    assert missing.exit_code == 2
    gone = run.invoke(
        ledger_app, ["withdraw", "1", "--because", "sent in error", "--never-left", *options]
    )
    assert "no longer checked against it" in gone.output
    rows = json.loads(run.invoke(ledger_app, ["list", "--json", *options]).output)
    assert rows[0]["withdrawn_because"] == "sent in error"
    assert rows[0]["left_the_house"] is False
    assert run.invoke(ledger_app, ["list", "--dataset", "x", "--json", *options]).output == "[]\n"
    assert run.invoke(ledger_app, ["list", "--quiet", *options]).output == ""
    assert isinstance(run.invoke(ledger_app, ["show", "5", *options]).exception, InputError)
