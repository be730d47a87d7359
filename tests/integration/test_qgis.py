"""The layer file in real QGIS: it opens, styled, and draws what the release says."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geopackage import write_layers
from placeshaping.layers.views import layer_of
from placeshaping.maps.classes import assign_class, class_edges
from placeshaping.maps.palettes import CLUSTERS, HIDDEN_FILL, sequential

PYTHON = os.environ.get("QGIS_PYTHON", "/usr/bin/python3")
DAY = dt.date(2026, 1, 31)
WINDOW = 4

SCRIPT = """
import json, os, sys
from qgis.core import QgsApplication, QgsMapSettings, QgsMapRendererSequentialJob, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

def symbols(renderer):
    if renderer.type() == "graduatedSymbol":
        return [[r.label(), r.symbol().color().name()] for r in renderer.ranges()]
    return [[c.label(), c.symbol().color().name()] for c in renderer.categories()]

def pictured(layer, path, window):
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setOutputSize(QSize(800, 800))
    settings.setBackgroundColor(QColor("white"))
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(path)
    turn = settings.mapToPixel()
    seen = {}
    for feature in layer.getFeatures():
        at = turn.transform(feature.geometry().pointOnSurface().asPoint())
        x, y = int(at.x()), int(at.y())
        near = range(-window, window + 1)
        seen[feature["area_code"]] = sorted(
            {image.pixelColor(x + i, y + j).name() for i in near for j in near})
    return seen

app = QgsApplication([], False)
app.initQgis()
source, folder, window, names = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
told = {}
for name in names:
    layer = QgsVectorLayer(source + "|layername=" + name, name, "ogr")
    number, ids, styles, about, error = layer.listStylesInDatabase()
    said = {"valid": layer.isValid(), "features": layer.featureCount(),
            "crs": layer.crs().authid(), "renderer": layer.renderer().type(),
            "symbols": symbols(layer.renderer()), "styles": styles[:number],
            "tip": layer.mapTipTemplate(),
            "pixels": pictured(layer, folder + "/" + name + ".png", window)}
    if "Hot spots" in styles[:number]:
        xml, error = layer.getStyleFromDatabase(ids[styles.index("Hot spots")])
        from qgis.PyQt.QtXml import QDomDocument
        document = QDomDocument()
        document.setContent(xml)
        layer.importNamedStyle(document)
        said["hot"] = {"renderer": layer.renderer().type(), "symbols": symbols(layer.renderer()),
                       "pixels": pictured(layer, folder + "/" + name + "-hot.png", window)}
    told[name] = said
print(json.dumps(told), flush=True)
os._exit(0)  # Python may drop layers after the application that they belong to
"""


def ask_qgis(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(folder)}
    known.pop("PYTHONPATH", None)
    return subprocess.run(
        [PYTHON, *arguments], env=known, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def made(make_study: Callable[..., Study]) -> Release:
    return release(make_study(mean=0.5), policy="councillor", title="Crime in Marsh", made_on=DAY)


@pytest.fixture(scope="module")
def seen(made: Release, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("a folder, é")
    if not Path(PYTHON).is_file() or ask_qgis(folder, "-c", "import qgis.core").returncode:
        pytest.skip("QGIS is not installed: apt install python3-qgis, or set QGIS_PYTHON")
    source = write_layers(made, folder / "layers.gpkg")
    script = folder / "look.py"
    script.write_text(SCRIPT, encoding="utf-8")
    asked = ask_qgis(folder, str(script), str(source), str(folder), str(WINDOW), *made.levels)
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout.strip().splitlines()[-1])


def test_qgis_opens_every_level(seen: dict[str, Any], made: Release) -> None:
    assert list(seen) == list(made.levels)
    for level, told in seen.items():
        assert told["valid"]
        assert told["crs"] == "EPSG:27700"
        assert told["features"] == len(made.tables[level].areas)


def test_qgis_takes_the_default_style(seen: dict[str, Any], made: Release) -> None:
    for level, told in seen.items():
        rates = layer_of(made, level=level)["rate"].dropna()
        edges = class_edges(rates)
        assert told["renderer"] == "graduatedSymbol"
        labels = [label for label, _ in told["symbols"]]
        assert len(labels) == len(edges) - 1 + 2
        assert labels[-2:] == ["Hidden", "No data"]
        assert labels[-3] == f"0 to under {edges[1]:g}"
        assert [c for _, c in told["symbols"]][:-2] == list(reversed(sequential(len(edges) - 1)))
        assert "Rate" in told["styles"]
        assert "area_name" in told["tip"]


def test_qgis_draws_every_area_in_the_colour_of_its_class(
    seen: dict[str, Any], made: Release
) -> None:
    layer = layer_of(made, level="lsoa").set_index("area_code")
    values = layer["rate"].to_numpy(float, na_value=np.nan)
    edges = class_edges(values)
    colours = sequential(len(edges) - 1)
    for code, place in zip(layer.index, assign_class(values, edges), strict=True):
        if layer.loc[code, "status"] == "shown":
            assert seen["lsoa"]["pixels"][code] == [colours[place]]


def test_qgis_hatches_what_is_hidden(seen: dict[str, Any], made: Release) -> None:
    layer = layer_of(made, level="lsoa").set_index("area_code")
    hidden = layer.index[layer["status"] == "hidden"]
    assert len(hidden)
    for code in hidden:
        drawn = seen["lsoa"]["pixels"][code]
        assert HIDDEN_FILL in drawn
        assert len(drawn) > 1


def test_qgis_offers_hot_spots_as_a_second_style(seen: dict[str, Any], made: Release) -> None:
    told = seen["lsoa"]["hot"]
    assert told["renderer"] == "categorizedSymbol"
    labels = [label for label, _ in told["symbols"]]
    assert labels == [*(style.label for style in CLUSTERS.values()), "Hidden", "Not worked out"]
    layer = layer_of(made, level="lsoa").set_index("area_code")
    for code, cluster in layer["cluster"].dropna().items():
        assert told["pixels"][code] == [CLUSTERS[cluster].colour]
    hidden = layer.index[layer["status"] == "hidden"]
    assert all(HIDDEN_FILL in told["pixels"][c] and len(told["pixels"][c]) > 1 for c in hidden)
