"""Every method and policy, from a recipe to products that the attacker lets pass."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from placeshaping._core.errors import DisclosureError, RecipeError
from placeshaping.project.pipeline import run

MakeRecipe = Callable[..., dict[str, Any]]
DAY = dt.date(2026, 1, 31)
OWN = {"name": "own", "base": "councillor"}


@pytest.mark.parametrize(
    "changes",
    [
        {"show.sensitive": ["Drugs"]},
        {"policy": {**OWN, "threshold": 6, "rounding": 3, "loosen": ["rounding"]}},
        {"policy": {**OWN, "method": "additive"}},
        {"policy": {**OWN, "method": "suppress", "rounding": 1, "loosen": ["rounding"]}},
        {"policy": "nhs"},
        {"policy": "ons-10-5"},
        {
            "policy": "police",
            "purpose": "night shift",
            "expires": dt.date(2026, 3, 1),
            "output.write": ["layers", "tables"],
        },
        {
            "policy": "restricted",
            "purpose": "a named officer",
            "expires": dt.date(2026, 3, 1),
            "output.write": ["layers", "tables"],
        },
        {"areas.levels": ["msoa", "ward", "district"]},
        {"output.write": ["map", "geojson", "geoparquet", "kml", "csv"]},
    ],
    ids=lambda changes: " ".join(map(str, changes)),
)
def test_products_are_made_and_withstand(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path, changes: dict[str, Any]
) -> None:
    made = run(
        recipe(**{"output.folder": str(tmp_path / "made"), **changes}),
        folder=district_folder,
        made_on=DAY,
    )
    assert all(path.stat().st_size for path in made.files)


def test_cell_keys_come_from_a_secret_that_is_in_no_product(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    secret = tmp_path / "key.txt"
    secret.write_text(secrets.token_hex(32), encoding="utf-8")
    changes = {
        "policy": {**OWN, "method": "cell_key", "rounding": 1, "loosen": ["rounding"]},
        "secret": str(secret),
        "output.folder": str(tmp_path / "made"),
    }
    made = run(recipe(**changes), folder=district_folder, made_on=DAY)
    again = run(
        recipe(**{**changes, "output.folder": str(tmp_path / "again")}),
        folder=district_folder,
        made_on=DAY,
    )
    for level, table in made.release.tables.items():
        assert again.release.tables[level].values.equals(table.values)
        counts = table.values["count"].dropna()
        assert not ((counts > 0) & (counts < 5)).any()
    key = secret.read_bytes()
    assert not any(
        key in path.read_bytes() or b"key.txt" in path.read_bytes() for path in made.files
    )


def test_no_total_stands_beside_exact_counts(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    """The number of records less the sum of what is shown would be what is hidden."""
    own = {**OWN, "method": "suppress", "rounding": 1, "loosen": ["rounding"]}
    made = run(
        recipe(**{"policy": own, "output.folder": str(tmp_path / "made")}),
        folder=district_folder,
        made_on=DAY,
    )
    assert not any(sign.isdigit() for note in made.release.notes for sign in note)


def test_a_secret_is_asked_for_before_anything_is_read(
    district_folder: Path, recipe: MakeRecipe
) -> None:
    own = {**OWN, "method": "cell_key", "rounding": 1, "loosen": ["rounding"]}
    with pytest.raises(RecipeError, match="needs a file with a key"):
        run(recipe(policy=own), folder=district_folder, made_on=DAY)


def test_a_policy_without_maps_is_told_before_anything_is_read(
    district_folder: Path, recipe: MakeRecipe
) -> None:
    terms = {"purpose": "For the team", "expires": dt.date(2026, 12, 31)}
    with pytest.raises(DisclosureError, match=r"write = \['layers', 'tables'\]"):
        run(recipe(policy="restricted", **terms), folder=district_folder, made_on=DAY)


def test_products_do_not_lie_among_the_inputs(district_folder: Path, recipe: MakeRecipe) -> None:
    with pytest.raises(RecipeError, match=r"beside the input crime\.zip"):
        run(recipe(**{"output.folder": "."}), folder=district_folder, made_on=DAY)
