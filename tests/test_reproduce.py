"""Reproducing a published table: audits run once, and a page that says what was found and what was not."""

import json
import shutil
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from copycost.audit import Folder
from copycost.errors import InvalidInput
from copycost.measures import student_interval
from copycost.reproduce import Library, View, list_tables, render, reproduce, run_command
from copycost.reproduce._html import html
from copycost.reproduce._judgements import against_random, orders
from copycost.reproduce._markdown import markdown
from copycost.reproduce._measured import Measured, differs
from copycost.reproduce._records import Records
from copycost.reproduce._schema import Published
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
            path.parent.name: path.read_bytes()
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
    assert "1 are missing" in text
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


def test_an_unknown_name_gets_the_nearest_and_an_unknown_scale_the_known_ones(tables: Library, tmp_path: Path) -> None:
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
