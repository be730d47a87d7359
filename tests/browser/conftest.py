"""A browser without a network, and the page of an invented district to open in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import analyse
from placeshaping.joins.points import assign_area
from placeshaping.maps.area_map import area_map
from placeshaping.synthetic.district import make_district


@dataclass
class Opened:
    """An open page, and what it tried and complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def run(self, code: str, given: Any = None) -> Any:
        """Evaluate JavaScript in the page."""
        return self.page.evaluate(code, given)


@pytest.fixture(scope="session")
def released() -> Release:
    """Return a release of an invented district for councillors."""
    district = make_district(60, seed=3, months=24)
    lookup = district.lookup.set_index("LSOA21CD").rename_axis("area_code")
    areas = district.lsoa.set_index("LSOA21CD").rename_axis("area_code")
    areas = areas.rename(columns={"LSOA21NM": "area_name"})
    areas.attrs["level"] = "lsoa"
    events = district.events.assign(period=district.events["time"].dt.to_period("M"))
    events = events.assign(
        area_code=assign_area(events, areas), period=events["period"].dt.to_timestamp()
    )
    keys = ["area_code", "period", "category"]
    counts = events.groupby(keys, observed=True).size().rename("count").reset_index()
    people = district.population.set_index("LSOA21CD")[["residents", "households"]]
    decile = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
    deprived = district.deprivation.set_index("LSOA code (2021)")[[decile]]
    study = analyse(
        counts,
        make_ladder(
            areas,
            pd.DataFrame(
                {
                    "msoa_code": lookup["MSOA21CD"],
                    "msoa_name": lookup["MSOA21NM"],
                    "district_code": lookup["LAD24CD"],
                    "district_name": lookup["LAD24NM"],
                }
            ),
        ),
        population=people,
        deprivation=deprived.set_axis(["imd_decile"], axis="columns"),
    )
    return release(
        study,
        policy="councillor",
        title="Recorded crime in an invented district",
        made_on=dt.date(2026, 1, 5),
        notes=["Invented records."],
        contact="nobody@example.org",
    )


@pytest.fixture(scope="session")
def map_file(released: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page on disk, in a folder with a space and an accent."""
    path = tmp_path_factory.mktemp("maps") / "my café" / "map.html"
    area_map(released).save(path)
    return path


@pytest.fixture
def opened(browser: Any, map_file: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Return the page, open at 1280 x 800 (or at the size that a test asks for), offline."""
    width, height = getattr(request, "param", (1280, 800))
    small = width < 600
    context = browser.new_context(
        viewport={"width": width, "height": height},
        offline=True,
        has_touch=small,
        is_mobile=small,
        accept_downloads=True,
    )
    found = Opened(context.new_page())
    found.page.on(
        "request", lambda r: found.requests.append(r.url) if r.url != map_file.as_uri() else None
    )
    found.page.on("console", lambda m: found.errors.append(m.text) if m.type == "error" else None)
    found.page.on("pageerror", lambda e: found.errors.append(str(e)))
    found.page.goto(map_file.as_uri())
    found.run("() => placeshaping.ready")
    yield found
    assert found.errors == []
    assert [url for url in found.requests if not url.startswith(("data:", "blob:"))] == []
    context.close()
