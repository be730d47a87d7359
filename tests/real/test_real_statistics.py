"""Real records: change of two forces, funnels, inequality, repeated demand, hours of the day."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placeshaping._core.columns import column_tags
from placeshaping._core.errors import ColumnError
from placeshaping.hotspots.repeats import describe_repeats, repeat_locations
from placeshaping.hotspots.time_of_day import describe_profile, temporal_profile
from placeshaping.sources.deprivation import read_deprivation
from placeshaping.sources.police import read_police
from placeshaping.statistics.ages import EUROPEAN_STANDARD, band_ages
from placeshaping.statistics.change import change_between, describe_change
from placeshaping.statistics.concentration import concentration_index, describe_inequality
from placeshaping.statistics.dispersion import change_dispersion, describe_dispersion
from placeshaping.statistics.funnel import funnel_limits
from placeshaping.statistics.inequality import decile_table, slope_index
from placeshaping.statistics.rates import empirical_bayes_rate

pytestmark = pytest.mark.real

MONTHS = {"leicestershire": range(1, 13), "essex": range(1, 5)}  # those that both years have


DISTRICTS = {
    "leicestershire": {"E06000016", "E06000017", *(f"E07000{i}" for i in range(129, 136))},
    "essex": {"E06000033", "E06000034", *(f"E070000{i}" for i in range(66, 78))},
}


@pytest.fixture(scope="module", params=sorted(MONTHS))
def force(request, real_data):
    """Return the force's records of the same months of 2024 and 2025, of its own LSOAs."""
    path = real_data / "boundaries" / "lsoa_2021_ew.parquet"
    lookup = pd.read_parquet(path, columns=["LSOA21CD", "LADCD"])
    own = lookup.loc[lookup["LADCD"].isin(DISTRICTS[request.param]), "LSOA21CD"]
    events = read_police(real_data / "police_uk" / f"{request.param}.zip")
    period = events["period"]
    months = period.dt.month.isin(MONTHS[request.param])
    events = events[months & period.dt.year.isin([2024, 2025]) & events["area_code"].isin(own)]
    events.attrs["name"] = request.param
    return events


def counts_of(events, category=None):
    if category is not None:
        events = events[events["category"] == category]
    years = events.groupby([events["period"].dt.year, "area_code"], observed=True).size()
    table = years.unstack(level=0, fill_value=0)
    return table[2024], table[2025]


def test_change_of_a_force_is_told_apart_from_series_and_chance(force):
    before, after = counts_of(force)
    plain = change_between(before, after)
    scaled = change_between(before, after, overdispersion="scaled")
    assert 1.3 < plain.attrs["dispersion"] < 3
    assert "Pass overdispersion='scaled'" in plain.attrs["cautions"][0]
    assert (scaled["change"] != "none").sum() < 0.5 * (plain["change"] != "none").sum()
    assert (plain["after"].sum(), plain["before"].sum()) == (after.sum(), before.sum())
    text = describe_change(scaled)
    assert text.startswith("Recorded crime fell by")
    assert "areas rose by more than chance explains" in text


def test_a_known_change_is_found(force):
    """Shoplifting at a retail park moved by more than any chance; burglary fell everywhere."""
    before, after = counts_of(force, "Shoplifting")
    table = change_between(before, after, overdispersion="scaled")
    known = {"leicestershire": "E01032873", "essex": "E01015832"}[force.attrs["name"]]
    assert table.loc[known, "change"] == "up_99"
    burglary = change_between(*counts_of(force, "Burglary"), overdispersion="scaled")
    assert burglary.attrs["overall"]["upper"] < 1
    assert (burglary["change"] != "none").sum() <= 2


def test_a_small_net_change_is_not_blamed_on_a_few_areas(force):
    before, after = counts_of(force)
    table = change_dispersion(before, after, direction="decrease")
    assert table.attrs["odi"] < 0.1
    rest = (after - before)[~table["contributes"]]
    assert rest.sum() >= 0
    assert "says little" in describe_dispersion(table)


@pytest.fixture(scope="module")
def residents(real_data):
    table = pd.read_csv(real_data / "census" / "census2021-ts001-lsoa.csv.gz")
    total = next(name for name in table.columns if "Total" in name)
    return table.set_index("geography code")[total]


def test_a_funnel_of_crime_is_no_funnel_of_chance(force, residents):
    count = counts_of(force)[1]
    count = count[count.index.isin(residents.index)]
    people = residents[count.index]
    plain = funnel_limits(count, people)
    wide = funnel_limits(count, people, overdispersion="additive")
    assert plain.attrs["dispersion"] > 8
    assert (plain["funnel"] == "within").mean() < 0.4
    assert (wide["funnel"] == "within").mean() > 0.85
    # what stands out is town centres and retail parks, which also lead the smoothed rates
    smoothed = empirical_bayes_rate(count, people)
    assert smoothed[wide["funnel"] == "high_998"].min() > smoothed.median() * 2


