"""The pages of a reproduction in a real browser: they fit, their charts can be read, and they ask for nothing."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from copycost.reproduce import render

KEPT = Path(__file__).parents[1] / "results" / "reproduction"
FIGURE = "activethief-figure7"
TABLE = "activethief-table3"
HYPHENS = "activethief-table4"
Opener = Callable[..., Page]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("reproduced")
    shutil.copytree(KEPT / "small", out / "small")
    for name in (FIGURE, TABLE, HYPHENS):
        render(name, "small", out)
    return out / "small"


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Iterator[Opener]:
    contexts = []

    def open_page(name: str, width: int = 1100, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: said.append(request.url))
        page.goto((folder / f"{name}.html").as_uri())
        assert [text for text in said if not text.startswith("data:")] == [page.url]
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", [FIGURE, TABLE])
@pytest.mark.parametrize("width", [390, 1100])
def test_a_page_fits_its_window_folded_and_unfolded(opened: Opener, name: str, width: int) -> None:
    page = opened(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1100])
def test_one_drawing_of_each_chart_is_shown_with_words_that_can_be_read_inside_it(opened: Opener, width: int) -> None:
    page = opened(FIGURE, width)
    assert page.locator("svg.chart").count() == 8
    shown = page.locator("svg.chart:visible")
    assert shown.count() == 4
    boxes = page.evaluate(
        "[...document.querySelectorAll('svg.chart')].filter(s => s.clientWidth).flatMap(s => {"
        " const b = s.getBoundingClientRect();"
        " return [...s.querySelectorAll('text')].map(t => { const r = t.getBoundingClientRect();"
        " return [r.left - b.left, b.right - r.right, r.top - b.top, b.bottom - r.bottom, r.height]; }); })"
    )
    assert min(min(box[:4]) for box in boxes) >= -1
    assert min(box[4] for box in boxes) > 10
    assert shown.first.get_attribute("role") == "img"


def test_the_numbers_of_a_chart_unfold_without_a_script(opened: Opener) -> None:
    page = opened(FIGURE, java_script_enabled=False)
    table = page.locator("details table").first
    assert table.is_hidden()
    page.locator("summary").first.click()
    assert table.is_visible()


def test_charts_can_be_read_in_light_and_dark(opened: Opener) -> None:
    for scheme in ("light", "dark"):
        page = opened(FIGURE, color_scheme=scheme)
        ground, *inks = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, ...['.tick', '.mark.c0', '.mark.c1', '.mark.c2'].map("
            "name => getComputedStyle(document.querySelector('svg.chart.wide ' + name)).fill)]"
        )
        contrasts = [_contrast(ground, ink) for ink in inks]
        assert contrasts[0] >= 4.5
        assert min(contrasts[1:]) >= 3


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of an rgb() colour (WCAG 2)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_printed_page_shows_charts_and_their_numbers(opened: Opener) -> None:
    page = opened(FIGURE, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("svg.chart.wide").first.is_visible()
    box = page.locator("details table").first.bounding_box()
    assert box is not None
    assert box["height"] > 40


def test_short_row_names_stay_on_one_line(opened: Opener) -> None:
    page = opened(HYPHENS, 390)
    names = page.locator("th[scope=rowgroup] bdi")
    assert {"F-MNIST", "CIFAR-10"} <= set(names.all_inner_texts())
    assert max(page.evaluate("e => e.getBoundingClientRect().height", one) for one in names.element_handles()) < 30
