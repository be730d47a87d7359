"""What a scan statistic expects where nothing clusters, and draws from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice, check_labelled, check_unique, listed
from placeshaping._core.errors import EmptyError, InputError
from placeshaping.hotspots.cube import make_cube

Floats = NDArray[np.float64]

ModelName = Literal["poisson", "bernoulli", "permutation"]


@dataclass(frozen=True)
class Model:
    """Cases, what is expected of them, and how to draw others like them."""

    name: ModelName
    cases: Floats
    """Areas by steps."""
    expected: Floats
    """Areas by steps; as many as cases."""
    weight: Floats
    """Of each area, in what limits a window's size."""
    people: float
    """Cases and controls of the Bernoulli model; 0 of the others."""
    draw: Callable[[np.random.Generator], NDArray[np.int64]]
    """Returns cases as they may fall where nothing clusters, areas by steps."""

    @property
    def total(self) -> float:
        """The number of cases."""
        return float(self.cases.sum())


def make_model(
    name: ModelName,
    cases: pd.DataFrame,
    population: pd.DataFrame | pd.Series[float] | None,
    controls: pd.DataFrame | pd.Series[float] | None,
    *,
    spatial: bool = False,
) -> Model:
    """
    Put together what is expected of cases.

    Parameters
    ----------
    name
        Poisson: cases are in proportion to `population`. Bernoulli: cases are
        a random choice among cases and `controls`. Space-time permutation:
        cases are in any area at any time alike, given how many each area and
        each step has.
    cases
        Whole numbers, areas by steps, no step without any value.
    population
        Of each area, or of each area and step; people or any other baseline.
    controls
        As `cases`.
    spatial
        Whether to add up all steps into one.

    Returns
    -------
    model
        Conditional on the number of cases.

    Raises
    ------
    InputError
        If the population or the controls are missing, do not fit, or the
        population is zero where there are cases.
    EmptyError
        If there are no cases or no controls.

    Examples
    --------
    >>> cases = pd.DataFrame({0: [3.0, 1.0]}, index=["a", "b"])
    >>> make_model("poisson", cases, pd.Series({"a": 100, "b": 300}), None).expected.tolist()
    [[1.0], [3.0]]
    """
    check_choice(name, get_args(ModelName), name="model")
    _check_given(name, population, controls)
    seen = np.isfinite(cases.to_numpy())
    numbers = np.nan_to_num(cases.to_numpy(dtype=float))
    _check_cases(numbers)

    def fitted(given: pd.DataFrame | pd.Series[float], what: str) -> Floats:
        table = np.where(seen, _fitted(given, cases, what), 0.0)
        return table.sum(axis=1, keepdims=True) if spatial else table

    whole = numbers.sum(axis=1, keepdims=True) if spatial else numbers
    if population is not None:
        return _poisson(whole, fitted(population, "population"), cases.index)
    if controls is not None:
        return _bernoulli(whole, fitted(controls, "controls"))
    return _permutation(whole, seen)


def _check_cases(numbers: Floats) -> None:
    broken = int((numbers != np.floor(numbers)).sum())
    if broken:
        msg = f"{broken:,} counts are not whole: a scan counts cases."
        raise InputError(msg)
    if numbers.sum() < 2:
        msg = f"A scan needs at least two cases; given: {int(numbers.sum())}."
        raise EmptyError(msg)


def _check_given(name: ModelName, population: object, controls: object) -> None:
    needed = {"poisson": "population", "bernoulli": "controls", "permutation": ""}[name]
    for what, given in (("population", population), ("controls", controls)):
        if what == needed and given is None:
            msg = f"The {name} model needs {what}: {what}=..., indexed by area code."
            raise InputError(msg)
        if what != needed and given is not None:
            msg = f"The {name} model does not use {what}. Leave it out, or choose another model."
            raise InputError(msg)


