"""The recipe of a ward review: units and their electors, what should stay whole, what to search."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from placeshaping._core.errors import RecipeError
from placeshaping.project.sections import Section, check_keys, read_toml


class Units(Section):
    """The small units: output areas, or parts of polling districts."""

    file: str
    code: str | None = None
    name: str | None = None
    layer: str | None = None
    crs: str | None = None
    duplicates: Literal["raise", "first", "dissolve"] = "raise"
    snap: float = Field(default=0.0, ge=0)


class Electors(Section):
    """Electors by unit, today and as forecast; `published` is the address where they can be had."""

    file: str
    code: str | None = None
    now: str = Field(min_length=1)
    forecast: str = Field(min_length=1)
    published: str | None = None


class Column(Section):
    """A column of a table by unit."""

    file: str
    column: str = Field(min_length=1)
    code: str | None = None


class Places(Section):
    """What wards should not split, and deprivation to look at."""

    parish: Column | None = None
    parish_ward: Column | None = None
    polling_district: Column | None = None
    community: Column | None = None
    decile: Column | None = None


class Present(Section):
    """
    The present wards: the ward of each unit, and their names and councillors.

    `file` has a row for each unit, `wards` one for each ward. Councillors may
    be one number for all.
    """

    file: str
    ward: str = Field(min_length=1)
    code: str | None = None
    wards: str | None = None
    name: str | None = None
    councillors: str | int = "councillors"


class Search(Section):
    """How proposals are searched for; the rest as of `propose_wards`."""

    proposals: int = Field(default=5, ge=1, le=26)
    seed: int = Field(default=0, ge=0)
    chains: int = Field(default=8, ge=1)
    steps: int = Field(default=30_000, ge=1)
    apart: float = Field(default=0.15, ge=0, lt=1)
    emphasis: dict[str, float] = {}
    from_present: bool = True


class ReviewRecipe(Section):
    """
    A whole recipe of a ward review.

    `name` is the review's own, which stands in every file of it. `bridges` are
    pairs of codes that count as neighbours, or ``"nearest"``. `output` is the
    folder for what is made.
    """

    title: str = Field(min_length=1)
    name: str = Field(min_length=1)
    councillors: int = Field(ge=1)
    sizes: list[int] = Field(default=[1, 2, 3], min_length=1)
    tolerance: float = Field(default=0.10, gt=0, lt=1)
    bridges: list[tuple[str, str]] | Literal["nearest"] = []
    purpose: str = ""
    contact: str = ""
    policy: str | dict[str, Any] = "councillor"
    sensitivity: Literal["open", "personal", "special"] = "personal"
    expires: dt.date | None = None
    made_on: dt.date | None = None
    output: str = "review"
    units: Units
    electors: Electors
    places: Places = Places()
    present: Present | None = None
    search: Search = Search()

    @field_validator("sizes", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, int) else given


def read_review_recipe(path: str | Path) -> ReviewRecipe:
    """
    Read the recipe of a ward review.

    Parameters
    ----------
    path
        A TOML file whose section `[review]` holds the recipe.

    Returns
    -------
    recipe
        Validated.

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
    ... [review]
    ... title = "Wards of Marshwick"
    ... name = "Marshwick 2026"
    ... councillors = 57
    ... units.file = "oa_2021.gpkg"
    ... electors = {file = "electors.csv", now = "electors", forecast = "electors_2031"}
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "review.toml"
    ...     _ = file.write_text(text)
    ...     read_review_recipe(file).sizes
    [1, 2, 3]
    """
    path, given = Path(path), read_toml(path, kind="recipe")
    section = given.pop("review", None)
    if not isinstance(section, dict):
        msg = (
            f"{path.name} has no section [review]. Add one with title, name, councillors, "
            "[review.units] and [review.electors]; docs/wards.md has an example."
        )
        raise RecipeError(msg)
    return check_keys(ReviewRecipe, section, where=path.name, under="review")
