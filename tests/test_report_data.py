"""The report of texts, and of the data as they were before an audit."""

import base64
import io
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from copycost.audit import AuditResult, Folder
from copycost.audit._records import write_json
from copycost.audit._scenario import load_data
from copycost.audit._tasks import target_key
from copycost.datasets import Dataset
from copycost.exploration import Exploration, explore, write_exploration
from copycost.inputs import Images, Texts
from copycost.report import chosen_inputs, render, sample_inputs, write_page

HERE = Path(__file__).parent
build: Callable[..., AuditResult] = runpy.run_path(str(HERE / "_reports.py"))["build"]
PARTS = runpy.run_path(str(HERE / "test_report.py"))
Page: Callable[[str], Any] = PARTS["Page"]
HOSTILE: tuple[str, ...] = PARTS["HOSTILE"]


def _texts(**options: Any) -> AuditResult:
    fixed = {"medium": "text", "transfer": None, "ceiling": False, "target": "m:f", "pool": "mr:train"}
    return build(**fixed | {"test": "mr:test", "substitute": "kim"} | options)


def _page(result: AuditResult, **options: Any) -> Any:
    return Page(render(result, **options))


def _said(page: Any) -> str:
    """Return what the page says, without the settings to repeat it."""
    text: str = page.text
    return text[: text.index("Repeat it The same spec")]


def _sample(cell: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"text {row} of the pool" for row in range(min(20, cell["spec"]["budget"])))


def test_a_page_of_texts_speaks_of_texts() -> None:
    said = _said(_page(_texts(), images=_sample))
    assert "the same label as the target on 90 of 100 held-out texts" in said
    assert "It owns 1,500 texts (mr:train)" in said
    assert "it sends a text and receives the label alone" in said
    assert "Held-out texts: random, 600 queries" in said
    assert "Unasked texts" in said
    assert "texts of words drawn at random" in said
    left = re.sub(r"adversarial examples are small changes of pixels", "", said)
    assert not re.search(r"\b(image|picture|pixel|adversarial)", left, re.IGNORECASE)


def test_transferability_of_texts_is_left_out_with_the_reason() -> None:
    page = _page(_texts())
    assert "adversarial examples are small changes of pixels, and this target is asked about texts" in page.text
    assert not any(caption.startswith("Adversarial") for caption in page.tables)


def test_chosen_texts_are_shown_by_answer_with_their_first_160_characters() -> None:
    result = _texts(seeds=1, budgets=[50, 100])
    texts = tuple(f"{row} " + "word " * 60 for row in range(20))
    page = _page(result, images=lambda cell: texts)
    assert page.count("img") == 0
    assert page.text.count("0 word") >= 2
    shown = re.findall(r"<li><bdi>(\d+ word.*?)</bdi></li>", page.html)
    assert len(shown) == 2 * 20
    assert {len(one) for one in shown} <= {160, 161}
    assert all(one.endswith("…") for one in shown)
    cell = next(cell for cell in result.cells if cell["spec"]["budget"] == 50)
    answers = np.array(cell["result"]["chosen"]["answers"])[np.linspace(0, 49, 20).round().astype(int)]
    order = np.argsort(answers, kind="stable")
    assert [int(one.split()[0]) for one in shown[:20]] == order.tolist()
    assert "20 of 50 queries shown" in page.text
    assert "of each the first 160 characters" in page.text


def test_texts_are_left_out_on_request_as_pictures_are() -> None:
    def refuse(*asked: Any) -> tuple[str, ...]:
        raise AssertionError("private texts were asked for")

    found = {"pool": _explored(Dataset("mr:train", Texts([f"text {row}" for row in range(30)]), None, ()))}
    page = _page(_texts(), pictures=False, images=refuse, exploration=found, samples=refuse)
    assert "Texts were left out of this page on request." in page.text
    assert "Samples were left out of this page on request." in page.text
    assert "The texts are missing" in _page(_texts(), images=lambda cell: None).text


def test_empty_texts_are_shown_as_empty() -> None:
    assert "(empty)" in _page(_texts(seeds=1), images=lambda cell: ("", " \n", *("a",) * 18)).text


def _explored(dataset: Dataset) -> Exploration:
    return explore(dataset, rng=np.random.default_rng(0))


