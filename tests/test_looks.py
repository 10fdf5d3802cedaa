"""Looks inside a target: what it says of the whole pool is asked once, through its oracle, for all cells."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copycost import Images
from copycost._types import AnyArray
from copycost.audit import AuditResult, Folder, build_spec, read_audit, run_audit
from copycost.audit._choices import check_choices
from copycost.audit._scenario import load_data
from copycost.audit._tasks import looks_up
from copycost.errors import InvalidInput, TargetError
from copycost.extraction import Cell, Scenario, Shares, check_looks, pool_probabilities, run_cell
from copycost.extraction._inside import Inside
from copycost.inputs import Inputs
from copycost.networks import Classifier, activation_traces, build
from copycost.oracle import AnswerKind, Ledger
from copycost.oracle.targets import FunctionTarget, NetworkTarget
from copycost.report import write_page
from copycost.strategies import Memo, parse
from copycost.substitutes import Schedule
from copycost.transfer import TransferPlan

POOL, TEST = 300, 40
MODEL = """
from pathlib import Path

import numpy as np


def classify(images):
    with open(Path(__file__).with_name("seen"), "a") as file:
        print(len(images), file=file)
    ink = images.reshape(len(images), -1).mean(axis=1) / 255
    rows = np.exp(-40 * np.abs(ink[:, None] - np.array([0.4, 0.5, 0.6])))
    return rows / rows.sum(axis=1, keepdims=True)


def labels(images):
    return classify(images).argmax(axis=1)
