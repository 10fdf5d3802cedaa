"""The report page: what it says, that it says what the records say, and that nothing in it can run or load."""

import base64
import dataclasses
import hashlib
import io
import re
import runpy
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

from copycost._types import ByteArray
from copycost.audit import AuditResult, AuditSpec, Cost, Folder, build_spec
from copycost.audit._records import write_json
from copycost.audit._scenario import load_data
from copycost.audit._tasks import target_key
from copycost.cli import app
from copycost.inputs import Images
from copycost.report import chosen_inputs, render
from copycost.report._scales import query_scale, share_scale, tidy_ticks
from copycost.report._setting import command

build: Callable[..., AuditResult] = runpy.run_path(str(Path(__file__).with_name("_reports.py")))["build"]

VOID = {"meta", "link", "img", "br", "hr"}


class Page(HTMLParser):
    """A page taken apart: its elements with their attributes, its tables by caption, and what is read as text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, list[str]] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self._open: list[str] = []
        self._caption = ""
        self._rows: list[list[str]] = []
        self._spans: dict[int, tuple[int, str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "figcaption":
            self._caption = ""
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._rows.append([""] if self._spans.get(0, (0, ""))[0] else [])
            if self._rows[-1]:
                left, name = self._spans[0]
                self._rows[-1] = [name]
                self._spans[0] = (left - 1, name)
        if tag in ("td", "th"):
            self._rows[-1].append("")
            if "rowspan" in found:
                self._spans[0] = (int(found["rowspan"]), "")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass
        if tag in ("td", "th") and self._spans.get(0, (0, "?"))[1] == "" and len(self._rows[-1]) == 1:
            self._spans[0] = (self._spans[0][0] - 1, self._rows[-1][0])
        if tag == "table":
            self.tables[_plain(self._caption)] = [[_plain(cell) for cell in row] for row in self._rows]

    def handle_data(self, data: str) -> None:
        for tag in ("script", "style", "title"):
            if tag in self._open:
                self.inside.setdefault(tag, []).append(data)
        if "script" not in self._open and "style" not in self._open:
            self.texts.append(data)
        if "figcaption" in self._open:
            self._caption += data
        if ("td" in self._open or "th" in self._open) and self._rows:
            self._rows[-1][-1] += data

    @property
    def text(self) -> str:
        return _plain(" ".join(self.texts))

    def table(self, start: str) -> list[list[str]]:
        """Return the rows of the table whose caption starts so, without its head."""
        return next(rows for caption, rows in self.tables.items() if caption.startswith(start))[1:]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def _plain(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def _page(result: AuditResult, **options: Any) -> Page:
    return Page(render(result, **options))


def _values(result: AuditResult, strategy: str, budget: int, measure: str, answers: str = "top1") -> list[Any]:
    return [
        cell["result"]["measures"][measure]
        for cell in sorted(result.cells, key=lambda cell: int(cell["spec"]["seed"]))
        if (cell["spec"]["strategy"], cell["spec"]["answers"], cell["spec"]["budget"]) == (strategy, answers, budget)
    ]


def _expected(values: list[float], scale: float = 100, digits: int = 1) -> str:
    """A mean with its Student interval, worked out by scipy, as a cell shows it."""
    mean, spread = np.mean(values), scipy.stats.sem(values)
    low, high = scipy.stats.t.interval(0.95, len(values) - 1, loc=mean, scale=spread) if spread else (mean, mean)
    return f"{scale * mean:.{digits}f} {scale * low:.{digits}f} to {scale * high:.{digits}f}".replace("-", "−")


@pytest.fixture(scope="module")
def result() -> AuditResult:
    return build()


@pytest.fixture(scope="module")
def page(result: AuditResult) -> Page:
    return _page(result)


def test_the_headline_gives_the_lowest_figure_with_its_interval_and_who_needed_it(
    result: AuditResult, page: Page
) -> None:
    words = {found.strategy: found.needed.words for found in result.needed if found.level == 0.9}
    title = _plain("".join(page.inside["title"][:1]))
    assert title == (
        f"Copying this model to 90 % agreement took {words['random']} with the best of the two strategies tried, "
        "random."
    )
    assert f"The other: drmi, {words['drmi']}." in page.text
    assert "picked after all were measured" in page.text


def test_the_agreement_table_holds_the_means_and_intervals_of_the_records(result: AuditResult, page: Page) -> None:
    rows = page.table("Agreement with the target")
    assert [row[0] for row in rows] == ["50", "150", "300", "600"]
    for row, budget in zip(rows, (50, 150, 300, 600), strict=True):
        assert row[1:] == [_expected(_values(result, name, budget, "agreement")) for name in ("random", "drmi")]


def test_the_table_of_queries_needed_holds_the_summary(result: AuditResult, page: Page) -> None:
    rows = page.table("Queries needed")
    for row, strategy in zip(rows, ("random", "drmi"), strict=True):
        assert row[0] == strategy
        for cell, at in zip(row[1:], (0.8, 0.9), strict=True):
            needed = next(one.needed for one in result.needed if (one.strategy, one.level) == (strategy, at))
            assert needed.queries is not None
            assert needed.low is not None
            start = "at most" if needed.state == "at most" else "about"
            assert cell.startswith(f"{start} {needed.queries:,.0f} ")
            assert f"{needed.low:,.0f}" in cell or needed.low == 0


def test_the_full_table_holds_every_measure_of_the_records(result: AuditResult, page: Page) -> None:
    rows = page.table("Every measure")
    assert len(rows) == 8
    for row in rows:
        strategy, budget = row[0], int(row[1])
        measured = {
            name: _values(result, strategy, budget, name) for name in ("agreement", "accuracy", "macro_f1", "test_loss")
        }
        assert row[2] == _expected(measured["agreement"])
        assert row[3] == "30.0 30.0 to 30.0"
        assert row[4] == _expected(measured["accuracy"])
        assert row[5] == _expected(measured["macro_f1"], 1, 3)
        assert row[6] == _expected(measured["test_loss"], 1, 2)


def test_the_transfer_table_holds_the_rates_of_the_records(result: AuditResult, page: Page) -> None:
    rows = page.table("Adversarial examples that work")[1:]
    assert len(rows) == 8
    for row in rows:
        transfers = _values(result, row[0], int(row[1]), "transfer")
        for cell, rate in zip(row[2:5], ("wanted", "left_clean", "off_diagonal"), strict=True):
            assert cell == _expected([transfer["among_fooled"][rate] for transfer in transfers])
        for cell, rate in zip(row[5:8], ("wanted", "left_clean", "off_diagonal"), strict=True):
            assert cell == f"{100 * np.mean([transfer['among_made'][rate] for transfer in transfers]):.1f}"
        assert row[8] == "18 of 24"
    assert "PGD, targeted at each other class; epsilon 128/255 in the L-infinity norm" in page.text
    assert "40 steps; 4 seed images a copy" in page.text


def test_confusion_matrices_are_sums_over_seeds_at_the_largest_budget(result: AuditResult, page: Page) -> None:
    for strategy in ("random", "drmi"):
        found = np.sum(_values(result, strategy, 600, "confusion"), axis=0)
        caption = f"Held-out images: {strategy}, 600 queries"
        shown = next(rows for title, rows in page.tables.items() if title.startswith(caption))
        assert shown[0] == ["", "cat", "dog", "ship"]
        assert [[int(cell.replace("·", "0")) for cell in row[1:]] for row in shown[1:]] == found.tolist()
        made = [
            transfer["confusion"]
            for transfer in _values(result, strategy, 600, "transfer")
            if isinstance(transfer, dict)
        ]
        caption = f"Adversarial examples: {strategy}, 600 queries"
        shown = next(rows for title, rows in page.tables.items() if title.startswith(caption))
        assert [[int(cell.replace("·", "0")) for cell in row[1:]] for row in shown[1:]] == np.sum(made, axis=0).tolist()


def test_agreement_by_class_is_the_mean_over_the_seeds_that_have_the_class(result: AuditResult) -> None:
    for index, cell in enumerate(result.cells):
        cell["result"]["measures"]["agreement_by_class"] = [0.5, 0.6 + 0.01 * (index % 7), None]
    rows = _page(result).table("Agreement by the target")
    assert [row[0] for row in rows] == ["cat", "dog", "ship"]
    assert rows[0][1] == "50.0 50.0 to 50.0"
    found = [_values(result, "drmi", 600, "agreement_by_class")[seed][1] for seed in range(3)]
    assert rows[1][2] == _expected(found)
    assert rows[2][1:] == ["–", "–"]


def test_transfer_by_class_is_the_share_off_the_diagonal_of_each_row(result: AuditResult, page: Page) -> None:
    rows = page.table("Transfer by the class")
    matrices = [transfer["confusion"] for transfer in _values(result, "random", 600, "transfer")]
    for index, row in enumerate(rows):
        shares = [1 - matrix[index][index] / sum(matrix[index]) for matrix in matrices if sum(matrix[index])]
        if len(shares) > 1:
            assert row[1] == _expected(shares)
    assert "Transfer by the class" not in _page(build(transfer=None)).text


def test_queries_needed_are_also_said_as_money_and_hours(result: AuditResult) -> None:
    rows = _page(result, cost=Cost.read(0.01, "60/min")).table("What those queries cost")
    found = next(row for row in result.needed if (row.strategy, row.level) == ("random", 0.9)).needed
    assert found.state == "reached"
    assert found.queries is not None
    assert rows[0][2] == f"about {found.queries / 100:.2f} {found.queries / 60:.0f} minutes"
    never = _page(build(levels=[0.99]), cost=Cost.read(0.01, "60/min")).table("What those queries cost")
    assert never[0][1] == "more than 6.00 10 minutes"


def test_markers_of_the_chart_stand_where_the_axis_says(result: AuditResult, page: Page) -> None:
    wide = re.search(r'<svg class="chart wide".*?</svg>', page.html, re.DOTALL)
    assert wide is not None
    ticks = {
        float(value): float(y) - 4 for y, value in re.findall(r'y="([\d.]+)" class="tick end">([\d.]+)\u00a0%', wide[0])
    }
    hits = re.findall(r'cy="([\d.]+)" r="12" class="hit"><title>(\w+), (\d+) queries: ([\d.]+)', wide[0])
    assert len(hits) == 8
    (low, at_low), (high, at_high) = min(ticks.items()), max(ticks.items())
    for y, strategy, budget, shown in hits:
        mean = 100 * float(np.mean(_values(result, strategy, int(budget), "agreement")))
        assert float(shown) == pytest.approx(mean, abs=0.051)
        assert float(y) == pytest.approx(np.interp(mean, [low, high], [at_low, at_high]), abs=0.02)
    corners = re.findall(r'<polyline points="([^"]*)"', wide[0])
    drawn = [corner.partition(",")[2] for line in corners for corner in line.split()]
    assert drawn == [y for y, *_ in hits]


def test_accounts_are_the_sums_of_the_records(result: AuditResult, page: Page) -> None:
    rows = {row[0]: row[1:] for row in page.table("Queries of the whole audit")}
    charged = 2 * 3 * (50 + 150 + 300 + 600)
    assert rows["copying, all cells"] == [f"{charged:,}", f"{charged + 24:,}"]
    assert rows["held-out images, to measure agreement"] == ["90", "93"]
    assert rows["measuring transferability and uniform agreement"] == [f"{24 * 1008:,}", f"{24 * 1009:,}"]
    assert "24 cells, 3 seeds (0 to 2)" in page.text
    assert "Python 3.11.7, numpy 2.4.6, torch 2.15.0; a processor, 2 cores" in page.text


def test_the_page_says_where_a_strategy_loses_to_random(page: Page) -> None:
    assert "drmi loses to random at 50, 150, 300 and 600 queries" in page.text
    assert "beats" not in page.text


def test_the_page_says_where_a_strategy_beats_random_and_where_nothing_is_supported() -> None:
    def agreement(strategy: str, answers: str, budget: int, seed: int) -> float:
        gain = 0.0 if budget == 50 else 0.04
        noise = 0.05 * (-1) ** seed if budget == 50 else 0.001 * seed
        return 0.7 + budget / 3000 + (gain + noise) * (strategy == "drmi")

    text = _page(build(agreement=agreement)).text
    assert "drmi beats random at 150, 300 and 600 queries" in text
    assert "No difference in agreement between drmi and random is supported at 50 queries." in text
    assert "loses to" not in text


def test_without_a_random_choice_the_page_claims_nothing_about_chance() -> None:
    text = _page(build(strategies=["drmi"])).text
    assert "No random choice with the same knowledge was measured beside drmi" in text
    assert "with the only strategy tried, drmi." in text
    assert "picked after all" not in text


def test_a_level_that_was_not_reached_reads_as_more_than_the_largest_budget() -> None:
    page = _page(build(agreement=lambda strategy, answers, budget, seed: 0.3 + budget / 1200 + seed / 1000))
    title = _plain(page.inside["title"][0])
    assert title == (
        "Copying this model to 90 % agreement takes more than 600 queries, the largest budget, with each of the two "
        "strategies tried."
    )
    assert "80 % agreement took about 599 queries" in page.text
    assert page.table("Queries needed")[0][2] == "more than 600 reached by 0 of 3"


def test_a_level_reached_at_the_smallest_budget_reads_as_an_upper_limit() -> None:
    page = _page(build(agreement=lambda *cell: 0.95 + cell[3] / 1000))
    assert "took at most 50 queries" in _plain(page.inside["title"][0])
    assert page.table("Queries needed")[0][1] == "at most 50 at most 50"


def test_one_seed_gives_figures_without_intervals_and_no_claims() -> None:
    page = _page(build(seeds=1))
    assert "one seed, no interval" in _plain(page.inside["title"][0])
    assert re.fullmatch(r"\d\d\.\d", page.table("Agreement with the target")[0][1])
    assert "With one seed no difference between drmi and a random choice can be claimed." in page.text
    assert "loses to" not in page.text
    assert "Paired differences" not in page.text
    assert "95 % interval" not in page.text
    assert 'class="whisker' not in page.html


def test_held_out_images_without_labels_leave_accuracy_out() -> None:
    page = _page(build(labelled=False))
    head = next(rows for caption, rows in page.tables.items() if caption.startswith("Every measure"))[0]
    assert head == ["strategy", "queries", "agreement, %", "RU-agreement, %"]
    assert "The held-out images carry no labels" in page.text
    assert "target’s label of the unchanged image" in page.text
    assert all(row[4] == "–" for row in page.table("Adversarial examples that work")[1:])


def test_without_adversarial_examples_the_page_says_why() -> None:
    page = _page(build(transfer=None))
    assert "Not measured: the audit was asked to make no adversarial examples." in page.text
    assert not any(caption.startswith("Adversarial") for caption in page.tables)
    page = _page(build(transfer=None, target="labels", ceiling=False))
    assert "answers only about images that it already knows" in page.text
    assert _plain(page.inside["title"][0]).startswith("Learning the known labels to 90 % agreement took about")


def test_untargeted_examples_are_reported_by_the_label_they_change() -> None:
    page = _page(build(transfer={"images": 4, "targeted": False, "attack": "deepfool"}))
    assert "changed the target’s label" in page.text
    assert "DeepFool, untargeted" in page.text
    assert all(row[2] == "–" for row in page.table("Adversarial examples that work")[1:])


def test_no_example_that_fooled_the_copy_leaves_its_rates_out() -> None:
    page = _page(build(fooled=0))
    assert all(row[2:5] == ["–", "–", "–"] for row in page.table("Adversarial examples that work")[1:])
    assert "were taken by the target" not in page.text


def test_without_a_ceiling_the_page_says_so_and_draws_none() -> None:
    page = _page(build(ceiling=False))
    assert "There is no ceiling line" in page.text
    assert 'class="ceiling"' not in page.html
    assert 'class="ceiling"' in _page(build()).html


def test_several_kinds_of_answer_are_compared_with_probabilities_in_pairs() -> None:
    result = build(answers=["top1", "probabilities"])
    page = _page(result)
    assert page.html.count('class="chart wide"') == 5
    assert "Answers: top1" in page.text
    rows = page.table("What giving less changed")
    assert [row[:2] for row in rows[:2]] == [
        ["random: top1 less probabilities", "50"],
        ["random: top1 less probabilities", "150"],
    ]
    assert rows[0][2] == "−1.0 −1.0 to −1.0"
    lowered = "lowered agreement at 50, 150, 300 and 600 queries by 1.0 points"
    assert f"With random, top1 instead of probabilities {lowered}" in page.text
    assert "Nothing was tried" not in page.text
    assert "top1: For each query the copier receives the label alone." in page.text


def test_one_kind_of_answer_is_reported_as_nothing_tried_with_the_command_to_try() -> None:
    assert "--answers top1,probabilities,rounded:1" in _page(build()).text
    assert "Nothing was tried" in _page(build()).text
    assert "this target gives labels alone" in _page(build(gives_probabilities=False)).text


def test_assumptions_that_differ_are_told_apart_by_strategy() -> None:
    text = _page(build(strategies=["random group=label", "drmi group=label", "random"])).text
    assert "random: The copier knows no labels." in text
    assert "random group=label and drmi group=label: The copier knows the true labels of its pool" in text
    assert "Whether the pool holds images that the target was trained on is not known." in text


def test_contradicting_answers_stand_beside_the_targets_own_error(result: AuditResult) -> None:
    page = _page(result)
    wrong = [
        cell["result"]["queries"]["answers_against_pool_label"]
        for cell in result.cells
        if (cell["spec"]["strategy"], cell["spec"]["budget"]) == ("drmi", 50)
    ]
    assert page.table("Answers that contradict")[0][2] == f"{np.mean(wrong):.1f} {100 * np.sum(wrong) / 150:.1f} %"
    assert "On held-out images the target errs on 5.0 % (95 % interval 2.5 to 7.5)" in page.text
    assert "The pool carries no labels" in _page(build(pool_labelled=False)).text


@pytest.mark.parametrize(
    "fields",
    [
        {"target": "it's a:f$(x) `y`", "pool": "a b/'q'.npz", "test": "-t.npz", "uniform": 7},
        {"target": "-w.safetensors", "target_arch": "lenet5", "target_mean": [0.1307], "target_deviation": [1 / 3]},
        {"answers": ["top1", "topk:2"], "strategies": ["random", "drmi alpha=4 group=label"], "transfer": None},
    ],
)
def test_the_command_and_the_file_on_the_page_give_the_same_spec_again(fields: dict[str, Any]) -> None:
    result = build(**fields, ceiling=False)
    blocks = re.findall(r'<pre class="scroll" tabindex="0"><code>(.*?)</code></pre>', render(result), re.DOTALL)
    command, document = ("".join(Page(block).texts) for block in blocks[-2:])
    assert build_spec(yaml.safe_load(document)) == result.spec
    words = shlex.split(command.replace("\\\n", ""))
    assert words[:2] == ["copycost", "audit"]
    context = get_command(app).commands["audit"].make_context("audit", words[2:])  # type: ignore[attr-defined]
    given = {name: value for name, value in context.params.items() if name in AuditSpec.model_fields}
    assert Path(context.params["out"]) == Path("audit-again")
    given |= {"budgets": context.params["budget"], "strategies": context.params["strategy"]}
    given["transfer"] = dict(pair.split("=") for pair in given["transfer"].split())
    assert build_spec({name: value for name, value in given.items() if value is not None}) == result.spec


@pytest.mark.parametrize("left_out", [True, False])
def test_the_command_leaves_the_ceiling_out_where_the_spec_does(left_out: bool) -> None:
    spec = build(ceiling=not left_out).spec.model_copy(update={"ceiling": not left_out})
    words = shlex.split(command(spec).replace("\\\n", ""))
    assert ("--no-ceiling" in words) is left_out
    context = get_command(app).commands["audit"].make_context("audit", words[2:])  # type: ignore[attr-defined]
    assert context.params["ceiling"] is (False if left_out else None)


HOSTILE = (
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onclick='alert(1)",
    "<!-- & ]]> {{ 7*7 }} {% raw %}",
)


def test_hostile_names_stay_text_wherever_they_are_shown() -> None:
    result = build(
        classes=HOSTILE, target=f"{HOSTILE[1]}:f", pool=f"{HOSTILE[0]}.npz", test=f"{HOSTILE[3]}.npz", ceiling=False
    )
    page = _page(result, images=lambda cell: np.zeros((50, 4, 4, 1), np.uint8))
    assert page.count("script") == 1
    assert page.count("style") == 1
    assert not any("alert" in text for tag in ("script", "style") for text in page.inside[tag])
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert {tag for tag, _ in page.elements if tag == "img"} == {"img"}
    assert all(found["src"].startswith("data:image/png;base64,") for tag, found in page.elements if tag == "img")
    for name in HOSTILE:
        assert _plain(name) in page.text
    assert {found["alt"] for tag, found in page.elements if tag == "img"} <= {f"answered {name}" for name in HOSTILE}
    assert "49" not in page.html[page.html.index("]]&gt;") : page.html.index("]]&gt;") + 20]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(alphabet=st.characters(), max_size=12), min_size=2, max_size=3))
def test_any_text_as_a_class_name_gives_a_page_that_can_be_written(names: list[str]) -> None:
    html = render(build(classes=[*names, "\ud800", "\x00"], seeds=1, budgets=[50, 100], strategies=["random"]))
    html.encode("utf-8")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", html)
    assert Page(html).count("script") == 1


def test_the_policy_of_the_page_allows_its_own_style_and_script_and_no_request(page: Page) -> None:
    policy = next(
        found["content"] for _, found in page.elements if found.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256("".join(page.inside[tag]).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not any("style" in found for _, found in page.elements)
    addresses = [
        found[name]
        for _, found in page.elements
        for name in ("src", "href", "srcset", "action", "data")
        if name in found
    ]
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert "http://" not in page.html
    assert "https://" not in page.html
    assert "url(" not in page.html
    assert "@import" not in page.html


def test_the_same_audit_gives_the_same_page_to_the_byte() -> None:
    assert render(build()) == render(build())


def test_the_order_of_the_records_does_not_matter(result: AuditResult) -> None:
    again = dataclasses.replace(result, cells=tuple(reversed(result.cells)))
    assert _page(again).tables == _page(result).tables


def test_pictures_are_the_images_of_the_choice_sorted_by_answer() -> None:
    result = build(seeds=1)
    pool = np.random.default_rng(0).integers(0, 256, (1500, 6, 5, 1)).astype(np.uint8)
    asked: list[dict[str, Any]] = []

    def images(cell: dict[str, Any]) -> ByteArray:
        asked.append(cell)
        rows: ByteArray = pool[cell["result"]["chosen"]["pool_index"]]
        return rows

    page = _page(result, images=images)
    assert [cell["spec"]["strategy"] for cell in asked] == ["random", "drmi"]
    assert {cell["spec"]["budget"] for cell in asked} == {50}
    shown = [found for tag, found in page.elements if tag == "img"]
    assert len(shown) == 100
    chosen = asked[0]["result"]["chosen"]
    order = np.argsort(chosen["answers"], kind="stable")
    for found, at in zip(shown[:50], order, strict=True):
        written = base64.b64decode(found["src"].partition(",")[2])
        np.testing.assert_array_equal(
            np.asarray(Image.open(io.BytesIO(written))), pool[chosen["pool_index"][at], ..., 0]
        )
        assert found["alt"] == f"answered {('cat', 'dog', 'ship')[chosen['answers'][at]]}"


@pytest.mark.parametrize("shape", [(80, 64, 3), (28, 28, 2), (1, 1, 1)])
def test_pictures_of_any_shape_are_shown_small(shape: tuple[int, int, int]) -> None:
    page = _page(build(seeds=1), images=lambda cell: np.full((50, *shape), 200, np.uint8))
    sizes = {(int(found["width"]), int(found["height"])) for tag, found in page.elements if tag == "img"}
    assert len(sizes) == 1
    assert max(sizes.pop()) <= 48


def test_a_large_choice_is_shown_in_part_and_new_inputs_are_counted() -> None:
    result = build(seeds=1, budgets=[200, 400])
    for cell in result.cells:
        cell["result"]["chosen"]["pool_index"][:20] = [-1] * 20
        cell["result"]["queries"]["new_inputs"] = 20
    page = _page(result, images=lambda cell: np.zeros((60, 4, 4, 1), np.uint8))
    assert page.count("img") == 120
    assert "60 of 200 queries shown; 20 inputs made by the strategy" in page.text


def test_pictures_are_left_out_on_request_and_missed_where_they_cannot_be_had() -> None:
    def refuse(cell: dict[str, Any]) -> ByteArray:
        raise AssertionError("private images were asked for")

    private = _page(build(), pictures=False, images=refuse)
    assert private.count("img") == 0
    assert "Pictures were left out of this page on request." in private.text
    for missing in (_page(build()), _page(build(), images=lambda cell: None)):
        assert missing.count("img") == 0
        assert "The pictures are missing" in missing.text


def _written(result: AuditResult, path: Path) -> Path:
    """Leave the records of an audit in a folder, as a finished run does."""
    folder = Folder(path)
    path.mkdir()
    folder.adopt(result.spec)
    for cell in result.cells:
        folder.cell(cell["key"]).mkdir(parents=True)
        write_json(folder.cell(cell["key"]) / "record.json", cell)
    for seed, target in enumerate(result.targets):
        place = folder.target(target_key(result.spec, seed))
        place.mkdir(parents=True)
        write_json(place / "record.json", target)
    return path


def test_the_command_line_shows_the_choice_unless_told_not_to(tmp_path: Path) -> None:
    result = build(seeds=1)
    result.targets[0]["pool"]["digest"] = load_data(result.spec, 0, None).pool.inputs.digest()
    out = _written(result, tmp_path / "audit")
    for flags, pictures in ((["--no-pictures"], 0), ([], 100)):
        done = CliRunner().invoke(app, ["report", str(out), *flags])
        assert done.exit_code == 0, done.output
        assert Page((out / "report.html").read_text(encoding="utf-8")).count("img") == pictures


def test_chosen_images_come_from_the_pool_of_the_audit_or_not_at_all() -> None:
    result = build(seeds=1)
    cell = next(cell for cell in result.cells if cell["spec"]["budget"] == 50)
    pool = load_data(result.spec, 0, None).pool.inputs
    assert chosen_inputs(result, cell, None) is None
    result.targets[0]["pool"]["digest"] = pool.digest()
    found = chosen_inputs(result, cell, None)
    assert found is not None
    assert isinstance(pool, Images)
    np.testing.assert_array_equal(found, pool.array[cell["result"]["chosen"]["pool_index"]])
    gone = build(seeds=1, pool="no/such/pool.npz", ceiling=False)
    assert chosen_inputs(gone, gone.cells[0], None) is None


def test_many_classes_keep_the_page_small_and_say_what_is_left_out() -> None:
    classes = [f"class {index}" for index in range(150)]
    page = _page(build(classes=classes, seeds=2))
    assert len(page.table("Agreement by the target")) == 60
    assert "90 classes are not shown" in page.text
    assert "Confusion matrices of 150 classes are too large" in page.text
    assert len(page.html) < 600_000


def test_many_strategies_differ_in_colour_or_shape() -> None:
    names = ["random", *(f"drmi starts={index}" for index in range(1, 20))]
    html = render(build(strategies=names, seeds=2, budgets=[50, 100]))
    swatches = re.findall(r'<svg class="swatch".*?</svg>', html)
    looks = {(re.findall(r'class="mark (c\d)"', one)[0], re.sub(r' class="[^"]*"', "", one)) for one in swatches}
    assert len(looks) >= 20


def test_every_chart_has_words_for_those_who_cannot_see_it(page: Page) -> None:
    charts = [found for tag, found in page.elements if tag == "svg" and "chart" in found.get("class", "")]
    assert len(charts) == 6
    assert all(found["role"] == "img" and len(found["aria-label"]) > 40 for found in charts)


def test_ticks_are_round_numbers_inside_the_axis() -> None:
    assert tidy_ticks(0, 640, 7) == (0, 100, 200, 300, 400, 500, 600)
    assert query_scale([50, 600], 0, 100, about=7).ticks[0] == 0
    wide = query_scale([100, 30_000], 0, 100, about=7)
    assert wide.logarithmic
    assert wide.ticks == (100, 1000, 10_000) or set(wide.ticks) >= {100, 1000, 10_000}
    assert wide(100) < wide(1000) < wide(30_000) <= 100
    assert wide(1000) - wide(100) == pytest.approx(wide(10_000) - wide(1000))
    assert query_scale([7], 0, 100, about=4)(7) <= 100


@pytest.mark.parametrize("values", [[0.5], [0.0, 1.0], [1.0], [0.0], [0.931, 0.934], [0.2, 0.95, 1.4], [-0.3, 0.1]])
def test_an_axis_of_shares_holds_its_values_and_stays_within_0_and_1(values: list[float]) -> None:
    scale = share_scale(values, 100, 0)
    assert 0 <= scale.low < scale.high <= 1
    assert all(scale.low <= min(max(value, 0), 1) <= scale.high for value in values)
    assert 2 <= len(scale.ticks) <= 12
    assert scale.ticks[0] == pytest.approx(scale.low)
    assert scale.ticks[-1] == pytest.approx(scale.high)
