"""Audits taken to other tools, and two audits side by side in a terminal."""

import csv
import io
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from copycost._console import comparison_document, print_comparison
from copycost.audit import AuditResult, compare
from copycost.audit._export import export

build: Callable[..., AuditResult] = runpy.run_path(str(Path(__file__).with_name("_reports.py")))["build"]

ACTIVE = ["random", "dfal + k-center rho=1000"]


def _exported(result: AuditResult, tmp_path: Path, name: str) -> list[dict[str, str]]:
    audit = tmp_path / "audit"
    for cell in result.cells:
        (audit / "cells" / cell["key"]).mkdir(parents=True)
        (audit / "cells" / cell["key"] / "substitute.safetensors").write_bytes(b"weights")
    export(result, audit, tmp_path / "out")
    with open(tmp_path / "out" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _active(**options: object) -> AuditResult:
    return build(**{"strategies": ACTIVE, "budgets": [100, 200], "rounds": 4, "rounds_gain": 0.02} | options)


def test_every_round_is_a_row(tmp_path: Path) -> None:
    result = _active(validation_share=0.2, schedule="early-stopping:50")
    rows = _exported(result, tmp_path, "rounds.csv")
    expected = [
        (cell["spec"]["strategy"], str(cell["spec"]["seed"]), str(number), str(found["asked"]), str(found["charged"]))
        for cell in result.cells
        for number, found in enumerate(cell["result"]["rounds"])
    ]
    assert [tuple(row[name] for name in ("strategy", "seed", "round", "asked", "charged")) for row in rows] == expected
    assert len(rows) == 3 * 2 * (1 + 5)
    agreement = [found["measures"]["agreement"] for cell in result.cells for found in cell["result"]["rounds"]]
    assert [float(row["agreement"]) for row in rows] == agreement
    assert {row["answers"] for row in rows} == {"top1"}


def test_queries_that_validate_are_told_from_those_that_train(tmp_path: Path) -> None:
    result = _active(validation_share=0.2, schedule="early-stopping:50")
    rows = _exported(result, tmp_path, "chosen.csv")
    first = [row for row in rows if row["key"] == result.cells[0]["key"]]
    budget = result.cells[0]["spec"]["budget"]
    assert [row["use"] for row in first] == ["train"] * budget + ["validate"] * (budget // 5)


@pytest.mark.parametrize("labelled", [True, False])
def test_records_without_rounds_labels_or_robustness_leave_cells_empty(tmp_path: Path, labelled: bool) -> None:
    result = build(seeds=1, labelled=labelled)
    assert _exported(result, tmp_path, "rounds.csv") == []
    with open(tmp_path / "out" / "cells.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["robustness"] for row in rows} == {""}
    assert ({row["accuracy"] for row in rows} == {""}) != labelled


def test_robustness_is_a_column_of_the_cells(tmp_path: Path) -> None:
    result = _active(rho=lambda strategy, budget, seed: None if seed == 2 else 0.1 + seed, robustness=20)
    rows = _exported(result, tmp_path, "cells.csv")
    expected = {"0": "0.1", "1": "1.1", "2": ""}
    assert all(row["robustness"] == expected[row["seed"]] for row in rows)


def _printed(width: int) -> str:
    first = build(strategies=ACTIVE, budgets=[150, 6_000], answers=["top1", "probabilities"])
    second = build(
        strategies=ACTIVE, budgets=[150, 6_000], answers=["top1", "probabilities"], agreement=lambda *cell: 0.8
    )
    written = io.StringIO()
    print_comparison(compare(first, second), Console(file=written, width=width, highlight=False))
    return written.getvalue()


def test_a_comparison_fits_80_columns_without_breaking_a_figure() -> None:
    narrow = [line.rstrip() for line in _printed(80).splitlines()]
    assert max(map(len, narrow)) <= 80
    assert narrow == [line.rstrip() for line in _printed(200).splitlines()]
    assert "dfal + k-center rho=1000, probabilities" in narrow
    assert sum(line.startswith("agreement ") for line in narrow) == 8


def test_a_comparison_prints_means_with_half_their_interval_and_a_verdict() -> None:
    first = build(strategies=["random"], budgets=[100], transfer=None, labelled=False)
    second = build(
        strategies=["random"],
        budgets=[100],
        transfer=None,
        labelled=False,
        agreement=lambda strategy, answers, budget, seed: 0.7 + 0.01 * seed,
    )
    found = compare(first, second)
    written = io.StringIO()
    print_comparison(found, Console(file=written, width=80, highlight=False))
    row = next(line for line in written.getvalue().splitlines() if line.startswith("agreement"))
    cells = [part for part in row.split("  ") if part]
    change = found.changes[0]
    assert change.first.high is not None
    assert cells[2].strip() == f"{100 * change.first.mean:.1f} ± {100 * (change.first.high - change.first.mean):.1f}"
    assert cells[-1].strip() == "lower"
    assert comparison_document(found)["changes"][0]["measure"] == "agreement"


def test_audits_of_different_rounds_are_compared_and_the_setting_is_named() -> None:
    found = compare(_active(), _active(rounds=2))
    assert found.differing == ("rounds",)
    assert found.paired


def test_robustness_is_compared_where_both_audits_measured_it() -> None:
    asked = _active(rho=lambda strategy, budget, seed: 0.1 + 0.01 * seed, robustness=20)
    other = _active(rho=lambda strategy, budget, seed: 0.2 + 0.01 * seed, robustness=20)
    found = [row for row in compare(asked, other).changes if row.measure == "robustness"]
    assert len(found) == 4
    assert all(row.supported and row.difference.mean == pytest.approx(0.1) for row in found)
    assert not [row for row in compare(asked, _active()).changes if row.measure == "robustness"]
