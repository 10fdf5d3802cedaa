"""Under which conditions the figures hold: assumptions, threat model, accounts, machine, spec."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from copycost.audit import AuditSpec
from copycost.report._figures import Figures, Series
from copycost.report._tables import Cell, Table
from copycost.report._text import count, joined, plural, seconds

__all__ = ["accounts_table", "assumptions", "attack_words", "command", "machines", "spec_yaml", "threat_model"]


def answer_words(answers: str) -> str:
    """Return a kind of answer in words."""
    name, _, amount = answers.partition(":")
    return {
        "top1": "the label alone",
        "probabilities": "the probabilities of all classes",
        "topk": f"the {amount} largest probabilities",
        "rounded": f"the probabilities of all classes, rounded to {plural(int(amount or 0), 'decimal')}",
    }[name]


def _three(true: str, false: str, unknown: str) -> Callable[[Any], str]:
    return lambda value: {True: true, False: false}.get(value, unknown)


_ASSUMPTIONS: dict[str, tuple[str, Callable[[Any], str]]] = {
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
            f"The strategy looked at what a copier cannot see {plural(int(value), 'time')}, uncharged."
            if value
            else "Strategies saw nothing of the target but its answers."
        ),
    ),
}


def assumptions(figures: Figures) -> list[tuple[str, list[str]]]:
    """Return each assumption in words; where cells differ, one line for each value with what it holds for."""
    keys = list(dict.fromkeys(key for cell in figures.result.cells for key in cell["assumptions"]))
    return [(_title(key), _lines(figures, key)) for key in keys]


def _title(key: str) -> str:
    return _ASSUMPTIONS[key][0] if key in _ASSUMPTIONS else key.replace("_", " ").capitalize()


def _lines(figures: Figures, key: str) -> list[str]:
    """Return one line if all cells agree, else one for each value, with the strategies or answers it holds for."""
    by_series = {series: [_words(key, value) for value in _values(figures, series, key)] for series in figures.series}
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


def _words(key: str, value: Any) -> str:
    return _ASSUMPTIONS[key][1](value) if key in _ASSUMPTIONS else f"{value}."


def threat_model(figures: Figures) -> list[str]:
    """Return who is assumed to copy, what they can do, and what counts as success."""
    spec, target = figures.spec, figures.result.targets[0]
    pool, test = target["pool"], target["test"]
    kinds = joined([answer_words(answers) for answers in spec.answers])
    changed = _changed(spec, pool, test)
    return [
        f"The copier reaches the target only through its predictions: it sends an image and receives {kinds}. Each "
        "image costs one query; "
        "an image it already paid for is free to ask again.",
        f"It owns {plural(pool['count'], 'image')} of {_shape(pool['shape'])} ({pool['name']}) and chooses from them "
        "what to ask.",
        *changed,
        f"It trains a {spec.substitute} network on the answers ({spec.schedule}), the same way whichever strategy "
        "chose.",
        f"It succeeds as far as its copy gives the target’s own label on {plural(test['count'], 'image')} "
        f"({test['name']}) that are not in the pool, and as far as adversarial examples made on the copy work on "
        "the target.",
        "Left out: access to weights or hardware, stolen training data, and owners who watch, limit or distort what "
        "is answered.",
    ]


def _changed(spec: AuditSpec, pool: dict[str, Any], test: dict[str, Any]) -> list[str]:
    """Return how images were changed on the way from their files, and which files were left out."""
    lines = []
    if transform := str(spec.transform.transform()):
        lines.append(f"Every image was changed before anything saw it: {transform}.")
    for role, facts in (("pool", pool), ("held-out images", test)):
        if notes := facts.get("notes"):
            told = joined([f"{words} ({count(number)})" for words, number in notes.items()])
            lines.append(f"Files of the {role}: {told}.")
    return lines


def _shape(shape: Sequence[int]) -> str:
    height, width, channels = shape
    return f"{height} × {width} pixels, {'grey' if channels == 1 else plural(channels, 'channel')}"


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
    rows = [
        (
            "copying, all cells",
            sum(cell["result"]["queries"]["charged"] for cell in cells),
            sum(cell["run"]["sent"]["copy"] for cell in cells),
        ),
        *(
            (words, sum(one[name]["charged"] for one in counts), sum(one[name]["sent"] for one in counts))
            for name, words in (
                ("held-out", "held-out images, to measure agreement"),
                ("fingerprint", "checks that the target answers the same"),
            )
        ),
        (
            "measuring transferability and uniform agreement",
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
    hardware = f"{facts['processor']}, {cores}, {facts['system']}"
    return f"copycost {facts['copycost']}, Python {facts['python']}, {packages}; {hardware}"


def spec_yaml(spec: AuditSpec) -> str:
    """Return the spec as a configuration file."""
    text: str = yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, default_flow_style=None, width=100)
    return text


_FLAG_NAMES = {"budgets": "budget", "strategies": "strategy"}


def command(spec: AuditSpec) -> str:
    """Return the command that runs the audit again, every setting spelled out, quoted for a POSIX shell."""
    flags: list[str] = []
    for name, value in spec.model_dump(mode="json").items():
        flag = "--" + _FLAG_NAMES.get(name, name).replace("_", "-")
        repeated = value if name == "strategies" else [value]
        if name == "skip_bad":
            flags += [flag] if value else []
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
