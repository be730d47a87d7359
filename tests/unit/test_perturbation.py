"""Counts that are changed rather than hidden: cell keys, and rounding that adds up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, DisclosureError, InputError
from placeshaping.disclosure.additive import round_small
from placeshaping.disclosure.cell_key import NoiseTable, make_noise, perturb, record_keys
from placeshaping.disclosure.own_policies import make_policy
from placeshaping.disclosure.protection import protect
from placeshaping.disclosure.release import release
from placeshaping.disclosure.secret import Secret
from placeshaping.hotspots.study import Study

SECRET = Secret(bytes(range(32)))
MakeStudy = Callable[..., Study]
CELL_KEY = make_policy(
    {
        "name": "keyed",
        "base": "councillor",
        "method": "cell_key",
        "rounding": 1,
        "loosen": ["rounding"],
    }
)
ADDITIVE = make_policy({"name": "adds-up", "base": "councillor", "method": "additive"})


def records(n: int = 4_000, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "area": rng.choice(
                list("abcdefgh"), n, p=np.array([1, 2, 4, 8, 16, 32, 64, 128]) / 255
            ),
            "kind": rng.choice(["x", "y", "z"], n, p=[0.9, 0.09, 0.01]),
            "record_key": rng.integers(0, 256, n),
        }
    )


@pytest.mark.parametrize("table", ["theirs", "ours"])
def test_perturbed_counts_equal_those_of_the_office_for_national_statistics(table: str) -> None:
    theirs = pytest.importorskip("cell_key_perturbation.create_perturbed_table")
    made = pytest.importorskip("cell_key_perturbation.utils.generate_test_ptable")
    if table == "theirs":
        ptable = made.generate_ptable_10_5_rule()
        noise = NoiseTable.from_frame(ptable, repeats=250)
    else:
        noise = make_noise(least_shown=10, keys=256)
        rows = np.vstack([noise.changes, np.repeat(noise.changes[-1:], 750 - 20, axis=0)])
        counts, keys = np.indices(rows.shape).reshape(2, -1)
        ptable = pd.DataFrame({"pcv": counts + 1, "ckey": keys, "pvalue": rows.ravel()})
    given = records()
    expected = theirs.create_perturbed_table(
        data=given,
        ptable=ptable,
        geog=["area"],
        tab_vars=["kind"],
        record_key="record_key",
        threshold=10,
    ).set_index(["area", "kind"])["count"]
    cells = given.groupby(["area", "kind"])["record_key"].agg(["size", "sum"])
    cells = cells.reindex(expected.index, fill_value=0)
    ours = pd.Series(
        perturb(cells["size"].to_numpy(), cells["sum"].to_numpy(), noise), cells.index
    ).astype("Int64")
    assert ours.where(ours >= 10).equals(expected.rename(None))
    assert expected.isna().any()
    assert expected.max() > 750
    assert (cells["size"] != ours).any()


@pytest.mark.parametrize(("least", "variance"), [(1, 2.0), (5, 3.0), (10, 3.0)])
def test_noise_has_mean_nought_and_leaves_no_small_counts(least: int, variance: float) -> None:
    noise = make_noise(least_shown=least, variance=variance)
    counts = np.arange(1, len(noise.changes) + 1)
    after = counts[:, None] + noise.changes
    assert ((after == 0) | (after >= least)).all()
    assert np.abs(noise.changes.mean(axis=1)).max() < 0.01
    assert noise.changes[-1].var() == pytest.approx(variance, abs=0.05)
    assert noise.most_change == max(least, 5)


def test_noise_refuses_what_makes_no_table() -> None:
    with pytest.raises(InputError, match="variance = 0"):
        make_noise(least_shown=5, variance=0)
    with pytest.raises(InputError, match="takes more from a count than it is"):
        NoiseTable(np.array([[-2, 0]]))
    with pytest.raises(ColumnError, match="Give each pair of 'pcv' and 'ckey' once"):
        NoiseTable.from_frame(pd.DataFrame({"pcv": [1, 1], "ckey": [0, 0], "pvalue": 0}))


def events(n: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "easting": rng.integers(0, 5, n) * 100.0,
            "northing": rng.integers(0, 5, n) * 100.0,
            "period": rng.choice(pd.date_range("2025-01-01", periods=2, freq="MS"), n),
            "category": rng.choice(["Burglary", "Robbery"], n),
        }
    )


def test_sums_of_keys_do_not_depend_on_the_order_of_the_rows() -> None:
    given = events()
    shuffled = given.sample(frac=1, random_state=1)
    by = ["easting", "northing", "period", "category"]
    one = given.assign(key=record_keys(given, SECRET)).groupby(by)["key"].sum()
    other = shuffled.assign(key=record_keys(shuffled, SECRET)).groupby(by)["key"].sum()
    pd.testing.assert_series_equal(one, other)


def test_keys_are_spread_and_change_with_the_secret() -> None:
    given = events()
    keys = record_keys(given, SECRET)
    assert len(np.unique(keys)) > 0.9 * len(keys)
    assert (record_keys(given, Secret(bytes(range(1, 33)))) != keys).mean() > 0.99


def test_rows_that_stand_for_several_records_have_no_keys() -> None:
    with pytest.raises(InputError, match="1 rows stand for several records"):
        record_keys(events(2).assign(count=[1, 3]), SECRET)


def keyed(study: Study) -> Study:
    """Give a study keys, as if each record had drawn one."""
    import dataclasses

    rng = np.random.default_rng(5)
    first = study.cubes[study.ladder.finest][1:, 1:]
    keys = rng.integers(0, 4096, first.shape) * (first > 0)
    with_totals = np.concatenate([keys.sum(axis=1, keepdims=True), keys], axis=1)
    whole = np.concatenate([with_totals.sum(axis=0, keepdims=True), with_totals], axis=0)
    return dataclasses.replace(study, keys=whole)


def test_cell_keys_change_every_level_and_leave_no_small_count(make_study: MakeStudy) -> None:
    study = keyed(make_study())
    protected = protect(study, policy=CELL_KEY)
    for level, cube in protected.counts.items():
        true = protected.true[level]
        assert not ((cube > 0) & (cube < 5)).any()
        assert (cube[true == 0] == 0).all()
        assert np.abs(cube - true).max() <= 5
    assert (protected.counts["lsoa"] != protected.true["lsoa"]).any()
    assert not protected.hidden["lsoa"].any()


def test_cell_keys_need_keys(make_study: MakeStudy) -> None:
    with pytest.raises(DisclosureError, match=r"secret = '\.\./key\.txt'"):
        protect(make_study(), policy=CELL_KEY)


def test_sensitive_categories_have_the_stricter_noise(make_study: MakeStudy) -> None:
    protected = protect(keyed(make_study()), policy=CELL_KEY, sensitive=["Robbery"])
    robbery = protected.counts["lsoa"][:, 2]
    assert not ((robbery > 0) & (robbery < 10)).any()


def test_additive_rounding_adds_up_at_every_level(make_study: MakeStudy) -> None:
    study = make_study()
    protected = protect(study, policy=ADDITIVE)
    for level, cube in protected.counts.items():
        assert (cube[0] == cube[1:].sum(axis=0)).all()
        assert (cube[:, 0] == cube[:, 1:].sum(axis=1)).all()
        assert not ((cube > 0) & (cube < 5)).any()
        assert level == "lsoa" or (cube.sum(axis=-1) == protected.counts["lsoa"].sum(axis=-1)).all()
    inner, true = protected.counts["lsoa"][1:, 1:], protected.true["lsoa"][1:, 1:]
    assert (inner[true >= 5] == true[true >= 5]).all()
    assert set(np.unique(inner[true < 5])) == {0, 5}
    district = protected.counts["district"] - protected.true["district"]
    assert np.abs(district).max() < 10


def test_additive_totals_change_less_than_by_chance() -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(1.5, 2_000)
    area = np.arange(2_000) // 10
    kind = np.arange(2_000) % 10
    rounded = round_small(counts, np.full(2_000, 5), {"area": area, "kind": kind})
    lucky = np.where(
        (counts > 0) & (counts < 5), 5 * rng.binomial(1, np.minimum(counts / 5, 1)), counts
    )

    def error(made: np.ndarray) -> float:
        change = made - counts
        return float(sum(np.abs(np.bincount(of, change)).sum() for of in (area, kind)))

    assert error(rounded) < 0.4 * error(lucky)


def test_statements_say_how_counts_were_changed(make_study: MakeStudy) -> None:
    day = dt.date(2026, 1, 31)
    made = release(keyed(make_study()), policy=CELL_KEY, title="t", made_on=day)
    assert any("changed by a small random amount" in sentence for sentence in made.statement)
    assert any("looser in: rounding 1 rather than 5" in sentence for sentence in made.statement)
    made = release(make_study(), policy=ADDITIVE, title="t", made_on=day)
    assert any("so that totals still add up" in sentence for sentence in made.statement)
