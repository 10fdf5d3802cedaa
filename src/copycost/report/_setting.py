"""Under which conditions the figures hold: assumptions, accounts, machine, spec."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import yaml

from copycost.audit import AuditSpec
from copycost.report._copier import answer_words, looks
from copycost.report._figures import Figures, Series
from copycost.report._tables import Cell, Table
from copycost.report._text import count, joined, plural, seconds

__all__ = ["accounts_table", "assumptions", "attack_words", "command", "machines", "spec_yaml"]


_NONE = {"charged": 0, "sent": 0}  # of an account that older records do not know


def _three(true: str, false: str, unknown: str) -> Callable[[Any], str]:
    return lambda value: {True: true, False: false}.get(value, unknown)


_Told = tuple[str, Callable[[Any], str]]  # a title, and a value in words; images stand for whatever is asked

_ASSUMPTIONS: dict[str, _Told] = {
    "answers": ("Answers", lambda value: f"For each query the copier receives {answer_words(str(value))}."),
    "labels_known": (
        "Labels of the pool",
        _three(
            "The copier knows the true labels of its pool and chooses by them.",
            "The copier knows no labels.",
            "Not recorded.",
        ),
    ),
    "unlabelled_pool_used": (
        "Unasked images",
        _three(
            "Images that were not asked also train the copy.",
            "The copy is trained on answered queries alone.",
            "Not recorded.",
        ),
    ),
    "pretrained_features": (
        "Pretrained features",
        _three(
            "The copy starts from features learned elsewhere.", "The copy starts from random weights.", "Not recorded."
        ),
    ),
    "architecture_known": (
        "Architecture",
        _three(
            "The copy has the target’s own architecture.",
            "The copy has another architecture than the target.",
            "The target’s architecture is not known here, so nor is whether the copy shares it.",
        ),
    ),
    "pool_overlaps_training": (
        "Training data in the pool",
        _three(
            "The pool holds images that the target was trained on.",
            "The pool holds no image that the target was trained on.",
            "Whether the pool holds images that the target was trained on is not known.",
        ),
    ),
    "insider_looks": (
        "Inside knowledge",
        lambda value: (
            f"The strategy looked at what a copier cannot see {plural(int(value), 'time')}, which no budget pays for."
            if value
            else "Strategies saw nothing of the target but its answers."
        ),
    ),
}


def assumptions(figures: Figures) -> list[tuple[str, list[str]]]:
    """Return each assumption in words; where cells differ, one line for each value with what it holds for."""
    keys = list(dict.fromkeys(key for cell in figures.result.cells for key in cell["assumptions"]))
    told = [(_title(key, figures), _lines(figures, key)) for key in keys]
    told.append(("What strategies look at", _grouped({series: [looks(series.strategy)] for series in figures.series})))
    return told


def _of_medium(words: str, figures: Figures) -> str:
    return words.replace("image", figures.medium)


def _title(key: str, figures: Figures) -> str:
    return _of_medium(_ASSUMPTIONS[key][0], figures) if key in _ASSUMPTIONS else key.replace("_", " ").capitalize()


def _lines(figures: Figures, key: str) -> list[str]:
    return _grouped(
        {series: [_words(key, value, figures) for value in _values(figures, series, key)] for series in figures.series}
    )


def _grouped(by_series: dict[Series, list[str]]) -> list[str]:
    """Return one line if all series agree, else one for each value, with the strategies or answers it holds for."""
    if len({words for found in by_series.values() for words in found}) == 1:
        return next(iter(by_series.values()))
    for name in (_strategy, _answers, _name):
        holders: dict[str, list[str]] = {}
        for series, found in by_series.items():
            for words in found:
                holders.setdefault(words, []).append(name(series))
        names = [one for group in holders.values() for one in dict.fromkeys(group)]
        if len(names) == len(set(names)):
            break
    return [f"{joined(list(dict.fromkeys(group)))}: {words}" for words, group in holders.items()]


def _strategy(series: Series) -> str:
    return series.strategy


def _answers(series: Series) -> str:
    return series.answers


def _name(series: Series) -> str:
    return series.name


def _values(figures: Figures, series: Series, key: str) -> list[Any]:
    found = [cell["assumptions"].get(key) for budget in figures.spec.budgets for cell in figures.cells(series, budget)]
    return list(dict.fromkeys(found))


def _words(key: str, value: Any, figures: Figures) -> str:
    return _of_medium(_ASSUMPTIONS[key][1](value), figures) if key in _ASSUMPTIONS else f"{value}."


def attack_words(plan: dict[str, Any]) -> str:
    """Return how adversarial examples were made."""
    name = {"pgd": "PGD", "fgsm": "FGSM", "deepfool": "DeepFool"}.get(plan["attack"], plan["attack"])
    parts = [f"{name}, {'targeted at each other class' if plan['targeted'] else 'untargeted'}"]
    if plan["attack"] != "deepfool":
        norm = plan["norm"] if plan["attack"] == "pgd" else "linf"
        parts.append(
            f"epsilon {_epsilon(plan['epsilon'])} in the {'L2' if norm == 'l2' else 'L-infinity'} norm on pixels "
            "from 0 to 1"
        )
    if plan["attack"] != "fgsm":
        parts.append(plural(plan["steps"], "step"))
    parts.append(f"{plural(plan['images'], 'seed image')} a copy")
    return "; ".join(parts)


def _epsilon(epsilon: float) -> str:
    bytes_ = round(epsilon * 255)
    return f"{bytes_}/255" if abs(bytes_ / 255 - epsilon) < 1e-12 and bytes_ else f"{epsilon:g}"


def accounts_table(figures: Figures) -> Table:
    """Every query of the audit: what was charged, and what was sent to the target."""
    cells, targets = figures.result.cells, figures.result.targets
    counts = [target["run"]["counts"] for target in targets]
    accounts = [
        ("held-out", f"held-out {figures.nouns}, to measure agreement"),
        ("fingerprint", "checks that the target answers the same"),
    ]
    if any("probe" in one for one in counts):
        accounts.insert(0, ("probe", f"{figures.nouns} sent first, to see what the target returns"))
    if any(figures.result.looks(strategy) for strategy in figures.result.spec.strategies):
        accounts.append(("insider", "looks at what the target says of the whole pool, for the strategies given them"))
    rows = [
        (
            "copying, all cells",
            sum(cell["result"]["queries"]["charged"] for cell in cells),
            sum(cell["run"]["sent"]["copy"] for cell in cells),
        ),
        *(
            (words, *(sum(one.get(name, _NONE)[kind] for one in counts) for kind in ("charged", "sent")))
            for name, words in accounts
        ),
        (
            f"measuring {'transferability and ' if figures.medium == 'image' else ''}uniform agreement",
            sum(cell["result"]["measuring_charged"] for cell in cells),
            sum(cell["run"]["sent"]["measuring"] for cell in cells),
        ),
    ]
    body = tuple((Cell(words), Cell(count(charged)), Cell(count(sent))) for words, charged, sent in rows)
    return Table(
        "Queries of the whole audit; only copying counts against a budget", ("account", "charged", "sent"), body
    )


def machines(figures: Figures) -> list[str]:
    """Return on what the audit ran, each machine once, and for how long."""
    result = figures.result
    runs = [record["run"] for record in (*result.targets, *result.cells)]
    found = list(dict.fromkeys(_machine(run["machine"]) for run in runs))
    length = sum(run["seconds"] for run in (target["run"] for target in result.targets))
    length += sum(cell["run"]["total_seconds"] for cell in result.cells)
    seeds = plural(figures.spec.seeds, "seed")
    numbers = "0" if figures.spec.seeds == 1 else f"0 to {figures.spec.seeds - 1}"
    return [
        *found,
        f"{plural(len(result.cells), 'cell')}, {seeds} ({numbers}), {seconds(length)} of computing on one thread each",
    ]


def _machine(facts: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    cores = plural(facts["cores"], "core") if facts["cores"] else "cores not known"
    device = facts.get("device", "cpu")
    hardware = f"{facts['processor']}, {cores}, {facts['system']}" + ("" if device == "cpu" else f", {device}")
    return f"copycost {facts['copycost']}, Python {facts['python']}, {packages}; {hardware}"


def spec_yaml(spec: AuditSpec) -> str:
    """Return the spec as a configuration file."""
    text: str = yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, default_flow_style=None, width=100)
    return text


_FLAG_NAMES = {"budgets": "budget", "strategies": "strategy"}


_FOR_IMAGES = {"transform", "skip_bad", "compared", "target_mean", "target_deviation", "target_scale", "transfer"}


def command(spec: AuditSpec, medium: str = "image") -> str:
    """Return the command that runs the audit again, every setting spelled out, quoted for a POSIX shell."""
    flags: list[str] = []
    hidden = _FOR_IMAGES if medium == "text" else set()
    for name, value in spec.model_dump(mode="json", exclude=hidden).items():
        flag = "--" + _FLAG_NAMES.get(name, name).replace("_", "-")
        repeated = value if name == "strategies" else [value]
        if isinstance(value, bool):
            usual = AuditSpec.model_fields[name].default
            flags += [] if value == usual else [flag if value else flag.replace("--", "--no-", 1)]
        elif name != "target" and value is not None:
            flags += [f"{flag}={shlex.quote(_argument(one))}" for one in repeated]
    return " \\\n  ".join(["copycost audit", *flags, "--out audit-again", f"-- {shlex.quote(spec.target)}"])


def _argument(value: object) -> str:
    """Return a setting as a command line takes it: lists with commas, groups of settings as name=value."""
    if isinstance(value, dict):
        return " ".join(f"{key}={_argument(one)}" for key, one in value.items() if one is not None)
    if isinstance(value, list):
        return ",".join(_argument(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
