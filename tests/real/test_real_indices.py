"""The official index of 2019 and 2025 from its own domain ranks."""

import pytest

from placeshaping._core.columns import column_tags
from placeshaping.sources.deprivation import read_deprivation
from placeshaping.statistics.indices import DEPRIVATION_WEIGHTS, composite_index
from placeshaping.statistics.sensitivity import rank_sensitivity, weight_sensitivity

pytestmark = pytest.mark.real

FILES = {
    "2019": "File_2_-_IoD2019_Domains_of_Deprivation.csv.gz",
    "2025": "imd2025_lsoa21.csv.gz",
}
WEIGHTS = {f"{domain}_rank": weight for domain, weight in DEPRIVATION_WEIGHTS.items()}


@pytest.fixture(scope="module", params=sorted(FILES))
def official(request, real_data):
    return read_deprivation(real_data / "deprivation" / FILES[request.param])


def test_the_official_index_comes_out_of_its_domain_ranks(official):
    index = composite_index(official, WEIGHTS)
    # 2019: 30 of 32,844 ranks differ, by one; 2025: none of 33,755
    assert (index["rank"] == official["imd_rank"]).mean() >= 0.999
    assert (index["rank"] - official["imd_rank"]).abs().max() <= 1
    assert (index["decile"] == official["imd_decile"]).all()
    assert set(column_tags(index).values()) == {"audit_only"}
    assert index.attrs["cautions"] == ()


def test_published_scores_are_those_of_the_formula(real_data):
    official = read_deprivation(real_data / "deprivation" / FILES["2025"])
    index = composite_index(official, WEIGHTS)
    assert (index["score"] - official["imd_score"]).abs().max() < 0.00051


def test_ranks_of_the_index_are_less_sure_than_they_look(official):
    table = rank_sensitivity(official, WEIGHTS, draws=200, rng=1)
    width = (table["upper"] - table["lower"]).median()
    assert 1_000 < width < 6_000
    assert table["decile_kept"].mean() > 0.7
    one = weight_sensitivity(official, WEIGHTS)
    assert len(one) == 14
    assert one["decile_changed"].max() < 0.3
