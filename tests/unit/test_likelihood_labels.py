"""Classes of likelihood: fixed shares of the areas, equal numbers in one class."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError
from placeshaping.disclosure.release import release
from placeshaping.hotspots.study import Study
from placeshaping.likelihood.labels import SHARES, likelihood_labels


def classes(scores: pd.Series[float]) -> pd.Series[str]:
    made = likelihood_labels({"lsoa": scores}, when="January 2026", method="A test.")
    return made.tables["lsoa"]["label"].astype(str)


def test_classes_hold_the_shares_that_were_stated() -> None:
    found = classes(pd.Series(np.random.default_rng(1).permutation(1_000.0 + np.arange(1_000))))
    assert found.value_counts().reindex(list(SHARES)).tolist() == [10, 40, 50, 100, 800]


def test_the_most_expected_stand_first_and_missing_ones_nowhere() -> None:
    scores = pd.Series([*range(100), np.nan], index=[f"a{k}" for k in range(101)], dtype=float)
    found = classes(scores)
    assert found["a99"] == "first_hundredth"
    assert found["a95"] == "first_twentieth"
    assert "a100" not in found.index


def test_equal_numbers_are_of_one_class() -> None:
    assert set(classes(pd.Series([1.0] * 50))) == {"rest"}


def test_words_are_no_numbers() -> None:
    with pytest.raises(ColumnError, match="holds no numbers"):
        classes(pd.Series(["high", "low"]))


def test_a_release_shows_the_class_and_not_the_number(make_study: Callable[..., Study]) -> None:
    study = make_study(mean=8.0)
    codes = study.ladder.areas["lsoa"].index
    labels = likelihood_labels(
        {"lsoa": pd.Series(np.arange(len(codes), dtype=float), index=codes)},
        when="January 2026",
        method="A test.",
    )
    made = release(
        study.with_labels(labels), policy="councillor", title="x", made_on=dt.date(2026, 1, 31)
    )
    values = made.tables["lsoa"].values
    assert values["likelihood"].notna().any()
    assert "likelihood_expected" not in values
