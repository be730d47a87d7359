"""A release is protected together with those before it."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from placeshaping._core.errors import PlaceshapingError
from placeshaping.disclosure.ledger import open_ledger
from placeshaping.disclosure.ledger.entry import entry_of
from placeshaping.project.pipeline import run
from placeshaping.verify.files import verify_files

MakeRecipe = Callable[..., dict[str, Any]]
DAY = dt.date(2026, 1, 31)


@pytest.fixture
def made(district_folder: Path, recipe: MakeRecipe, tmp_path: Path) -> Callable[..., Any]:
    """Run the recipe on the district, with a ledger of the test's own."""

    def make(name: str, **changes: Any) -> Any:
        settings = {
            "output.folder": str(tmp_path / name),
            "output.write": ["tables"],
            "ledger": str(tmp_path / "ledger.sqlite"),
            "show.statistics": ["rates"],
            "show.by": "all",
            **changes,
        }
        return run(recipe(**settings), folder=district_folder, made_on=DAY)

    return make


def told(outcome: Any) -> bool:
    return any("together with what was released before" in s for s in outcome.release.statement)


def test_a_longer_span_is_hidden_where_it_gives_a_month_away(
    made: Callable[..., Any], tmp_path: Path
) -> None:
    first = made("first", **{"records.from": "2024-01", "records.to": "2024-12"})
    longer = made("longer", **{"records.from": "2024-01", "records.to": "2025-01"})
    assert not told(first)
    assert told(longer)
    with open_ledger(tmp_path / "ledger.sqlite", create=False) as ledger:
        assert ledger.list()["state"].tolist() == ["recorded", "recorded"]
        entry = entry_of(longer.release)
        assert ledger.conflicts(entry).empty
    verdicts = verify_files([first.folder, longer.folder], ledger=tmp_path / "ledger.sqlite")
    assert all(verdict.passed for verdict in verdicts), verdicts


def test_the_same_release_again_hides_nothing_more(made: Callable[..., Any]) -> None:
    span = {"records.from": "2024-01", "records.to": "2024-12"}
    first, again = made("first", **span), made("first", **span)
    assert not told(again)
    for level, table in first.release.tables.items():
        assert again.release.tables[level].values.equals(table.values)


def test_releases_of_other_records_do_not_matter(made: Callable[..., Any]) -> None:
    made("first", **{"records.from": "2024-01", "records.to": "2024-12"})
    other = made(
        "other", **{"records.from": "2024-01", "records.to": "2025-01", "dataset": "another"}
    )
    assert not told(other)


def test_nothing_is_remembered_where_the_recipe_says_so(
    made: Callable[..., Any], tmp_path: Path
) -> None:
    made("first", ledger="none")
    assert not (tmp_path / "ledger.sqlite").exists()


def test_what_does_not_leave_is_not_remembered(made: Callable[..., Any], tmp_path: Path) -> None:
    made("mine", policy="internal")
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_failed_run_enters_nothing(made: Callable[..., Any], tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(PlaceshapingError, match="blocked"):
        made("blocked")
    assert not (tmp_path / "ledger.sqlite").exists()  # told before anything was read


def test_a_damaged_ledger_is_told_before_the_records_are_read(
    made: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no ledger")
    with pytest.raises(PlaceshapingError, match="ledger"):
        made("first", **{"records.file": "absent.csv"})


def test_ledger_commands_answer(made: Callable[..., Any], tmp_path: Path) -> None:
    made("first")
    listed = subprocess.run(
        [sys.executable, "-m", "placeshaping", "ledger", "list", "--json", "--ledger",
         str(tmp_path / "ledger.sqlite")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(listed.stdout)[0]["dataset"] == "Recorded crime"


def test_a_ledger_of_other_datasets_alone_is_told(
    made: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    made("first")
    assert not caplog.messages
    made("other", dataset="another")
    assert any("holds no release of 'another', only of" in told for told in caplog.messages)


def test_a_misspelt_sensitive_category_is_is_told(
    made: Callable[..., Any],
) -> None:
    with pytest.raises(
        PlaceshapingError, match=r"sensitive names 'Burglry'.*Did you mean Burglary"
    ):
        made("first", **{"show.sensitive": ["Burglry"]})
