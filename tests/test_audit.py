"""Audits of real targets, through the command line as users run it."""

import csv
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copycost import Images
from copycost.audit import AuditResult, Folder, build_spec, compare, fewest_needed, read_audit
from copycost.audit._plan import make_plan
from copycost.audit._scenario import load_data
from copycost.errors import InvalidInput
from copycost.oracle import Ledger

HERE = Path(__file__).parent
SMALL = [
    *("--budget", "20,60", "--strategy", "random", "--strategy", "drmi starts=4", "--answers", "top1,probabilities"),
    *("--seeds", "2", "--schedule", "steps:60", "--transfer", "images=3 steps=4", "--uniform", "40", "--workers", "2"),
]
EMBEDDED = ["--pool", "embedded:pool", "--test", "embedded:test"]


refused: Callable[..., str] = runpy.run_path(str(Path(__file__).with_name("_cli.py")))["refused"]


def copycost(*arguments: str, cwd: Path = HERE) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(HERE), "COLUMNS": "200"}
    command = [sys.executable, "-m", "copycost", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=300)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AuditResult, str]:
    out = tmp_path_factory.mktemp("audit") / "out"
    done = copycost("audit", "_models:by_ink", *EMBEDDED, *SMALL, "--out", str(out))
    assert done.returncode == 0, done.stderr
    return out, read_audit(out), done.stdout


def test_an_audit_prints_its_plan_and_its_answer_and_leaves_a_page(audited: tuple[Path, AuditResult, str]) -> None:
    out, _, printed = audited
    assert "plan: 16 cells, 0 of them finished" in printed
    assert "640 queries charged to copy, 2,000 for the held-out inputs" in printed
    assert "90% agreement, random, top1:" in printed
    page = (out / "report.html").read_text()
    assert "<html" in page
    assert "_models:by_ink" in page


def test_every_cell_paid_its_budget_and_says_what_it_assumed(audited: tuple[Path, AuditResult, str]) -> None:
    _, result, _ = audited
    assert len(result.cells) == 16
    for cell in result.cells:
        assert cell["result"]["queries"]["charged"] == cell["spec"]["budget"]
        assert cell["run"]["sent"]["copy"] == cell["spec"]["budget"]
        assert cell["assumptions"]["labels_known"] is False
        assert cell["assumptions"]["architecture_known"] is None
        assert cell["assumptions"]["answers"] == cell["spec"]["answers"]


def test_the_summary_is_what_the_cells_say(audited: tuple[Path, AuditResult, str]) -> None:
    out, result, _ = audited
    curve = result.curve("agreement", "random", "top1")
    assert curve is not None
    by_hand = [
        [
            cell["result"]["measures"]["agreement"]
            for cell in result.cells
            if (cell["spec"]["strategy"], cell["spec"]["answers"], cell["spec"]["budget"]) == ("random", "top1", budget)
        ]
        for budget in (20, 60)
    ]
    assert [interval.mean for interval in curve.intervals] == pytest.approx([float(np.mean(row)) for row in by_hand])
    merged = json.loads((out / "records.json").read_text())
    assert merged["schema"] == "copycost.records/1"
    assert len(merged["cells"]) == 16
    assert not (out / "memo").exists()


