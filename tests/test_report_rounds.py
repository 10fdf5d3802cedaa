"""The report of strategies that ask in rounds, of robustness, and where active selection does not beat random."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from copycost.audit import AuditResult
from copycost.report import render
from copycost.report._copier import looks

HERE = Path(__file__).parent
build: Callable[..., AuditResult] = runpy.run_path(str(HERE / "_reports.py"))["build"]
Page: Callable[[str], Any] = runpy.run_path(str(HERE / "test_report.py"))["Page"]

ACTIVE = ["random", "k-center", "dfal + k-center rho=50"]


def _page(result: AuditResult, **options: Any) -> Any:
    return Page(render(result, **options))


def _active(**options: Any) -> AuditResult:
    return build(**{"strategies": ACTIVE, "budgets": [100, 200], "rounds": 4, "rounds_gain": 0.02} | options)


def _interval(values: Any, digits: int = 1, scale: float = 100) -> str:
    values = np.asarray(values, dtype=float)
    low, high = scipy.stats.t.interval(0.95, len(values) - 1, loc=values.mean(), scale=scipy.stats.sem(values))
    return f"{scale * values.mean():.{digits}f} {scale * low:.{digits}f} to {scale * high:.{digits}f}".replace("-", "−")


def _round_values(result: AuditResult, strategy: str, number: int) -> list[float]:
    return [
        cell["result"]["rounds"][number]["measures"]["agreement"]
        for cell in sorted(result.cells, key=lambda cell: int(cell["spec"]["seed"]))
        if (cell["spec"]["strategy"], cell["spec"]["budget"]) == (strategy, 200)
    ]


@pytest.fixture(scope="module")
def result() -> AuditResult:
    return _active(validation_share=0.2, schedule="early-stopping:50", vectors=None)


@pytest.fixture(scope="module")
def page(result: AuditResult) -> Any:
    return _page(result)


def test_the_table_of_rounds_holds_every_round_of_the_records_at_the_largest_budget(
    result: AuditResult, page: Any
) -> None:
    rows = page.table("Agreement round by round")
    assert [row[0] for row in rows] == ["60", "95", "130", "165", "200"]
    for number, row in enumerate(rows):
        assert row[2] == _interval(_round_values(result, "k-center", number))
        assert row[3] == _interval(_round_values(result, ACTIVE[2], number))
        assert row[1] == (_interval(_round_values(result, "random", 0)) if number == 4 else "–")


def test_the_chart_of_rounds_draws_lines_by_round_and_a_level_line_for_who_asks_at_once(page: Any) -> None:
    chart = re.search(r'<section id="rounds">.*?(<svg class="chart wide".*?</svg>)', page.html, re.DOTALL)
    assert chart is not None
    assert chart[1].count("<polyline") == 2
    level = re.search(r'<line x1="58" x2="([\d.]+)" y1="([\d.]+)" y2="([\d.]+)" class="line flat c0"', chart[1])
    assert level is not None
    assert level[2] == level[3]
    hits = re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="12" class="hit"><title>([^,]+), (\d+) queries', chart[1])
    assert [int(hit[3]) for hit in hits] == [60, 95, 130, 165, 200] * 2 + [200]
    assert (hits[-1][0], hits[-1][1], hits[-1][2]) == (level[1], level[2], "random")
    corners = re.findall(r'<polyline points="([^"]*)"', chart[1])
    assert [corner for line in corners for corner in line.split()] == [f"{x},{y}" for x, y, *_ in hits[:-1]]


def test_more_rounds_helped_where_the_paired_interval_of_last_and_first_says_so(result: AuditResult, page: Any) -> None:
    change = np.array(_round_values(result, "k-center", 4)) - _round_values(result, "k-center", 0)
    _, ends = _interval(change).split(" ", 1)
    ends = " to ".join(f"+{end}" for end in ends.split(" to "))
    rose = f"rose by {100 * change.mean():.1f} points, seed by seed (paired 95 % interval {ends})."
    assert f"More rounds helped k-center: from 60 to 200 queries its agreement {rose}" in page.text
    assert "More rounds are more queries too" in page.text
    assert "rounds helped random" not in page.text


def test_rounds_that_harmed_or_changed_nothing_are_called_so() -> None:
    assert (
        "More rounds harmed k-center: from 20 to 200 queries its agreement fell by"
        in _page(_active(rounds_gain=-0.01)).text
    )
    mixed = _active(rounds_gain=0.0)
    for cell in mixed.cells:
        cell["result"]["rounds"][0]["measures"]["agreement"] += 0.02 * (-1) ** int(cell["spec"]["seed"])
    text = _page(mixed).text
    assert "That more rounds helped k-center is not supported: from 20 to 200 queries" in text
    assert "holds zero" in text
    assert "More rounds helped" not in text


def test_with_one_seed_no_claim_about_rounds_is_made() -> None:
    page = _page(_active(seeds=1))
    assert "With one seed it cannot be claimed that more rounds helped k-center." in page.text
    assert "One seed, so no interval." in page.text
    assert re.fullmatch(r"[\d.]+", page.table("Agreement round by round")[0][2])


@pytest.mark.parametrize(
    "older",
    [build(rounds_gain=None), build(rounds_gain=0.02), _active(rounds_gain=None)],
    ids=["old records", "asks at once", "rounds asked for but none recorded"],
)
def test_without_rounds_the_page_has_no_such_section(older: AuditResult) -> None:
    page = _page(older)
    assert "Round by round" not in page.text
    assert 'id="rounds"' not in page.html


def test_every_kind_of_answer_has_a_chart_of_its_rounds() -> None:
    html = render(_active(answers=["top1", "probabilities"]))
    section = html[html.index('<section id="rounds">') : html.index('<section id="needed">')]
    assert section.count('class="chart wide"') == 2
    assert section.count("line flat") == 4


def test_the_setting_tells_rounds_shares_validation_and_what_strategies_look_at(page: Any) -> None:
    assert (
        "Strategies that look at the copy (k-center and dfal + k-center rho=50) draw 10 % of a budget at random and "
        "choose the rest in 4 rounds, training a fresh copy from the same initial weights on all answers after each; "
        "the others ask everything at once."
    ) in page.text
    assert "20 % of every budget (40 of 200 queries) is drawn at random, charged like the rest" in page.text
    assert "random: The strategy sees its pool alone and chooses before anything is asked." in page.text
    assert "k-center and dfal + k-center rho=50: The strategy sees its pool, and the copy as the round" in page.text
    rows = page.table("What choosing left in the records")
    radius = np.mean([0.5 / (1 + number) for number in (1, 2, 3, 4)])
    assert rows[0] == ["k-center", "largest distance left to a centre", f"{radius:.4g}", "–"]


def test_rounds_that_only_bound_the_doubling_are_told_as_the_records_count_them() -> None:
    doubling = _page(_active(strategies=["jbda", "k-center"], rounds=6)).text
    assert (
        "Strategies that look at the copy draw 10 % of a budget at random and choose the rest in rounds (jbda in 4 "
        "rounds; k-center in 6 rounds), training a fresh copy from the same initial weights on all answers after each."
    ) in doubling
    alone = _page(_active(strategies=["random", "prada"], rounds=9)).text
    assert "(prada) draw 10 % of a budget at random and choose the rest in 4 rounds, training" in alone
    fewer = _active(strategies=["random", "prada"], rounds=9)
    for cell in fewer.cells:
        if cell["spec"]["budget"] == 100:
            cell["result"]["rounds"] = cell["result"]["rounds"][:3]
    assert "choose the rest in 2 to 4 rounds, training" in _page(fewer).text
    older = build(strategies=["random", "prada"], budgets=[100, 200], rounds=9)
    assert "choose the rest in rounds, training" in _page(older).text


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        ("random", "The strategy sees its pool alone and chooses before anything is asked."),
        ("drmi group=label", "The strategy sees its pool and the pool’s own labels alone and chooses before"),
        ("k-center", "The strategy sees its pool, and the copy as the round before left it."),
        (
            "hcp",
            "The strategy sees its pool and the pool’s own labels and, as no outsider could, the target’s own "
            "probabilities for every member of the pool, which no budget pays for.",
        ),
        (
            "hcp + k-center",
            "The strategy sees its pool and the pool’s own labels, the copy as the round before left it and, as no "
            "outsider could, the target’s own probabilities for every member of the pool, which no budget pays for.",
        ),
        (
            "trace + k-means",
            "The strategy sees its pool and, as no outsider could, the target’s own probabilities and activated "
            "neurons for every member of the pool, which no budget pays for.",
        ),
        (
            "list:gone.txt sha256=0123456789abcdef + hcp",
            "for every member of the pool, which no budget pays for. It is given a list that was chosen beforehand; "
            "what the chooser knew is not recorded.",
        ),
        (
            "list:gone.txt sha256=0123456789abcdef",
            "sees its pool alone and chooses before anything is asked. It is given a list that was chosen beforehand; "
            "what the chooser knew is not recorded.",
        ),
    ],
)
def test_all_that_a_strategy_looks_at_is_told(strategy: str, told: str) -> None:
    assert told in looks(strategy)


def test_counts_that_choosing_left_are_summed_over_rounds_budgets_and_seeds() -> None:
    result = _active()
    for cell in result.cells:
        for found in cell["result"]["rounds"]:
            found["facts"] = {"unconverged": 3, "of_a_new_kind": 0.25}
            found["dropped_duplicates"] = 2
    rows = {tuple(row[:2]): row[2:] for row in _page(result).table("What choosing left")}
    assert rows["k-center", "of these, not fooled within its steps"] == ["3", f"{3 * 5 * 2 * 3}"]
    assert rows["k-center", "of a new kind"] == ["0.25", "–"]
    assert rows["random", "made inputs left out as duplicates"] == ["2", f"{2 * 2 * 3}"]
    assert "What choosing left" not in _page(build()).text


def _gains(strategy: str, answers: str, budget: int, seed: int) -> float:
    gain = {"k-center": 0.03, "uncertainty": -0.03, "dfal + k-center": 0.02 - 0.04 * (seed % 2)}.get(strategy, 0.0)
    return 0.7 + budget / 3000 + gain + 0.001 * seed * (strategy == "k-center")


def test_of_many_strategies_the_page_first_counts_who_beats_random() -> None:
    strategies = ["random", "k-center", "uncertainty", "dfal + k-center"]
    text = _page(_active(strategies=strategies, agreement=_gains)).text
    assert (
        "Of the three compared with a random choice at 200 queries, one did better (k-center), one did worse "
        "(uncertainty) and one cannot be told apart from it (dfal + k-center)."
    ) in text
    assert "uncertainty loses to random at 100 and 200 queries" in text
    assert "No difference in agreement between dfal + k-center and random is supported at any budget." in text
    losing = _page(_active(strategies=strategies, agreement=lambda *cell: 0.8 - 0.02 * (cell[0] != "random"))).text
    assert "Of the three compared with a random choice at 200 queries, none did better and three did worse" in losing


def test_a_combination_that_begins_with_random_is_held_against_random() -> None:
    result = _active(strategies=["random", "random + k-center rho=60"])
    assert {row.strategy for row in result.differences} == {"random + k-center rho=60"}
    assert "random + k-center rho=60" in _page(result).text
    assert "random + k-center rho=60 and random is supported at any budget" in _page(result).text


def _rho(strategy: str | None, budget: int, seed: int) -> float | None:
    if strategy is None:
        return 0.2 + 0.01 * seed
    return {"random": 0.15 + 0.01 * seed + 0.001 * seed * seed, "k-center": 0.23 - 0.06 * (seed % 2)}.get(strategy)


def test_rho_of_copies_stands_beside_that_of_the_target_with_paired_differences() -> None:
    result = _active(rho=_rho, robustness=20)
    page = _page(result)
    rows = page.table("Robustness: rho")
    assert rows[0] == ["the target itself", "", _interval([0.2, 0.21, 0.22], 3, 1), "", "60", "0"]
    values = [0.15, 0.161, 0.174]
    assert rows[1][:3] == ["random", "100", _interval(values, 3, 1)]
    assert rows[1][3] == _interval(np.subtract(values, [0.2, 0.21, 0.22]), 3, 1)
    assert rows[1][4:] == ["60", "3"]
    unknown = next(row for row in rows if row[0] == ACTIVE[2])
    assert unknown[2:4] == ["–", "–"]
    assert "proxy for the target’s, not a measurement of it" in page.text
    assert "Copies by random at 200 queries have a rho 0.048 below the target’s, seed by seed" in page.text
    assert "taken for the target’s it understates its robustness" in page.text
    assert "Copies by k-center at 200 queries: no difference of rho from the target’s is supported" in page.text
    assert "Copies by dfal" not in page.text


def test_without_the_targets_own_rho_no_difference_is_claimed() -> None:
    page = _page(_active(rho=_rho, robustness=20, target="m:f", ceiling=False))
    rows = page.table("Robustness: rho")
    assert len(rows[0]) == 5
    assert rows[0][:2] == ["random", "100"]
    assert all(row[0] != "the target itself" for row in rows)
    assert "have a rho" not in page.text


def test_robustness_that_was_not_asked_for_is_not_on_the_page() -> None:
    assert "Robustness" not in _page(build()).text
    single = _page(_active(rho=_rho, robustness=20, seeds=1))
    assert "have a rho" not in single.text
    assert single.table("Robustness: rho")[1][2] == "0.150"
