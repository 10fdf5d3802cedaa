"""An audit that is killed at any instant goes on from there, and finds the same to the bit."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

KILLS = 20
SPEC = """
target: lenet5@embedded:train
pool: embedded:pool
test: embedded:test
budgets: [45]
strategies: ["random", "drmi starts=4", "jbda", "hcp"]
answers: [top1, probabilities]
seeds: 1
schedule: "steps:40"
target_schedule: "epochs:1 batch=64"
transfer: {images: 4, steps: 5}
uniform: 50
"""


def _start(config: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "copycost", "audit", "--config", str(config), "--out", str(out), "--workers", "2"]
    with open(config.with_name("log"), "wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def _finish(process: subprocess.Popen[bytes], config: Path) -> None:
    assert process.wait(timeout=240) == 0, config.with_name("log").read_text()


def _results(out: Path) -> dict[str, Any]:
    records = sorted(out.glob("cells/*/record.json")) + sorted(out.glob("targets/*/record.json"))
    return {str(path.relative_to(out)): json.loads(path.read_text())["result"] for path in records}


def _check_accounts(out: Path) -> None:
    for path in sorted(out.glob("cells/*/record.json")):
        record = json.loads(path.read_text())
        with contextlib.closing(sqlite3.connect(path.with_name("ledger.sqlite"))) as base:
            charged, attempts, answered = base.execute(
                "SELECT count(*), sum(attempts), sum(state = 'answered') FROM queries WHERE account = 'copy'"
            ).fetchone()
        assert charged == answered == record["spec"]["budget"]
        assert attempts >= charged


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kill") / "audit.yaml"
    path.write_text(SPEC)
    return path


def test_an_audit_killed_at_twenty_instants_finds_the_same(config: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    whole = tmp_path / "whole"
    _finish(_start(config, whole), config)
    length = time.monotonic() - begun
    reference = _results(whole)
    assert len(reference) == 9

    rng = np.random.default_rng(20)
    kills, attempt = 0, 0
    while kills < KILLS:
        attempt += 1
        out = tmp_path / f"killed-{attempt}"
        while kills < KILLS:
            process = _start(config, out)
            try:
                process.wait(timeout=float(rng.uniform(0.2, 1.0)) * length)
                break
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
        _finish(_start(config, out), config)
        assert _results(out) == reference
        _check_accounts(out)
