"""Measure this project beside others on the same input, print ratios, and write the record and its page.

``make bench``, or ``python tools/bench.py``: every row runs in a process of its own, so that its peak memory is its
own. ``--large`` runs the rows over all 60,000 MNIST images instead (half an hour, 15 GB of disk under ``--scratch``);
``--page`` only makes docs/benchmarks.md from the record. Rows run later are added to the record, unless it is from
another machine. Others that are not installed are left out, and the page says so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "results" / "bench" / "records.json"
PAGE = ROOT / "docs" / "benchmarks.md"
SCHEMA = "copycost.bench/1"
sys.path.insert(0, str(ROOT / "tools"))

import bench_rows  # noqa: E402


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="the rows over all 60,000 MNIST images")
    parser.add_argument("--only", help="rows whose key contains this")
    parser.add_argument("--page", action="store_true", help="make the page from the record, and run nothing")
    parser.add_argument("--scratch", type=Path, help="folder for a store of 15 GB; else a temporary one")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.row:
        print(json.dumps(bench_rows.run(given.row, Path(os.environ["COPYCOST_BENCH_SCRATCH"]))))
        return 0
    if not given.page:
        measure(given.large, given.only, given.scratch)
    PAGE.write_text(page(json.loads(RECORD.read_text())))
    return 0


def measure(large: bool, only: str | None, scratch: Path | None) -> None:
    """Run rows one after the other, and write the record after each, so that what is done is kept."""
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        machine = started("prepare", 0, Path(folder))
        if "missing" in machine:
            sys.exit(f"the inputs could not be prepared ({machine['missing']}); the record is as it was")
        record: dict[str, Any] = {"schema": SCHEMA, "machine": machine, "rows": {}}
        if RECORD.exists():
            before = json.loads(RECORD.read_text())
            record["rows"] = before["rows"] if before["machine"] == record["machine"] else {}
        for row in bench_rows.ROWS.values():
            if row.large == large and (only is None or only in row.key):
                record["rows"][row.key] = found = started(row.key, row.threads, Path(folder))
                print(line(row, found, record["rows"]), flush=True)
                RECORD.write_text(json.dumps(record, indent=1) + "\n")


def started(key: str, threads: int, scratch: Path) -> dict[str, Any]:
    """Run one row in a process of its own, on the threads it is to have.

    The peak that a process reports begins with that of its parent, so this one imports nothing large.
    """
    names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    limits = dict.fromkeys(names, str(threads or os.cpu_count() or 1))
    environment = os.environ | limits | {"COPYCOST_BENCH_SCRATCH": str(scratch)}
    done = subprocess.run([sys.executable, __file__, "--row", key], stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode != 0:
        return {"missing": f"it ended with status {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def ratio(row: bench_rows.Row, rows: dict[str, dict[str, Any]]) -> str:
    """Return how long a row takes for one unit, as a multiple of the first row of its group."""
    base = next(other for other in bench_rows.ROWS.values() if other.group == row.group)
    own, first = rows.get(row.key, {}), rows.get(base.key, {})
    if "seconds" not in own or "seconds" not in first:
        return ""
    times = (own["seconds"] / own["count"]) / (first["seconds"] / first["count"])
    return "1" if row is base else f"{times:,.0f}" if times >= 100 else f"{times:.2g}"


def line(row: bench_rows.Row, found: dict[str, Any], rows: dict[str, dict[str, Any]]) -> str:
    """Return a row for a terminal."""
    if "missing" in found:
        return f"{row.group}: {row.name}: left out ({found['missing']})"
    parts = [f"{row.group}: {row.name}", each(row, found), f"x {ratio(row, rows)}", f"{memory(found)} MiB"]
    return "; ".join([*parts, *objective(found)])


def each(row: bench_rows.Row, found: dict[str, Any]) -> str:
    """Return the time of one unit with a unit of time that suits it."""
    seconds = found["seconds"] / found["count"]
    for size, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")):
        if seconds >= size:
            return f"{seconds / size:.3g} {name} {row.unit}".rstrip()
    return f"{seconds:.2g} s {row.unit}".rstrip()


def memory(found: dict[str, Any]) -> str:
    """Return the peak memory of a row's process in MiB."""
    return f"{found['memory'] / 2**20:,.0f}"


def objective(found: dict[str, Any]) -> list[str]:
    """Return the objective that a row reached, if it has one."""
    return [f"{found['objective']:.6g}"] if "objective" in found else []


HEAD = """# Benchmarks

Made by `python tools/bench.py --page` from `results/bench/records.json`; nothing on this page was typed by hand.
`make bench` measures everything anew in one run. Times are of one unit of work after a first call that compiles;
ratios are to the first row of each table, below 1 where the other is faster. Memory is the peak of a process that
does nothing else, its libraries included.
"""


def page(record: dict[str, Any]) -> str:
    """Return docs/benchmarks.md."""
    found = record["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    parts = [
        HEAD,
        f"Machine: {found['processor']}, {found['cores']} cores, {found['system']}; Python {found['python']}, "
        f"{packages}.",
        "",
    ]
    for group, words in bench_rows.GROUPS.items():
        rows = [row for row in bench_rows.ROWS.values() if row.group == group and row.key in record["rows"]]
        if rows:
            parts += [f"## {group}", "", words, "", *table(rows, record["rows"]), ""]
    return "\n".join(parts)


def table(rows: list[bench_rows.Row], found: dict[str, dict[str, Any]]) -> list[str]:
    """Return a Markdown table of one group, and a line for each reason why rows were left out."""
    there = [row for row in rows if "missing" not in found[row.key]]
    left_out: dict[str, list[str]] = {}
    for row in rows:
        if row not in there:
            left_out.setdefault(found[row.key]["missing"], []).append(row.name)
    reasons = [f"Left out: {', '.join(names)} ({reason})." for reason, names in left_out.items()]
    if not there:
        return reasons
    valued = any("objective" in found[row.key] for row in there)
    head = ["", "time", "ratio", "memory (MiB)", *(["objective"] if valued else [])]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for row in there:
        own = found[row.key]
        cells = [row.name, each(row, own), ratio(row, found), memory(own)]
        cells += (objective(own) or [""]) if valued else []
        lines.append("| " + " | ".join(cells) + " |")
    return lines + ([""] if reasons else []) + reasons


if __name__ == "__main__":
    sys.exit(main())
