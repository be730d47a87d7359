"""
The section `[evaluation]` of a recipe: what was done, where, from when, and what to compare with.

A recipe with this section is otherwise one for `placeshaping run`: it names
the records, the areas and the policy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from placeshaping._core.errors import RecipeError
from placeshaping.project.recipe import MONTH, Recipe, make_recipe
from placeshaping.project.sections import Section, check_keys, read_toml


class EvaluationRequest(Section):
    """
    What to evaluate.

    `measure` is what was done, as it stands in a sentence ("the new street
    lighting"); `treated` the codes or names of the areas in which it was,
    `start` the first month after. `comparison` names areas in which nothing
    was done; without it, all that are neither treated nor in a ring. `rings`
    counts rings of touching areas, `ring_metres` gives their distances
    instead. `before` and `after` are months to look at, `block` the months of
    a step of the series. `level` evaluates larger areas of the lookups.
    """

    measure: str = Field(default="what was done", min_length=1)
    treated: list[str] = Field(min_length=1)
    start: str = Field(pattern=MONTH)
    comparison: list[str] | None = None
    categories: list[str] | None = None
    level: str | None = None
    rings: int = Field(default=1, ge=0, le=5)
    ring_metres: list[float] | None = None
    before: int | None = Field(default=None, ge=1)
    after: int | None = Field(default=None, ge=1)
    block: Literal[1, 3, 6, 12] | None = None
    synthetic: bool = True
    seed: int = Field(default=0, ge=0)
    output: str = "evaluation"

    @field_validator("treated", "comparison", "categories", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, str) else given

    @field_validator("start", mode="before")
    @classmethod
    def _one_start(cls, given: object) -> object:
        if isinstance(given, dict | list):
            msg = (
                "areas that began at different times do not compare with one another; write a "
                "recipe for each start, and leave the areas of the others out with comparison"
            )
            raise ValueError(msg)
        return given

    @model_validator(mode="after")
    def _growing(self) -> EvaluationRequest:
        away = self.ring_metres
        if away is not None and (not away or sorted(set(away)) != away or away[0] <= 0):
            msg = "ring_metres: write distances that grow, such as [500, 1000]"
            raise ValueError(msg)
        return self


def read_evaluation_recipe(path: str | Path) -> tuple[Recipe, EvaluationRequest]:
    """
    Read a recipe with a section `[evaluation]`.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    recipe, request
        Both validated.

    Raises
    ------
    MissingFileError
        If there is no such file.
    RecipeError
        If it is not TOML, or a key is missing, unknown or wrong.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... title = "Lighting in Fenmarch"
    ... records.file = "crime.zip"
    ... areas.file = "lsoa_2021.gpkg"
    ... [evaluation]
    ... measure = "the new lighting"
    ... treated = ["E01000001", "E01000002"]
    ... start = "2024-07"
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "recipe.toml"
    ...     _ = file.write_text(text)
    ...     read_evaluation_recipe(file)[1].treated
    ['E01000001', 'E01000002']
    """
    path, given = Path(path), read_toml(path, kind="recipe")
    section = given.pop("evaluation", None)
    if not isinstance(section, dict):
        msg = (
            f"{path.name} has no section [evaluation]. Add one, for example: [evaluation], and "
            'under it measure = "the new lighting", treated = ["E01000001"] and start = "2025-01".'
        )
        raise RecipeError(msg)
    return make_recipe(given, where=path.name), make_evaluation_request(section, where=path.name)


def make_evaluation_request(given: dict[str, Any], *, where: str = "recipe") -> EvaluationRequest:
    """
    Validate a section `[evaluation]` that is at hand as a dictionary.

    Parameters
    ----------
    given
        Its content.
    where
        Name for messages.

    Returns
    -------
    request
        Validated.

    Raises
    ------
    RecipeError
        If a key is missing, unknown or wrong.

    Examples
    --------
    >>> make_evaluation_request({"treated": "E01000001", "stat": "2025-01"})
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: recipe: evaluation.start: this key is needed; ...
    """
    return check_keys(EvaluationRequest, given, where=where, under="evaluation")