def test_hostile_texts_and_names_stay_text() -> None:
    texts = [HOSTILE[row % len(HOSTILE)] + f" {row}" for row in range(30)]
    labels = np.arange(30) % len(HOSTILE)
    found = _explored(Dataset(HOSTILE[1], Texts(texts), labels, HOSTILE))
    page = _page(
        _texts(classes=HOSTILE, pool=HOSTILE[0] + ".txt"),
        images=lambda cell: tuple(texts[:20]),
        exploration={"pool": found},
        samples=lambda role, one: tuple(texts[row] for group in one.samples for row in group),
    )
    assert page.count("script") == 1
    assert page.count("style") == 1
    assert page.count("img") == 0
    assert not any("alert" in text for tag in ("script", "style") for text in page.inside[tag])
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    for text in texts[:20]:
        assert " ".join(text.split()) in page.text


def _digits(n: int, classes: int = 3) -> Dataset:
    labels = np.arange(n) % classes
    shade = 60 * labels[:, None, None] + np.random.default_rng(0).integers(0, 60, (n, 5, 4))
    return Dataset("made", Images(shade.astype(np.uint8)), labels, tuple(f"kind {name}" for name in range(classes)))


def test_an_explored_set_shows_balance_points_and_samples() -> None:
    dataset = _digits(299)
    assert isinstance(dataset.inputs, Images)
    pool, found = dataset.inputs.array, _explored(dataset)
    page = _page(
        build(medium="image"),
        exploration={"pool": found},
        samples=lambda role, one: pool[[row for group in one.samples for row in group]],
    )
    assert "299 images in 3 classes: from 99 (kind 2) to 100 (kind 0 and kind 1)." in page.text
    assert "PCA of pixels: 200 of 299 images, drawn in proportion to the classes. Pixels run from 0 to 1." in page.text
    assert f"1st component, {100 * found.linear.explained[0]:.1f} % of variance" in page.text  # type: ignore[index]
    section = page.html[page.html.index('<section id="data">') :]
    planes = re.findall(r'<svg class="plane".*?</svg>', section, re.DOTALL)
    assert len(planes) == 3
    for plane in planes[:2]:
        sizes = [int(size) for size in re.findall(r"<title>kind \d: (\d+)</title>", plane)]
        assert sizes == np.bincount(found.labels).tolist()
        assert [path.count("M") for path in re.findall(r'<path d="([^"]*)" class="dots', plane)] == sizes
    shown = [one for tag, one in page.elements if tag == "img"]
    assert [one["alt"] for one in shown] == [f"kind {label}" for label in range(3) for _ in range(5)]
    written = base64.b64decode(shown[5]["src"].partition(",")[2])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(written))), pool[found.samples[1][0], ..., 0])


def test_bars_of_the_class_balance_are_as_long_as_the_counts() -> None:
    labels = np.repeat([0, 1, 2], [40, 20, 10])
    found = _explored(Dataset("uneven", _digits(70).inputs, labels, ("a", "b", "c")))
    html = render(build(medium="image"), exploration={"test": found})
    lengths = [float(length) for length in re.findall(r'width="([\d.]+)" height="13" class="balance"', html)]
    assert lengths[0] == pytest.approx(2 * lengths[1]) == pytest.approx(4 * lengths[2])


def test_without_labels_there_are_points_and_neither_bars_nor_legend() -> None:
    found = _explored(Dataset("unlabelled", _digits(40).inputs, None, ()))
    page = _page(build(medium="image"), exploration={"pool": found}, samples=lambda role, one: None)
    assert "40 images, without labels." in page.text
    section = page.html[page.html.index('<section id="data">') : page.html.index('<section id="cost">')]
    assert section.count('class="plane"') == 2
    assert "Class balance" not in section
    assert "legend" not in section


def test_a_plane_that_could_not_be_drawn_says_why() -> None:
    found = _explored(_digits(3))
    text = _page(build(medium="image"), exploration={"test": found}).text
    assert "t-SNE: not drawn, as t-SNE needs 4 inputs or more, and the sample holds 3." in text
    alike = _explored(Dataset("alike", Images(np.zeros((9, 4, 4), np.uint8)), None, ()))
    text = _page(build(medium="image"), exploration={"test": alike}).text
    assert "PCA of pixels: not drawn, as all inputs of the sample are alike." in text


