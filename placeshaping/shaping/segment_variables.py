"""
What areas are compared by: shares of census and other counts, made fit for clustering.

The steps of the official classification of output areas (Gale et al. 2016,
"Creating the 2011 area classification for output areas", Journal of Spatial
Information Science 12): percentages, the inverse hyperbolic sine against long
tails, and a common range. Which variables were taken, and why others were not,
stands in a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from placeshaping._core.checks import check_choice, check_columns, check_unique, listed
from placeshaping._core.columns import column_tags
from placeshaping._core.errors import ColumnError, EmptyError, InputError

Transform = Literal["asinh", "box_cox", "none"]
Scale = Literal["range", "z"]

MOST_CORRELATED = 0.9
"""Correlation, of either sign, from which one of two variables says nothing of its own."""

MOST_SKEWED = 3.0
"""Skewness after the transformation from which a few areas would make a group by themselves."""

MOST_MISSING = 0.05
"""Share of areas without a value from which a variable is left out rather than the areas."""

AREAS_A_VARIABLE = 5
"""Areas a variable under which a reader is told that they are few."""

_STEPS: dict[str, str] = {
    "asinh": "the inverse hyperbolic sine",
    "box_cox": "Box and Cox's power transformation (of the percentage and one, by likelihood)",
    "none": "no transformation",
    "range": "a range of 0 to 1",
    "z": "mean 0 and standard deviation 1",
}


@dataclass(frozen=True, eq=False)
class PreparedVariables:
    """
    Variables made fit for clustering; `prepare_variables` makes them.

    Attributes
    ----------
    values
        Areas by variables that are used, transformed and scaled.
    variables
        Indexed by variable, those not used among them: `used`, `reason` (why
        not; empty where used), `mean`, `sd`, `skewness` and
        `skewness_transformed`, `nearest` and `correlation` (the other variable
        that says most of the same, after the transformation), `missing`
        (areas).
    left_out
        Areas that lack a value that is used.
    method
        The steps, in a sentence.
    cautions
        What a reader must know, in sentences.
    """

    values: pd.DataFrame
    variables: pd.DataFrame
    left_out: pd.Index
    method: str
    cautions: tuple[str, ...]


def percentages(counts: pd.DataFrame, of: pd.Series[float]) -> pd.DataFrame:
    """
    Turn counts into percentages of what they are counted among.

    Parameters
    ----------
    counts
        People or homes by area, one column a variable.
    of
        All people or homes of each area.

    Returns
    -------
    shares
        Index and columns of `counts`, 0 to 100; missing where `of` is zero or
        missing.

    Raises
    ------
    InputError
        If a count is negative or above what it is counted among.

    Examples
    --------
    >>> counts = pd.DataFrame({"renting": [30, 5]}, index=["E01000001", "E01000002"])
    >>> percentages(counts, pd.Series([120, 50], counts.index))["renting"].tolist()
    [25.0, 10.0]
    """
    check_unique(counts.index, where="counts")
    whole = of.reindex(counts.index).astype("float64")
    numbers = counts.astype("float64")
    for name in numbers:
        column = numbers[name]
        wrong = counts.index[(column < 0) | (column > whole)]
        if len(wrong):
            msg = (
                f"{name}: {len(wrong):,} areas have a share under 0 or over 100 per cent "
                f"({listed(list(wrong))}). Counts and what they are counted among must be of the "
                "same table."
            )
            raise InputError(msg)
    return 100 * numbers.div(whole.where(whole > 0), axis="index")


def prepare_variables(
    values: pd.DataFrame,
    *,
    transform: Transform = "asinh",
    scale: Scale = "range",
    most_correlated: float = MOST_CORRELATED,
    most_skewed: float = MOST_SKEWED,
    keep: Collection[str] = (),
    special: Collection[str] = (),
) -> PreparedVariables:
    """
    Choose, transform and scale the variables that areas are compared by.

    A variable is left out where it is the same everywhere, where more than one
    area in twenty lacks it, where a few areas hold nearly all of it (skewness
    after the transformation), and where another says the same: of two that go
    together, the one is left out that goes together more with all others.

    Parameters
    ----------
    values
        Areas by variables, in percentages or rates; not below zero unless
        `transform` is ``"none"``.
    transform
        ``"asinh"`` (as the official classification of 2011), ``"box_cox"`` or
        ``"none"``.
    scale
        ``"range"`` (as there) or ``"z"``.
    most_correlated, most_skewed
        Marks from which variables are left out; 1 and infinity leave none out.
    keep
        Variables that stay, whatever these marks say.
    special
        Columns tagged ``special`` that may be used: each by its name.

    Returns
    -------
    prepared
        What `make_segments` takes.

    Raises
    ------
    ColumnError
        If a variable is no number, is special and not allowed by name, or
        `keep` names no variable.
    InputError
        If values are below zero.
    EmptyError
        If fewer than two variables, or no areas, are left.

    Examples
    --------
    >>> areas = pd.Index([f"E0100000{n}" for n in range(1, 6)], name="area_code")
    >>> table = {"renting": [9, 40, 12, 55, 30], "owning": [91, 60, 88, 45, 70],
    ...          "alone": [30, 31, 12, 20, 44]}
    >>> prepared = prepare_variables(pd.DataFrame(table, index=areas))
    >>> prepared.variables["used"].to_dict()
    {'renting': False, 'owning': True, 'alone': True}
    >>> prepared.variables.loc["renting", "reason"]
    'goes together with owning (correlation -0.95), which is used'
    """
    check_choice(transform, ["asinh", "box_cox", "none"], name="transform")
    check_choice(scale, ["range", "z"], name="scale")
    check_columns(values.columns, keep, where="The table of variables")
    numbers = _numbers(values, special=special, signed=transform == "none")
    table = _describe(numbers)
    changed = numbers.apply(lambda column: _transformed(column, transform))
    table["skewness_transformed"] = changed.apply(_skewness)
    _leave_out_bad(table, areas=len(values), most_skewed=most_skewed, keep=keep)
    _leave_out_alike(table, changed, most_correlated=most_correlated, keep=keep)
    used = list(table.index[table["used"]])
    if len(used) < 2:
        reasons = "; ".join(f"{name}: {why}" for name, why in table["reason"].items() if why)
        msg = (
            f"{len(used)} of {len(table)} variables can be used, and groups need two at least "
            f"({reasons}). Give others, or keep some by name."
        )
        raise EmptyError(msg)
    whole = changed[used].notna().all(axis="columns")
    if not whole.any():
        msg = "No area has a value of every variable. Check that the tables are of the same areas."
        raise EmptyError(msg)
    source = ", as in Gale et al. 2016" if (transform, scale) == ("asinh", "range") else ""
    return PreparedVariables(
        values=_scaled(changed.loc[whole, used], scale),
        variables=table,
        left_out=values.index[~whole.to_numpy()],
        method=f"{len(used)} variables brought by {_STEPS[transform]} to {_STEPS[scale]}{source}.",
        cautions=tuple(_cautions(table, int((~whole).sum()), special, numbers)),
    )


def _numbers(values: pd.DataFrame, *, special: Collection[str], signed: bool) -> pd.DataFrame:
    """Return the values as floats; refuse words, special columns without leave, and negatives."""
    check_unique(values.index, where="values")
    tags = column_tags(values)
    held = [str(c) for c in values if tags.get(str(c)) == "special" and c not in set(special)]
    if held:
        msg = (
            f"{len(held)} variables are of a special category ({listed(held)}): ethnicity, health, "
            "disability and the like. Leave them out, or allow each by name: special=[...]."
        )
        raise ColumnError(msg)
    words = [str(name) for name in values if not pd.api.types.is_numeric_dtype(values[name])]
    if words:
        msg = f"{len(words)} variables are no numbers ({listed(words)}). Leave them out."
        raise ColumnError(msg)
    numbers = values.astype("float64")
    low = [str(name) for name in numbers if (numbers[name] < 0).any()]
    if low and not signed:
        msg = (
            f"{len(low)} variables have values below zero ({listed(low)}). Percentages and rates "
            "have none; for scores take transform='none'."
        )
        raise InputError(msg)
    return numbers


def _describe(numbers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "used": True,
            "reason": "",
            "mean": numbers.mean(),
            "sd": numbers.std(),
            "skewness": numbers.apply(_skewness),
            "skewness_transformed": np.nan,
            "nearest": "",
            "correlation": np.nan,
            "missing": numbers.isna().sum(),
        },
        index=pd.Index([str(name) for name in numbers], name="variable"),
    )


def _skewness(column: pd.Series[float]) -> float:
    known = column.dropna().to_numpy()
    return float(stats.skew(known)) if np.ptp(known) > 0 else float("nan")


def _transformed(column: pd.Series[float], transform: Transform) -> pd.Series[float]:
    if transform == "none":
        return column
    if transform == "asinh":
        return pd.Series(np.arcsinh(column.to_numpy()), index=column.index)
    known = column.dropna()
    if np.ptp(known.to_numpy()) == 0:
        return column
    values, _ = stats.boxcox(known.to_numpy() + 1)
    return pd.Series(values, index=known.index).reindex(column.index)


def _leave_out_bad(
    table: pd.DataFrame, *, areas: int, most_skewed: float, keep: Collection[str]
) -> None:
    """Mark variables that are missing too often, the same everywhere, or too skewed."""
    for name, row in table.iterrows():
        skewness = row["skewness_transformed"]
        if row["missing"] > MOST_MISSING * areas:
            why = f"missing in {row['missing']:,} of {areas:,} areas"
        elif not row["sd"] > 0:
            why = "the same everywhere"
        elif name not in keep and abs(skewness) > most_skewed:
            why = (
                f"a few areas hold nearly all of it (skewness {skewness:.1f} after the "
                f"transformation, more than {most_skewed:g})"
            )
        else:
            continue
        _leave_out(table, str(name), why)


def _leave_out(table: pd.DataFrame, name: str, why: str) -> None:
    table.loc[name, "used"] = False
    table.loc[name, "reason"] = why


def _leave_out_alike(
    table: pd.DataFrame, changed: pd.DataFrame, *, most_correlated: float, keep: Collection[str]
) -> None:
    """Of variables that go together, leave out those that go together most with all others."""
    fit = list(table.index[table["used"]])
    if len(fit) < 2:
        return
    signed = changed[fit].corr().to_numpy()
    alike = np.abs(signed) - np.eye(len(fit))
    used = _without_doubles(alike, most_correlated, np.array([name in keep for name in fit]))
    for place, name in enumerate(fit):
        others = np.where(used, alike[place], -1.0)
        nearest = int(np.argmax(others))
        table.loc[name, "nearest"] = fit[nearest]
        table.loc[name, "correlation"] = signed[place, nearest]
        if not used[place]:
            why = (
                f"goes together with {fit[nearest]} (correlation {signed[place, nearest]:.2f}), "
                "which is used"
            )
            _leave_out(table, name, why)


def _without_doubles(
    alike: NDArray[np.float64], most: float, kept: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell which variables are used: pair by pair, the most alike first."""
    used = np.ones(len(alike), dtype=bool)
    free = ~(kept[:, None] & kept[None, :])
    while True:
        pairs = np.where(used[:, None] & used[None, :] & free, alike, 0.0)
        one, other = np.unravel_index(np.argmax(pairs), pairs.shape)
        if pairs[one, other] <= most:
            break
        mean = alike[:, used].mean(axis=1)
        drop_one = not kept[one] and (kept[other] or mean[one] > mean[other])
        used[one if drop_one else other] = False
    for place in np.flatnonzero(~used):  # the one it was left out for may have gone as well
        used[place] = alike[place, used].max() <= most
    return used


def _scaled(changed: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    if scale == "z":
        return (changed - changed.mean()) / changed.std(ddof=0)
    return (changed - changed.min()) / (changed.max() - changed.min())


def _cautions(
    table: pd.DataFrame, left_out: int, special: Collection[str], numbers: pd.DataFrame
) -> Iterator[str]:
    if left_out:
        yield f"{left_out:,} of {len(numbers):,} areas lack a value and are in no group."
    named = [name for name in special if name in table.index and table.loc[name, "used"]]
    if named:
        yield (
            f"Of a special category, used because it was asked for by name: {', '.join(named)}. "
            "Groups of areas say nothing of any person in them."
        )
    used = int(table["used"].sum())
    if len(numbers) < AREAS_A_VARIABLE * used:
        yield (f"{len(numbers):,} areas are few for {used} variables: chance shapes some groups.")
