"""The report page in a real browser: it renders, runs without an error, asks for nothing, and fits."""

import functools
import io
import re
import runpy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from copycost.audit import AuditResult
from copycost.datasets import Dataset
from copycost.exploration import Exploration, explore
from copycost.inputs import Images
from copycost.report import render

build: Callable[..., AuditResult] = runpy.run_path(str(Path(__file__).with_name("_reports.py")))["build"]

HOSTILE = "</style></script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
LONG = "x" * 300
ACTIVE = ["random", "k-center", "dfal + k-center rho=1000", "uncertainty"]


@dataclass
class Seen:
    """What a page asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    def images(cell: dict[str, Any]) -> Any:
        count = min(60, cell["spec"]["budget"])
        return np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1)).astype(np.uint8)

    folder = tmp_path_factory.mktemp("reports")
    digits = [str(digit) for digit in range(10)]
    strategies = ["random", "drmi", "random group=label", "drmi alpha=4 group=label"]
    made = {
        "plain": build(classes=digits),
        "wide": build(classes=digits, strategies=strategies, answers=["top1", "probabilities", "rounded:2"]),
        "hostile": build(classes=[HOSTILE, LONG, "c"], target=f"{HOSTILE}:f", pool=f"{LONG}.npz", ceiling=False),
        "one seed": build(seeds=1, transfer=None, labelled=False, ceiling=False),
        "active": build(classes=digits, strategies=ACTIVE, rounds_gain=0.02, rho=lambda *cell: 0.2, robustness=20),
        "texts": build(
            strategies=ACTIVE[:2], rounds_gain=0.02, medium="text", transfer=None, target="m:f", ceiling=False
        ),
    }
    for name, result in made.items():
        if name == "texts":
            shown: dict[str, Any] = {"images": lambda cell: (HOSTILE, LONG, *["a text"] * 18)}
        else:
            shown = {"images": images, "exploration": _explored(), "samples": lambda role, one: _SHADES[:25]}
        (folder / f"{name}.html").write_text(render(result, **shown), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


_SHADES = np.random.default_rng(0).integers(0, 256, (80, 6, 6, 1)).astype(np.uint8)


@functools.cache
def _explored() -> dict[str, Exploration]:
    names = (HOSTILE, LONG, "c", "d", "a longer name of a class")
    dataset = Dataset("a pool", Images(_SHADES), np.arange(80) % 5, names)
    return {"pool": explore(dataset, rng=np.random.default_rng(0))}


@pytest.fixture
def opened(browser: Browser, reports: dict[str, Path]) -> Iterator[Callable[..., tuple[Page, Seen]]]:
    contexts = []

    def open_report(name: str, width: int = 1280, **options: Any) -> tuple[Page, Seen]:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page, seen = context.new_page(), Seen()
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("console", lambda message: seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto(reports[name].as_uri())
        return page, seen

    yield open_report
    for context in contexts:
        context.close()


Opener = Callable[..., tuple[Page, Seen]]
REPORTS = ["plain", "wide", "hostile", "one seed", "active", "texts"]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_fits_its_window_without_errors_and_asks_for_nothing(opened: Opener, name: str, width: int) -> None:
    page, seen = opened(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.mouse.wheel(0, 20_000)
    page.wait_for_timeout(50)
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [page.url]
    assert page.locator("h1").is_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_one_drawing_of_every_chart_is_shown_and_its_words_can_be_read(opened: Opener, width: int) -> None:
    page, _ = opened("plain", width)
    shown = page.locator("svg.chart:visible")
    assert shown.count() == 3
    assert page.locator("svg.chart").count() == 6
    for index in range(3):
        box = shown.nth(index).bounding_box()
        assert box is not None
        assert box["width"] > 300
    sizes = page.evaluate(
        "[...document.querySelectorAll('svg.chart text')].map(t => t.getBoundingClientRect().height).filter(h => h)"
    )
    assert min(sizes) > 10


@pytest.mark.parametrize("name", ["plain", "active"])
def test_charts_keep_their_words_inside_themselves(opened: Opener, name: str) -> None:
    for width in (390, 1280):
        page, _ = opened(name, width)
        beyond = page.evaluate(
            "[...document.querySelectorAll('svg.chart, svg.plane')].filter(s => s.clientWidth).flatMap(s => {"
            " const b = s.getBoundingClientRect();"
            " return [...s.querySelectorAll('text')].filter(t => { const r = t.getBoundingClientRect();"
            " return r.left < b.left - 1 || r.right > b.right + 1 || r.top < b.top - 1 || r.bottom > b.bottom + 1; })"
            ".map(t => t.textContent); })"
        )
        assert beyond == []


def test_hostile_names_do_not_run(opened: Opener) -> None:
    page, _ = opened("hostile")
    page.wait_for_timeout(100)
    assert page.title().startswith("Copying this model")
    assert HOSTILE in page.locator("body").inner_text()
    assert page.locator("script").count() == 1


class _Counting(BaseHTTPRequestHandler):
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """A server of this machine that counts who asks; it would answer, unlike an address that does not exist."""
    _Counting.paths.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Counting) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
        thread.join()


def test_the_policy_lets_no_request_out_even_if_markup_got_in(opened: Opener, server: str, browser: Browser) -> None:
    page, seen = opened("plain")
    page.evaluate(f"document.body.insertAdjacentHTML('beforeend', '<img src=\"{server}/image\">')")
    page.evaluate(f"fetch('{server}/fetch', {{mode: 'no-cors'}}).catch(() => 0)")
    page.evaluate(f"navigator.sendBeacon('{server}/beacon')")
    page.wait_for_timeout(300)
    assert any("Content Security Policy" in text for text in seen.complaints)
    assert _Counting.paths == []
    free = browser.new_page()
    free.evaluate(f"fetch('{server}/free', {{mode: 'no-cors'}}).then(() => 0)")
    free.close()
    assert _Counting.paths == ["/free"]


def test_hovering_a_point_shows_its_figures(opened: Opener) -> None:
    page, _ = opened("plain")
    assert page.locator("#tip").is_hidden()
    page.locator("svg.chart.wide .hit[r]").first.hover()
    assert re.fullmatch(
        r"random, 50 queries: [\d.]+\s% \(95\s% interval [\d.]+\sto\s[\d.]+\)", page.locator("#tip").inner_text()
    )
    page.locator("table.grid td.kept").first.hover()
    assert page.locator("#tip").inner_text().startswith("target’s label 0, substitute’s label 0: ")
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


def test_light_and_dark_are_readable(opened: Opener) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page, _ = opened("plain", color_scheme=scheme)
        inked = ["body", ".lede p", ".tick", "td small", ".c0", ".c1"]
        colours = page.evaluate(
            "names => [getComputedStyle(document.body).backgroundColor, ...names.map(name => {"
            " const look = getComputedStyle(document.querySelector(name));"
            " return name == '.tick' ? look.fill : look.color; })]",
            inked,
        )
        ground, *inks = (_luminance(colour) for colour in colours)
        contrasts = [(max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) for ink in inks]
        assert min(contrasts[:4]) >= 4.5
        assert min(contrasts[4:]) >= 3
        grounds.append(ground)
    assert grounds[0] > 0.9
    assert grounds[1] < 0.1


def _luminance(colour: str) -> float:
    """Relative luminance of an rgb() colour (WCAG 2)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_page_is_complete_in_print_and_without_scripts(opened: Opener) -> None:
    page, _ = opened("plain", java_script_enabled=False, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("svg.chart.wide").first.is_visible()
    for folded in page.locator("details table").all():
        box = folded.bounding_box()
        assert box is not None
        assert box["height"] > 40
    assert page.locator("nav").is_hidden()
    assert page.pdf().startswith(b"%PDF")


def test_wide_tables_scroll_in_a_box_that_the_keyboard_reaches(opened: Opener) -> None:
    page, _ = opened("wide", 390)
    box = page.locator(".data .scroll").first
    assert box.evaluate("e => e.scrollWidth > e.clientWidth")
    assert _edge(page, box) > 0.05
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert box.evaluate("e => e.scrollLeft") > 0
    box.evaluate("e => e.scrollLeft = e.scrollWidth")
    page.wait_for_timeout(300)
    assert _edge(page, box) < 0.02


def test_a_table_that_fits_shows_no_edge(opened: Opener) -> None:
    page, _ = opened("plain", 1280)
    box = page.locator(".data .scroll").first
    assert box.evaluate("e => e.scrollWidth == e.clientWidth")
    assert _edge(page, box) < 0.02


def _edge(page: Page, box: Locator) -> float:
    """Return how much darker the ground is at the right edge of a box than a little further in, from 0 to 1."""
    box.scroll_into_view_if_needed()
    found = Image.open(io.BytesIO(box.screenshot())).convert("L")
    shades = np.asarray(found, dtype=np.float64)
    rows = slice(4, 12)
    return float(np.median(shades[rows, -24:-20]) - np.median(shades[rows, -3:])) / 255
