"""Reproducing a published table: audits run once, and a page that says what was found and what was not."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from rich.console import Console

from copycost.audit import Folder, load_data, run_audit
from copycost.audit._tasks import target_key
from copycost.errors import InvalidInput, LedgerError, MissingData, SpecMismatch
from copycost.measures import student_interval
from copycost.oracle import Ledger
from copycost.reproduce import Library, View, list_tables, render, reproduce, run_command
from copycost.reproduce._html import html
from copycost.reproduce._judgements import against_random, orders
from copycost.reproduce._markdown import markdown
from copycost.reproduce._measured import Measured, differs
from copycost.reproduce._records import Records
from copycost.reproduce._run import _share_networks, _share_targets
from copycost.reproduce._schema import Published
from copycost.reproduce._sentences import against_summary
from copycost.reproduce._slots import Slot, slots_of
from copycost.reproduce._state import state_of
from copycost.reproduce._view import view_of

AUDIT = {
    "target": "lenet5@embedded:train",
    "pool": "embedded:pool",
    "test": "embedded:test",
    "strategies": ["random", "k-center"],
    "budgets": [60, 90],
    "seeds": 2,
    "rounds": 2,
    "schedule": "early-stopping:1 batch=16",
    "validation_share": 0.2,
    "target_schedule": "epochs:1 batch=64",
    "target_folds": 2,
    "transfer": {"images": 0},
    "uniform": 0,
}
AUDITS = {
    "schema": "copycost.audits/1",
    "audits": {
        "test-digits": {"small": {**AUDIT, "explore": True}, "paper": {**AUDIT, "budgets": [6000]}},
        "test-noise": {"small": {**AUDIT, "strategies": ["random", "noise"], "budgets": [40]}},
    },
}
ROWS = {"Random": {"strategy": "random"}, "K-center": {"strategy": "k-center"}}
TABLE = {
    "schema": "copycost.table/1",
    "name": "test-table1",
    "title": "Agreement <script>alert(1)</script> & more | bars",
    "source": {"paper": "A <b>paper</b>", "item": "Table 1"},
    "kind": "table",
    "question": "Is it <i>so</i>?",
    "panels": [
        {
            "title": "Digits <img src=x>",
            "settings": {"audit": "test-digits"},
            "rows": ROWS,
            "columns": {"2K": {"budget": {"small": 60, "paper": 6000}}, "3K": {"budget": {"small": 90}}},
            "published": {"Random": "90.10 999.00", "K-center": "95.20 -"},
        },
        {
            "title": "Noise",
            "settings": {"audit": "test-noise", "budget": 40},
            "order": None,
            "rows": {"Whole": {"strategy": "random"}, "Noise": {"strategy": "noise"}},
            "columns": {"all": {}},
            "published": {"Whole": "98", "Noise": "20.5"},
        },
        {
            "title": "Best",
            "settings": {"audit": "test-digits", "strategy": ["random", "k-center"]},
            "order": None,
            "rows": {"Digits": {}},
            "columns": {"3K": {"budget": {"small": 90}}},
        },
        {
            "title": "Target",
            "order": None,
            "measure": "target.accuracy",
            "rows": {"Digits": {"audit": "test-digits"}},
            "columns": {"Top": {"statistic": "top"}, "Mean": {}, "Std": {"statistic": "deviation"}},
        },
    ],
    "ratios": [
        {
            "name": "Best to noise",
            "says": "of all",
            "above": {"panels": ["Digits <img src=x>"], "rows": ["Random", "K-center"], "column": "3K"},
            "below": {"panels": ["Noise"], "rows": ["Noise"], "column": "all"},
            "published": "4.70",
        }
    ],
    "claims": ["K-center is <b>better</b>."],
    "flags": [
        {"kind": "truncated", "panel": "Noise", "row": "Whole", "between": [98, 99], "text": "Ends after <98>."},
        {"kind": "unknown", "text": "No <budget> is given."},
    ],
    "differs": {"small": ["The <scale> is another."], "paper": ["Other data."]},
    "needs": {"paper": ["gpu"]},
    "comparable": ["small", "paper"],
}
FIGURE = {
    "schema": "copycost.table/1",
    "name": "test-figure2",
    "title": "By round, and what noise is called",
    "source": {"paper": "A paper", "item": "Figure 2"},
    "kind": "figure",
    "panels": [
        {
            "title": "Digits",
            "chart": "rounds",
            "settings": {"audit": "test-digits"},
            "rows": ROWS,
            "columns": {"3K": {"budget": 90}},
        },
        {
            "title": "Labels",
            "chart": "classes",
            "order": None,
            "measure": "queries.answers_by_class",
            "settings": {"audit": "test-noise", "budget": 40},
            "rows": {"Noise": {"strategy": "noise"}},
            "columns": {"labels": {}},
        },
        {
            "title": "Epochs",
            "chart": "epochs",
            "order": None,
            "settings": {"audit": "test-digits"},
            "rows": {
                "Training": {"measure": "target.training.*.accuracy"},
                "Fold": {"measure": "target.training.*.watched_accuracy"},
            },
            "columns": {"seeds": {}},
        },
        {
            "title": "Confusion",
            "chart": "confusion",
            "order": None,
            "measure": "target.confusion",
            "settings": {"audit": "test-digits"},
            "rows": {"Target": {}},
            "columns": {"seeds": {}},
        },
        *(
            {
                "title": chart,
                "chart": chart,
                "order": None,
                "settings": {"audit": "test-digits"},
                "rows": {"Data": {}},
                "columns": {"Sets": {}},
            }
            for chart in ("samples", "balance", "planes")
        ),
    ],
}
MISSING = {
    "schema": "copycost.table/1",
    "name": "test-figure3",
    "title": "Something not there yet",
    "source": {"paper": "A paper", "item": "Figure 3"},
    "kind": "figure",
    "needs": {"small": [{"method": "a crystal ball"}], "paper": [{"method": "a crystal ball"}]},
}


def _library(folder: Path, *documents: Mapping[str, object], **changes: object) -> Library:
    folder.mkdir(parents=True, exist_ok=True)
    for number, document in enumerate(documents):
        named = {**document, **changes} if document["schema"] == "copycost.table/1" else document
        (folder / f"{named.get('name', f'audits-{number}')}.yaml").write_text(yaml.safe_dump(named, sort_keys=False))
    return Library(folder)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return _library(tmp_path_factory.mktemp("paper"), AUDITS, TABLE, FIGURE, MISSING)


@pytest.fixture(scope="session")
def measured(tables: Library, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[View]]:
    out = tmp_path_factory.mktemp("reproduced")
    return out, reproduce("test", "small", out, workers=2, tables=tables)


@pytest.fixture
def copied(measured: tuple[Path, list[View]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(measured[0], tmp_path / "copied"))


def test_a_table_and_a_figure_are_measured_and_written_in_three_forms(measured: tuple[Path, list[View]]) -> None:
    out, views = measured
    assert [view.table.name for view in views] == ["test-table1", "test-figure2"]
    for name in ("test-table1", "test-figure2"):
        for suffix in (".md", ".html", ".json"):
            assert (out / "small" / (name + suffix)).exists()
    assert views[0].missing == 0
    assert not list(out.rglob("*.part"))


def test_what_is_measured_is_the_mean_of_the_records_with_its_interval(measured: tuple[Path, list[View]]) -> None:
    out, (view, _) = measured
    records = json.loads((out / "small" / "test-digits" / "records.json").read_text())
    values = [
        cell["result"]["measures"]["agreement"]
        for cell in records["cells"]
        if (cell["spec"]["strategy"], cell["spec"]["budget"]) == ("k-center", 90)
    ]
    cell = next(cell for cell in view.cells if (cell.row, cell.column) == ("K-center", "3K"))
    assert cell.found.interval == student_interval(values)
    accuracies = [target["result"]["accuracy"] for target in records["targets"]]
    top, mean, deviation = (cell.found.figure for cell in view.cells if cell.slot.panel == "Target")
    assert top == max(accuracies)
    assert mean == pytest.approx(sum(accuracies) / 2)
    assert deviation == pytest.approx(abs(accuracies[0] - accuracies[1]) / 2**0.5)


def test_the_best_of_several_strategies_is_the_one_with_the_highest_mean(measured: tuple[Path, list[View]]) -> None:
    _, (view, _) = measured
    column = {
        cell.row: cell.found for cell in view.cells if cell.slot.panel.startswith("Digits") and cell.column == "3K"
    }
    best = next(cell for cell in view.cells if cell.slot.panel == "Best")
    means = [found.interval.mean for found in column.values() if found.interval]
    assert best.found.interval is not None
    assert best.found.interval.mean == max(means)
    assert "best of 2" in best.below


def test_a_second_run_runs_nothing_again(tables: Library, copied: Path) -> None:
    before = {path: path.read_bytes() for path in copied.rglob("record*.json")}
    stages = []
    views = reproduce(
        "test-table1", "small", copied, workers=1, tables=tables, tell=lambda one: stages.append(one.stage)
    )
    assert not stages
    assert {path: path.read_bytes() for path in copied.rglob("record*.json")} == before
    assert views[0].missing == 0


def test_what_is_missing_is_run_and_what_is_there_is_kept(tables: Library, copied: Path) -> None:
    audit = Folder(copied / "small" / "test-noise")
    spec = tables.spec("test-noise", "small")
    assert spec is not None
    first, *others = spec.cells()
    kept = {cell.key: (audit.cell(cell.key) / "record.json").read_bytes() for cell in others}
    gone = json.loads((audit.cell(first.key) / "record.json").read_text())["result"]
    shutil.rmtree(audit.cell(first.key))
    (audit.path / "records.json").unlink()
    (view,) = reproduce("test-table1", "small", copied, workers=1, tables=tables)
    assert view.missing == 0
    assert kept == {key: (audit.cell(key) / "record.json").read_bytes() for key in kept}
    assert json.loads((audit.cell(first.key) / "record.json").read_text())["result"] == gone


def test_a_target_of_the_same_spec_is_prepared_once(measured: tuple[Path, list[View]]) -> None:
    found = [
        {
            path.parent.name: {**(record := json.loads(path.read_text())), "run": record["run"]["seconds"]}
            for path in (measured[0] / "small" / audit / "targets").glob("*/record.json")
        }
        for audit in ("test-digits", "test-noise")
    ]
    assert len(found[0]) == 2
    assert found[0] == found[1]


def test_a_page_can_be_made_of_a_part_of_the_records_and_counts_what_is_missing(tables: Library, copied: Path) -> None:
    audit = copied / "small" / "test-digits"
    spec = tables.spec("test-digits", "small")
    assert spec is not None
    (audit / "records.json").unlink()
    lost = next(cell for cell in spec.cells() if (cell.strategy, cell.budget, cell.seed) == ("k-center", 60, 1))
    shutil.rmtree(audit / "cells" / lost.key)
    (view,) = render("test-table1", "small", copied, tables=tables)
    assert view.missing == 1
    cell = next(cell for cell in view.cells if (cell.row, cell.column) == ("K-center", "2K"))
    assert cell.below == "no interval; 1 seed of 2"
    text = (copied / "small" / "test-table1.md").read_text()
    assert (
        "1 is missing; copycost reproduce test-table1 --scale small measures it, with the --out of this page." in text
    )
    assert "test-digits: 7 of 8 cells" in text
    assert not (audit / "cells" / lost.key).exists()


def test_a_page_of_no_records_at_all_says_so(tables: Library, tmp_path: Path) -> None:
    (view,) = render("test-table1", "small", tmp_path, tables=tables)
    assert view.missing == view.expected > 0
    assert all(cell.found.interval is None for cell in view.cells)
    text = (tmp_path / "small" / "test-table1.html").read_text()
    assert "not yet measured" in text
    assert "90.10" in text


def test_merged_records_alone_are_enough(tables: Library, copied: Path, measured: tuple[Path, list[View]]) -> None:
    for name in ("test-digits", "test-noise"):
        for part in ("cells", "targets"):
            shutil.rmtree(copied / "small" / name / part)
    (view,) = reproduce("test-table1", "small", copied, workers=1, tables=tables)
    assert [cell.measured for cell in view.cells] == [cell.measured for cell in measured[1][0].cells]
    assert not (copied / "small" / "test-digits" / "cells").exists()


def test_a_mark_stands_only_where_the_published_number_lies_outside_the_interval(
    tables: Library, measured: tuple[Path, list[View]]
) -> None:
    out, (view, _) = measured
    marks = {(cell.row, cell.column): cell.marked for cell in view.cells if cell.slot.panel.startswith("Digits")}
    assert marks["Random", "3K"] is True  # 999.00 is printed
    assert marks["K-center", "3K"] is False  # nothing is printed
    assert html(view).partition("<main>")[2].count(" ≠ <small>") == sum(cell.marked for cell in view.cells)
    cell = next(cell for cell in view.cells if (cell.row, cell.column) == ("Random", "3K"))
    assert cell.found.interval is not None
    inside = f"90.10 {100 * cell.found.interval.mean:.2f}"
    panels = [{**TABLE["panels"][0], "published": {"Random": inside}}]  # type: ignore[index]
    other = tables.tables["test-table1"].model_validate(
        {**TABLE, "panels": panels, "ratios": [], "flags": []}, by_alias=True
    )
    again = view_of(other, "small", tables, Records(out / "small"))
    assert not next(cell for cell in again.cells if (cell.row, cell.column) == ("Random", "3K")).marked


def _slot(text: str, cut: tuple[float, float] | None = None, measure: str = "measures.agreement") -> Slot:
    return Slot("panel", "row", "column", measure, "mean", Published(text=text, cut=cut), (), {}, ())


def _found(*values: float) -> Measured:
    interval = student_interval(values)
    return Measured(interval, interval.mean, tuple(range(len(values))), len(values), None)


@pytest.mark.parametrize(
    ("text", "cut", "values", "outside"),
    [
        ("50.00", None, (0.4, 0.6), False),
        ("99.00", None, (0.50, 0.501, 0.502), True),
        ("50.1", None, (0.5012, 0.5012), False),  # 50.12 is printed as 50.1
        ("50.1", None, (0.5016, 0.5016), True),
        ("98", (98, 99), (0.985, 0.985), False),  # a print that lost its digits
        ("98", (98, 99), (0.995, 0.995), True),
        ("8", (80, 90), (0.85, 0.85), False),
        ("50.00", None, (0.4,), None),  # one seed has no interval
        ("<60", None, (0.4, 0.41, 0.42), False),  # a bound
        ("<60", None, (0.4, 0.6, 0.8), False),
        ("<60", None, (0.7, 0.701, 0.702), True),
    ],
)
def test_a_published_number_differs_if_no_number_that_is_printed_so_lies_in_the_interval(
    text: str, cut: tuple[float, float] | None, values: tuple[float, ...], outside: bool | None
) -> None:
    slot = _slot(text, cut)
    assert differs(slot.printed, _found(*values), slot, "percent") is outside


def test_where_scales_do_not_compare_no_mark_is_made_and_the_page_says_so(
    tables: Library, measured: tuple[Path, list[View]]
) -> None:
    other = tables.tables["test-table1"].model_copy(update={"comparable": ("paper",)})
    view = view_of(other, "small", tables, Records(measured[0] / "small"))
    assert view.marked == 0
    assert "not comparable" in markdown(view)
    assert "≠" not in markdown(view)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href") and tag != "a"]


def test_nothing_of_a_table_is_taken_for_html(measured: tuple[Path, list[View]]) -> None:
    for view in measured[1]:
        page = _Tags()
        page.feed(html(view))
        assert "script" not in page.tags
        assert "i" not in page.tags
        assert not [source for source in page.sources if not source.startswith("data:")]
    text = markdown(measured[1][0])
    assert "<script>" not in text
    assert "<img" not in text
    assert r"more \| bars" in text


def test_the_page_loads_nothing_from_anywhere(measured: tuple[Path, list[View]]) -> None:
    for view in measured[1]:
        page = html(view)
        assert "http" not in page.replace("http-equiv", "")
        assert "default-src 'none'" in unescape(page)


def test_the_page_says_where_a_strategy_does_not_beat_random(measured: tuple[Path, list[View]]) -> None:
    out, (view, _) = measured
    assert [(one.panel, one.column, one.row) for one in view.against] == [
        ("Digits <img src=x>", "2K", "K-center"),
        ("Digits <img src=x>", "3K", "K-center"),
    ]
    document = json.loads((out / "small" / "test-table1.json").read_text())
    verdicts = [one["verdict"] for one in document["against_random"]["differences"]]
    assert len(document["against_random"]["sentences"]) == sum(verdict != "better" for verdict in verdicts) + 1
    assert "Where active selection does not beat random" in markdown(view)
    assert "Where active selection does not beat random" in html(view)


def test_of_many_comparisons_it_is_said_how_many_would_err_by_chance(measured: tuple[Path, list[View]]) -> None:
    view = measured[1][0]
    few, many = (replace(view, against=(view.against * 60)[:count]) for count in (19, 60))
    assert "would still seem to" not in against_summary(few)
    assert against_summary(many).endswith("If none differed at all, about 3 would still seem to.")


@pytest.mark.parametrize(
    ("ours", "better", "verdict"),
    [
        ((0.62, 0.71, 0.83), "higher", "better"),
        ((0.62, 0.71, 0.83), "lower", "worse"),
        ((0.58, 0.67, 0.77), "higher", "worse"),
        ((0.62, 0.69, 0.81), "higher", "open"),
        ((0.62,), "higher", "open"),
    ],
)
def test_a_strategy_beats_random_only_where_the_paired_interval_leaves_out_0(
    tables: Library, ours: tuple[float, ...], better: str, verdict: str
) -> None:
    table = tables.tables["test-table1"].model_copy(update={"better": better})
    slots = slots_of(table, "small", tables)
    theirs = _found(*(0.60, 0.69, 0.80)[: len(ours)])
    cells = {place: (slot, _found(*ours) if place[1] == "K-center" else theirs) for place, slot in slots.items()}
    found = against_random(table, cells)
    assert {one.verdict for one in found} == {verdict}


def test_the_order_is_compared_pair_by_pair(tables: Library) -> None:
    table = tables.tables["test-table1"]
    slots = slots_of(table, "small", tables)
    cells = {
        place: (slot, _found(0.60, 0.61, 0.62) if place[1] == "K-center" else _found(0.70, 0.71, 0.72))
        for place, slot in slots.items()
    }
    (order,) = orders(table, cells)  # of the other column one number is printed
    assert (order.printed, order.measured) == ("K-center > Random", "Random > K-center")
    assert (order.pairs, order.same, order.supported, order.supported_same) == (1, 0, 1, 0)


def test_a_ratio_of_the_text_is_a_mean_over_seeds_of_quotients(measured: tuple[Path, list[View]]) -> None:
    _, (view, _) = measured
    best = next(cell.found for cell in view.cells if cell.slot.panel == "Best")
    noise = next(cell.found for cell in view.cells if cell.row == "Noise")
    (divided,) = view.ratios
    if all(value > 0 for value in noise.by_seed.values()):
        values = [best.by_seed[seed] / noise.by_seed[seed] for seed in (0, 1)]
        assert divided.interval == student_interval(values)
    else:
        assert divided.interval is None


def test_a_figure_draws_rounds_and_shares_of_labels(measured: tuple[Path, list[View]]) -> None:
    _, (_, figure) = measured
    curves = {curve.name: curve for curve in figure.panels[0].curves}
    assert curves["Random"].flat
    assert curves["Random"].queries == (90,)
    assert len(curves["K-center"].queries) == 3
    assert curves["K-center"].queries[-1] == 90
    shares = figure.panels[1].listing
    assert shares is not None
    assert len(shares.labels) == 10
    assert sum(interval.mean for interval in shares.columns[0][1]) == pytest.approx(1)
    page = html(figure)
    assert page.count("<svg") >= 2
    assert "queries charged" in markdown(figure)


def test_a_figure_lists_epochs_and_a_confusion_matrix_of_the_target(measured: tuple[Path, list[View]]) -> None:
    out, (_, figure) = measured
    records = json.loads((out / "small" / "test-digits" / "records.json").read_text())
    results = [target["result"] for target in records["targets"]]
    epochs, confusion = figure.panels[2].listing, figure.panels[3].listing
    assert epochs is not None
    assert confusion is not None
    assert epochs.labels == ("1",)
    watched = [result["training"][0]["watched_accuracy"] for result in results]
    assert epochs.columns[1] == ("Fold", (student_interval(watched),))
    shares = [result["confusion"][3][5] / sum(result["confusion"][3]) for result in results]
    assert confusion.columns[5] == ("5", tuple(confusion.columns[5][1]))
    assert confusion.columns[5][1][3] == student_interval(shares)
    assert figure.missing == 0


def test_a_figure_shows_samples_balance_and_planes_of_the_data(
    tables: Library, copied: Path, measured: tuple[Path, list[View]]
) -> None:
    figure = measured[1][1]
    for panel in figure.panels[4:]:
        assert [one.name for one, _ in panel.explored] == ["embedded:train", "embedded:test"]
    page, text = html(figure), markdown(figure)
    assert page.count("<img ") == 2 * 10 * 5
    assert "t-SNE" in page
    assert "| 3 | 250 |" in text
    (copied / "small" / "test-digits" / "exploration.json").unlink()
    (again,) = render("test-figure2", "small", copied, tables=tables)
    assert again.missing == 3
    assert "<img " not in html(again)


def test_the_records_name_their_command_and_no_path(measured: tuple[Path, list[View]]) -> None:
    text = (measured[0] / "small" / "test-table1.md").read_text()
    assert "copycost reproduce test --scale small" in text
    assert str(measured[0]) not in text
    assert "torch" in text


def test_the_list_shows_what_is_measured_and_what_is_needed(tables: Library, measured: tuple[Path, list[View]]) -> None:
    out = measured[0]
    words = [state_of(table, "small", out, tables).words for table in tables.tables.values()]
    assert words == ["measured", "measured", "needs a method that is not there yet: a crystal ball"]
    assert state_of(tables.tables["test-table1"], "paper", out, tables).words == "not measured; needs a GPU"


def test_the_tables_that_come_with_copycost_can_be_listed(tmp_path: Path) -> None:
    console = Console(record=True, width=200)
    list_tables("small", tmp_path, console)
    text = console.export_text()
    assert "activethief-table3" in text
    assert "not measured" in text
    assert "not at this scale (paper: needs ImageNet; needs a GPU)" in text


def test_an_unknown_name_gets_the_nearest_and_an_unknown_scale_the_known_ones(tables: Library, tmp_path: Path) -> None:
    for name in ("test-tabel1", "table1", "tabel1"):
        with pytest.raises(InvalidInput, match="did you mean 'test-table1'"):
            reproduce(name, "small", tmp_path, tables=tables)
    with pytest.raises(InvalidInput, match="'activethief-table6' or 'drmi-table6' or 'thesis-table6'"):
        render("table6", "small", tmp_path)
    with pytest.raises(InvalidInput, match="did you mean 'test-table1'"):
        reproduce("test-tabel1", "small", tmp_path, tables=tables)
    with pytest.raises(InvalidInput, match="the scale is 'medium'; small or paper is allowed"):
        reproduce("test-table1", "medium", tmp_path, tables=tables)
    with pytest.raises(InvalidInput, match="a crystal ball"):
        reproduce("test-figure3", "small", tmp_path, tables=tables)
    with pytest.raises(InvalidInput, match="did you mean 'activethief-table3'"):
        run_command("activethief-table33", "small", tmp_path)
    assert not list(tmp_path.iterdir())


PANEL = TABLE["panels"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "colour: there is no such key"),
        ({"kind": "poem"}, "kind: input should be 'table' or 'figure'"),
        ({"panels": [{**PANEL, "published": {"Random": "90.10"}}]}, "has 1 numbers and the panel 2 columns"),
        ({"panels": [{**PANEL, "published": {"Random": "90.10 9o"}}]}, "holds '9o'"),
        ({"panels": [{**PANEL, "published": {"Radnom": "90.10 -"}}]}, "has the row 'Radnom'"),
        ({"panels": [{**PANEL, "published": {"Random": 90.1}}]}, "as one quoted text"),
        ({"panels": [{**PANEL, "settings": {"budgets": 3}}]}, "a setting is called 'budgets'"),
        ({"panels": [{**PANEL, "settings": {"audit": "test-letters"}}]}, "names the audit 'test-letters'"),
        ({"panels": []}, "there is no panel"),
        ({"flags": [{"kind": "note", "row": "Nobody", "text": "?"}]}, "names the row 'Nobody'"),
        ({"flags": [{"kind": "truncated", "text": "?"}]}, "'between' belongs to a truncated print"),
        ({"needs": {"paper": ["luck"]}}, "needs.paper.0.kind"),
        ({"name": "test-table9"}, None),
    ],
)
def test_a_damaged_table_is_refused_with_what_is_wrong(
    changes: dict[str, object], message: str | None, tmp_path: Path
) -> None:
    table = {**TABLE, "ratios": [], "flags": [], **changes}
    if message is None:
        (tmp_path / "test-table1.yaml").write_text(yaml.safe_dump(table))
        with pytest.raises(InvalidInput, match=r"name the file test-table9\.yaml"):
            Library(tmp_path)
        return
    with pytest.raises(InvalidInput) as caught:
        _library(tmp_path, AUDITS, table)
    assert message in str(caught.value)
    assert "test-table1" in str(caught.value)


def test_a_file_that_is_not_yaml_or_of_no_known_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("schema: [")
    with pytest.raises(InvalidInput, match="is not YAML"):
        Library(tmp_path)
    (tmp_path / "broken.yaml").write_text("schema: copycost.poem/1")
    with pytest.raises(InvalidInput, match=r"has schema 'copycost\.poem/1'"):
        Library(tmp_path)


def test_settings_that_fit_no_cell_or_several_are_refused(tmp_path: Path) -> None:
    panel = {**PANEL, "columns": {"2K": {"budget": 61}}, "published": {}}
    tables = _library(tmp_path / "none", AUDITS, {**TABLE, "panels": [panel], "ratios": [], "flags": []})
    with pytest.raises(InvalidInput, match="fit 0 groups of cells of test-digits"):
        slots_of(tables.tables["test-table1"], "small", tables)
    panel = {**PANEL, "columns": {"2K": {}}, "published": {}}
    tables = _library(tmp_path / "several", AUDITS, {**TABLE, "panels": [panel], "ratios": [], "flags": []})
    with pytest.raises(InvalidInput, match="fit 2 groups"):
        slots_of(tables.tables["test-table1"], "small", tables)


def test_an_audit_that_cannot_run_is_named(tmp_path: Path) -> None:
    audits = {**AUDITS, "audits": {**AUDITS["audits"], "test-noise": {"small": {**AUDIT, "strategies": ["luck"]}}}}  # type: ignore[dict-item]
    tables = _library(tmp_path, audits, TABLE)
    with pytest.raises(InvalidInput, match="the audit test-noise at the scale small cannot be run"):
        reproduce("test-table1", "small", tmp_path / "out", tables=tables)


def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(tables: Library, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    begun: list[str] = []
    for out in (tmp_path / "file", tmp_path / "file" / "deeper", Path("/proc/reproduction")):
        with pytest.raises(InvalidInput, match=r"cannot be written .*--out"):
            reproduce("test", "small", out, tables=tables, started=lambda audit, place, count: begun.append(audit))
        with pytest.raises(InvalidInput, match="cannot be written"):
            render("test", "small", out, tables=tables)
    assert not begun
    assert (tmp_path / "file").read_text() == "mine"


def test_what_is_no_audit_below_the_folder_is_left_alone(tables: Library, copied: Path) -> None:
    shutil.rmtree(copied / "small" / "test-noise")
    for place in (copied / "small" / "memo", copied / "small" / "test-noise" / "memo"):
        place.mkdir(parents=True)
        (place / "thesis.npy").write_text("precious")
    shutil.copytree(copied / "small" / "test-noise", copied / "small" / "holidays")
    reproduce("test-figure2", "small", copied, workers=1, tables=_figures_alone(copied))
    found = sorted(str(path.relative_to(copied / "small")) for path in copied.rglob("thesis.npy"))
    assert found == ["holidays/memo/thesis.npy", "memo/thesis.npy", "test-noise/memo/thesis.npy"]


def _figures_alone(folder: Path) -> Library:
    """Return the figure without its panel of noise, beside audits of both names."""
    panels = [panel for panel in FIGURE["panels"] if panel["title"] != "Labels"]  # type: ignore[index]
    return _library(folder / "yaml", AUDITS, {**FIGURE, "panels": panels})


def test_arrays_of_an_audit_that_another_run_is_at_are_left_to_it(tables: Library, copied: Path) -> None:
    audit = Folder(copied / "small" / "test-noise")
    audit.memo.mkdir()
    (audit.memo / "matrix.npy").write_bytes(b"held")
    shutil.rmtree(copied / "small" / "test-digits")
    with audit.hold():
        reproduce("test-figure2", "small", copied, workers=2, tables=_figures_alone(copied))
        assert (audit.memo / "matrix.npy").read_bytes() == b"held"
    reproduce("test-figure2", "small", copied, workers=1, tables=_figures_alone(copied))
    assert not audit.memo.exists()


def test_merged_records_that_lack_a_finished_cell_are_merged_again(tables: Library, copied: Path) -> None:
    merged = copied / "small" / "test-noise" / "records.json"
    whole = json.loads(merged.read_text())
    merged.write_text(json.dumps({**whole, "cells": whole["cells"][:-1]}))
    reproduce("test-table1", "small", copied, workers=1, tables=tables)
    assert [cell["key"] for cell in json.loads(merged.read_text())["cells"]] == [cell["key"] for cell in whole["cells"]]


def test_an_audit_of_which_merged_records_were_kept_grows_from_them(copied: Path) -> None:
    kept = copied / "small" / "test-noise"
    before = json.loads((kept / "records.json").read_text())
    shutil.rmtree(copied / "small" / "test-digits")
    shutil.rmtree(kept)
    kept.mkdir()
    (kept / "records.json").write_text(json.dumps(before))
    grown = {"test-noise": {"small": {**AUDITS["audits"]["test-noise"]["small"], "seeds": 3}}}  # type: ignore[index]
    panels = [panel for panel in TABLE["panels"] if panel["title"] == "Noise"]  # type: ignore[index]
    changed = {**TABLE, "panels": panels, "ratios": [], "flags": []}
    tables = _library(copied / "yaml", {"schema": "copycost.audits/1", "audits": grown}, changed)
    (view,) = reproduce("test-table1", "small", copied, workers=1, tables=tables)
    assert (view.expected, view.missing) == (6, 0)
    after = {cell["key"]: cell for cell in json.loads((kept / "records.json").read_text())["cells"]}
    assert len(after) == 6
    assert all(after[cell["key"]] == cell for cell in before["cells"])  # their seconds too: none ran again


def test_an_audit_of_another_version_does_not_keep_the_others_waiting(copied: Path) -> None:
    digits, noise = (AUDITS["audits"][name]["small"] for name in ("test-digits", "test-noise"))  # type: ignore[index]
    changed = {"test-digits": {"small": digits}, "test-noise": {"small": {**noise, "uniform": 7}}}
    changed["test-fresh"] = {"small": {**noise, "strategies": ["random"], "seeds": 1}}
    rows = {"Whole": {"strategy": "random"}}
    panels: list[dict[str, object]] = [
        {"title": name, "settings": {"audit": name, "budget": 40}, "rows": rows, "columns": {"all": {}}}
        for name in ("test-noise", "test-fresh")
    ]
    audits = {"schema": "copycost.audits/1", "audits": changed}
    tables = _library(copied / "yaml", audits, {**TABLE, "panels": panels, "ratios": [], "flags": []})
    with pytest.raises(SpecMismatch, match="test-noise: not measured") as raised:
        reproduce("test-table1", "small", copied, workers=1, tables=tables)
    assert "uniform: 0 there, 7 asked for" in str(raised.value)
    assert (copied / "small" / "test-fresh" / "records.json").exists()
    assert "test-fresh" in (copied / "small" / "test-table1.md").read_text()


def test_a_target_is_shared_whole_and_not_while_its_ledger_is_written(tables: Library, copied: Path) -> None:
    spec = tables.spec("test-noise", "small")
    assert spec is not None
    (source,) = [Folder(copied / "small" / "test-digits").target(target_key(spec, 0))]
    (source / "insider.npy").write_bytes(b"looks")
    mine = copied / "small" / "elsewhere"
    with Ledger(source / "ledger.sqlite"):
        _share_targets(spec, mine, [source.parents[1]])
    assert not Folder(mine).target(source.name).exists()
    _share_targets(spec, mine, [source.parents[1]])
    shared = Folder(mine).target(source.name)
    assert (shared / "record.json").read_text() == (source / "record.json").read_text()
    assert not [*mine.rglob("insider.npy"), *mine.rglob("*.lock")]
    with Ledger(shared / "ledger.sqlite") as ledger:
        assert ledger.counts("held-out").charged > 0


def test_a_network_is_trained_once_for_audits_that_ask_it_about_other_pools(tables: Library, copied: Path) -> None:
    known = tables.spec("test-digits", "small")
    assert known is not None
    spec = known.model_copy(update={"pool": "unlabelled:embedded:pool", "seeds": 1, "budgets": (40,), "ceiling": False})
    whole, mine = Folder(copied / "small" / "test-digits"), Folder(copied / "small" / "elsewhere")
    _share_networks(spec, mine.path, [copied / "small" / "nowhere", whole.path])
    source, shared = whole.target(target_key(known, 0)), mine.target(target_key(spec, 0))
    assert source.name != shared.name
    assert sorted(file.name for file in shared.iterdir()) == ["target.json", "target.safetensors"]
    before = (shared / "target.safetensors").stat().st_mtime_ns
    result = run_audit(spec, mine.path, workers=1)
    assert result.targets[0]["fingerprint"] == json.loads((source / "record.json").read_text())["fingerprint"]
    assert (shared / "target.safetensors").stat().st_mtime_ns == before

    # trained here from the start it is the same, to the bit
    alone = run_audit(spec, copied / "alone", workers=1)
    assert alone.targets[0]["fingerprint"] == result.targets[0]["fingerprint"]


@pytest.mark.parametrize("changed", [{"target_schedule": "epochs:2"}, {"test": "embedded:train"}, {"classes": 12}])
def test_a_network_that_would_be_trained_otherwise_is_not_taken(
    changed: dict[str, object], tables: Library, copied: Path
) -> None:
    known = tables.spec("test-digits", "small")
    assert known is not None
    spec = known.model_copy(update=changed)
    mine = copied / "small" / "elsewhere"
    _share_networks(spec, mine, [copied / "small" / "test-digits"])
    assert not mine.exists()


def test_a_second_run_on_an_audit_in_progress_is_told_so(tables: Library, copied: Path) -> None:
    audit = Folder(copied / "small" / "test-noise")
    (audit.path / "records.json").unlink()
    with audit.hold(), pytest.raises(LedgerError, match="in use by another run"):
        reproduce("test-table1", "small", copied, workers=1, tables=tables)


def _put(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")


def test_an_audit_that_cannot_be_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    small = {**AUDIT, "strategies": ["random"], "budgets": [60], "seeds": 1}
    audits = {"test-same": {"small": {**small, "pool": "embedded:test"}}, "test-digits": {"small": small}}
    panels = [
        {"title": name, "settings": {"audit": name}, "rows": {"Random": {"strategy": "random"}}, "columns": {"2K": {}}}
        for name in audits
    ]
    table = {**FIGURE, "panels": panels, "name": "test-table7"}
    tables = _library(tmp_path / "yaml", {"schema": "copycost.audits/1", "audits": audits}, table)
    with pytest.raises(InvalidInput, match="test-same: not measured") as raised:
        reproduce("test", "small", tmp_path, workers=1, tables=tables)
    assert "What could be measured is on the pages" in str(raised.value)
    assert (tmp_path / "small" / "test-digits" / "records.json").exists()


def test_an_audit_without_its_data_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    lacking = {"small": {**AUDIT, "pool": "wikitext2:train", "test": "trec:test", "target": "kim@wikitext2:train"}}
    audits = {"test-absent": lacking, "test-digits": {"small": {**AUDIT, "strategies": ["random"], "budgets": [60]}}}
    audits["test-gone"] = lacking
    panels = [
        {
            "title": name,
            "settings": {"audit": name},
            "rows": {"Random": {"strategy": "random", "budget": 60}},
            "columns": {"2K": {}},
        }
        for name in audits
    ]
    audits["test-absent"]["small"] |= {"substitute": "kim"}
    table = {**FIGURE, "panels": panels, "name": "test-table7"}
    tables = _library(tmp_path / "yaml", {"schema": "copycost.audits/1", "audits": audits}, table)
    data = tmp_path / "data"
    lent = tmp_path / "small" / "test-absent" / "memo" / "matrix.npy"
    seen: list[bool] = []
    with pytest.raises(MissingData) as raised:
        reproduce(
            "test",
            "small",
            tmp_path,
            data_dir=data,
            workers=2,
            tables=tables,
            started=lambda audit, place, count: _put(lent) if audit == "test-digits" else None,
            planned=lambda plan: seen.append((tmp_path / "small" / "test-digits" / "memo" / "matrix.npy").exists()),
        )
    assert seen == [True]  # what an audit without its data was lent goes on to the next
    assert not [*tmp_path.rglob("matrix.npy")]
    text = str(raised.value)
    assert text.startswith("test-absent, test-gone: not measured. WikiText-2")
    assert text.count("WikiText-2 (") == 1
    assert text.endswith(f"What could be measured is on the pages in {tmp_path / 'small'}.")
    document = json.loads((tmp_path / "small" / "test-table7.json").read_text())
    assert [panel["cells"][0]["measured"] is None for panel in document["panels"]] == [True, False, True]


def _damage(text: str) -> list[str]:
    records = json.loads(text)
    return [
        text[: len(text) // 2],
        "[]",
        '{"schema": "copycost.records/1"}',
        '{"schema": "copycost.records/1", "cells": 5, "targets": []}',
        '{"schema": "copycost.records/1", "cells": [{}], "targets": []}',
        json.dumps({**records, "cells": [{**records["cells"][0], "result": None}]}),
        json.dumps({**records, "targets": [5]}),
    ]


@pytest.mark.parametrize("number", range(7))
def test_damaged_records_are_named_and_the_list_still_shows_the_others(
    number: int, tables: Library, copied: Path
) -> None:
    path = copied / "small" / "test-noise" / "records.json"
    path.write_text(_damage(path.read_text())[number])
    with pytest.raises(InvalidInput, match=r"test-noise/records.json .*(damaged|has schema None)"):
        render("test-table1", "small", copied, tables=tables)
    words = [state_of(table, "small", copied, tables).words for table in tables.tables.values()]
    assert "records.json" in words[0]
    only = _figures_alone(copied)
    assert state_of(only.tables["test-figure2"], "small", copied, only).words == "measured"
    console = Console(record=True, width=300)
    list_tables("small", copied, console, tables=tables)
    assert "records.json" in console.export_text()


def test_a_damaged_record_of_one_cell_is_named(tables: Library, copied: Path) -> None:
    path = next((copied / "small" / "test-noise" / "cells").glob("*/record.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "run": None}))
    with pytest.raises(InvalidInput, match=rf"{path.parent.name}/record.json is damaged"):
        render("test-table1", "small", copied, tables=tables)


@pytest.mark.parametrize("value", ["high", [0.5], {"mean": 0.5}])
def test_a_record_with_something_else_than_a_number_is_named(value: object, tables: Library, copied: Path) -> None:
    path = next((copied / "small" / "test-noise" / "cells").glob("*/record.json"))
    record = json.loads(path.read_text())
    record["result"]["measures"]["agreement"] = value
    path.write_text(json.dumps(record))
    with pytest.raises(InvalidInput, match=r"records of test-noise hold .* at measures.agreement .*a number belongs"):
        render("test-table1", "small", copied, tables=tables)


def test_an_audit_that_is_finished_is_not_announced(tables: Library, copied: Path) -> None:
    (copied / "small" / "test-noise" / "records.json").unlink()
    begun: list[tuple[str, int, int]] = []
    reproduce("test", "small", copied, workers=1, tables=tables, started=lambda *audit: begun.append(audit))
    assert begun == [("test-noise", 1, 2)]


def test_a_page_of_a_part_names_the_command_that_measures_the_rest(tables: Library, copied: Path) -> None:
    shutil.rmtree(copied / "small" / "test-noise")
    (view,) = render("test-table1", "small", copied, tables=tables)
    text = markdown(view)
    assert (
        "4 are missing; copycost reproduce test-table1 --scale small measures them, with the --out of this page."
        in text
    )
    assert "copycost reproduce test-table1 --scale small" in html(view)


def test_what_is_printed_compares_as_the_page_does(
    tables: Library, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command("thesis-table4", "small", copied, page_only=True)
    text = " ".join(capsys.readouterr().out.split())
    assert "10 of 10 values counted" in text
    assert "differ from the number counted here in 4 of the 10 places" in text
    for written in (text, *((copied / "small" / f"thesis-table4{kind}").read_text() for kind in (".md", ".html"))):
        assert "interval" not in written.partition("<main>")[2]
        assert "over seeds" not in written
    assert "| VGG16 | published | 14,748,170 |" in (copied / "small" / "thesis-table4.md").read_text()


def test_figures_of_data_speak_of_data_and_of_no_unit(tables: Library, copied: Path) -> None:
    alone = _library(copied / "yaml", AUDITS, {**FIGURE, "panels": FIGURE["panels"][4:]})  # type: ignore[index]
    (view,) = render("test-figure2", "small", copied, tables=alone)
    page, text = html(view), markdown(view)
    assert "per cent" not in page + text
    assert "These are the data of the scale &#39;small&#39;." in page
    assert "<h2>The data</h2>" in page
    shutil.rmtree(copied / "small" / "test-digits")
    (view,) = render("test-figure2", "small", copied, tables=alone)
    assert "were not looked at yet; copycost reproduce test-figure2 --scale small does." in markdown(view)
    assert "per cent" not in html(view) + markdown(view)


def test_nothing_is_said_of_random_where_no_order_is_a_question(measured: tuple[Path, list[View]]) -> None:
    table, figure = measured[1]
    title = "Where active selection does not beat random"
    for written in (html(table), markdown(table), html(figure), markdown(figure)):
        assert title in written
    panels = [panel for panel in table.table.panels if panel.order is None]
    shown = [panel for panel in table.panels if panel.title in {one.title for one in panels}]
    alone = replace(table, table=table.table.model_copy(update={"panels": tuple(panels)}), panels=tuple(shown))
    assert "noise" in {cell.slot.choices[0].strategy for cell in alone.cells}
    for written in (html(alone), markdown(alone)):
        assert title not in written


def test_a_sequence_shows_the_first_images_of_each_class_in_their_order(tables: Library, copied: Path) -> None:
    panel = {**FIGURE["panels"][4], "title": "Sequence", "chart": "sequence"}  # type: ignore[index]
    sequence = _library(copied / "yaml", AUDITS, {**FIGURE, "panels": [panel]}, **{"name": "test-figure4"})
    (view,) = render("test-figure4", "small", copied, tables=sequence)
    ((one, shown),) = view.panels[0].explored
    spec = sequence.spec("test-digits", "small")
    assert spec is not None
    training = load_data(spec, 0, None).training
    assert training is not None
    assert training.labels is not None
    assert one.name == "embedded:train"
    assert list(one.samples) == [tuple(np.flatnonzero(training.labels == label)[:10]) for label in range(10)]
    assert shown.sheet is not None
    assert shown.sheet.title == "The first 10 images of each class of embedded:train, in the order of the set"
    assert [len(group.pictures) for group in shown.sheet.groups] == [10] * 10
    assert html(view).count("<img ") == 100
    assert "random" not in html(view)
    (copied / "small" / "test-digits" / "exploration.json").write_text(
        (copied / "small" / "test-digits" / "exploration.json").read_text().replace(one.digest, "0" * 64)
    )
    (other,) = render("test-figure4", "small", copied, tables=sequence)
    assert "not at hand" in html(other)
    assert "<img " not in html(other)


def test_each_figure_of_data_says_in_text_what_it_shows_and_no_more(measured: tuple[Path, list[View]]) -> None:
    figure = measured[1][1]
    text = markdown(figure)
    samples, balance, planes = (text.split(f"## {name}\n")[1].split("\n## ")[0] for name in EXPLORED_PANELS)
    assert "| class | count |" in balance
    assert "PCA" not in balance
    assert "PCA" in planes
    assert "| class |" not in planes
    assert "| class |" not in samples
    assert "drawings are on the HTML page" in samples
    explored = json.loads((measured[0] / "small" / "test-figure2.json").read_text())["panels"][5]["explored"]
    assert explored[0] | {"classes": None} == {
        "name": "embedded:train",
        "count": 2500,
        "classes": None,
        "balance": [250] * 10,
    }


EXPLORED_PANELS = ("samples", "balance", "planes")
