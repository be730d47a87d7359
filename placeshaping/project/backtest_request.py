"""
The section `[backtest]` of a recipe: what to forecast, with which models, from when.

A recipe with this section is otherwise one for `placeshaping run`: it names
the records, the areas and the policy.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import RecipeError
from placeshaping.project.recipe import Recipe, make_recipe
from placeshaping.project.sections import Section, check_keys, read_toml

if TYPE_CHECKING:
    from placeshaping.likelihood.protocol import Model

MONTHLY = (
    "trailing 12 months", "trailing last", "trailing all", "same season last year",
    "kernel density", "ProMap", "endemic-epidemic", "boosted", "ensemble",
)  # fmt: skip
"""Models of monthly counts, unless the recipe names others."""

DAILY = ("trailing 28 days", "trailing 12 months", "trailing all", "kernel density")
"""Models of days and weeks; `"self-exciting"` too where the places are cells."""

_STACKED = ("trailing 12 months", "trailing all", "kernel density", "boosted")
_NAMED = (*MONTHLY, "trailing 28 days", "self-exciting")


class Signed(Section):
    """Somebody's signature under an offence that is refused by default."""

    by: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class BacktestRequest(Section):
    """
    What to backtest.

    `offences` are tested one by one, or `together` as one target; without
    them, all that are reported by the public. `grid` is the side of square
    cells in metres; without it the recipe's areas are the places. `origins`
    are the last so many steps, or the first days of those to forecast.
    `delay` counts steps. `share` is the share of the area that words speak
    of, `shares` all that are scored. `working` keeps what each origin gave,
    so that an interrupted backtest goes on; `output` holds the report.
    """

    offences: list[str] | None = None
    together: bool = False
    tags: dict[str, Literal["reported", "mixed", "discovered"]] = {}
    overrides: dict[str, Signed] = {}
    step: Literal["month", "week", "day"] = "month"
    grid: Literal[125, 250, 500, 1000] | None = None
    models: list[str] | None = Field(default=None, min_length=1)
    origins: int | list[dt.date] = 12
    delay: int = Field(default=0, ge=0)
    refit_every: int = Field(default=3, ge=1)
    shares: list[float] = [0.01, 0.02, 0.05, 0.10]
    share: float = 0.05
    untimed: Literal["raise", "drop", "draw"] = "raise"
    processes: int = Field(default=1, ge=1)
    seed: int = 0
    working: str = "backtest-work"
    output: str = "backtest"

    @field_validator("offences", "models", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, str) else given

    @field_validator("models")
    @classmethod
    def _known(cls, given: list[str] | None) -> list[str] | None:
        for name in given or ():
            if name not in _NAMED and not name.startswith("trailing "):
                near = near_names(name, _NAMED)
                hint = f" (did you mean {listed(near)}?)" if near else ""
                msg = f"there is no model {name!r}{hint}; there are {listed(_NAMED, most=20)}"
                raise ValueError(msg)
        if given and not any(name.startswith("trailing ") for name in given):
            msg = 'add trailing counts to compare with, such as "trailing 12 months"'
            raise ValueError(msg)
        return given

    @field_validator("shares")
    @classmethod
    def _shares(cls, given: list[float]) -> list[float]:
        if not given or any(not 0 < share <= 1 for share in given):
            msg = "write shares of the area above 0 and at most 1, such as 0.05"
            raise ValueError(msg)
        return sorted(set(given))

    @model_validator(mode="after")
    def _fits(self) -> BacktestRequest:
        if self.grid is None and "self-exciting" in (self.models or ()):
            msg = "self-exciting works on cells: say grid = 250"
            raise ValueError(msg)
        return self

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models asked for, or those that suit the step."""
        if self.models is not None:
            return tuple(dict.fromkeys(self.models))
        if self.step == "month":
            return MONTHLY
        return (*DAILY, "self-exciting") if self.grid else DAILY


def read_backtest_recipe(path: str | Path) -> tuple[Recipe, BacktestRequest]:
    """
    Read a recipe with a section `[backtest]`.

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
    ... title = "Burglary in Fenmarch"
    ... records.file = "crime.zip"
    ... areas.file = "lsoa_2021.gpkg"
    ... [backtest]
    ... offences = "Burglary"
    ... origins = 24
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "recipe.toml"
    ...     _ = file.write_text(text)
    ...     read_backtest_recipe(file)[1].offences
    ['Burglary']
    """
    path, given = Path(path), read_toml(path, kind="recipe")
    section = given.pop("backtest", None)
    if not isinstance(section, dict):
        msg = (
            f"{path.name} has no section [backtest]. Add one, for example: [backtest], and under "
            'it offences = ["Burglary"] and origins = 12.'
        )
        raise RecipeError(msg)
    return make_recipe(given, where=path.name), make_backtest_request(section, where=path.name)


def make_backtest_request(given: dict[str, Any], *, where: str = "recipe") -> BacktestRequest:
    """
    Validate a section `[backtest]` that is at hand as a dictionary.

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
        If a key is unknown or wrong.

    Examples
    --------
    >>> make_backtest_request({"origin": 3})
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: recipe: backtest.origin: there is no such key (did ...
    """
    return check_keys(BacktestRequest, given, where=where, under="backtest")


def make_models(request: BacktestRequest) -> list[Model]:
    """
    Make the models that a request names.

    Parameters
    ----------
    request
        From `read_backtest_recipe`.

    Returns
    -------
    models
        In its order.

    Examples
    --------
    >>> request = make_backtest_request({"models": ["trailing 3 months", "ProMap"]})
    >>> [model.name for model in make_models(request)]
    ['trailing 3 months', 'ProMap']
    """
    return [_model(name) for name in request.model_names]


def _model(name: str) -> Model:
    from placeshaping.likelihood.baselines import SameSeason, TrailingCounts

    if name.startswith("trailing "):
        return TrailingCounts(name.removeprefix("trailing "))
    if name == "same season last year":
        return SameSeason()
    if name in ("kernel density", "ProMap"):
        from placeshaping.likelihood.surfaces import KernelDensity, ProMap

        return ProMap() if name == "ProMap" else KernelDensity()
    if name == "self-exciting":
        from placeshaping.likelihood.self_exciting import SelfExciting

        return SelfExciting()
    if name == "endemic-epidemic":
        from placeshaping.likelihood.endemic_epidemic import EndemicEpidemic

        return EndemicEpidemic()
    if name == "boosted":
        from placeshaping.likelihood.boosted import Boosted

        return Boosted()
    from placeshaping.likelihood.ensemble import Ensemble

    return Ensemble(tuple(_model(member) for member in _STACKED))