def test_recorded_crime_goes_with_deprivation(force, residents, real_data):
    deprivation = read_deprivation(real_data / "deprivation" / "imd2025_lsoa21.csv.gz")
    count = counts_of(force)[1]
    count = count[count.index.isin(residents.index.intersection(deprivation.index))]
    people, ranks = residents[count.index], deprivation.loc[count.index]
    found = concentration_index(count, people, ranks["imd_rank"])
    sampling = concentration_index(count, people, ranks["imd_rank"], interval="sampling")
    assert -0.35 < found.lower < found.upper < -0.15
    assert sampling.standard_error < 0.3 * found.standard_error
    table = decile_table(count, people, ranks["imd_decile"])
    text = describe_inequality(table, slope_index(table))
    assert text.startswith("Rates of recorded crime rise with deprivation.")


def test_police_records_have_no_hours(force):
    with pytest.raises(ColumnError, match=r"police\.uk publishes no days or hours"):
        temporal_profile(force)
    profile = temporal_profile(force, start="period", by="month")
    assert profile["count"].sum() == len(force)


def test_hours_of_assaults_are_those_of_weekend_nights(real_data):
    events = pd.read_csv(real_data / "daily" / "chicago_aggravated_assaults.csv.gz")
    events["time"] = pd.to_datetime(events["date"])
    profile = temporal_profile(events, timezone="America/Chicago")
    assert profile["count"].sum() == len(events) == 148_636
    grid = profile.pivot(index="hour", columns="weekday", values="index")
    assert grid["Sunday"].idxmax() == 2
    assert grid.loc[5].mean() < 0.5
    # ten years hold ten clock changes: an hour of Sunday less each spring, one more each autumn
    hours = profile.pivot(index="hour", columns="weekday", values="hours")["Sunday"]
    assert (hours[1] - hours[12], hours[2] - hours[12]) == (10, -10)
    assert "the busiest single hour is Sunday 02:00" in describe_profile(profile)


def test_months_of_assaults_follow_the_season(real_data):
    events = pd.read_csv(real_data / "daily" / "chicago_aggravated_assaults.csv.gz")
    events["time"] = pd.to_datetime(events["date"])
    profile = temporal_profile(events, by="month", timezone="America/Chicago")
    assert profile.set_index("month")["index"].idxmax() in {"June", "July"}
    expected = events["time"].dt.month.value_counts().sort_index()
    assert profile["count"].tolist() == pytest.approx(expected.tolist())


def test_fixmystreet_shows_where_demand_repeats(real_data):
    reports = pd.read_csv(real_data / "services" / "fixmystreet_lsoa11_2018_2019.csv.gz")
    reports["date"] = pd.to_datetime(reports["month"])
    most = reports.groupby("SHEF_B_CODE")["reports"].sum().nlargest(5).index
    services = {code: reports[reports["SHEF_B_CODE"] == code] for code in most}
    places = repeat_locations(services, key="lsoa", weight="reports", least=12)
    chosen = reports[reports["SHEF_B_CODE"].isin(most)]
    sums = chosen.groupby("lsoa")["reports"].sum()
    assert places["count"].sort_index().to_dict() == sums[sums >= 12].to_dict()
    assert places.attrs["contacts"] == chosen["reports"].sum()
    assert set(column_tags(places).values()) == {"personal"}
    assert places["services"].iloc[0] == 5
    # a quarter of the areas that report at all hold four fifths of the reports
    assert len(places) / places.attrs["places"] == pytest.approx(0.25, abs=0.01)
    assert places.attrs["share"] == pytest.approx(0.82, abs=0.01)
    assert "E01" not in describe_repeats(places)


def test_single_years_of_age_add_up_to_the_published_total(real_data):
    table = pd.read_csv(real_data / "census" / "population_mid2019_age_lsoa11.csv.gz")
    ages = table.set_index("LSOA11CD")[[*map(str, range(90)), "90+"]]
    banded = band_ages(ages)
    assert banded.columns.tolist() == EUROPEAN_STANDARD.index.tolist()
    total = table.set_index("LSOA11CD")["total_population"]
    np.testing.assert_allclose(banded.sum(axis=1), total)
    # England and Wales were a little older than the European standard of 2013
    share = banded.sum() / banded.to_numpy().sum()
    standard = EUROPEAN_STANDARD / EUROPEAN_STANDARD.sum()
    assert stats.pearsonr(share, standard).statistic > 0.9
