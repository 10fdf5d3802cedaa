"""Charts of figures, and pages without what a scale does not have: from records that are kept, without training."""

import json
import re
import shutil
from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from copycost.errors import InvalidInput
from copycost.report._axes import EPOCHS, Frame, amount_scale
from copycost.reproduce import Library, View, library, render
from copycost.reproduce._html import html
from copycost.reproduce._markdown import markdown

KEPT = Path(__file__).parents[1] / "results" / "reproduction" / "small" / "activethief-qc"
AUDIT = "activethief-qc"
HOSTILE = '</desc></svg><script>x()</script><b title="'
ROWS = {"Random": {"strategy": "random"}, "Unsure": {"strategy": "uncertainty"}, "K-center": {"strategy": "k-center"}}
EPOCHS_OF_ROWS = {
    "Training": {"measure": "target.training.*.loss"},
    "Fold": {"measure": "target.training.*.watched_loss"},
}
BUDGETS = {"10K": {"budget": {"small": 500}}, "20K": {"budget": {"small": 1000}}}
ELSEWHERE = {"30K": {"budget": {"paper": 3000}}}
Records = dict[str, Any]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "small").mkdir()
    shutil.copytree(KEPT, tmp_path / "small" / AUDIT)
    return tmp_path


def _change(out: Path, change: Any) -> None:
    path = out / "small" / AUDIT / "records.json"
    records = json.loads(path.read_text())
    change(records)
    path.write_text(json.dumps(records))


def _train(records: Records, epochs: int) -> None:
    """Give the targets of the records a course of training."""
    for seed, target in enumerate(records["targets"]):
        target["result"]["training"] = [
            {"loss": 2.5 / (epoch + 1) + 0.01 * seed, "watched_loss": 2.0 / (epoch + 1) + 0.02 * seed}
            for epoch in range(epochs)
        ]


def _panel(title: str = "QC", rows: Mapping[str, Any] = ROWS, **others: Any) -> dict[str, Any]:
    return {"title": title, "settings": {"audit": AUDIT}, "rows": dict(rows), "columns": BUDGETS, **others}


