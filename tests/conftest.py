"""Fixtures and settings shared by all tests."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Two workers of the test runner share the cores: threads inside each would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A loaded machine must not fail a test, and a run must be repeatable.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A real Chromium."""
    from playwright.sync_api import sync_playwright  # slow to import, and most files need no browser

    found = shutil.which("chromium")
    if found is None:
        pytest.skip("there is no chromium on this machine; `make test` installs it")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=SWITCHES)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("COPYCOST_SHARED_DATA", default))
    if not (folder / "load.py").exists():
        pytest.skip("the folder of real data sets is not on this machine (set COPYCOST_SHARED_DATA)")
    return folder
