"""
Recipes: what to read, what to show, for whom, and where to write it.

A recipe is a TOML file. Paths in it are relative to its folder. Whatever is
wrong with it is told by the name of the key.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from placeshaping.project.sections import Section, check_keys, read_toml

Kind = Literal["map", "layers", "tables", "geojson", "geoparquet", "kml", "csv"]

OUTPUTS: tuple[Kind, ...] = ("map", "layers", "tables")
"""What is written unless the recipe says otherwise."""

POLICE_ADDRESS = "https://data.police.uk"
"""Where recorded crime of police.uk's layout is published already."""

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


class Records(Section):
    """Records with a place and a date: recorded crime, or a service's own."""

    file: str
    kind: Literal["police", "services"] | None = None
    sensitivity: Literal["open", "personal", "special"] | None = None
    already_published: str | None = None
    lawful_basis: str | None = None
    dpia: str | None = None
    first: str | None = Field(default=None, alias="from", pattern=MONTH)
    last: str | None = Field(default=None, alias="to", pattern=MONTH)
    forces: list[str] | None = None
    categories: list[str] | None = None
    category: str | None = None
    columns: dict[str, str] | None = None
    postcodes: str | None = None

    @model_validator(mode="after")
    def _both_ends(self) -> Records:
        if (self.first is None) != (self.last is None):
            msg = "give both 'from' and 'to', or neither"
            raise ValueError(msg)
        if self.first and self.last and self.first > self.last:
            msg = f"'from' ({self.first}) is after 'to' ({self.last})"
            raise ValueError(msg)
        return self

    @property
    def months(self) -> tuple[str, str] | None:
        """First and last month to read; None for all."""
        return (self.first, self.last) if self.first and self.last else None


class Areas(Section):
    """The small areas, and how they build larger ones."""

    file: str
    code: str | None = None
    name: str | None = None
    layer: str | None = None
    crs: str | None = None
    duplicates: Literal["raise", "first", "dissolve"] = "raise"
    within: list[str] = []
    lookups: list[str] = []
    changes: str | None = None
    levels: list[str] | None = None
    outside: Literal["raise", "drop", "nearest"] = "drop"
    merge: bool = True
    postcodes: str | None = None

    @field_validator("within", "lookups", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, str) else given


class Population(Section):
    """Who lives in the areas; the denominators of rates."""

    residents: str | None = None
    households: str | None = None


class Deprivation(Section):
    """Indices of Deprivation."""

    file: str


class Place(Section):
    """Public places to show on the map: libraries, general practices."""

    file: str
    title: str = Field(min_length=2, max_length=40)
    already_published: str
    name: str | None = None
    columns: dict[str, str] | None = None
    postcodes: str | None = None


class Show(Section):
    """What the product shows."""

    by: Literal["all", "year", "quarter", "month"] = "year"
    groups: dict[str, list[str]] = {}
    detail: Literal["choose", "keep"] = "choose"
    sensitive: list[str] = []
    statistics: list[Literal["rates", "hot_spots", "deprivation"]] = [
        "rates",
        "hot_spots",
        "deprivation",
    ]
    find: list[Literal["emerging", "local_moran", "scan"]] = []
    denominators: dict[str, Literal["residents", "households", "none"]] = {}
    hot_spots_of: Literal["count", "rate"] = "count"
    subject: str | None = None
    total: str | None = None


class Output(Section):
    """Where the product goes."""

    folder: str = "out"
    write: list[Kind] = list(OUTPUTS)


class Recipe(Section):
    """
    A whole recipe.

    `policy` is the name of a built-in one, or a table of a council's own;
    `ledger` the file that remembers what was released, ``"none"`` for none;
    `dataset` what the records are called there, by default their subject;
    `secret` the file, outside this folder, that holds the key of methods that
    need one; `backtest`, `patrol`, `access`, `siting`, `segments` and `index`
    are for the commands of those names (`site` reads `siting`).
    """

    title: str = Field(min_length=1)
    purpose: str = ""
    contact: str = ""
    policy: str | dict[str, Any] | None = None
    expires: dt.date | None = None
    ledger: str | None = "ledger.sqlite"
    dataset: str | None = None
    secret: str | None = None
    made_on: dt.date | None = None
    records: list[Records] = Field(min_length=1)
    areas: Areas
    population: Population = Population()
    deprivation: Deprivation | None = None
    places: list[Place] = []
    backtest: dict[str, Any] | None = None
    patrol: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    profile: dict[str, Any] | None = None
    access: dict[str, Any] | None = None
    siting: dict[str, Any] | None = None
    segments: dict[str, Any] | None = None
    index: dict[str, Any] | None = None
    show: Show = Show()
    output: Output = Output()

    @field_validator("records", "places", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, dict) else given

    @field_validator("ledger")
    @classmethod
    def _none_by_name(cls, given: str | None) -> str | None:
        return None if given in ("", "none") else given


def read_recipe(path: str | Path) -> Recipe:
    """
    Read and validate a recipe.

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
    ... title = "Recorded crime in Fenmarch"
    ... records.file = "crime.zip"
    ... areas.file = "lsoa_2021.gpkg"
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "recipe.toml"
    ...     _ = file.write_text(text)
    ...     read_recipe(file).output.folder
    'out'
    """
    return make_recipe(read_toml(path, kind="recipe"), where=Path(path).name)


def make_recipe(given: dict[str, Any], *, where: str = "recipe") -> Recipe:
    """
    Validate a recipe that is at hand as a dictionary.

    Raises
    ------
    RecipeError
        If a key is missing, unknown or wrong.

    Examples
    --------
    >>> make_recipe({"title": "x", "records": {"file": "a.zip"}, "area": {"file": "b.gpkg"}})
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: recipe: areas: this key is needed; area: ...
    """
    return check_keys(Recipe, given, where=where)
