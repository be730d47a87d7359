"""A base map in the browser: one host is asked, and its absence spoils nothing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from placeshaping.disclosure.release import Release
from placeshaping.maps.area_map import area_map

pytestmark = pytest.mark.browser

HOST = "https://tiles.example.org/"
DRAWN = """() => {
  const canvas = document.querySelector('#map canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let n = 0;
  for (let k = 3; k < pixels.length; k += 4) { n += pixels[k] === 255; }
  return n;
}"""


def grey_tile() -> bytes:
    """Return a PNG of 256 x 256 grey pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * 256) * 256)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def based(released: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("based") / "map.html"
    area_map(released, basemap=HOST + "{z}/{x}/{y}.png").save(path)
    return path


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def opened(page: Any, path: Path) -> tuple[list[str], list[str]]:
    asked: list[str] = []
    thrown: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.goto(path.as_uri())
    page.evaluate("() => placeshaping.ready")
    page.wait_for_timeout(300)
    return [url for url in asked if not url.startswith(("file:", "data:", "blob:"))], thrown


def test_page_asks_the_one_host_and_lets_its_pictures_through(page: Any, based: Path) -> None:
    page.route("**/*.png", lambda route: route.fulfill(body=grey_tile(), content_type="image/png"))
    asked, thrown = opened(page, based)
    assert thrown == []
    assert asked
    assert all(url.startswith(HOST) for url in asked)
    page.wait_for_selector("#map.with-base")
    sheet = "getComputedStyle(document.querySelector('#map canvas').parentElement).opacity"
    assert float(page.evaluate(sheet)) < 1
    box = page.get_by_label("Base map. Base map: tiles.example.org.")
    box.uncheck()
    assert page.locator("#map.with-base").count() == 0
    assert float(page.evaluate(sheet)) == 1


def test_page_works_where_the_base_map_does_not_come(
    page: Any, based: Path, map_file: Path
) -> None:
    page.context.set_offline(True)
    _, thrown = opened(page, based)
    assert thrown == []
    assert page.locator("#map.with-base").count() == 0
    drawn = page.evaluate(DRAWN)
    opened(page, map_file)
    assert drawn == page.evaluate(DRAWN) > 50_000
