"""Write docs/results.md, and the figures of the README, from the records under results/.

``python tools/make_results.py`` writes; ``--check`` ends with status 1 if what is there is not what the records say.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Results

Made by `python tools/make_results.py` from the records under `results/`; nothing on this page was typed by hand.
Figures are means over seeds with 95 % Student intervals; shares in percent. Transfer rates are among the examples that
fooled the substitute.
"""
MEASURES = (
    ("agreement", "agreement"),
    ("accuracy", "accuracy"),
    ("transfer_wanted", "target says the wanted class"),
    ("transfer_left_clean", "target leaves its clean label"),
    ("transfer_off_diagonal", "not the true label"),
    ("ru_agreement", "agreement on uniform inputs"),
    ("test_loss", "test loss (nats)"),
)


def page(results: Path) -> str:
    """Return the page of all results."""
    audits = {path.parent.name: json.loads(path.read_text()) for path in sorted(results.glob("*/records.json"))}
    parts = [section(name, records) for name, records in audits.items() if "cells" in records]
    return "\n".join([HEAD, *parts])


def section(name: str, records: dict[str, Any]) -> str:
    """Return the part of the page about one audit."""
    run, spec = records["run"], records["spec"]
    machine = run["machine"]
    packages = ", ".join(f"{key} {value}" for key, value in machine["packages"].items())
    lines = [
        f"## {name}",
        "",
        f"    {run['command']}",
        "",
        f"{len(records['cells'])} cells, {spec['seeds']} seeds, {run['seconds'] / 60:.1f} minutes "
        f"with {run['workers']} workers on "
        f"{machine['cores']} cores ({machine['processor']}); Python {machine['python']}, {packages}.",
        "",
    ]
    accuracy = [target["result"]["accuracy"] for target in records["targets"]]
    if spec["target"] != "labels" and None not in accuracy:
        lines += [
            f"Accuracy of the target: {_percent(sum(accuracy) / len(accuracy))} (lowest {_percent(min(accuracy))}).",
            "",
        ]
    ceiling = records["summary"]["ceiling"]
    if ceiling:
        lines += [f"Ceiling (agreement of two independently trained targets): {_cell(ceiling)}.", ""]
    return "\n".join([*lines, *table(records), "", *differences(records), ""])


def table(records: dict[str, Any]) -> list[str]:
    """Return a Markdown table: a row for each strategy, kind of answer and budget."""
    curves = records["summary"]["curves"]
    shown = [(name, words) for name, words in MEASURES if any(curve["measure"] == name for curve in curves)]
    rows = {
        (curve["strategy"], curve["answers"], budget, curve["measure"]): interval
        for curve in curves
        for budget, interval in zip(curve["budgets"], curve["intervals"], strict=True)
    }
    lines = ["| strategy | answers | queries | " + " | ".join(words for _, words in shown) + " |"]
    lines.append("| --- | --- | ---: |" + " ---: |" * len(shown))
    for strategy in records["spec"]["strategies"]:
        for answers in records["spec"]["answers"]:
            for budget in records["spec"]["budgets"]:
                cells = [_cell(rows[strategy, answers, budget, name], name == "test_loss") for name, _ in shown]
                lines.append(f"| {strategy} | {answers} | {budget} | " + " | ".join(cells) + " |")
    return lines


def differences(records: dict[str, Any]) -> list[str]:
    """Return a sentence for each measure about where a paired difference to random is supported."""
    found = [row for row in records["summary"]["differences"] if row["measure"] in ("agreement", "transfer_wanted")]
    lines = [
        "| paired difference | measure | answers | queries | points | supported |",
        "| --- | --- | --- | ---: | ---: | --- |",
    ]
    for row in found:
        verdict = "no" if not row["supported"] else "better" if row["interval"]["mean"] > 0 else "worse"
        lines.append(
            f"| {row['strategy']} less {row['against']} | {row['measure'].replace('_', ': ')} | {row['answers']} | "
            f"{row['budget']} | "
            f"{_cell(row['interval'])} | {verdict} |"
        )
    return lines if found else []


def readme_block(name: str, records: dict[str, Any]) -> str:
    """Return the README's table of agreement for one audit."""
    curves = {(c["strategy"], c["answers"]): c for c in records["summary"]["curves"] if c["measure"] == "agreement"}
    budgets = records["spec"]["budgets"]
    lines = ["| strategy | answers | " + " | ".join(f"{budget} queries" for budget in budgets) + " |"]
    lines.append("| --- | --- |" + " ---: |" * len(budgets))
    for (strategy, answers), curve in curves.items():
        lines.append(
            f"| {strategy} | {answers} | " + " | ".join(_cell(interval) for interval in curve["intervals"]) + " |"
        )
    return "\n".join([f"<!-- results: {name} -->", *lines, "<!-- end -->"])


def readme(text: str, results: Path) -> str:
    """Return the README with its marked tables made anew."""

    def block(match: re.Match[str]) -> str:
        name = match[1]
        return readme_block(name, json.loads((results / name / "records.json").read_text()))

    return re.sub(r"<!-- results: ([\w-]+) -->.*?<!-- end -->", block, text, flags=re.DOTALL)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _cell(interval: dict[str, Any], plain: bool = False) -> str:
    show = (lambda value: f"{value:.2f}") if plain else _percent
    if interval["low"] is None:
        return show(interval["mean"])
    return f"{show(interval['mean'])} ({show(interval['low'])} to {show(interval['high'])})"


def main() -> int:
    """Write the pages, or with ``--check`` compare them."""
    results = ROOT / "results"
    wanted = {
        ROOT / "docs" / "results.md": page(results),
        ROOT / "README.md": readme((ROOT / "README.md").read_text(), results),
    }
    if "--check" in sys.argv[1:]:
        stale = [path.name for path, text in wanted.items() if not path.exists() or path.read_text() != text]
        print(f"out of date: {', '.join(stale)}" if stale else "the pages are what the records say")
        return 1 if stale else 0
    for path, text in wanted.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
