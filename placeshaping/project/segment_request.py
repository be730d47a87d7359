"""
The section of a recipe that asks for segments: what areas are compared by, and how.

Every variable is named with the words that products use for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from placeshaping.project.recipe import Recipe, Records
from placeshaping.project.sections import Section, check_keys, read_toml


class VariableTable(Section):
    """
    A table of counts by area that anybody can have.

    Wide (a column a variable), or long: `category` is the column that says
    what the number in `count` is of. `of` is the column of what is counted
    among. `variables` gives column or category -> words for it; `sums` gives
    words -> the columns or categories that are added up.
    """

    file: str
    of: str
    variables: dict[str, str] = {}
    sums: dict[str, list[str]] = {}
    already_published: str = Field(min_length=1)
    category: str | None = None
    count: str = "n"
    code: str | None = None
    sheet: str | None = None

    @model_validator(mode="after")
    def _something_counted(self) -> VariableTable:
        if not self.parts:
            msg = "name at least one variable: variables = { column = 'words for it' }, or sums"
            raise ValueError(msg)
        few = [words for words, names in self.sums.items() if len(set(names)) < max(len(names), 2)]
        if few:
            msg = f"sums: {', '.join(few)}: name two columns or categories or more, each once"
            raise ValueError(msg)
        among = [words for words, names in self.parts.items() if self.of in names]
        if among and self.category is None:
            msg = (
                f"{', '.join(among)}: {self.of!r} is what is counted among (of), and always 100 "
                "per cent of itself. Leave it out, or name another column for of"
            )
            raise ValueError(msg)
        return self

    @property
    def parts(self) -> dict[str, list[str]]:
        """Words of each variable -> the columns or categories that it is made of."""
        return {words: [name] for name, words in self.variables.items()} | self.sums

    @property
    def words(self) -> list[str]:
        """The words of all variables; twice what is named twice."""
        return [*self.variables.values(), *self.sums]


class Special(Section):
    """A variable of a special category that may be used, and why."""

    variable: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class Published(Section):
    """A classification of the same areas, to compare with."""

    file: str
    column: str
    name: str = Field(min_length=1)
    code: str | None = None


class SegmentRequest(Section):
    """
    How areas are put into groups.

    Without `groups` the number is taken that `compare_groupings` suggests, up
    to `most`. `records` are the words for the recipe's records, where it has
    any; `names` replaces drafted names, by letter.
    """

    tables: list[VariableTable] = []
    groups: int | None = Field(default=None, ge=2, le=19)
    most: int = Field(default=8, ge=3, le=19)
    method: Literal["k_means", "connected"] = "k_means"
    transform: Literal["asinh", "box_cox", "none"] = "asinh"
    scale: Literal["range", "z"] = "range"
    most_correlated: float = Field(default=0.9, gt=0, le=1)
    most_skewed: float = Field(default=3.0, gt=0)
    keep: list[str] = []
    special: list[Special] = []
    records: str | None = None
    names: dict[str, str] = {}
    compare: Published | None = None
    starts: int = Field(default=100, ge=1)
    resamples: int = Field(default=100, ge=10)
    seed: int = 0

    @field_validator("tables", "special", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _one_name_each(self) -> SegmentRequest:
        words = [word for table in self.tables for word in table.words]
        words += [] if self.records is None else [self.records]
        twice = sorted({word for word in words if words.count(word) > 1})
        if twice:
            msg = f"{', '.join(twice)}: two variables have the same words; give each its own"
            raise ValueError(msg)
        return self


class SegmentRecipe(Recipe):
    """A recipe with a section on segments; records are no needed part of it."""

    records: list[Records] = []
    segments: SegmentRequest  # type: ignore[assignment]

    @model_validator(mode="after")
    def _something_to_compare(self) -> SegmentRecipe:
        if not self.segments.tables and not self.records:
            msg = "segments: name [[segments.tables]] or [[records]] to compare areas by"
            raise ValueError(msg)
        if self.records and self.segments.records is None:
            msg = "segments.records: say what the records are: records = 'reports of fly-tipping'"
            raise ValueError(msg)
        if self.population.residents is None:
            msg = "population.residents: this key is needed: the file of residents by area"
            raise ValueError(msg)
        return self


def read_segment_recipe(path: str | Path) -> SegmentRecipe:
    r"""
    Read and validate a recipe for segments.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    recipe
        With paths as they stand in the file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    RecipeError
        If it is not TOML, or a key is missing, unknown or wrong; or if words
        label places.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "alike.toml"
    ...     _ = file.write_text('title = "x"\nareas.file = "a.gpkg"\n[segments]\ngroup = 4')
    ...     read_segment_recipe(file)
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: alike.toml: segments.group: there is no such key (did ...
    """
    path = Path(path)
    return make_segment_recipe(read_toml(path, kind="recipe"), where=path.name)


def make_segment_recipe(given: dict[str, Any], *, where: str = "recipe") -> SegmentRecipe:
    """
    Validate a recipe for segments that is at hand as a dictionary.

    Parameters
    ----------
    given
        Its content.
    where
        Its name, in messages.

    Returns
    -------
    recipe
        With paths as they stand in it.

    Raises
    ------
    RecipeError
        If a key is missing, unknown or wrong; or if words label places.
    """
    from placeshaping._core.errors import RecipeError
    from placeshaping.maps.words import label_words

    recipe = check_keys(SegmentRecipe, given, where=where)
    request = recipe.segments
    words = [word for table in request.tables for word in table.words]
    found = label_words([recipe.title, *request.names.values(), *words, request.records or ""])
    if found:
        msg = (
            f"{where}: {', '.join(found)} labels places. Say what there is more or less of, in "
            "words that those who live there would use."
        )
        raise RecipeError(msg)
    return recipe
