"""The one change that images go through, against Pillow's own functions and sums by hand."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from copycost import Images, datasets
from copycost.audit import build_spec, read_config
from copycost.audit._tasks import target_key
from copycost.datasets import Transform, _memory
from copycost.errors import InvalidInput
from copycost.report._setting import command
from copycost.similarity import luminance

BASE: dict[str, Any] = {"target": "labels", "pool": "embedded:pool", "test": "embedded:test"}


def noise(*shape: int) -> Images:
    return Images(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def test_the_default_changes_nothing_and_returns_the_same_object() -> None:
    images = noise(3, 5, 4, 2)
    assert Transform()(images) is images
    assert Transform(size=(5, 4))(images) is images
    grey = noise(3, 5, 4, 1)
    assert Transform(colour="grey", size=(5, 4))(grey) is grey
    assert str(Transform()) == ""


@pytest.mark.parametrize("resample", ["bilinear", "nearest", "bicubic", "area"])
@pytest.mark.parametrize("size", [(28, 28), (7, 11), (40, 9), (1, 1)])
def test_stretching_equals_pillow_on_whole_colour_images(resample: str, size: tuple[int, int]) -> None:
    images = noise(3, 20, 16, 3)
    found = Transform(size=size, resample=resample)(images)  # type: ignore[arg-type]
    kernel = {"bilinear": 2, "nearest": 0, "bicubic": 3, "area": 4}[resample]
    for image, changed in zip(images.array, found.array, strict=True):
        reference = Image.fromarray(image).resize(size[::-1], Image.Resampling(kernel))
        np.testing.assert_array_equal(changed, np.asarray(reference))


def test_area_is_the_mean_of_the_pixels_covered_and_nearest_repeats_them() -> None:
    images = noise(2, 12, 8, 3)
    means = images.array.reshape(2, 4, 3, 4, 2, 3).mean(axis=(2, 4), dtype=np.float64)
    assert np.abs(Transform(size=(4, 4), resample="area")(images).array - means).max() <= 1
    larger = Transform(size=(24, 16), resample="nearest")(images).array
    np.testing.assert_array_equal(larger, images.array.repeat(2, axis=1).repeat(2, axis=2))


@pytest.mark.parametrize("own", [(30, 20), (20, 30), (24, 24), (5, 60), (60, 5)])
def test_cropping_keeps_the_centre_and_padding_the_whole_as_pillow_does(own: tuple[int, int]) -> None:
    images = noise(2, *own, 3)
    cropped = Transform(size=(12, 12), fit="crop")(images).array
    padded = Transform(size=(12, 12), fit="pad")(images).array
    left, top = (own[1] - min(own)) // 2, (own[0] - min(own)) // 2
    for at, image in enumerate(images.array):
        picture = Image.fromarray(image)
        centre = picture.crop((left, top, left + min(own), top + min(own)))
        np.testing.assert_array_equal(cropped[at], centre.resize((12, 12), Image.Resampling.BILINEAR))
        whole = ImageOps.contain(picture, (12, 12), Image.Resampling.BILINEAR)
        corner = ((12 - whole.width) // 2, (12 - whole.height) // 2)
        black = Image.new("RGB", (12, 12))
        black.paste(whole, corner)
        np.testing.assert_array_equal(padded[at], black)


@pytest.mark.parametrize(
    ("size", "own", "rows", "columns"),
    [((10, 20), (30, 30), 15, 30), ((20, 10), (30, 31), 30, 15), ((3, 2), (100, 50), 75, 50), ((1, 99), (9, 9), 1, 9)],
)
def test_what_is_cropped_is_the_largest_part_of_the_new_aspect(
    size: tuple[int, int], own: tuple[int, int], rows: int, columns: int
) -> None:
    images = noise(2, *own, 1)
    top, left = (own[0] - rows) // 2, (own[1] - columns) // 2
    part = Images(images.array[:, top : top + rows, left : left + columns])
    found = Transform(size=size, fit="crop")(images)
    np.testing.assert_array_equal(found.array, datasets.resize(part, *size).array)


def test_padding_shows_the_whole_image_in_the_middle_of_black() -> None:
    white = Images(np.full((1, 10, 40), 255, np.uint8))
    found = Transform(size=(21, 20), fit="pad")(white).array[0, ..., 0]
    assert found[8:13].min() == 255
    assert found[:8].max() == found[13:].max() == 0
    assert Transform(size=(8, 8), fit="pad")(Images(np.full((1, 1, 9999), 255, np.uint8))).array.sum() == 8 * 255


def test_grey_is_the_luminance_of_the_similarity_room_and_near_pillows() -> None:
    colour = noise(4, 9, 9, 3)
    found = Transform(colour="grey")(colour).array
    np.testing.assert_array_equal(found, luminance(colour.array))
    reference = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in colour.array])
    assert np.abs(found[..., 0].astype(int) - reference).max() <= 1


def test_colour_copies_grey_to_three_equal_channels_and_back_loses_nothing() -> None:
    grey = noise(4, 9, 9, 1)
    found = Transform(colour="colour")(grey)
    assert found.shape == (9, 9, 3)
    assert (found.array == grey.array).all()
    np.testing.assert_array_equal(Transform(colour="grey")(found).array, grey.array)


@pytest.mark.parametrize("colour", ["grey", "colour"])
def test_channels_without_a_colour_are_refused(colour: str) -> None:
    with pytest.raises(InvalidInput, match="these have 2"):
        Transform.parse(f"colour={colour}")(noise(1, 3, 3, 2))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("size=28", "HEIGHTxWIDTH"),
        ("size=0x28", "HEIGHTxWIDTH"),
        ("size=-1x28", "HEIGHTxWIDTH"),
        ("size=28x28x3", "HEIGHTxWIDTH"),
        ("size=2.5x3", "HEIGHTxWIDTH"),
        ("size=²x3", "HEIGHTxWIDTH"),
        ("size=999999x3", "65536"),
        ("size=9" + "9" * 5000 + "x3", "65536"),
        ("size", "not understood"),
        ("siez=28x28", "siez=28x28' is not understood"),
        ("size=2x2 size=3x3", "at most once"),
        ("size=2x2 resample=lanczos", "bilinear, nearest, bicubic, area are allowed"),
        ("colour=gray", "keep, grey, colour are allowed"),
        ("size=2x2 fit=cover", "stretch, crop, pad are allowed"),
        ("fit=crop", "no size"),
        ("resample=area", "no size"),
    ],
)
def test_transforms_that_are_not_understood_are_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        Transform.parse(text)
    with pytest.raises(InvalidInput, match=words):
        build_spec(BASE | {"transform": text})


@pytest.mark.parametrize("size", [(0, 1), (1, 2, 3), [2], (True, 4), (2.0, 2.0), 28, {}])
def test_sizes_of_another_type_are_refused(size: Any) -> None:
    with pytest.raises(InvalidInput, match="HEIGHTxWIDTH"):
        Transform(size=size)


transforms = st.builds(
    Transform,
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    resample=st.sampled_from(["bilinear", "nearest", "bicubic", "area"]),
    colour=st.sampled_from(["keep", "grey", "colour"]),
    fit=st.sampled_from(["stretch", "crop", "pad"]),
)


@settings(max_examples=150, deadline=None)
@given(transforms, st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(1, 30), st.sampled_from([1, 3])))
def test_what_comes_out_has_the_shape_that_was_promised_whatever_goes_in(
    transform: Transform, shape: tuple[int, ...]
) -> None:
    images = noise(*shape)
    found = transform(images)
    assert len(found) == len(images)
    assert found.shape == transform.shape(images.shape)
    assert transform.size == found.shape[:2]
    assert Transform.parse(str(transform)) == transform


@settings(max_examples=50, deadline=None)
@given(transforms, st.integers(0, 255), st.sampled_from([1, 3]))
def test_a_constant_image_stays_constant_unless_it_is_padded(transform: Transform, level: int, channels: int) -> None:
    found = transform(Images(np.full((1, 9, 7, channels), level, np.uint8))).array
    assert set(np.unique(found).tolist()) <= ({0, level} if transform.fit == "pad" else {level})


def test_a_set_that_would_outgrow_memory_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    images = noise(100, 4, 4, 1)
    monkeypatch.setattr(_memory, "_SHARE", _memory.memory_limit() * 4 // 500_000)
    with pytest.raises(InvalidInput, match=r"100 images, \(100, 100, 1\), takes 1.0 MiB of memory .* \[:10000\]"):
        Transform(size=(100, 100))(images)


@pytest.mark.parametrize("text", ["embedded[:20]", "file.npz"])
def test_every_kind_of_set_goes_through_it(text: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = datasets.load("embedded[:20]")
    images = datasets.images_of(whole)
    np.savez("file.npz", images=images.array, labels=whole.labels)  # type: ignore[arg-type]
    found = datasets.load(text, transform=Transform.parse("size=14x10 colour=colour"))
    changed = datasets.images_of(found)
    assert changed.shape == (14, 10, 3)
    np.testing.assert_array_equal(changed.array[..., 0], datasets.resize(images, 14, 10).array[..., 0])
    np.testing.assert_array_equal(found.labels, whole.labels)


@pytest.mark.parametrize(
    "given_as",
    [
        "size=14x10 colour=grey",
        {"size": "14x10", "colour": "grey"},
        {"size": [14, 10], "colour": "grey"},
        {"size": "14,10", "colour": "grey", "fit": "stretch"},
    ],
)
def test_a_spec_takes_a_transform_as_text_or_settings_and_its_records_give_it_back(given_as: Any) -> None:
    spec = build_spec(BASE | {"transform": given_as, "skip_bad": True})
    assert spec.transform.transform() == Transform(size=(14, 10), colour="grey")
    assert type(spec)(**spec.model_dump(mode="json")) == spec
    cell = spec.cells()[0]
    assert type(cell)(**cell.model_dump(mode="json")) == cell
    plain = build_spec(BASE)
    assert cell.key != plain.cells()[0].key
    assert target_key(spec, 0) != target_key(plain, 0)


def test_what_the_guide_shows_runs(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    guide = (Path(__file__).parents[1] / "docs" / "guide" / "data.md").read_text()
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        exec(code, names)
    assert names["pool"].inputs.shape == (14, 14, 1)
    assert len(datasets.load("pool.npz")) == 100
    (config,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    Path("config.yaml").write_text(config)
    (flag,) = re.findall(r'--transform "(.*?)"', guide)
    spec = build_spec(BASE | read_config(Path("config.yaml")))
    assert spec == build_spec(BASE | {"transform": flag, "skip_bad": True})


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        ({"szie": "2x2"}, "did you mean 'size'"),
        ({"size": "2"}, "transform.size"),
        ({"colour": "gray"}, "transform.colour"),
        ({"fit": "crop"}, "no size"),
        (3, "transform is 3"),
    ],
)
def test_settings_of_a_transform_that_cannot_be_are_named(transform: Any, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        build_spec(BASE | {"transform": transform})
    assert words in str(caught.value)


def test_the_command_on_a_report_names_the_transform_and_the_skipping() -> None:
    spec = build_spec(BASE | {"transform": "size=16x12 resample=area", "skip_bad": True})
    words = shlex.split(command(spec))
    (flag,) = [word.removeprefix("--transform=") for word in words if word.startswith("--transform=")]
    assert Transform.parse(flag) == spec.transform.transform()
    assert "--skip-bad" in words
    assert not any(word.startswith("--skip-bad") for word in shlex.split(command(build_spec(BASE))))
