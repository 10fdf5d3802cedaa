"""The guide on strategies says of each what the code says."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copycost.inputs import Images
from copycost.networks import new_classifier, relu_sizes
from copycost.networks._traces import TRACES_LIMIT
from copycost.report._copier import _FACTS
from copycost.strategies import STRATEGIES, Strategy, parse
from copycost.strategies._base import INSIDE
from copycost.strategies._registry import OF_FILES

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "guide" / "strategies.md"
KNOWN = {
    "labels": "the labels",
    "target_probabilities": "the target's probabilities",
    "target_traces": "the target's neurons",
    "substitute": "the copy",
}


def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def section(heading: str) -> str:
    found = re.search(rf"^(##+) {re.escape(heading)}\n(.*?)(?=^##|\Z)", guide(), re.DOTALL | re.M)
    assert found, f"the guide has no section {heading}"
    return found[2]


def fields(kind: type[Strategy]) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(kind) if field.name != "path"]  # type: ignore[arg-type]


def as_written(kind: type[Strategy], field: dataclasses.Field[Any]) -> list[str]:
    """The ways to write a parameter with its default."""
    default = field.default
    if isinstance(default, bool):
        values = ["yes" if default else "no"]
    else:
        values = ["all", "none"] if default is None else [str(default)]
    ways = [f"{field.name}={value}" for value in values]
    for way in ways:
        assert parse(f"{kind().name} {way}") == kind()
    return ways


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_guide_has_a_section_for_each_strategy_with_every_parameter_and_its_default(name: str) -> None:
    text = section(name)
    for field in fields(STRATEGIES[name]):
        ways = as_written(STRATEGIES[name], field)
        shorter = f"{field.name}={field.default:g}" if isinstance(field.default, float) else ways[0]
        assert any(f"`{way}`" in text for way in [*ways, shorter]), f"{name}: {ways} is not in its section"


@pytest.mark.parametrize("form", OF_FILES)
def test_the_guide_names_what_reads_a_file_and_its_parameters(form: str) -> None:
    assert f"`{form}:FILE`" in guide()
    for field in fields(OF_FILES[form]):
        assert f"`{field.name}`" in guide()


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_table_of_the_guide_says_what_each_must_know_and_whether_it_goes_in_rounds(name: str) -> None:
    strategy = STRATEGIES[name]()
    (row,) = re.findall(rf"^\| \[`{name}`\]\(#{name}\) \| .* \| (.*) \| (.*) \| (.*) \|$", guide(), re.M)
    media, known, rounds = row
    assert media == ", ".join(f"{medium}s" for medium in sorted(strategy.media))
    assert set(known.split(", ")) == ({KNOWN[need] for need in strategy.needs} or {"nothing"})
    assert rounds == ("yes" if strategy.iterative else "no")


@pytest.mark.parametrize("name", STRATEGIES)
def test_who_looks_inside_the_target_is_named_where_the_guide_says_what_that_is(name: str) -> None:
    inside = bool(STRATEGIES[name]().needs & INSIDE)
    assert (f"`{name}`" in section("Looking inside the target")) == inside


def test_the_commands_of_the_guide_name_strategies_that_exist() -> None:
    (commands,) = re.findall(r"```sh\n(.*?)```", guide(), re.DOTALL)
    named = re.findall(r'--strategy (?:"(.*?)"|(\S+))', commands)
    assert len(named) == 6
    for quoted, plain in named:
        parse(quoted or plain)


def test_the_links_of_the_guide_lead_somewhere() -> None:
    headings = {
        path: {
            re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-")
            for line in re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
        }
        for path in (GUIDE, ROOT / "docs" / "results.md")
    }
    links = re.findall(r"\]\(([^)#]*)#?([^)]*)\)", re.sub(r"`[^`]*`", "", guide()))
    assert len(links) > 20
    for file, anchor in links:
        path = (GUIDE.parent / file).resolve() if file else GUIDE
        assert path.is_file(), file
        assert not anchor or anchor in headings[path], (file, anchor)


def test_the_guide_is_found_from_the_readme() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("(docs/guide/strategies.md)") == 2


def test_every_number_that_choosing_leaves_is_explained_where_records_are() -> None:
    told = (ROOT / "docs" / "records.md").read_text(encoding="utf-8").partition("### Facts")[2].partition("### ")[0]
    names = set(re.findall(r"`(\w+)`", told))
    assert set(_FACTS) - {"dropped_duplicates"} <= names


def test_the_guide_says_how_many_traces_of_a_deep_network_fit() -> None:
    images = Images(np.zeros((1, 32, 32, 3), np.uint8))
    classifier = new_classifier("resnet18", images, 10, rng=np.random.default_rng(0))
    neurons = sum(relu_sizes(classifier, images).values())
    told = f"has {neurons:,} neurons, so that 2 GiB are {2 * 2**30 // (neurons // 8):,} images"
    assert told in section("trace")
    assert TRACES_LIMIT == 2 * 2**30
