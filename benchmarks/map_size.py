"""The page of a county beside a plain folium map of the same areas."""

from __future__ import annotations

import datetime as dt
import tempfile
import tomllib
from pathlib import Path

import folium

from benchmarks.harness import Result, beside
from placeshaping.maps.area_map import area_map
from placeshaping.project.gather import gather
from placeshaping.project.protect import protect_gathered
from placeshaping.project.recipe import make_recipe

RECIPE = Path(__file__).parents[1] / "tests" / "real" / "leicestershire.toml"


def run(data: Path) -> list[Result]:
    recipe = make_recipe(tomllib.loads(RECIPE.read_text(encoding="utf-8")))
    released = protect_gathered(recipe, gather(recipe, folder=data), made_on=dt.date(2026, 1, 31))
    table = released.tables["lsoa"]
    view = table.view(period=released.periods[0].label, category=released.categories[0].label)
    frame = table.areas[["area_name", "geometry"]].join(view["rate"]).to_crs(4326).reset_index()
    with tempfile.TemporaryDirectory() as folder:
        ours_path, theirs_path = Path(folder) / "ours.html", Path(folder) / "theirs.html"

        def ours() -> None:
            area_map(released).save(ours_path)

        def theirs() -> None:
            plain = folium.Map()
            folium.Choropleth(
                geo_data=frame.to_json(),
                data=frame,
                columns=["area_code", "rate"],
                key_on="feature.properties.area_code",
            ).add_to(plain)
            plain.save(theirs_path)

        taken = beside(ours, theirs, times=3)
        sizes = [path.stat().st_size / 1000 for path in (ours_path, theirs_path)]
    views = len(released.periods) * len(released.categories)
    return [
        Result(
            "map_size",
            f"page of {len(frame)} LSOAs, 3 levels, {views} views; the peer: one level, one view, "
            "and blank without a network",
            sizes[0],
            peer="folium.Choropleth",
            theirs=sizes[1],
            unit="KB",
            limit=600,
        ),
        Result(
            "map_export",
            "writing that page",
            taken[0],
            peer="folium.Choropleth, one view",
            theirs=taken[1],
        ),
    ]
