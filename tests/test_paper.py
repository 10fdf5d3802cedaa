"""The published tables: every file holds together, every audit can be run, and the numbers are as printed."""

import re
from pathlib import Path

import pytest

from copycost.reproduce import library
from copycost.reproduce._measured import numbers_of
from copycost.reproduce._schema import SCALES, Scale, Table
from copycost.reproduce._slots import slots_of

TABLES = library().tables
AUDITS = library().audits
SEEDS = {"activethief": "activethief-2019.md", "thesis": "schmidl-thesis-2021.md"}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", AUDITS)
def test_every_audit_can_be_built_at_each_scale_it_has(name: str, scale: Scale) -> None:
    spec = library().spec(name, scale)
    assert (spec is None) == (AUDITS[name].values(scale) is None)
    assert AUDITS[name].small or AUDITS[name].paper


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", TABLES)
def test_every_cell_of_every_table_finds_its_records_at_each_scale(name: str, scale: Scale) -> None:
    slots = slots_of(TABLES[name], scale, library())
    assert len(slots) == sum(len(panel.rows) * len(panel.columns) for panel in TABLES[name].panels)


def test_no_audit_is_there_that_no_table_shows() -> None:
    shown = {
        choice.audit
        for table in TABLES.values()
        for scale in SCALES
        for slot in slots_of(table, scale, library()).values()
        for choice in slot.choices
    }
    assert shown == set(AUDITS)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_whose_small_scale_does_not_compare_with_the_print_says_so(name: str) -> None:
    table = TABLES[name]
    measured = any(slot.choices for slot in slots_of(table, "small", library()).values())
    if measured and any(panel.published for panel in table.panels) and "small" not in table.comparable:
        assert any("do not compare" in line for line in table.differs["small"])


@pytest.fixture(scope="module")
def printed(shared_data: Path) -> dict[str, str]:
    folder = shared_data.parent / "seeds"
    if not folder.exists():
        pytest.skip("the text of the papers is not on this machine")
    return {paper: re.sub(r"\s+", " ", (folder / name).read_text(encoding="utf-8")) for paper, name in SEEDS.items()}


PRINTED = [name for name in TABLES if any(panel.published for panel in TABLES[name].panels)]


@pytest.mark.parametrize("name", [name for name in PRINTED if name.partition("-")[0] in SEEDS])
def test_the_numbers_stand_together_in_the_text_of_the_paper(name: str, printed: dict[str, str]) -> None:
    text = printed[name.partition("-")[0]]
    for panel in TABLES[name].panels:
        grid = [numbers.split() for numbers in panel.published.values()]
        if name == "thesis-table4":
            grid = [[f"{int(token):,}" for token in row] for row in grid]
        for place, row in enumerate(grid):
            assert _together(row, text) or all(_stands_by(grid, place, column, text) for column in range(len(row))), (
                panel.title,
                row,
            )


def _together(tokens: list[str], text: str) -> bool:
    return bool(re.search(rf"(?<![\d.]){re.escape(' '.join(tokens))}(?!\d)", text))


def _stands_by(grid: list[list[str]], place: int, column: int, text: str) -> bool:
    """Whether a number has its neighbour to the left, or above or below, beside it: some columns are printed as one."""
    up = [grid[row][column] for row in (place - 1, place) if row >= 0]
    down = [grid[row][column] for row in (place, place + 1) if row < len(grid)]
    pairs = [up, down, grid[place][column - 1 : column + 1], grid[place][column : column + 2]]
    return any(len(pair) == 2 and _together(pair, text) for pair in pairs)


@pytest.mark.parametrize("name", ["activethief-table3", "activethief-table6"])
def test_the_ratios_of_the_text_follow_from_the_printed_cells(name: str) -> None:
    table = TABLES[name]
    for ratio in table.ratios:
        lowest, highest = [], []
        for up, down in zip(ratio.above.panels, ratio.below.panels, strict=True):
            above = max(
                (_range(table, up, row, ratio.above.column) for row in ratio.above.rows), key=lambda ends: ends[1]
            )
            below = _range(table, down, ratio.below.rows[0], ratio.below.column)
            lowest.append(above[0] / below[1])
            highest.append(above[1] / below[0])
        assert ratio.published is not None
        assert sum(lowest) / 4 - 0.005 <= float(ratio.published) <= sum(highest) / 4 + 0.005


def _range(table: Table, panel: str, row: str, column: str) -> tuple[float, float]:
    slot = slots_of(table, "paper", library())[panel, row, column]
    assert slot.printed is not None
    return slot.printed.low, slot.printed.high


def test_what_two_tables_print_of_one_setting_agrees() -> None:
    for panel, whole in (("F-MNIST", "84.1"), ("CIFAR-10", "81.57"), ("GTSRB", "91.42")):
        pairs = TABLES["activethief-table5"].panel(panel).printed("Base Complexity (BC)", "BC")
        full = (
            TABLES["activethief-table3"].panel(f"{panel}, whole pool and noise").printed("Full thief dataset", "100K")
        )
        assert pairs is not None
        assert full == whole
        assert pairs.startswith(whole)
    table3, table4 = TABLES["activethief-table3"], TABLES["activethief-table4"].panels[0]
    for row in table4.rows:
        numbers = [table3.panel(row).printed(strategy, "10K") for strategy in table3.panel(row).rows]
        assert max(float(number or 0) for number in numbers) == float(table4.printed(row, "Top-1, N = 10") or 0)


def test_tables_share_their_cells() -> None:
    three = slots_of(TABLES["activethief-table3"], "paper", library())
    five = slots_of(TABLES["activethief-figure5"], "paper", library())
    assert three["MNIST", "K-center", "20K"].choices == five["MNIST", "K-center", "20K"].choices
    six = slots_of(TABLES["thesis-table6"], "paper", library())
    nine = slots_of(TABLES["thesis-table9"], "paper", library())
    assert (
        six["AlexNet", "DFAL", "10k"].choices
        == nine["Misclassified by the secret model (4.3)", "DFAL", "AlexNet"].choices
    )
    pairs = slots_of(TABLES["activethief-table5"], "small", library())
    assert (
        pairs["MNIST", "Base Complexity (BC)", "BC"].choices
        == slots_of(TABLES["activethief-table3"], "small", library())[
            "MNIST, whole pool and noise", "Full thief dataset", "100K"
        ].choices
    )


@pytest.mark.parametrize("name", TABLES)
def test_what_is_flagged_as_a_suspected_misprint_is_stored_as_printed(name: str) -> None:
    for flag in TABLES[name].flags:
        if flag.kind == "misprint":
            assert flag.panel is not None
            assert flag.row is not None
            assert flag.column is not None
            assert TABLES[name].panel(flag.panel).printed(flag.row, flag.column) is not None


def test_the_counts_of_the_networks_are_those_of_table_4_but_for_the_residual_ones() -> None:
    table = TABLES["thesis-table4"]
    for row in ("VGG16", "AlexNet"):
        counts = numbers_of({"architecture": row.lower(), "shape": "32x32x3", "classes": 10})
        assert str(counts["parameters"]) == table.panels[0].printed(row, "Parameters")
        assert str(counts["trainable"]) == table.panels[1].printed(row, "Parameters")
    assert numbers_of({"architecture": "resnet50", "shape": "32x32x3", "classes": 10})["trainable"] == 23_639_818