"""


def quiet(what: str, share: float) -> None:
    pass


def images_of(count: int, seed: int) -> Images:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 28, 28, 1)) * rng.uniform(0.6, 1.0, (count, 1, 1, 1))
    return Images(pixels.astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model_under_test.py").write_text(MODEL)
    for name, count, seed in (("pool", POOL, 0), ("test", TEST, 1)):
        np.savez(tmp_path / f"{name}.npz", images=images_of(count, seed).array, labels=np.arange(count) % 3)
    return tmp_path


def audit(folder: Path, strategies: Sequence[str], *more: str, function: str = "classify") -> Any:
    named = [word for text in strategies for word in ("--strategy", text)]
    fixed = "--pool pool.npz --test test.npz --budget 12 --schedule steps:3 --uniform 0 --transfer images=0 --out out"
    command = [sys.executable, "-m", "copycost", "audit", f"model_under_test:{function}", *fixed.split(), *named, *more]
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=300)


def seen(folder: Path) -> int:
    return sum(int(line) for line in (folder / "seen").read_text().split())


def counts(folder: Path, account: str) -> tuple[int, int]:
    (path,) = folder.glob("out/targets/*/ledger.sqlite")
    with Ledger(path) as ledger:
        found = ledger.counts(account)
    return found.charged, found.sent


def test_a_function_is_asked_about_the_pool_once_for_all_cells_and_every_resume(folder: Path) -> None:
    insiders = ["hcp", "k-means", "lcp group=label"]
    done = audit(folder, insiders, "--seeds", "2", "--price", "1", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert f"{POOL} to look up what the target says of the pool, once for each target" in done.stdout
    assert f"queries and {POOL} looks inside: " in done.stdout
    assert counts(folder, "insider") == (POOL, POOL)
    result = read_audit(folder / "out")
    assert result.targets[0]["run"]["counts"]["insider"]["charged"] == POOL
    assert [cell["result"]["queries"]["insider_looks"] for cell in result.cells] == [POOL] * 6
    assert all(cell["result"]["queries"]["charged"] == 12 for cell in result.cells)
    sent = sum(cell["run"]["sent"]["copy"] for cell in result.cells)
    assert seen(folder) == sent + POOL + sum(counts(folder, name)[1] for name in ("held-out", "fingerprint", "probe"))
    assert "looks at what the target says of the whole pool" in (folder / "out/report.html").read_text()
    assert not list(folder.glob("out/**/insider.npy"))

    before, fingerprints = seen(folder), counts(folder, "fingerprint")[1]
    next(folder.glob("out/cells/*/record.json")).unlink()
    assert audit(folder, insiders, "--seeds", "2").returncode == 0
    assert counts(folder, "insider") == (POOL, POOL)
    assert seen(folder) - before == counts(folder, "fingerprint")[1] - fingerprints
    again = read_audit(folder / "out")
    assert [cell["result"] for cell in again.cells] == [cell["result"] for cell in result.cells]
    # the page counts what was sent since, too: all that the function saw
    assert counts(folder, "fingerprint")[1] == 10
    noted = again.targets[0]["run"]["counts"]
    cells = sum(cell["run"]["sent"]["copy"] for cell in again.cells)
    assert sum(one["sent"] for one in noted.values()) + cells == seen(folder)
    assert "sent first, to see what the target returns" in (folder / "out/report.html").read_text()


def test_an_audit_that_grows_by_an_insider_looks_then_and_notes_it(folder: Path) -> None:
    done = audit(folder, ["random"], "--seeds", "1")
    assert done.returncode == 0, done.stderr
    assert "to look up" not in done.stdout
    assert counts(folder, "insider") == (0, 0)
    done = audit(folder, ["random", "mixture"], "--seeds", "1")
    assert done.returncode == 0, done.stderr
    assert counts(folder, "insider") == (POOL, POOL)
    assert read_audit(folder / "out").targets[0]["run"]["counts"]["insider"]["sent"] == POOL

    # finished cells of an earlier version, which charged no looks, are not looked for again
    (path,) = folder.glob("out/targets/*/ledger.sqlite")
    with Ledger(path) as ledger:
        ledger._base.execute("DELETE FROM queries WHERE account = 'insider'")
    assert audit(folder, ["random", "mixture"], "--seeds", "1").returncode == 0
    assert counts(folder, "insider") == (0, 0)


def test_probabilities_that_a_function_does_not_give_are_refused_after_the_probe_alone(folder: Path) -> None:
    done = audit(folder, ["hcp"], "--seeds", "1", "--classes", "3", function="labels")
    assert done.returncode == 2
    assert "'hcp' needs the target's own probabilities, and model_under_test:labels gives labels alone" in done.stderr
    assert counts(folder, "held-out") == counts(folder, "insider") == (0, 0)
    assert seen(folder) == 5


@pytest.mark.parametrize(
    ("target", "strategy", "words"),
    [
        ("model_under_test:classify", "trace", "is no network over images held here"),
        ("model_under_test:classify", "random + trace layers=last", "is no network over images held here"),
        ("network.onnx", "trace", "is no network over images held here"),
        ("labels", "trace", "is no network over images held here"),
        ("labels", "hcp", "needs the target's own probabilities, and labels gives labels alone"),
        ("labels", "k-means pca=0.95", "needs the target's own probabilities, and labels gives labels alone"),
        ("labels", "jbda", "makes inputs of its own"),
        ("labels", "prada", "makes inputs of its own"),
        ("labels", "noise", "makes inputs of its own"),
    ],
)
def test_what_no_target_of_a_form_can_do_is_refused_by_the_plan(
    folder: Path, target: str, strategy: str, words: str
) -> None:
    spec = build_spec(named(folder, target=target, strategies=[strategy]))
    with pytest.raises(InvalidInput, match=words):
        check_choices(spec, load_data(spec, 0, None), (0,))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"answers": ["probabilities"]}, "gives labels alone; use --answers top1"),
        ({"pool": "unlabelled.npz"}, "pool and test must both carry them"),
    ],
)
def test_a_plan_refuses_what_known_labels_cannot_answer(folder: Path, changed: dict[str, Any], words: str) -> None:
    np.savez(folder / "unlabelled.npz", images=images_of(POOL, 0).array)
    changed = {name: str(folder / value) if name == "pool" else value for name, value in changed.items()}
    spec = build_spec(named(folder, target="labels", **changed))
    with pytest.raises(InvalidInput, match=words):
        check_choices(spec, load_data(spec, 0, None), (0,))


def named(folder: Path, **settings: Any) -> dict[str, Any]:
    fixed = {"pool": str(folder / "pool.npz"), "test": str(folder / "test.npz"), "budgets": [20], "answers": ["top1"]}
    return fixed | {"strategies": ["random"], "rounds": 2, "seed_share": 0.3} | settings


def test_either_half_of_a_combination_may_need_a_look_that_is_refused() -> None:
    target = FunctionTarget(lambda images: np.zeros(len(images), np.int64), None, classes=3, name="f",
                            gives_probabilities=False)  # fmt: skip
    for text in ("random + k-means", "hcp + random"):
        with pytest.raises(InvalidInput, match="needs the target's own probabilities, and f gives labels alone"):
            check_looks(parse(text), target, images_of(3, 0))
    check_looks(parse("random + uncertainty"), target, images_of(3, 0))


def network_target(kind: type[NetworkTarget] = NetworkTarget) -> NetworkTarget:
    classifier = Classifier(build("lenet5", (28, 28, 1), 3, rng=np.random.default_rng(0)))
    return kind(classifier, (28, 28, 1), 3, name="lenet5")


class Breaking(NetworkTarget):
    """A target that fails once it was asked so many inputs."""

    left = 300

    def reply(self, inputs: Inputs) -> AnyArray:
        if len(inputs) > self.left:
            raise RuntimeError("the line is dead")
        self.left -= len(inputs)
        return super().reply(inputs)


def test_what_is_seen_equals_the_targets_reply_to_the_bit_also_after_an_interruption(tmp_path: Path) -> None:
    pool, target = images_of(1100, 2), network_target()
    with Ledger(tmp_path / "whole") as ledger:
        rows = pool_probabilities(target, pool, ledger, quiet)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, target.reply(pool))
    with Ledger(tmp_path / "broken") as ledger:
        with pytest.raises(TargetError, match=r"raised RuntimeError: the line is dead.* stay paid for"):
            pool_probabilities(network_target(Breaking), pool, ledger, quiet)
        np.testing.assert_array_equal(pool_probabilities(target, pool, ledger, quiet), rows)
        assert ledger.counts("insider").charged == 1100
        assert ledger.counts("insider").sent == 1100 + 256


def test_what_a_target_says_of_the_pool_is_checked(tmp_path: Path) -> None:
    def odd(images: AnyArray) -> AnyArray:
        return np.full((len(images), 3), 0.5)

    target = FunctionTarget(odd, None, classes=3, name="odd", gives_probabilities=True)
    with Ledger(tmp_path / "ledger") as ledger, pytest.raises(TargetError, match=r"sum to 1\.5"):
        pool_probabilities(target, images_of(10, 0), ledger, quiet)


def test_a_cell_alone_looks_on_its_own_ledger_and_finds_what_it_would_have_been_given(tmp_path: Path) -> None:
    import dataclasses

    pool, test, target = images_of(POOL, 0), images_of(TEST, 1), network_target()
    names = ("a", "b", "c")
    alone = Scenario(target, pool, np.arange(POOL) % 3, test, None, target.reply(test).argmax(axis=1), names)
    given = dataclasses.replace(alone, target_probabilities=target.reply(pool))
    results, charged = [], []
    for name, scenario in (("alone", alone), ("given", given)):
        cell = Cell(
            *(parse("lcp"), AnswerKind.parse("top1"), 10, 0, "lenet5", Schedule("steps", 3)),
            transfer=TransferPlan(images=0),
            uniform=0,
            shares=Shares(),
        )
        with Ledger(tmp_path / name) as ledger:
            results.append(run_cell(cell, scenario, ledger).result)
            charged.append(ledger.counts("insider").charged)
    assert results[0] == results[1]
    assert charged == [POOL, 0]


def test_neurons_of_a_network_trained_here_are_looks_and_no_queries(folder: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(folder)
    values: dict[str, Any] = {"target": "lenet5@pool.npz", "pool": "pool.npz", "test": "test.npz", "seeds": 1}
    values |= {"strategies": ["trace starts=1", "hcp"], "budgets": [6], "schedule": "steps:3", "uniform": 0}
    values |= {"transfer": {"images": 0}, "target_schedule": "steps:5", "ceiling": False}
    result = run_audit(build_spec(values), folder / "out")
    assert [cell["result"]["queries"]["insider_looks"] for cell in result.cells] == [POOL, POOL]
    assert counts(folder, "insider") == (POOL, POOL)
    assert [looks_up(text) for text in result.spec.strategies] == [False, True]
    assert [result.looks(text) for text in result.spec.strategies] == [0, POOL]
    check_page(result, folder / "out")


def check_page(result: AuditResult, out: Path) -> None:
    write_page(result, out)
    page = (out / "report.html").read_text()
    assert "which no budget pays for" in page
    assert Folder(out).spec_file.exists()


def test_traces_that_take_too_much_are_refused_before_anything_is_charged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, test = images_of(20, 0), images_of(5, 1)
    scenario = Scenario(network_target(), pool, None, test, None, np.zeros(5, np.int64), ("a", "b", "c"))
    cell = Cell(parse("random + trace"), AnswerKind.parse("top1"), 5, 0, "lenet5", Schedule("steps", 3))
    monkeypatch.setattr("copycost.networks._traces.TRACES_LIMIT", 20 * 814)
    check_looks(cell.strategy, scenario.target, pool)
    monkeypatch.setattr("copycost.networks._traces.TRACES_LIMIT", 20 * 814 - 1)
    words = (
        r"traces of 6508 neurons for 20 inputs .* those of 19 inputs. Take a smaller pool, or leave strategy 'random \+"
    )
    with Ledger(tmp_path / "ledger") as ledger:
        with pytest.raises(InvalidInput, match=words):
            run_cell(cell, scenario, ledger)
        assert ledger.counts("copy").charged == 0
    check_looks(parse("random"), scenario.target, pool)


def test_traces_of_a_target_trained_here_that_take_too_much_are_refused_before_it_is_trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("copycost.networks._traces.TRACES_LIMIT", POOL * 814 - 1)
    values: dict[str, Any] = {"target": "lenet5@pool.npz", "pool": "pool.npz", "test": "test.npz", "seeds": 1}
    values |= {"strategies": ["random", "trace starts=1"], "budgets": [6], "schedule": "steps:3"}
    with pytest.raises(
        InvalidInput, match=f"traces of 6508 neurons for {POOL} inputs .* leave strategy 'trace starts=1'"
    ):
        run_audit(build_spec(values), folder / "out")
    assert not (folder / "out/targets").exists()


def test_traces_that_an_earlier_version_has_kept_are_made_anew(tmp_path: Path) -> None:
    pool, memo = images_of(8, 0), Memo(tmp_path / "memo")
    target = NetworkTarget(network_target().classifier, (28, 28, 1), 3, name="lenet5", fingerprint="known")
    memo.array(("target_traces/1", "known", pool.digest()), lambda: np.zeros((8, 814), np.uint8))
    found = Inside(target, pool, memo, lambda: np.zeros((8, 3))).find(frozenset({"target_traces"}))
    np.testing.assert_array_equal(found["target_traces"], activation_traces(target.classifier, pool))


def test_a_network_without_neurons_to_see_is_refused_before_anything_is_charged(tmp_path: Path) -> None:
    import torch

    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 3))
    target = NetworkTarget(Classifier(network), (28, 28, 1), 3, name="linear")
    pool, test = images_of(20, 0), images_of(5, 1)
    scenario = Scenario(target, pool, None, test, None, np.zeros(5, np.int64), ("a", "b", "c"))
    cell = Cell(parse("trace"), AnswerKind.parse("top1"), 5, 0, "lenet5", Schedule("steps", 3))
    with Ledger(tmp_path / "ledger") as ledger:
        with pytest.raises(InvalidInput, match="no ReLU layer"):
            run_cell(cell, scenario, ledger)
        assert ledger.counts("copy").charged == 0
