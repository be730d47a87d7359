"""Fixtures that every kind of test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real data; skip where there is none, fail where CI lacks it."""
    named = os.environ.get("PLACESHAPING_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if (folder / "README.md").is_file():
        return folder
    reason = "no real data: set PLACESHAPING_DATA, or put it in ../shared/data"
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (in CI these tests must run)")
    pytest.skip(reason)
