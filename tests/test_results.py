"""The pages of results say what the records say."""

import json
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AUDITS = sorted(path.parent.name for path in (ROOT / "results").glob("*/records.json") if '"cells"' in path.read_text())


def test_the_pages_are_what_the_records_say() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "make_results.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", AUDITS)
def test_every_record_tells_how_it_was_made_and_from_where_nothing_private_shows(name: str) -> None:
    text = (ROOT / "results" / name / "records.json").read_text()
    records = json.loads(text)
    assert records["run"]["command"].startswith("copycost audit ")
    assert records["run"]["machine"]["packages"]["torch"]
    assert len(records["cells"]) == records["spec"]["seeds"] * len(records["spec"]["budgets"]) * len(
        records["spec"]["strategies"]
    ) * len(records["spec"]["answers"])
    assert not any(word.startswith("/") for word in shlex.split(records["run"]["command"]))
    assert not any(word in text for word in ("/home/", "/root/", "/tmp/", "site-packages"))


def test_grouped_drmi_reaches_what_a_trial_reached_on_mnist() -> None:
    records = json.loads((ROOT / "results" / "mnist-labels" / "records.json").read_text())
    curve = next(
        curve
        for curve in records["summary"]["curves"]
        if curve["measure"] == "accuracy" and curve["strategy"] == "drmi alpha=4 group=label"
    )
    means = dict(zip(curve["budgets"], [interval["mean"] for interval in curve["intervals"]], strict=True))
    assert means[600] >= 0.954
    assert means[300] >= 0.935
    assert means[150] >= 0.895


@pytest.mark.parametrize("scale", ["small", "paper"])
def test_the_pages_of_the_reproduction_are_made_from_its_records(scale: str) -> None:
    keep = runpy.run_path(str(ROOT / "tools" / "keep_reproduction.py"))
    folder = ROOT / "results" / "reproduction"
    if not (folder / scale).is_dir():
        pytest.skip(f"nothing was kept at the scale {scale} yet")
    there = {path.name: path.read_text(encoding="utf-8") for path in (folder / scale).glob("*.md")}
    assert there == keep["pages"](folder, scale)


def test_a_page_tells_what_has_no_value_from_what_is_not_measured() -> None:
    page = (ROOT / "results" / "reproduction" / "small" / "thesis-table9.md").read_text(encoding="utf-8")
    assert "37 of them have no value, as a share of no example has none." in page  # no example fooled these copies
    assert "| no value |" in page
    assert "not yet measured" not in page
