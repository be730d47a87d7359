"""Many tests at once: p-values corrected for their number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.errors import InputError


def false_discovery_rate(p_values: ArrayLike) -> Any:
    """
    Adjust p-values so that a cut at q keeps the false discovery rate below q.

    The step-up procedure of Benjamini and Hochberg (1995). A missing p-value
    stays missing and does not count as a test.

    Parameters
    ----------
    p_values
        p-values between 0 and 1. In a DataFrame or a matrix each column is a
        family of tests of its own.

    Returns
    -------
    q_values
        Of the type and shape of `p_values`, with its index.

    Raises
    ------
    InputError
        If a p-value lies outside 0 and 1.

    Examples
    --------
    >>> false_discovery_rate([0.01, 0.04, 0.03, float("nan")]).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    table = np.asarray(p_values, dtype="float64")
    wrong = (table < 0) | (table > 1)
    if wrong.any():
        msg = f"{int(wrong.sum()):,} p-values lie outside 0 and 1."
        raise InputError(msg)
    columns = table if table.ndim == 2 else table[:, None]
    adjusted = _benjamini_hochberg(columns).reshape(table.shape)
    if isinstance(p_values, pd.Series):
        return pd.Series(adjusted, index=p_values.index, name="q_value")
    if isinstance(p_values, pd.DataFrame):
        return pd.DataFrame(adjusted, index=p_values.index, columns=p_values.columns)
    return adjusted


def _benjamini_hochberg(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust each column; missing values sort last and are put back as they were."""
    order = np.argsort(p, axis=0)
    tests = np.isfinite(p).sum(axis=0)
    rank = np.arange(1, len(p) + 1)[:, None]
    scaled = np.take_along_axis(p, order, axis=0) * (tests / rank)
    scaled = np.where(np.isnan(scaled), np.inf, scaled)
    falling = np.minimum.accumulate(scaled[::-1], axis=0)[::-1]
    q = np.empty_like(p)
    np.put_along_axis(q, order, np.minimum(falling, 1.0), axis=0)
    return np.where(np.isnan(p), np.nan, q)