@pytest.mark.parametrize(("classes", "legend"), [(20, 20), (43, 13), (200, 13)])
def test_many_classes_keep_their_marks_apart_and_the_page_small(classes: int, legend: int) -> None:
    dataset = _digits(400, classes=1)
    found = _explored(
        Dataset("many", dataset.inputs, np.arange(400) % classes, tuple(f"kind {name}" for name in range(classes)))
    )
    array = dataset.inputs.array  # type: ignore[union-attr]
    page = _page(
        build(medium="image"),
        exploration={"pool": found},
        samples=lambda role, one: array[[row for group in one.samples for row in group]],
    )
    section = page.html[page.html.index('<section id="data">') : page.html.index('<section id="cost">')]
    swatches = re.findall(r'<svg class="swatch".*?</svg>', section, re.DOTALL)
    assert len(swatches) == len(set(swatches)) == legend
    assert [f"hollow c{place % 6}" in one for place, one in enumerate(swatches[:12])] == [False] * 6 + [True] * 6
    assert section.count("<img") <= 100
    assert section.count('class="balance"') == min(60, classes)
    if classes > 20:
        assert f"{classes - 12} other classes" in section
    if classes == 200:
        assert "140 classes no larger than these are not shown" in section
        assert "100 classes more, not shown" in section


def test_without_an_exploration_the_page_has_no_section_of_the_data() -> None:
    assert 'id="data"' not in render(build())


def _written(result: AuditResult, path: Path) -> Path:
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


def test_a_written_page_holds_the_choice_and_the_samples_of_its_own_data_or_none(tmp_path: Path) -> None:
    result = build(seeds=1, medium="image")
    data = load_data(result.spec, 0, None)
    assert data.training is not None
    result.targets[0]["pool"]["digest"] = data.pool.inputs.digest()
    out = _written(result, tmp_path / "audit")
    parts = {"training": data.training, "pool": data.pool, "test": data.test}
    write_exploration(parts, out / "exploration.json", 0)
    page = Page(write_page(result, out).read_text(encoding="utf-8"))
    assert page.count("img") == 100 + 3 * 50
    titles = ["Training data of the target: embedded:train", "Pool: embedded:pool", "Held-out set: embedded:test"]
    assert all(title in page.text for title in titles)
    assert page.html.index(titles[0]) < page.html.index(titles[1]) < page.html.index(titles[2])
    assert Page(write_page(result, out, pictures=False).read_text(encoding="utf-8")).count("img") == 0
    document = json.loads((out / "exploration.json").read_text())
    document["parts"]["pool"]["digest"] = "another"
    (out / "exploration.json").write_text(json.dumps(document))
    page = Page(write_page(result, out).read_text(encoding="utf-8"))
    assert page.count("img") == 100 + 2 * 50
    assert not list(out.glob("*.part"))


def test_texts_of_a_pool_are_found_again(tmp_path: Path) -> None:
    pool, test = tmp_path / "pool.txt", tmp_path / "test.csv"
    pool.write_text("".join(f"line number {row}\n" for row in range(80)))
    test.write_text("text,label\n" + "".join(f"held out {row},{row % 2}\n" for row in range(10)))
    result = _texts(seeds=1, budgets=[30], strategies=["random"], pool=str(pool), test=str(test), classes=["0", "1"])
    cell = result.cells[0]
    cell["result"]["chosen"]["pool_index"] = list(range(30))
    assert chosen_inputs(result, cell, None) is None
    data = load_data(result.spec, 0, None)
    result.targets[0]["pool"]["digest"] = data.pool.inputs.digest()
    found = chosen_inputs(result, cell, None)
    assert isinstance(data.pool.inputs, Texts)
    rows = np.linspace(0, 29, 20).round().astype(int)
    assert found == tuple(data.pool.inputs.texts[row] for row in rows)
    explored = _explored(data.test)
    held = sample_inputs(result, "test", explored, None)
    assert held is not None
    assert len(held) == 10
    assert sample_inputs(result, "training", explored, None) is None
