"""The benchmark's page and record, from small records; and one row that is quick enough to run here."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"
MACHINE: dict[str, Any] = {
    "processor": "a processor",
    "cores": 3,
    "system": "a system",
    "python": "3.0",
    "packages": {"numpy": "9.9"},
}


def tool(name: str) -> Any:
    if str(TOOLS) not in sys.path:
        sys.path.insert(0, str(TOOLS))
    return importlib.import_module(name)


@pytest.fixture
def bench() -> Any:
    return tool("bench")


def found(seconds: float, count: float = 1, **more: Any) -> dict[str, Any]:
    return {"seconds": seconds, "count": count, "runs": 1, "memory": 5 << 20, **more}


def record(rows: dict[str, Any]) -> dict[str, Any]:
    return {"schema": "copycost.bench/1", "machine": MACHINE, "rows": rows}


def lines_of(page: str, group: str) -> list[str]:
    return page.partition(f"## {group}\n")[2].partition("\n## ")[0].splitlines()


def test_every_row_has_a_key_of_its_own_and_a_group_that_is_explained(bench: Any) -> None:
    rows = tool("bench_rows")
    assert len(rows.ROWS) == len(rows._LIST)
    assert {row.group for row in rows.ROWS.values()} == set(rows.GROUPS)
    for key, row in rows.ROWS.items():
        assert key == row.key


def test_ratios_are_of_the_time_of_one_unit_to_the_first_row_of_the_group(bench: Any) -> None:
    group = "Mutual information of pairs of digits"
    rows = {
        f"{group}: copycost": found(2.0, 1000),
        f"{group}: scikit-learn mutual_info_score": found(6.0, 10),
        f"{group}: NumPy histogram2d": found(0.001, 1),
    }
    page = bench.page(record(rows))
    lines = [line for line in lines_of(page, group) if line.startswith("| ")]
    assert lines[2:] == [
        "| copycost | 2 ms a pair | 1 | 5 |",
        "| scikit-learn mutual_info_score | 600 ms a pair | 300 | 5 |",
        "| NumPy histogram2d | 1 ms a pair | 0.5 | 5 |",
    ]
    assert "Machine: a processor, 3 cores, a system; Python 3.0, numpy 9.9." in page


def test_a_group_of_which_nothing_was_measured_is_not_on_the_page(bench: Any) -> None:
    page = bench.page(record({"Coverage: copycost coverage": found(1.0, objective=2.0)}))
    assert [line for line in page.splitlines() if line.startswith("## ")] == ["## Coverage"]


def test_objectives_have_a_column_where_a_row_has_one(bench: Any) -> None:
    large = "All 60,000 images of MNIST"
    rows = {
        "Coverage: copycost coverage": found(1.0, objective=1234.5678),
        "DeepFool: copycost deepfool": found(1.0, 4),
        f"{large}: drmi choosing 600, 8 starts, on demand": found(1.0, objective=2.5),
        f"{large}: Chunked store of all pairs": found(3.0),
    }
    page = bench.page(record(rows))
    assert "| copycost coverage | 1 s | 1 | 5 | 1234.57 |" in lines_of(page, "Coverage")
    assert "objective" not in "".join(line for line in lines_of(page, "DeepFool") if line.startswith("|"))
    table = [line for line in lines_of(page, large) if line.startswith("|")]
    assert table[0] == "|  | time | ratio | memory (MiB) | objective |"
    assert table[-1] == "| Chunked store of all pairs | 3 s | 3 | 5 |  |"


def test_rows_that_were_left_out_are_named_with_their_reason_and_not_in_the_table(bench: Any) -> None:
    group, reason = "Lightest subset", "apricot is not installed"
    rows = {
        f"{group}: copycost tabu": found(1.0, objective=1.0),
        f"{group}: apricot SumRedundancySelection": {"missing": reason},
    }
    told = lines_of(bench.page(record(rows)), group)
    assert f"Left out: apricot SumRedundancySelection ({reason})." in told
    assert not any(line.startswith("| apricot") for line in told)
    # The first row of the group was not measured, so there is nothing that a ratio could be to.
    assert "| copycost tabu | 1 s |  | 5 | 1 |" in told


def test_a_group_whose_rows_were_all_left_out_gives_each_reason_once(bench: Any) -> None:
    group = "Mutual information of pairs of colour images"
    names = ("copycost", "scikit-learn mutual_info_score", "NumPy histogram2d")
    rows = {f"{group}: {name}": {"missing": "no data"} for name in names}
    assert f"Left out: {', '.join(names)} (no data)." in lines_of(bench.page(record(rows)), group)


@pytest.mark.parametrize(
    ("seconds", "words"), [(90.0, "90 s"), (0.5, "500 ms"), (2e-5, "20 µs"), (4.7e-8, "47 ns"), (1e-10, "1e-10 s")]
)
def test_times_have_a_unit_that_suits_them(seconds: float, words: str, bench: Any) -> None:
    row = tool("bench_rows").ROWS["Coverage: copycost coverage"]
    assert bench.each(row, found(seconds)) == words


def test_the_page_in_the_documentation_is_that_of_the_record(bench: Any) -> None:
    assert bench.PAGE.read_text() == bench.page(json.loads(bench.RECORD.read_text()))


@pytest.mark.parametrize("same", [True, False])
def test_rows_of_another_machine_are_not_mixed_with_new_ones(
    same: bool, bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = "DeepFool: copycost deepfool", "Coverage: copycost coverage"
    place = tmp_path / "records.json"
    before = record({old: found(1.0)})
    before["machine"] = MACHINE if same else MACHINE | {"cores": 64}
    place.write_text(json.dumps(before))
    monkeypatch.setattr(bench, "RECORD", place)
    measured = {"prepare": MACHINE, new: found(2.0, objective=3.0)}
    monkeypatch.setattr(bench, "started", lambda key, threads, scratch: measured[key])
    bench.measure(large=False, only="copycost coverage", scratch=tmp_path)
    written = json.loads(place.read_text())
    assert written["machine"] == MACHINE
    assert set(written["rows"]) == ({old, new} if same else {new})


def test_a_machine_that_cannot_be_prepared_ends_the_run_and_keeps_the_record(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "records.json"
    place.write_text(json.dumps(record({"DeepFool: copycost deepfool": found(1.0)})))
    before = place.read_text()
    monkeypatch.setattr(bench, "RECORD", place)
    monkeypatch.setattr(bench, "started", lambda key, threads, scratch: {"missing": "it ended with status 1"})
    with pytest.raises(SystemExit, match="the inputs could not be prepared"):
        bench.measure(large=False, only="copycost coverage", scratch=tmp_path)
    assert place.read_text() == before


def test_a_quick_row_runs_in_a_process_of_its_own(bench: Any, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 5, (64, 6, 6), dtype=np.uint8)
    np.save(tmp_path / "digits.npy", images)
    got = bench.started("Mutual information of pairs of digits: copycost", 1, tmp_path)
    assert got["count"] == 64 * 65 / 2
    assert got["seconds"] > 0
    assert 10 << 20 < got["memory"] < 4 << 30


def test_programs_and_data_that_are_not_there_are_named(bench: Any, tmp_path: Path) -> None:
    rows = tool("bench_rows")

    def without(scratch: Path) -> Any:
        raise ModuleNotFoundError("No module named 'apricot'", name="apricot")

    rows.ROWS["a: b"] = rows.Row("a", "b", "", without)
    try:
        assert rows.run("a: b", tmp_path) == {"missing": "apricot is not installed"}
    finally:
        del rows.ROWS["a: b"]
    colours = rows.run("Mutual information of pairs of colour images: copycost", tmp_path)
    assert colours == {"missing": "the data set is not in the folder that COPYCOST_DATA names"}


def test_another_program_that_disagrees_is_an_error(tmp_path: Path) -> None:
    measures = tool("bench_measures")
    images = np.random.default_rng(0).integers(0, 5, (measures.SHARED, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "digits.npy", images)
    np.save(tmp_path / "digits-matrix.npy", np.zeros((len(images),) * 2, np.float32))
    with pytest.raises(ValueError, match="the values differ by"):
        measures.each_pair("digits", measures.histogram2d)(tmp_path)


def test_objectives_are_those_of_a_plain_sum() -> None:
    measures = tool("bench_measures")
    whole = np.random.default_rng(0).random((9, 9))
    whole += whole.T
    chosen = np.array([4, 1, 7])
    assert measures.covered(whole, chosen) == pytest.approx(sum(max(whole[c, v] for c in chosen) for v in range(9)))
    assert measures.weight(whole, chosen) == pytest.approx(whole[4, 1] + whole[4, 7] + whole[1, 7])