def _fitted(given: pd.DataFrame | pd.Series[float], cases: pd.DataFrame, what: str) -> Floats:
    """Return numbers of each area and step in the order of the cases."""
    check_labelled(given, name=what)
    check_unique(given.index, where=what)
    unknown = cases.index.difference(given.index)
    if len(unknown):
        msg = (
            f"{len(unknown):,} of {len(cases):,} areas have no {what} ({listed(list(unknown))}). "
            "Add them, or leave the areas out of the cases."
        )
        raise InputError(msg)
    if isinstance(given, pd.DataFrame):
        wide = make_cube(given)
        lost = cases.columns.difference(wide.columns)
        if len(lost):
            msg = f"{len(lost):,} steps of the cases are not in {what} ({listed(list(lost))})."
            raise InputError(msg)
        numbers = wide.loc[cases.index, cases.columns].to_numpy(dtype=float)
    else:
        one = given.loc[cases.index].to_numpy(dtype=float, na_value=np.nan)
        numbers = np.repeat(one[:, None], cases.shape[1], axis=1)
    bad = ~np.isfinite(numbers) | (numbers < 0)
    if bad.any():
        rows = list(cases.index[bad.any(axis=1)])
        msg = f"{what} is missing, negative or infinite in {len(rows):,} areas ({listed(rows)})."
        raise InputError(msg)
    return numbers


def _poisson(numbers: Floats, population: Floats, index: pd.Index) -> Model:
    impossible = ((population == 0) & (numbers > 0)).any(axis=1)
    if impossible.any():
        rows = list(index[impossible])
        msg = (
            f"{len(rows):,} areas have cases but a population of zero ({listed(rows)}): their rate "
            "is not defined. Correct the population, or leave these areas out."
        )
        raise InputError(msg)
    total = int(numbers.sum())
    expected = population * (total / population.sum())
    at = np.flatnonzero(population)
    odds = population.ravel()[at] / population.sum()

    def draw(generator: np.random.Generator) -> NDArray[np.int64]:
        drawn = np.zeros(population.size, dtype=np.int64)
        drawn[at] = generator.multinomial(total, odds)
        return drawn.reshape(population.shape)

    return Model("poisson", numbers, expected, population.sum(axis=1), 0.0, draw)


def _bernoulli(numbers: Floats, controls: Floats) -> Model:
    if not controls.sum():
        msg = "There are no controls: the Bernoulli model compares cases with them."
        raise EmptyError(msg)
    broken = int((controls != np.floor(controls)).sum())
    if broken:
        msg = f"{broken:,} numbers of controls are not whole: a scan counts them."
        raise InputError(msg)
    people = numbers + controls
    total = int(numbers.sum())
    colours = people.ravel().astype(np.int64)

    def draw(generator: np.random.Generator) -> NDArray[np.int64]:
        drawn = generator.multivariate_hypergeometric(colours, total, method="marginals")
        return np.asarray(drawn, dtype=np.int64).reshape(people.shape)

    expected = people * (total / people.sum())
    return Model("bernoulli", numbers, expected, people.sum(axis=1), float(people.sum()), draw)


def _permutation(numbers: Floats, seen: NDArray[np.bool_]) -> Model:
    partly = int((~seen).any(axis=1).sum())
    if partly:
        msg = (
            f"{partly:,} areas lack a count in some step. The permutation model needs every area "
            "in every step: leave out these areas, or these steps."
        )
        raise InputError(msg)
    if numbers.shape[1] < 2:
        msg = "The permutation model compares times: it needs counts of at least two steps."
        raise InputError(msg)
    areas, steps = numbers.shape
    area, step = (
        np.repeat(index, numbers.astype(np.int64).ravel())
        for index in np.indices(numbers.shape).reshape(2, -1)
    )
    expected = np.outer(numbers.sum(axis=1), numbers.sum(axis=0)) / numbers.sum()

    def draw(generator: np.random.Generator) -> NDArray[np.int64]:
        cell = area * steps + generator.permutation(step)
        return np.bincount(cell, minlength=areas * steps).reshape(areas, steps)

    return Model("permutation", numbers, expected, numbers.sum(axis=1), 0.0, draw)
