"""
The section of a recipe that asks for an index of one's own: indicators, domains, weights.

Every indicator is named with the words that products use for it, and says
whether more of it is more need or less.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from placeshaping.project.recipe import Recipe, Records
from placeshaping.project.sections import Section, check_keys, read_toml
from placeshaping.project.segment_request import Special

Way = Literal["high", "low"]


class Indicator(Section):
    """
    A column of a published table by area.

    With `of` it is a count over that column, in per cent, drawn towards the
    figure of the larger area (`shrink`); without it is taken as it stands. In
    a long table `category` is the column that says what the number in `count`
    is of, and `column` one of the values there.
    """

    file: str
    column: str
    words: str = Field(min_length=1)
    domain: str = Field(min_length=1)
    more_need: Way
    already_published: str = Field(min_length=1)
    of: str | None = None
    shrink: bool = True
    category: str | None = None
    count: str = "n"
    code: str | None = None
    sheet: str | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Indicator:
        if self.of is not None and self.of == self.column and self.category is None:
            msg = f"{self.words}: {self.of!r} is always 100 per cent of itself; name another of"
            raise ValueError(msg)
        return self


class OwnRecords(Section):
    """What the recipe's records are as an indicator: a rate over residents."""

    words: str = Field(min_length=1)
    domain: str = Field(min_length=1)
    more_need: Way


class IndexRequest(Section):
    """
    How areas are ranked.

    `weights` gives domain -> weight. `shrink_within` is the level whose figure
    small areas are drawn towards, by default the whole place. Weights are
    drawn `draws` times, straying by `spread` of themselves, to tell how far
    deciles hang on them.
    """

    name: str = Field(min_length=1)
    indicators: list[Indicator] = Field(min_length=1)
    weights: dict[str, float]
    own: OwnRecords | None = None
    special: list[Special] = []
    shrink_within: str | None = None
    draws: int = Field(default=500, ge=50)
    spread: float = Field(default=0.25, gt=0, le=1)
    seed: int = 0

    @field_validator("indicators", "special", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _fits(self) -> IndexRequest:
        words = list(self.all_words)
        twice = sorted({word for word in words if words.count(word) > 1})
        if twice:
            msg = f"{', '.join(twice)}: two indicators have the same words; give each its own"
            raise ValueError(msg)
        strange = [one.variable for one in self.special if one.variable not in words]
        if strange:
            msg = f"special: {', '.join(strange)} is no indicator; there are {', '.join(words)}"
            raise ValueError(msg)
        self._check_weights()
        return self

    def _check_weights(self) -> None:
        from placeshaping._core.checks import listed, near_names

        domains = list(dict.fromkeys(self.domains.values()))
        strange = [name for name in self.weights if name not in domains]
        if strange:
            near = near_names(strange[0], domains)
            hint = f" (did you mean {listed(near)}?)" if near else ""
            msg = f"weights: no indicator is of the domain {listed(strange)}{hint}"
            raise ValueError(msg)
        lost = [name for name in domains if name not in self.weights]
        if lost:
            msg = f"weights: {listed(lost)} has none; give each domain a weight above zero"
            raise ValueError(msg)
        wrong = [name for name, weight in self.weights.items() if not 0 < weight < float("inf")]
        if wrong:
            msg = (
                f"weights: {listed(wrong)} must be above zero. To leave a domain out, leave out "
                "its indicators and its weight"
            )
            raise ValueError(msg)

    @property
    def all_words(self) -> tuple[str, ...]:
        """The words of all indicators, the own records last."""
        own = () if self.own is None else (self.own.words,)
        return (*(one.words for one in self.indicators), *own)

    @property
    def domains(self) -> dict[str, str]:
        """Words of each indicator -> its domain."""
        found = {one.words: one.domain for one in self.indicators}
        return found if self.own is None else {**found, self.own.words: self.own.domain}

    @property
    def ways(self) -> dict[str, Way]:
        """Words of each indicator -> whether high or low values are more need."""
        found = {one.words: one.more_need for one in self.indicators}
        return found if self.own is None else {**found, self.own.words: self.own.more_need}


class IndexRecipe(Recipe):
    """A recipe with a section on an index; records are no needed part of it."""

    records: list[Records] = []
    index: IndexRequest  # type: ignore[assignment]

    @model_validator(mode="after")
    def _records_and_their_words(self) -> IndexRecipe:
        if self.records and self.index.own is None:
            msg = (
                "index.own: say what the records are: own = { words = 'reports of fly-tipping', "
                "domain = 'Streets', more_need = 'high' }"
            )
            raise ValueError(msg)
        if self.index.own is not None and not self.records:
            msg = "index.own: there are no [[records]]; name them, or leave own out"
            raise ValueError(msg)
        if self.population.residents is None:
            msg = "population.residents: this key is needed: the file of residents by area"
            raise ValueError(msg)
        return self


def read_index_recipe(path: str | Path) -> IndexRecipe:
    r"""
    Read and validate a recipe for an index.

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
    ...     file = Path(folder) / "need.toml"
    ...     _ = file.write_text('title = "x"\nareas.file = "a.gpkg"\n[index]\nweight = 4')
    ...     read_index_recipe(file)
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: need.toml: index.name: this key is needed; ...
    """
    path = Path(path)
    return make_index_recipe(read_toml(path, kind="recipe"), where=path.name)


def make_index_recipe(given: dict[str, Any], *, where: str = "recipe") -> IndexRecipe:
    """
    Validate a recipe for an index that is at hand as a dictionary.

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

    recipe = check_keys(IndexRecipe, given, where=where)
    ask = recipe.index
    found = label_words([recipe.title, ask.name, *ask.all_words, *ask.weights])
    if found:
        msg = (
            f"{where}: {', '.join(found)} labels places. Say what there is more or less of, in "
            "words that those who live there would use."
        )
        raise RecipeError(msg)
    return recipe
