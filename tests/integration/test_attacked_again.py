"""What the attack on written products names is hidden, and they are made and attacked again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from placeshaping._core.errors import GivesAwayError
from placeshaping.disclosure.release import Release
from placeshaping.project.former import open_former
from placeshaping.project.gather import gather
from placeshaping.project.pipeline import run, write_products
from placeshaping.project.protect import protect_gathered
from placeshaping.project.recipe import make_recipe
from placeshaping.verify.files import verify_files

MakeRecipe = Callable[..., dict[str, Any]]
DAY = dt.date(2026, 1, 31)
EXACT = {
    "name": "exact",
    "base": "councillor",
    "method": "suppress",
    "rounding": 1,
    "loosen": ["rounding"],
}
PAIRS = [
    ("Vehicle crime", "Shoplifting"),
    ("Shoplifting", "Burglary"),
    ("Vehicle crime", "Burglary"),
]


def shown(released: Release) -> set[tuple[str, ...]]:
    return {
        (level, *map(str, row))
        for level, table in released.tables.items()
        for row in table.values.loc[
            table.values["status"] == "shown", ["area_code", "period", "category"]
        ].itertuples(index=False)
    }


def test_what_only_linear_programmes_find_beside_the_ledger_is_hidden_in_a_further_turn(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    # Three pairs of three categories: what bounds leave open of a + b, b + c and c + a, all
    # sums solved together do not.
    ledger = tmp_path / "ledger.sqlite"

    def settings(number: int) -> dict[str, Any]:
        return recipe(
            **{
                "output.folder": str(tmp_path / f"out{number}"),
                "output.write": ["tables"],
                "ledger": str(ledger),
                "policy": EXACT,
                "records.categories": list(PAIRS[number]),
                "records.from": "2024-01",
                "records.to": "2024-06",
                "areas.merge": False,
                "show.statistics": ["rates"],
                "show.by": "all",
                "show.detail": "keep",
            }
        )

    before = [run(settings(number), folder=district_folder, made_on=DAY) for number in (0, 1)]
    last = make_recipe(settings(2))
    gathered = gather(last, folder=district_folder)
    with open_former(last, gathered, folder=district_folder) as former:
        once = protect_gathered(last, gathered, made_on=DAY, ledger=former.ledger)
        with pytest.raises(
            GivesAwayError, match="gives away what the policy 'exact' hides"
        ) as told:
            write_products(once, tmp_path / "refused", recipe=last, former=former)
    assert not (tmp_path / "refused").exists()
    assert told.value.findings
    assert all(told.value.findings)
    again = run(last, folder=district_folder, made_on=DAY)
    assert shown(again.release) < shown(once)
    folders = [outcome.folder for outcome in (*before, again)]
    verdicts = verify_files(folders, policy="exact", ledger=ledger)
    assert all(verdict.passed for verdict in verdicts), verdicts
