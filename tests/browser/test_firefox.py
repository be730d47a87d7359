"""Firefox opens the page from disk too: its own screenshot shows the map."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from placeshaping.maps.palettes import SEQUENTIAL

pytestmark = pytest.mark.browser

FIREFOX = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
WIDTH = 1280
SECONDS = 120
DRAWN_AFTER = 12


class Slow(BaseHTTPRequestHandler):
    """Answers after a while: Firefox takes its picture only when everything has come."""

    def do_GET(self) -> None:
        time.sleep(DRAWN_AFTER)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def held_open(page: Path, folder: Path) -> Iterator[Path]:
    """Frame a page in one that is complete only when the map has had time to be drawn."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        frame = folder / "frame.html"
        frame.write_text(
            f'<body style="margin:0"><iframe src="{page.as_uri()}" style="border:0" '
            f'width="{WIDTH}" height="1200"></iframe>'
            f'<img src="http://127.0.0.1:{server.server_port}/" alt="">',
            encoding="utf-8",
        )
        yield frame
        server.shutdown()


def screenshot(page: Path, folder: Path) -> np.ndarray:
    """Return the pixels of the page, as Firefox without a window draws it, offline."""
    picture, profile = folder / "page.png", folder / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(
        'user_pref("network.proxy.type", 1);\n'
        'user_pref("network.proxy.http", "127.0.0.1");\n'
        'user_pref("network.proxy.http_port", 9);\n'  # nothing listens there
        'user_pref("network.proxy.ssl", "127.0.0.1");\n'
        'user_pref("network.proxy.ssl_port", 9);\n'
        'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
        'user_pref("browser.shell.checkDefaultBrowser", false);\n',
        encoding="utf-8",
    )
    ran = subprocess.run(
        [
            FIREFOX or "",
            "--headless",
            "--no-remote",
            "--profile",
            str(profile),
            f"--window-size={WIDTH},1000",
            "--screenshot",
            str(picture),
            page.as_uri(),
        ],
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert picture.is_file(), ran.stderr.decode(errors="replace")[-2_000:]
    with Image.open(picture) as taken:
        return np.asarray(taken.convert("RGB"), dtype=np.int64)


@pytest.mark.skipif(
    FIREFOX is None and not os.environ.get("CI"), reason="no Firefox: apt-get install firefox-esr"
)
def test_firefox_draws_the_map_from_disk(map_file: Path, tmp_path: Path) -> None:
    assert FIREFOX is not None, "no Firefox (in CI this test must run)"
    with held_open(map_file, tmp_path) as page:
        pixels = screenshot(page, tmp_path)
    coloured = np.zeros(pixels.shape[:2], dtype=bool)
    seen = 0
    for colour in SEQUENTIAL[4]:
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        of_class = (pixels == wanted).all(axis=2)
        seen += int(of_class.sum() > 1_000)
        coloured |= of_class
    rows, columns = np.nonzero(coloured[:1_200])
    assert seen == 4
    around = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    # The legend's swatches stand beside the map: about a third of what surrounds both is coloured.
    assert len(rows) / around > 0.15
    assert len(rows) > 100_000
