"""Fixtures and settings shared by all tests."""

import os
from pathlib import Path

# Two workers of the test runner share the cores: threads inside each would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine must not fail a test, and a run must be repeatable.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("COPYCOST_SHARED_DATA", default))
    if not (folder / "load.py").exists():
        pytest.skip("the folder of real data sets is not on this machine (set COPYCOST_SHARED_DATA)")
    return folder