def test_a_finished_audit_run_again_asks_nothing_but_the_fingerprint(audited: tuple[Path, AuditResult, str]) -> None:
    out, before, _ = audited
    done = copycost("audit", "_models:by_ink", *EMBEDDED, *SMALL, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "16 cells, 16 of them finished" in done.stdout
    assert [cell["result"] for cell in read_audit(out).cells] == [cell["result"] for cell in before.cells]


def test_another_spec_on_the_same_folder_is_refused_with_the_difference(audited: tuple[Path, AuditResult, str]) -> None:
    out, _, _ = audited
    error = refused("audit", "_models:by_ink", *EMBEDDED, *SMALL, "--uniform", "7", "--out", str(out))
    assert "uniform: 40 there, 7 asked for" in error
    error = refused("audit", "_models:by_ink", *EMBEDDED, *SMALL, "--seeds", "1", "--out", str(out))
    assert "seeds: 2 there, 1 asked for" in error
    assert "only seeds, budgets, strategies and answers may be added" in error


def test_an_audit_grows_by_seeds_and_budgets_and_keeps_its_cells(
    audited: tuple[Path, AuditResult, str], tmp_path: Path
) -> None:
    before, out = audited[1], tmp_path / "grown"
    shutil.copytree(audited[0], out)
    done = copycost(
        "audit", "_models:by_ink", *EMBEDDED, *SMALL, "--seeds", "3", "--budget", "20,40,60", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    assert "36 cells, 16 of them finished" in done.stdout
    after = read_audit(out)
    assert after.spec.seeds == 3
    assert after.spec.budgets == (20, 40, 60)
    kept = {cell["key"]: cell["result"] for cell in after.cells}
    assert len(kept) == 36
    assert all(kept[cell["key"]] == cell["result"] for cell in before.cells)
    assert "seeds: 3 there, 2 asked for" in refused("audit", "_models:by_ink", *EMBEDDED, *SMALL, "--out", str(out))


def test_growth_that_is_refused_leaves_the_audit_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fixed = ["audit", "_models:labels_by_ink", *EMBEDDED, "--budget", "20", "--strategy", "random", "--seeds", "1"]
    fixed += [
        "--classes",
        "10",
        "--schedule",
        "steps:20",
        "--transfer",
        "images=0",
        "--uniform",
        "0",
        "--out",
        str(out),
    ]
    assert copycost(*fixed).returncode == 0
    before = (out / "audit.json").read_text()
    for more in (["--strategy", "hcp"], ["--answers", "top1,probabilities"], ["--budget", "20,999999"]):
        refused(*fixed, *more)
        assert (out / "audit.json").read_text() == before
        assert copycost("report", str(out)).returncode == 0


def test_growth_that_came_to_nothing_is_no_trap(audited: tuple[Path, AuditResult, str], tmp_path: Path) -> None:
    out = tmp_path / "tried"
    shutil.copytree(audited[0], out)
    arguments = ["audit", "_models:by_ink", *EMBEDDED, *SMALL, "--out", str(out)]
    spec = json.loads((out / "audit.json").read_text())
    spec["spec"]["seeds"] = 5  # as a run leaves it that was stopped before any of its new cells was finished
    (out / "audit.json").write_text(json.dumps(spec))
    done = copycost(*arguments)
    assert done.returncode == 0, done.stderr
    assert "16 cells, 16 of them finished" in done.stdout
    assert read_audit(out).spec.seeds == 2


def test_a_target_that_changed_is_noticed_on_resume(audited: tuple[Path, AuditResult, str], tmp_path: Path) -> None:
    out, _, _ = audited
    copied = tmp_path / "copied"
    shutil.copytree(out, copied)
    models = (HERE / "_models.py").read_text()
    (tmp_path / "_models.py").write_text(models.replace("0.03, 0.3", "0.01, 0.1"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "copycost", "audit", "_models:by_ink", *EMBEDDED, *SMALL, "--out", str(copied)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300)
    assert done.returncode == 2
    assert "answers differently" in done.stderr


def test_the_report_is_made_again_from_the_records(audited: tuple[Path, AuditResult, str]) -> None:
    out, _, _ = audited
    before = (out / "report.html").read_text()
    (out / "report.html").unlink()
    done = copycost("report", str(out))
    assert done.returncode == 0, done.stderr
    assert (out / "report.html").read_text() == before


def test_a_configuration_file_gives_the_same_audit_and_flags_beat_it(tmp_path: Path) -> None:
    (tmp_path / "audit.yaml").write_text(
        "target: _models:labels_by_ink\npool: embedded:pool\ntest: embedded:test\nbudgets: [20]\nstrategies: [random]\n"
        "seeds: 9\nclasses: 10\nschedule: 'steps:20'\ntransfer: {images: 0}\nuniform: 0\n"
    )
    out = tmp_path / "out"
    done = copycost("audit", "--config", str(tmp_path / "audit.yaml"), "--seeds", "1", "--out", str(out))
    assert done.returncode == 0, done.stderr
    result = read_audit(out)
    assert result.spec.seeds == len(result.cells) == 1
    assert result.cells[0]["result"]["measures"]["transfer"] is None
    assert result.ceiling is None


def test_a_ceiling_that_is_left_out_trains_no_second_target_and_the_copies_are_the_same(tmp_path: Path) -> None:
    common = "lenet5@embedded:train --budget 30 --strategy random --seeds 1 --schedule steps:30 --transfer images=0"
    common += " --uniform 0"
    audits = []
    for name, more in (("with", []), ("without", ["--no-ceiling"])):
        out = tmp_path / name
        schedule = ["--target-schedule", "epochs:1 batch=32"]
        done = copycost("audit", *common.split(), *EMBEDDED, *schedule, *more, "--out", str(out))
        assert done.returncode == 0, done.stderr
        audits.append(read_audit(out))
        assert bool(list(out.glob("targets/*/ceiling.safetensors"))) is (name == "with")
    assert audits[0].ceiling is not None
    assert audits[1].ceiling is None
    assert audits[0].cells[0]["result"] == audits[1].cells[0]["result"]
    page = (tmp_path / "without" / "report.html").read_text()
    assert "which was left out here" in page
    assert "the ceiling, was not measured" in page


def test_a_target_trained_here_gets_a_ceiling_and_weights_that_can_be_audited_as_a_file(tmp_path: Path) -> None:
    one = tmp_path / "trained"
    common = [
        "--budget",
        "30",
        "--strategy",
        "random",
        "--seeds",
        "1",
        "--schedule",
        "steps:30",
        "--transfer",
        "images=0",
    ]
    trained = ["lenet5@embedded:train", *EMBEDDED, "--target-schedule", "epochs:2 batch=32", *common]
    done = copycost("audit", *trained, "--out", str(one))
    assert done.returncode == 0, done.stderr
    result = read_audit(one)
    assert result.ceiling is not None
    assert 0.3 < result.ceiling.mean <= 1
    assert result.cells[0]["assumptions"]["architecture_known"] is True
    assert result.cells[0]["assumptions"]["pool_overlaps_training"] is False
    weights = next(one.glob("targets/*/target.safetensors"))
    again = copycost(
        "audit", str(weights), "--target-arch", "lenet5", *EMBEDDED, *common, "--out", str(tmp_path / "file")
    )
    assert again.returncode == 0, again.stderr
    both = [
        folder["result"]["held_out_answers"] for folder in (result.targets[0], read_audit(tmp_path / "file").targets[0])
    ]
    assert both[0] == both[1]


def test_plan_alone_asks_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    done = copycost("audit", "--plan", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert "40 cells" in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["_models:missing", *EMBEDDED], "has no function 'missing'"),
        (["no_such_module:f", *EMBEDDED], "could not be imported"),
        (["_models:broken", *EMBEDDED, "--classes", "10"], "no model today"),
        (["_models:logits", *EMBEDDED], "softmax"),
        (["_models:at_random", *EMBEDDED], "answers differently"),
        (["_models:by_ink", *EMBEDDED, "--budget", "1501"], "exceeds the pool of 1500"),
        (["_models:by_ink", "--pool", "embedded:pool", "--test", "embedded:pool"], "share 1500 images"),
        (["_models:by_ink", "--pool", "embedded:pol", "--test", "embedded:test"], "no part 'pol'"),
        (["_models:by_ink", "--pool", "mnist5:train", "--test", "embedded:test"], "mnist"),
        (["_models:by_ink", "--pool", "embedded:pool"], "test is missing"),
        (["_models:labels_by_ink", *EMBEDDED, "--answers", "probabilities"], "labels alone"),
        (["_models:by_ink", *EMBEDDED, "--strategy", "drmi alhpa=1"], "did you mean 'alpha'"),
        (["_models:by_ink", *EMBEDDED, "--strategy", "random group=label", "--budget", "5"], "number of groups"),
        (["_models:by_ink", *EMBEDDED, "--substitute", "lenet"], "known are lenet5"),
        (["nowhere.safetensors", "--target-arch", "lenet5", *EMBEDDED], "there is no file"),
        (["_models:by_ink", *EMBEDDED, "--transfer", "images"], "name=value"),
    ],
)
def test_bad_input_is_a_sentence_before_anything_is_charged(tmp_path: Path, arguments: list[str], words: str) -> None:
    rest = ["--seeds", "1", "--schedule", "steps:5", "--transfer", "images=0", "--uniform", "0"]
    given: list[Any] = [
        option for option in rest if "--transfer" not in arguments or option not in ("--transfer", "images=0")
    ]
    error = refused("audit", *arguments, *given, "--out", str(tmp_path / "out"))
    assert words in error
    assert not list(tmp_path.glob("out/cells/*/record.json"))


def test_a_spec_that_failed_before_anything_was_asked_may_be_corrected_on_the_same_folder(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    rest = [*EMBEDDED, "--budget", "10", "--strategy", "random", "--seeds", "1", "--schedule", "steps:5"]
    rest += ["--transfer", "images=0", "--uniform", "0", "--out", out]
    assert "has no function 'by_inc'" in refused("audit", "_models:by_inc", *rest)
    done = copycost("audit", "_models:by_ink", *rest)
    assert done.returncode == 0, done.stderr
    assert "target: " in refused("audit", "_models:labels_by_ink", *rest)


def test_a_folder_with_other_files_or_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "holds other files (notes.txt)" in refused("audit", "--out", str(tmp_path))
    assert "cannot be written to" in refused("audit", "--out", str(tmp_path / "notes.txt" / "out"))
    assert "holds no audit" in refused("report", str(tmp_path))


def test_an_unfinished_audit_has_no_report(tmp_path: Path, audited: tuple[Path, AuditResult, str]) -> None:
    out, _, _ = audited
    copied = tmp_path / "copied"
    shutil.copytree(out, copied)
    next(copied.glob("cells/*/record.json")).unlink()
    assert "1 of 16 cells are missing" in refused("report", str(copied))
    damaged = next(copied.glob("cells/*/record.json"))
    damaged.write_text("{")
    assert "is damaged" in refused("report", str(copied))


def test_reading_a_folder_that_is_no_audit_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no audit"):
        read_audit(tmp_path)


def test_mean_and_deviation_belong_to_a_weights_file(tmp_path: Path) -> None:
    from copycost.networks import Classifier, build, save_weights
    from copycost.oracle.targets import NetworkTarget

    network = build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0))
    save_weights(network, tmp_path / "w.safetensors")
    images = Images(np.random.default_rng(0).integers(0, 256, (4, 28, 28, 1), dtype=np.uint8))
    target = NetworkTarget.load(tmp_path / "w.safetensors", "lenet5", (28, 28, 1), 10, mean=(0.13,), deviation=(0.31,))
    np.testing.assert_array_equal(
        target.reply(images), Classifier(network, mean=(0.13,), deviation=(0.31,)).probabilities(images)
    )
    plain = NetworkTarget.load(tmp_path / "w.safetensors", "lenet5", (28, 28, 1), 10)
    assert plain.fingerprint() != target.fingerprint()
    with pytest.raises(InvalidInput, match="one for each of 1 channels"):
        NetworkTarget.load(tmp_path / "w.safetensors", "lenet5", (28, 28, 1), 10, mean=(0.1, 0.2))
    arguments = ["_models:by_ink", *EMBEDDED, "--target-mean", "0.5", "--out", str(tmp_path / "out")]
    assert "are for safetensors targets" in refused("audit", *arguments)


