"""
Recipes: what to read, what to show, for whom, and where to write it.

A recipe is a TOML file. Paths in it are relative to its folder. Whatever is
wrong with it is told by the name of the key.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import RecipeError

Kind = Literal["map", "layers", "tables", "geojson", "geoparquet", "kml", "csv"]

OUTPUTS: tuple[Kind, ...] = ("map", "layers", "tables")
"""What is written unless the recipe says otherwise."""

POLICE_ADDRESS = "https://data.police.uk"
"""Where recorded crime of police.uk's layout is published already."""

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Records(_Section):
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


class Areas(_Section):
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


class Population(_Section):
    """Who lives in the areas; the denominators of rates."""

    residents: str | None = None
    households: str | None = None


class Deprivation(_Section):
    """Indices of Deprivation."""

    file: str


class Place(_Section):
    """Public places to show on the map: libraries, general practices."""

    file: str
    title: str = Field(min_length=2, max_length=40)
    already_published: str
    name: str | None = None
    columns: dict[str, str] | None = None
    postcodes: str | None = None


class Show(_Section):
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


class Output(_Section):
    """Where the product goes."""

    folder: str = "out"
    write: list[Kind] = list(OUTPUTS)


class Recipe(_Section):
    """
    A whole recipe.

    `policy` is the name of a built-in one, or a table of a council's own;
    `ledger` the file that remembers what was released, ``"none"`` for none;
    `dataset` what the records are called there, by default their subject;
    `secret` the file, outside this folder, that holds the key of methods that
    need one; `backtest` and `patrol` are for the commands of those names.
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
    path = check_file(path)
    if path.is_dir():
        msg = f"{path.resolve().name} is a folder; name the recipe in it."
        raise RecipeError(msg)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        msg = f"{path.name} is not a recipe in TOML: {error}. Save it as UTF-8 text."
        raise RecipeError(msg) from error
    except tomllib.TOMLDecodeError as error:
        msg = (
            f"{path.name} is not a recipe in TOML: {error}. Texts and months stand in quotes; in a "
            "path write / for \\, or put it in single quotes."
        )
        raise RecipeError(msg) from error
    return make_recipe(given, where=path.name)


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
    try:
        return Recipe.model_validate(given)
    except ValidationError as error:
        told = "; ".join(_tell(problem) for problem in error.errors())
        msg = f"{where}: {told}."
        raise RecipeError(msg) from error


def _tell(problem: Any) -> str:
    """Say what is wrong with which key."""
    key = ".".join(str(part) for part in problem["loc"] if not isinstance(part, int))
    if problem["type"] == "extra_forbidden":
        near = near_names(str(problem["loc"][-1]), _known_keys(problem["loc"][:-1]))
        hint = f" (did you mean {listed(near)}?)" if near else ""
        return f"{key}: there is no such key{hint}"
    if problem["type"] == "string_pattern_mismatch":
        return f"{key}: write the month as 2024-01, in quotes"
    if problem["type"].startswith(("date_", "datetime_")):
        return f"{key}: write the day as 2026-01-31, without quotes"
    if problem["type"] == "missing":
        return f"{key}: this key is needed"
    told = str(problem["msg"]).removeprefix("Value error, ")
    return f"{key}: {told}" if key else told


def _known_keys(section: tuple[Any, ...]) -> list[str]:
    sections: dict[str, type[_Section]] = {
        "records": Records,
        "areas": Areas,
        "population": Population,
        "deprivation": Deprivation,
        "places": Place,
        "show": Show,
        "output": Output,
    }
    model = sections.get(str(section[0]), Recipe) if section else Recipe
    return [field.alias or name for name, field in model.model_fields.items()]
