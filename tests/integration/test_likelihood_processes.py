"""Backtests in several processes and on a cluster give what one process gives."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping.joins.cluster import connect
from placeshaping.likelihood.backtest import backtest
from placeshaping.likelihood.baselines import TrailingCounts
from placeshaping.likelihood.history import history_of_counts
from placeshaping.likelihood.surfaces import KernelDensity
from placeshaping.likelihood.units import make_cells, make_units

MODELS = [TrailingCounts("all"), KernelDensity()]


@pytest.fixture(scope="module")
def history():
    study = gpd.GeoDataFrame(geometry=[box(0, 0, 3000, 3000)], crs=27700)
    units = make_units(make_cells(study, size=500))
    rng = np.random.default_rng(1)
    counts = pd.DataFrame(
        {
            "area_code": np.repeat(units.codes, 24),
            "period": np.tile(pd.date_range("2022-01-01", periods=24, freq="MS"), len(units)),
            "category": "Burglary",
            "count": rng.poisson(np.repeat(rng.gamma(1.0, 2.0, len(units)), 24)),
        }
    )
    return history_of_counts(counts, units, target="Burglary")


@pytest.fixture(scope="module")
def alone(history):
    return backtest(history, MODELS, origins=8)


def test_the_answer_is_the_same_in_two_processes(history, alone, tmp_path):
    several = backtest(history, MODELS, origins=8, processes=2, folder=tmp_path)
    pd.testing.assert_frame_equal(several.scores, alone.scores)
    pd.testing.assert_frame_equal(several.flags, alone.flags)
    assert len(list(tmp_path.glob("*.scores.parquet"))) == 8


def test_the_answer_is_the_same_on_a_cluster_and_is_kept(history, alone, tmp_path):
    with connect("local:1", dashboard=None) as client:
        for _ in range(2):  # the second time nothing is left to do
            far = backtest(history, MODELS, origins=8, client=client, folder=tmp_path)
            pd.testing.assert_frame_equal(far.scores, alone.scores, check_dtype=False)
    assert len(list(tmp_path.glob("*.scores.parquet"))) == 8