def test_a_pipeline_fails_when_a_copy_is_too_cheap(audited: tuple[Path, AuditResult, str]) -> None:
    out, result, _ = audited
    again = ["audit", "_models:by_ink", *EMBEDDED, *SMALL, "--out", str(out)]
    reached = fewest_needed(result)
    done = copycost(*again, "--fail-under", "60")
    assert done.returncode == (0 if reached is None or (reached.needed.queries or 0) >= 60 else 1)
    assert "which cannot tell" in refused(*again, "--fail-under", "61")
    done = copycost(*again, "--fail-under", "1")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_json_is_all_that_is_printed_when_asked_for(audited: tuple[Path, AuditResult, str], tmp_path: Path) -> None:
    out, result, _ = audited
    again = ["audit", "_models:by_ink", *EMBEDDED, *SMALL, "--out", str(out)]
    done = copycost(*again, "--json", "--price", "0.5", "--rate", "2/s", "--log", str(tmp_path / "log"))
    document = json.loads(done.stdout)
    assert document["schema"] == "copycost.result/1"
    assert document["cost"] == {"price": 0.5, "rate": 7200.0}
    assert document["needed"] == json.loads(json.dumps(result.summary()["needed"]))
    assert "target of seed 0: ended" in (tmp_path / "log").read_text()
    assert "What those queries cost a copier" in (out / "report.html").read_text()
    quiet = copycost(*again, "--quiet")
    assert "plan:" not in quiet.stdout
    assert "report:" in quiet.stdout


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--price", "-1"], "price is -1"),
        (["--rate", "often"], "rate is 'often'"),
        (["--rate", "0/s"], "rate is '0/s'"),
        (["--log", "/dev/null/log"], "the log"),
    ],
)
def test_costs_and_logs_that_cannot_be_are_refused(tmp_path: Path, option: list[str], words: str) -> None:
    assert words in refused("audit", *option, "--seeds", "1", "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_an_audit_compared_with_itself_shows_no_difference(audited: tuple[Path, AuditResult, str]) -> None:
    out, result, _ = audited
    found = compare(result, result)
    assert found.paired
    assert found.differing == ()
    assert all(row.difference.mean == 0 and not row.supported for row in found.changes)
    printed = copycost("compare", str(out), str(out))
    assert "queries needed" in printed.stdout
    document = json.loads(copycost("compare", str(out), str(out), "--json").stdout)
    assert document["schema"] == "copycost.comparison/1"
    assert len(document["changes"]) == len(found.changes)


def test_audits_of_other_seeds_are_compared_as_groups(audited: tuple[Path, AuditResult, str]) -> None:
    _, result, _ = audited
    other = replace(result, spec=result.spec.model_copy(update={"seeds": 3}))
    found = compare(result, other)
    assert not found.paired
    assert found.differing == ("seeds",)
    none = replace(other, curves=())
    with pytest.raises(InvalidInput, match="nothing can be compared"):
        compare(result, none)


def test_everything_can_be_taken_to_other_tools(audited: tuple[Path, AuditResult, str], tmp_path: Path) -> None:
    out, result, _ = audited
    to = tmp_path / "tables"
    assert copycost("export", str(out), str(to)).returncode == 0
    with open(to / "cells.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["agreement"]) for row in rows] == [
        cell["result"]["measures"]["agreement"] for cell in result.cells
    ]
    with open(to / "chosen.csv", newline="") as file:
        chosen = [int(row["pool_index"]) for row in csv.DictReader(file) if row["key"] == rows[0]["key"]]
    assert chosen == result.cells[0]["result"]["chosen"]["pool_index"]
    assert all((to / row["substitute"]).stat().st_size > 1000 for row in rows)
    assert "not an empty folder" in refused("export", str(out), str(to))


def test_the_shell_can_complete_commands() -> None:
    environment = os.environ | {"_COPYCOST_COMPLETE": "complete_bash", "COMP_WORDS": "copycost au", "COMP_CWORD": "1"}
    code = "import sys; sys.argv = ['copycost']; from copycost.cli import app; app(prog_name='copycost')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["audit"]


def test_a_kind_of_answer_the_target_cannot_give_is_refused_after_the_probe_alone(tmp_path: Path) -> None:
    for answers, words in (("probabilities", "labels alone"), ("topk:99", "labels alone")):
        out = tmp_path / answers.partition(":")[0]
        error = refused(
            "audit", "_models:labels_by_ink", *EMBEDDED, "--answers", answers, "--seeds", "1", "--out", str(out)
        )
        assert words in error
        for path in out.glob("targets/*/ledger.sqlite"):
            with Ledger(path) as ledger:
                assert ledger.counts("held-out").charged == 0


def test_images_that_repeat_are_left_out_of_a_pool_so_that_every_query_counts(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "pool.npz", images=np.concatenate([values, values[:10]]))
    np.savez(tmp_path / "test.npz", images=np.random.default_rng(1).integers(0, 256, (20, 28, 28), dtype=np.uint8))
    where = ["--pool", str(tmp_path / "pool.npz"), "--test", str(tmp_path / "test.npz"), "--out", str(tmp_path / "out")]
    quick = [
        "--seeds",
        "1",
        "--schedule",
        "steps:5",
        "--transfer",
        "images=0",
        "--uniform",
        "0",
        "--strategy",
        "random",
    ]
    assert "exceeds the pool of 40" in refused("audit", "_models:by_ink", *where, *quick, "--budget", "41")
    done = copycost("audit", "_models:by_ink", *where, *quick, "--budget", "40")
    assert done.returncode == 0, done.stderr
    result = read_audit(tmp_path / "out")
    assert result.cells[0]["result"]["queries"]["charged"] == 40
    assert result.targets[0]["pool"]["notes"] == {"repeated images, left out": 10}


def test_a_stopped_audit_says_so_and_can_go_on(tmp_path: Path) -> None:
    arguments = [
        "audit",
        *EMBEDDED,
        "--seeds",
        "1",
        "--budget",
        "50",
        "--strategy",
        "random",
        "--out",
        str(tmp_path / "out"),
    ]
    # what a shell starts in the background does not hear Ctrl-C
    hears = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    runs = f"{hears}import runpy\nif __name__ == '__main__': runpy.run_module('copycost', run_name='__main__')"
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [sys.executable, "-c", runs, arguments[0], "lenet5@embedded:train", *arguments[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(2)
        os.killpg(process.pid, number)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Run the same command again to go on" in error
        assert "Traceback" not in error


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    limit = f"ulimit -f 400; exec {sys.executable} -m copycost audit --seeds 1 --out {tmp_path / 'out'}"
    done = subprocess.run(["bash", "-c", limit], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "cannot be" in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_refuses_a_folder_that_the_run_would_refuse(audited: tuple[Path, AuditResult, str]) -> None:
    out, _, _ = audited
    arguments = ["_models:by_ink", *EMBEDDED, *SMALL, "--seeds", "1", "--plan", "--out", str(out)]
    assert "seeds: 2 there, 1 asked for" in refused("audit", *arguments)


def test_cells_that_share_a_choice_do_not_start_side_by_side(tmp_path: Path) -> None:
    spec = build_spec(
        {
            "target": "mine:classify",
            "pool": "embedded:train",
            "test": "embedded:test",
            "strategies": ["random", "drmi", "coverage"],
            "answers": ["top1", "probabilities"],
            "budgets": [20, 60],
            "seeds": 2,
        }
    )
    plan = make_plan(spec, Folder(tmp_path), load_data(spec, 0, None), 2)
    cells = [task.cell for task in plan.tasks if task.cell is not None]
    assert len(cells) == 24
    choices = [(cell.seed, cell.budget, cell.strategy) for cell in cells]
    assert all(one != other for one, other in pairwise(choices))
    assert [cell.seed for cell in cells] == [0] * 12 + [1] * 12
