"""Best fit of areas that do not nest, by hand and on the invented district."""

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, EmptyError
from placeshaping.areas.fits import best_fit
from placeshaping.synthetic.district import make_district

PARTS = pd.DataFrame(
    {
        "lsoa_code": ["L1", "L1", "L1", "L2", "L3", "L3"],
        "ward_code": ["W1", "W2", "W2", "W2", "W2", "W1"],
        "residents": [500, 200, 200, 300, 100, 100],
    }
)


def test_the_largest_share_decides():
    fits = best_fit(PARTS, source="lsoa", target="ward", weight="residents")
    assert fits["lsoa_code"].tolist() == ["L1", "L2", "L3"]
    assert fits["ward_code"].tolist() == ["W1", "W2", "W1"]
    assert fits["share"].tolist() == pytest.approx([5 / 9, 1, 0.5])
    report = fits.attrs["report"]
    assert (report.areas, report.several, report.tied) == (3, 2, ("L3",))
    assert report.lowest == ("L3", 0.5)
    assert report.weighted_by == "residents"


def test_parts_count_alike_where_nothing_weights_them():
    assert best_fit(PARTS, source="lsoa", target="ward")["ward_code"].tolist()[0] == "W2"
    nobody = best_fit(PARTS.assign(residents=0), source="lsoa", target="ward", weight="residents")
    assert nobody["ward_code"].tolist()[0] == "W2"


def test_unusable_parts_are_refused():
    with pytest.raises(ColumnError, match="1 of 6 parts lack a code or a weight"):
        best_fit(PARTS.assign(ward_code=[None, *PARTS["ward_code"][1:]]),
                 source="lsoa", target="ward")  # fmt: skip
    with pytest.raises(ColumnError, match="6 values of 'residents' are no numbers"):
        best_fit(PARTS.assign(residents="many"), source="lsoa", target="ward", weight="residents")
    with pytest.raises(ColumnError, match="6 values of 'residents' are below zero or infinite"):
        best_fit(PARTS.assign(residents=np.inf), source="lsoa", target="ward", weight="residents")
    with pytest.raises(EmptyError, match="There are no parts"):
        best_fit(PARTS.iloc[:0], source="lsoa", target="ward")
    with pytest.raises(ColumnError, match="6 values of 'residents' are below zero"):
        best_fit(PARTS.assign(residents=-1), source="lsoa", target="ward", weight="residents")
    with pytest.raises(ColumnError, match="no column 'csp'"):
        best_fit(PARTS, source="lsoa", target="csp")


def test_output_areas_give_the_districts_own_best_fit_of_wards():
    district = make_district(60, seed=3, months=1)
    people = district.electors.set_index("OA21CD")["electors"]
    parts = district.lookup_oa.assign(electors=district.lookup_oa["OA21CD"].map(people))
    fits = best_fit(parts, source="LSOA21CD", target="WD24CD", weight="electors")
    known = district.lookup.set_index("LSOA21CD")["WD24CD"]
    agree = fits["WD24CD"].to_numpy() == known.reindex(fits["LSOA21CD"]).to_numpy()
    sure = fits["share"].to_numpy() > 0.6
    assert agree[sure].all()
    assert 0 < fits.attrs["report"].several < len(fits)