def _view(out: Path, *panels: Mapping[str, Any], **others: Any) -> View:
    document = {
        "schema": "copycost.table/1",
        "name": "test-figure1",
        "title": "A figure",
        "source": {"paper": "A paper", "item": "Figure 1"},
        "kind": "figure",
        "panels": list(panels),
        "comparable": ["small"],
        **others,
    }
    folder = out / "yaml"
    folder.mkdir(exist_ok=True)
    audits = {"schema": "copycost.audits/1", "audits": {AUDIT: library().audits[AUDIT].model_dump()}}
    (folder / "audits.yaml").write_text(yaml.safe_dump(audits))
    (folder / "test-figure1.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    (view,) = render("test-figure1", "small", out, tables=Library(folder))
    return view


class _Page(HTMLParser):
    """The elements of a page: name and attributes of each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def _charts(text: str, css: str = "chart wide") -> list[str]:
    return re.findall(rf'<svg class="{css}".*?</svg>', text, flags=re.DOTALL)


def _tips(chart: str) -> list[str]:
    return [tip.replace("\u00a0", " ") for tip in re.findall(r"<title>(.*?)</title>", chart)]


def _words(chart: str) -> list[str]:
    return re.findall(r"<text[^>]*>(.*?)</text>", chart)


def test_rounds_are_drawn_once_for_each_width_with_their_numbers_folded_below(out: Path) -> None:
    view = _view(out, _panel(chart="rounds", columns={"20K": {"budget": {"small": 1000}}}))
    text = html(view)
    (wide,), (narrow,) = _charts(text), _charts(text, "chart narrow")
    curves = view.panels[0].curves
    for chart in (wide, narrow):
        assert 'role="img"' in chart
        assert 'aria-label="QC: agreement after each round' in chart
        assert "Unsure from " in re.findall("<desc>(.*?)</desc>", chart)[0]
        assert {"agreement (%)", "queries"} <= set(_words(chart))
        assert len(_tips(chart)) == sum(len(curve.queries) for curve in curves) == 9
        assert chart.count("<polyline") == 2  # random asks everything at once
        assert chart.count('class="line flat c0"') == 1
        assert chart.count('class="whisker') == 9
    folded = text[text.index("<details") : text.index("</details>")]
    assert text.index("</svg>") < text.index("<details")
    assert folded.count("<tr>") == 1 + 9
    assert "The numbers of QC" in folded
    last = curves[1].intervals[-1]
    assert f"<td>{100 * last.mean:.2f}</td>" in folded


def test_a_legend_tells_series_by_colour_and_by_mark(out: Path) -> None:
    text = html(_view(out, _panel(chart="rounds", columns={"20K": {"budget": {"small": 1000}}})))
    legend = re.findall(r'<ul class="legend">(.*?)</ul>', text, flags=re.DOTALL)[0]
    marks = re.findall(r'<(circle|polygon)( points="[^"]*")?[^>]* class="mark (c\d)"', legend)
    assert [colour for _, _, colour in marks] == ["c0", "c1", "c2"]
    assert len({(shape, corners) for shape, corners, _ in marks}) == 3
    assert re.findall(r"<bdi>(.*?)</bdi>", legend) == list(ROWS)


def test_a_series_keeps_its_colour_where_another_has_no_records_and_that_one_is_named(out: Path) -> None:
    def forget(records: Records) -> None:
        records["cells"] = [cell for cell in records["cells"] if cell["spec"]["strategy"] != "random"]

    _change(out, forget)
    text = html(_view(out, _panel(chart="rounds", columns={"20K": {"budget": {"small": 1000}}})))
    (wide,) = _charts(text)
    assert set(re.findall(r'class="mark (c\d)"', wide)) == {"c1", "c2"}
    assert "Without a line: Random (not yet measured)." in text


def test_epochs_are_drawn_as_lines_with_bands_in_the_unit_of_the_figure(out: Path) -> None:
    _change(out, lambda records: _train(records, 4))
    view = _view(
        out, _panel("Training", EPOCHS_OF_ROWS, chart="epochs", columns={"seeds": {}}, order=None), unit="nats"
    )
    text = html(view)
    (wide,) = _charts(text)
    assert {"loss (nats)", "epoch", "1", "2", "3", "4"} <= set(_words(wide))
    assert "queries" not in wide
    assert (wide.count("<polyline"), wide.count('class="band'), wide.count('class="whisker')) == (2, 2, 8)
    listing = view.panels[0].listing
    assert listing is not None
    expected = [
        f"{name}, epoch {number + 1}: {one.mean:.3f} nats (95 % interval {one.low:.3f} to {one.high:.3f})"
        for name, intervals in listing.columns
        for number, one in enumerate(intervals)
        if one.low is not None and one.high is not None
    ]
    assert [tip.replace("−", "-") for tip in _tips(wide)] == expected
    folded = text[text.index("<details") : text.index("</details>")]
    assert folded.count("<tr>") == 1 + 4


def test_many_epochs_stay_one_line_with_marks_that_do_not_touch(out: Path) -> None:
    _change(out, lambda records: _train(records, 60))
    panel = _panel("Training", EPOCHS_OF_ROWS, chart="epochs", columns={"seeds": {}}, order=None)
    text = html(_view(out, panel, unit="nats"))
    for css in ("chart wide", "chart narrow"):
        (chart,) = _charts(text, css)
        lines = re.findall(r'<polyline points="([^"]*)"', chart)
        assert [len(line.split()) for line in lines] == [60, 60]
        places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)" [^>]*class="mark c0"', chart)]
        assert places[-1] == float(lines[0].split()[-1].split(",")[0])
        assert min(after - before for before, after in pairwise(places)) >= 8.8
        assert len(places) > 5


def test_an_axis_of_losses_does_not_go_below_0_for_an_interval_that_does(out: Path) -> None:
    def spread(records: Records) -> None:
        for seed, target in enumerate(records["targets"]):
            target["result"]["training"] = [{"loss": loss, "watched_loss": 2.0} for loss in (3.0, 0.02 + 0.3 * seed)]

    _change(out, spread)
    panel = _panel("Training", EPOCHS_OF_ROWS, chart="epochs", columns={"seeds": {}}, order=None)
    view = _view(out, panel, unit="nats")
    listing = view.panels[0].listing
    assert listing is not None
    low = listing.columns[0][1][-1].low
    assert low is not None
    assert low < 0
    (wide,) = _charts(html(view))
    assert not any(word.startswith("−") for word in _words(wide))
    assert "0" in _words(wide)


def test_one_epoch_and_one_seed_are_drawn_and_said_to_have_no_interval(out: Path) -> None:
    def alone(records: Records) -> None:
        records["targets"] = records["targets"][:1]
        _train(records, 1)

    _change(out, alone)
    panel = _panel("Training", EPOCHS_OF_ROWS, chart="epochs", columns={"seeds": {}}, order=None)
    text = html(_view(out, panel, unit="nats"))
    (wide,) = _charts(text)
    assert _tips(wide) == ["Training, epoch 1: 2.500 nats", "Fold, epoch 1: 2.000 nats"]
    assert 'class="whisker' not in wide
    assert "one seed, so no interval" in text


def test_a_figure_of_strategies_by_budget_is_drawn_with_hollow_published_numbers(out: Path) -> None:
    panel = _panel(published={"Random": "50 -", "Unsure": "- 61.5", "K-center": "- -"})
    view = _view(out, panel)
    (wide,) = _charts(html(view))
    assert wide.count("<polyline") == 3
    assert [tip for tip in _tips(wide) if "published" in tip] == [
        "Random, published, 500 queries: 50.00 %",
        "Unsure, published, 1,000 queries: 61.50 %",
    ]
    hollow = wide[wide.index('<g class="single">') :]
    assert re.findall(r'class="mark (c\d)"', hollow) == ["c0", "c1"]
    assert "Hollow marks are the published numbers." in html(view)
    folded = html(view).partition("<details")[2].partition("</details>")[0]
    assert "61.5" in folded
    assert folded.count("published</th>") == 3


def test_a_figure_by_share_is_drawn_along_the_shares_and_compared_with_random_in_its_row(out: Path) -> None:
    columns = {"0 %": {"strategy": "random"}, "100 %": {"strategy": "uncertainty"}}
    rows = {"few": {"budget": {"small": 500}}, "many": {"budget": {"small": 1000}}}
    panel = _panel(
        "Mixed", rows, columns=columns, published={"few": "- 61.5"}, shares_of="unsure texts", order="columns"
    )
    view = _view(out, panel)
    (wide,) = _charts(html(view))
    assert wide.count("<polyline") == 2
    tips = _tips(wide)
    assert [tip.partition(":")[0] for tip in tips if "published" not in tip] == [
        f"{row}, {share} %" for row in ("few", "many") for share in (0, 100)
    ]
    assert "few, published, 100 %: 61.50 %" in tips
    assert "by the share of unsure texts" in html(view)
    assert [(one.column, one.row) for one in view.against] == [("few", "100 %"), ("many", "100 %")]


@pytest.mark.parametrize("names", [("0 %", "half"), ("50 %", "10 %"), ("10%", "20 %")])
def test_columns_that_are_no_rising_shares_are_refused(names: tuple[str, str], out: Path) -> None:
    columns = {name: {"budget": budget} for name, budget in zip(names, (500, 1000), strict=True)}
    with pytest.raises(InvalidInput, match="shares_of is given"):
        _view(out, _panel(columns=columns, shares_of="anything"))


def test_a_print_that_is_cut_has_no_mark(out: Path) -> None:
    cut = {"kind": "truncated", "row": "Unsure", "column": "20K", "between": [61, 62], "text": "Ends after 61."}
    (wide,) = _charts(html(_view(out, _panel(published={"Unsure": "60.0 61"}), flags=[cut])))
    assert [tip for tip in _tips(wide) if "published" in tip] == ["Unsure, published, 500 queries: 60.00 %"]


def test_published_numbers_of_another_scale_stay_in_the_table(out: Path) -> None:
    text = html(_view(out, _panel(published={"Unsure": "- 61.5"}), comparable=["paper"]))
    (wide,) = _charts(text)
    assert "published" not in wide
    assert "Hollow" not in text
    assert "61.5" in text


@pytest.mark.parametrize(
    ("panel", "others"),
    [
        (_panel(), {"kind": "table"}),
        (_panel(columns={"Mean": {"budget": 1000}, "Top": {"budget": 1000, "statistic": "top"}}), {}),
        (_panel(columns={"20K": {"budget": 1000}}), {}),
        (_panel(columns={"20K": {"budget": 1000}, "10K": {"budget": 500}}), {}),
        (_panel(rows={"Agreement": {"strategy": "random"}, "Other": {"strategy": "random"}}), {}),
        (_panel(rows={"One": {"strategy": "random", "measure": "measures.accuracy"}, "Two": ROWS["Unsure"]}), {}),
    ],
)
def test_what_is_no_figure_of_strategies_by_rising_budgets_is_not_drawn(
    panel: dict[str, Any], others: dict[str, Any], out: Path
) -> None:
    text = html(_view(out, panel, **others))
    assert "<svg" not in text
    assert "<details" not in text


def test_a_figure_without_records_has_its_table_and_no_chart(out: Path) -> None:
    shutil.rmtree(out / "small" / AUDIT)
    text = html(_view(out, _panel(chart="rounds"), _panel("Second", EPOCHS_OF_ROWS, chart="epochs"), _panel("Third")))
    assert "<svg" not in text
    assert text.count("<details") == 0
    assert "not yet measured" in text


def test_markdown_has_tables_and_no_drawing(out: Path) -> None:
    text = markdown(
        _view(out, _panel(chart="rounds", columns={"20K": {"budget": {"small": 1000}}}), _panel("By budget"))
    )
    assert "<svg" not in text
    assert "| Unsure | 300 |" in text
    assert "| Random | measured |" in text


def test_names_in_a_chart_are_not_taken_for_markup(out: Path) -> None:
    rows = {HOSTILE: {"strategy": "random"}, "Unsure": {"strategy": "uncertainty"}}
    panels = [
        _panel(f"{HOSTILE}1", rows, chart="rounds", columns={"20K": {"budget": {"small": 1000}}}),
        _panel(f"{HOSTILE}2", rows, published={HOSTILE: "50 51"}),
        _panel(f"{HOSTILE}3", rows, columns=ELSEWHERE, published={HOSTILE: "50"}),
        _panel(f"{HOSTILE}4", rows, columns=ELSEWHERE),
        _panel(f"{HOSTILE}5", rows, columns={f"{HOSTILE} | x": {"budget": 500}}),
    ]
    view = _view(out, *panels)
    page = _Page(html(view))
    assert "script" not in {tag for tag, _ in page.elements}
    assert [tag for tag, _ in page.elements].count("b") == 1  # the masthead
    assert len(page.all("desc")) == len([one for one in page.all("svg") if one.get("role") == "img"]) == 4
    assert any(HOSTILE in (one.get("aria-label") or "") for one in page.all("svg"))
    assert "<script" not in markdown(view)
    assert r"\| x |" in markdown(view)


def test_a_panel_of_another_scale_shows_published_numbers_alone_and_says_so_once(out: Path) -> None:
    flags = [{"kind": "note", "panel": "Absent", "row": "Random", "text": "Look here."}]
    absent = _panel("Absent", columns=ELSEWHERE, published={"Random": "71.57", "Unsure": "82.63"})
    view = _view(out, _panel("Here"), absent, kind="table", flags=flags)
    page, text = html(view), markdown(view)
    shown = page[page.index("Absent") : page.index("</figure>", page.index("Absent"))]
    assert "Absent, in per cent: published; not at this scale" in shown
    assert shown.count("<tr>") == 1 + 2  # K-center is not printed
    assert 'href="#note-1"' in shown
    assert "measured" not in shown
    assert page.count("not at this scale") == 1
    part = text.partition("## Absent")[2].partition("\n## ")[0]
    assert part.strip().split("\n\n")[1:] == [
        "Published; not at this scale.",
        "|  | 30K |\n| --- | ---: |\n| Random | 71.57 [1] |\n| Unsure | 82.63 |",
    ]
    assert text.count("not at this scale") == 1


def test_numbers_that_no_scale_measures_are_called_quoted_beside_those_of_another_scale(out: Path) -> None:
    rows = {"NES": {"audit": {"paper": None}}, "Random": {"strategy": "random"}}
    mixed = _panel("Mixed", rows, columns=ELSEWHERE, published={"NES": "95.5", "Random": "96.6"})
    alone = _panel("Alone", {"NES": rows["NES"]}, columns=ELSEWHERE, published={"NES": "95.5"})
    view = _view(out, _panel("Here"), mixed, alone, kind="table")
    page, text = html(view), markdown(view)
    assert "| NES | 95.5 (quoted) |\n| Random | 96.6 |" in text
    assert "Published; quoted.\n\n|  | 30K |\n| --- | ---: |\n| NES | 95.5 |" in text
    assert "Mixed, in per cent: published; not at this scale" in page
    assert "Alone, in per cent: published; quoted" in page
    assert page.count("<small>quoted</small>") == 1


def test_a_panel_with_nothing_to_show_is_left_out_and_named_in_one_sentence(out: Path) -> None:
    panels = [
        _panel("Here", chart="rounds", columns={"20K": {"budget": {"small": 1000}}}),
        _panel("Fashion", chart="rounds", columns=ELSEWHERE),
        _panel("Objects", chart="rounds", columns=ELSEWHERE),
    ]
    for written in (html(_view(out, *panels)), markdown(_view(out, *panels))):
        assert "Left out, as nothing of them is measured at this scale: Fashion; Objects." in written
        assert written.count("Fashion") == written.count("Objects") == 1
    for written in (html(_view(out, *panels[:2])), markdown(_view(out, *panels[:2]))):
        assert "Left out, as nothing of it is measured at this scale: Fashion." in written


def test_a_figure_of_another_scale_alone_says_so_and_shows_nothing(out: Path) -> None:
    view = _view(out, _panel("Fashion", chart="rounds", columns=ELSEWHERE))
    for written in (html(view), markdown(view)):
        assert "Nothing of it is measured at the scale" in written
        assert "Left out" not in written
        assert "Fashion" not in written
    assert "Measured</h2>" not in html(view)


def test_a_page_of_published_numbers_alone_makes_no_claim_about_comparing(out: Path) -> None:
    view = _view(
        out, _panel("Absent", columns=ELSEWHERE, published={"Random": "71.57"}), kind="table", comparable=["paper"]
    )
    assert "<h2>Published</h2>" in html(view)
    assert "comparable" not in markdown(view)


def test_columns_of_another_scale_hold_a_dash_that_one_line_explains(out: Path) -> None:
    columns = {**BUDGETS, **ELSEWHERE}
    printed = {"Random": "1.0 2.0 3.0"}
    view = _view(
        out, _panel("First", columns=columns, published=printed), _panel("Second", columns=columns), kind="table"
    )
    page, text = html(view), markdown(view)
    for written in (page, text):
        assert written.count("– in a row of measured numbers: not at this scale.") == 1
        assert written.count("not at this scale") == 1
    assert page.count('<td class="none">–</td>') == 6
    assert re.search(r"\|  \| measured \| [^|]+ \| [^|]+ \| – \|", text)
    assert "3.0" in page


def test_no_dash_is_explained_where_there_is_none(out: Path) -> None:
    view = _view(out, _panel(), kind="table")
    assert "in a row of measured numbers" not in html(view) + markdown(view)


@pytest.mark.parametrize(
    "values",
    [
        (0.31, 2.2),
        (0.0, 0.0),
        (5.0, 5.0),
        (-3.0, 4.0),
        (1e-9, 2e-9),
        (1e-13, 3e-13),
        (12_000.0, 90_500.0),
        (2.0, 2.0000001),
    ],
)
def test_an_axis_of_amounts_holds_them_and_ends_on_ticks(values: tuple[float, float]) -> None:
    scale = amount_scale(values, 100.0, 0.0)
    assert scale.low <= min(values)
    assert max(values) <= scale.high
    assert (scale.ticks[0], scale.ticks[-1]) == (scale.low, scale.high)
    assert 2 <= len(scale.ticks) <= 9
    steps = [after - before for before, after in pairwise(scale.ticks)]
    assert min(steps) == pytest.approx(max(steps))
    assert scale.low >= 0 or min(values) < 0
    assert scale(scale.low) == 100.0


@pytest.mark.parametrize(("last", "few"), [(1, (1,)), (2, (1, 2)), (3, (1, 2, 3)), (20, (5, 10, 15, 20))])
def test_an_axis_of_epochs_has_whole_ticks_and_room_at_its_ends(last: int, few: tuple[int, ...]) -> None:
    scale = EPOCHS.scale(range(1, last + 1), Frame(358, 300, 46, 40, 14, 44, 4))
    assert scale.ticks == few
    assert scale.start < scale(1) <= scale(last) < scale.stop
