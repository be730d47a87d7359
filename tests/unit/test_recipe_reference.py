"""The reference of recipes names every key with its default, and no other; so does `init`."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from placeshaping._core.errors import RecipeError
from placeshaping.disclosure.policies import Method, Policy
from placeshaping.project import recipe

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"

SECTIONS: dict[str, type[BaseModel]] = {
    "At the top": recipe.Recipe,
    "`[records]`": recipe.Records,
    "`[areas]`": recipe.Areas,
    "`[population]`": recipe.Population,
    "`[deprivation]`": recipe.Deprivation,
    "`[[places]]`": recipe.Place,
    "`[show]`": recipe.Show,
    "`[output]`": recipe.Output,
}

NOT_RECIPE = {
    "records", "areas", "population", "deprivation", "places", "show", "output",
    "backtest", "patrol", "profile", "evaluation", "segments", "access", "siting", "index",
}  # fmt: skip


def rows_under(heading: str) -> dict[str, list[str]]:
    """Return first cell -> other cells of the table under a heading of the page."""
    text = PAGE.read_text(encoding="utf-8")
    part = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first.strip("`"): rest for first, *rest in cells}


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_of_a_section_stands_in_the_reference_and_no_other(heading):
    fields = SECTIONS[heading].model_fields
    keys = {field.alias or name for name, field in fields.items()}
    assert set(rows_under(heading)) == keys - (NOT_RECIPE if heading == "At the top" else set())


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_reference_tells_each_default(heading):
    rows = rows_under(heading)
    for name, field in SECTIONS[heading].model_fields.items():
        told = rows.get(field.alias or name, [None])[0]
        if told is None:
            continue
        default = field.get_default(call_default_factory=True)
        if field.is_required():
            assert told == "needed"
        elif default not in (None, PydanticUndefined):
            text = re.match(r"`(.*)`$", told)
            assert text is not None, (name, told)
            assert tomllib.loads(f"x = {text.group(1)}")["x"] == default, name


def test_the_reference_tells_every_format_and_every_rule_of_a_policy():
    kinds = rows_under("`[output]`")["write"]
    assert all(f'"{kind}"' in " ".join(kinds) for kind in get_args(recipe.Kind))
    rules = rows_under("`[policy]`: one of your own")
    fields = {field.name for field in dataclasses.fields(Policy)}
    assert set(rules) == fields - {"name", "base", "loosened"}
    assert all(f'"{method}"' in rules["method"][0] for method in get_args(Method))


@pytest.mark.parametrize("given", ["31/01/2027", "soon", True, [2027]])
def test_a_day_that_is_none_is_told_how_to_be_written(given):
    whole = {"title": "x", "records": {"file": "a"}, "areas": {"file": "b"}, "expires": given}
    with pytest.raises(RecipeError, match=r"expires: write the day as 2026-01-31, without quotes"):
        recipe.make_recipe(whole)
