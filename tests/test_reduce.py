"""Reducing a pool: what is chosen, what is written, and what is refused before anything is written."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.dom import minidom

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import mutual_info_score

from copycost._types import AnyArray, FloatArray
from copycost.datasets import Dataset, Transform, images_of, largest_remainder, load
from copycost.errors import CopycostError, InvalidInput
from copycost.inputs import Images
from copycost.measures import student_interval
from copycost.reduce import Chooser, Request, load_pool, nearest_chosen, reduce
from copycost.reduce._chart import draw_curve
from copycost.reduce._curve import Point
from copycost.reduce._duplicates import find_duplicates
from copycost.reduce._lessons import _aligned, _held_out
from copycost.reduce._shares import class_shares
from copycost.similarity import Dense, OnDemand, luminance, mutual_information
from copycost.substitutes import Schedule

STRATEGIES = ("coverage", "drmi", "random")
SUBPROCESS = 60


@pytest.fixture(scope="module")
def digits() -> AnyArray:
    """240 real digits, 24 of each class."""
    whole = load("embedded")
    assert whole.labels is not None
    rows = np.concatenate([np.flatnonzero(whole.labels == digit)[:24] for digit in range(10)])
    return images_of(whole).take(rows).array


LABELS = np.repeat(np.arange(10), 24)


@pytest.fixture(scope="module")
def arrays(digits: AnyArray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arrays") / "digits.npz"
    np.savez(path, images=digits, labels=LABELS)
    return path


@pytest.fixture(scope="module")
def classes(digits: AnyArray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of digits: three classes of 8."""
    root = tmp_path_factory.mktemp("classes")
    for digit, name in ((0, "nought"), (1, "one, or two"), (2, "drei-ß")):
        (root / name).mkdir()
        for place in range(8):
            Image.fromarray(digits[24 * digit + place, ..., 0]).save(root / name / f"{place}.png")
    return root


@pytest.fixture(scope="module")
def mixed(digits: AnyArray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flat folder of images of several sizes, formats and colours."""
    root = tmp_path_factory.mktemp("mixed")
    for place in range(12):
        picture = Image.fromarray(digits[20 * place, ..., 0]).resize((40 + 7 * place, 64))
        picture = picture.convert("RGB") if place % 2 else picture
        picture.save(root / f"{place:02}.{('png', 'jpg', 'bmp')[place % 3]}")
    return root


def run(pool: str | Path, out: str | Path, **options: Any) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    record = reduce(Request(str(pool), str(out), **options), say=said.append)
    return record, said


def information(images: AnyArray) -> FloatArray:
    """Mutual information of all pairs by scikit-learn, in float64."""
    pixels = images.reshape(len(images), -1)
    return np.array([[mutual_info_score(a, b) for b in pixels] for a in pixels])


def scaled(matrix: FloatArray) -> FloatArray:
    roots = np.sqrt(np.diagonal(matrix))
    quotient: FloatArray = matrix / np.outer(roots, roots)
    return quotient


def small(n: int, seed: int = 0) -> AnyArray:
    return np.random.default_rng(seed).integers(0, 4, (n, 6, 6, 1), dtype=np.uint8)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("keep", [[], [7], [7, 2]])
def test_coverage_takes_the_best_gain_beyond_what_is_kept_at_every_step(keep: list[int]) -> None:
    images = small(14)
    matrix = scaled(information(images))
    chosen = Chooser(Dense(mutual_information(images)), keep=np.array(keep, np.int64)).choose(6).tolist()
    assert chosen[: len(keep)] == keep
    assert len(set(chosen)) == 6
    cover = np.zeros(14)
    for place, point in enumerate(chosen):
        gains = np.maximum(matrix - cover, 0).sum(axis=1)
        if place >= len(keep):
            assert gains[point] == pytest.approx(gains.max(), rel=1e-5)
        cover = np.maximum(cover, matrix[point])


@pytest.mark.parametrize("k", [3, 4, 8])
@pytest.mark.parametrize("seed", [0, 1])
def test_drmi_finds_the_lightest_set_that_holds_what_is_kept(k: int, seed: int) -> None:
    images = small(9, seed)
    weights = information(images) ** 2
    keep = [4, 1]

    def weight(members: tuple[int, ...]) -> float:
        return float(sum(weights[a, b] for a, b in itertools.combinations(members, 2)))

    best = min(weight(members) for members in itertools.combinations(range(9), k) if set(keep) <= set(members))
    chooser = Chooser(Dense(mutual_information(images)), "drmi", keep=np.array(keep))
    chosen = chooser.choose(k).tolist()
    assert chosen[:2] == keep
    assert weight(tuple(chosen)) == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("by_label", [False, True])
@pytest.mark.parametrize("keep", [[], [3, 20, 1]])
def test_every_strategy_gives_so_many_different_images_with_those_kept_first(
    strategy: str, by_label: bool, keep: list[int]
) -> None:
    images, labels = small(24), np.arange(24) % 3
    chooser = Chooser(
        Dense(mutual_information(images)), strategy, labels=labels if by_label else None, keep=np.array(keep, np.int64)
    )
    for k in (3, 4, 11, 23, 24):
        chosen = chooser.choose(k)
        assert len(set(chosen.tolist())) == len(chosen) == k
        assert chosen[: len(keep)].tolist() == keep
        assert chosen.min() >= 0
        assert chosen.max() < 24
        assert chosen.tolist() == chooser.choose(k).tolist()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_within_classes_each_gets_its_share(strategy: str) -> None:
    labels = np.repeat([0, 2, 5], (12, 8, 4))
    chosen = Chooser(Dense(mutual_information(small(24))), strategy, labels=labels).choose(8)
    assert np.bincount(labels[chosen]).tolist() == [4, 0, 3, 0, 0, 1]
    kept = np.array([20, 21, 22])
    chosen = Chooser(Dense(mutual_information(small(24))), strategy, labels=labels, keep=kept).choose(8)
    assert np.bincount(labels[chosen]).tolist() == [3, 0, 2, 0, 0, 3]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_shares_add_up_hold_what_is_kept_and_never_exceed_a_class(data: st.DataObject) -> None:
    sizes = np.array(data.draw(st.lists(st.integers(1, 30), min_size=1, max_size=6)))
    kept = np.array([data.draw(st.integers(0, int(size))) for size in sizes])
    k = data.draw(st.integers(max(len(sizes), int(kept.sum())), int(sizes.sum())))
    shares = class_shares(k, sizes, kept)
    assert shares.sum() == k
    assert (shares >= kept).all()
    assert (shares <= sizes).all()
    if (largest_remainder(k, sizes) >= kept).all():
        assert shares.tolist() == largest_remainder(k, sizes).tolist()


def test_random_choices_differ_by_seed_and_smaller_ones_begin_larger_ones() -> None:
    similarity = Dense(mutual_information(small(30)))
    chosen = {tuple(Chooser(similarity, "random", seed=seed).choose(6).tolist()) for seed in range(5)}
    assert len(chosen) == 5
    for strategy in ("random", "coverage"):
        chooser = Chooser(similarity, strategy)
        assert chooser.choose(9)[:4].tolist() == chooser.choose(4).tolist()


def test_the_nearest_chosen_image_is_the_most_similar_one() -> None:
    images = small(20)
    matrix = scaled(information(images))
    chosen = np.array([5, 0, 17, 9])
    for size, found in zip(
        (1, 3, 4), nearest_chosen(Dense(mutual_information(images)), chosen, (1, 3, 4)), strict=True
    ):
        block = matrix[chosen[:size]]
        np.testing.assert_allclose(found.similarity, block.max(axis=0), rtol=1e-4)
        assert set(found.index.tolist()) <= set(chosen[:size].tolist())
        np.testing.assert_allclose(matrix[found.index, np.arange(20)], block.max(axis=0), rtol=1e-4)
        assert found.coverage == pytest.approx(block.max(axis=0).mean(), rel=1e-5)


def test_the_image_chosen_first_wins_a_tie() -> None:
    images = small(4)[[0, 1, 0, 0]]
    for found in nearest_chosen(Dense(mutual_information(images)), np.array([2, 0, 3]), (1, 2, 3)):
        assert found.index[[0, 2, 3]].tolist() == [2, 2, 2]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("keep", [[], [3]])
def test_a_pool_too_large_for_a_matrix_is_reduced_without_one(
    strategy: str, keep: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Chooser(Dense(mutual_information(small(40))), strategy, keep=np.array(keep, np.int64)).choose(6)
    monkeypatch.setattr("copycost.similarity._cost.MATRIX_LIMIT", 100)
    chooser = Chooser(OnDemand(small(40)), strategy, keep=np.array(keep, np.int64), reference=40)
    assert chooser.choose(6).tolist() == whole.tolist()
    sampled = Chooser(OnDemand(small(40)), strategy, keep=np.array(keep, np.int64), reference=7)
    assert len(set(sampled.choose(6).tolist())) == 6


def test_a_large_pool_is_covered_by_a_sample_and_the_record_says_so(
    arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycost.similarity._cost.MATRIX_LIMIT", 100)
    monkeypatch.setattr("copycost.reduce._run._SAMPLE", 50)
    record, said = run(arrays, tmp_path / "small.csv", size=12)
    assert record["reference"] == 50
    assert any("sample of 50 images" in line for line in said)
    assert record["duplicates"]["among"] == "pairs with a chosen image"
    assert len(table(tmp_path / "small.csv")) == 12


def test_a_list_a_table_and_arrays_name_the_same_images(arrays: Path, digits: AnyArray, tmp_path: Path) -> None:
    record, _ = run(arrays, tmp_path / "a.txt", size=15)
    chosen = record["chosen"]
    assert (tmp_path / "a.txt").read_text().split() == [str(index) for index in chosen]
    run(arrays, tmp_path / "b.csv", size=15)
    rows = table(tmp_path / "b.csv")
    assert [int(row["index"]) for row in rows] == chosen
    assert [int(row["label"]) for row in rows] == LABELS[chosen].tolist()
    assert sum(int(row["stands_for"]) for row in rows) == len(digits)
    matrix = scaled(information(digits[chosen]))
    np.fill_diagonal(matrix, -1)
    for row, values in zip(rows, matrix, strict=True):
        assert float(row["similarity"]) == pytest.approx(values.max(), abs=1e-4)
        assert int(row["nearest_chosen"]) == chosen[int(values.argmax())]
    run(arrays, tmp_path / "c.npz", size=15)
    again = load(str(tmp_path / "c.npz"))
    assert again.labels is not None
    assert (images_of(again).array == digits[chosen]).all()
    assert (again.labels == LABELS[chosen]).all()
    with np.load(tmp_path / "c.npz") as content:
        assert content["indices"].tolist() == chosen


def test_a_folder_of_class_folders_is_copied_or_linked_with_its_classes(classes: Path, tmp_path: Path) -> None:
    record, _ = run(classes, tmp_path / "copied", size=9, by_label=True)
    files = {str(path.relative_to(tmp_path / "copied")) for path in (tmp_path / "copied").rglob("*.png")}
    assert len(files) == 9
    assert record["classes"] == {"drei-ß": [8, 3], "nought": [8, 3], "one, or two": [8, 3]}
    for file in files:
        assert (tmp_path / "copied" / file).read_bytes() == (classes / file).read_bytes()
    assert load(str(tmp_path / "copied")).classes == load(str(classes)).classes
    run(classes, tmp_path / "linked/", size=9, by_label=True, link=True)
    for file in files:
        assert (tmp_path / "linked" / file).is_symlink()
        assert (tmp_path / "linked" / file).resolve() == (classes / file).resolve()
    run(classes, tmp_path / "list.txt", size=9, by_label=True)
    assert set((tmp_path / "list.txt").read_text(encoding="utf-8").splitlines()) == files


def test_images_of_an_array_file_become_a_folder_of_png_files(arrays: Path, digits: AnyArray, tmp_path: Path) -> None:
    record, _ = run(arrays, tmp_path / "folder", size=10, by_label=True)
    for index in record["chosen"]:
        with Image.open(tmp_path / "folder" / str(LABELS[index]) / f"{index:03}.png") as picture:
            assert (np.asarray(picture) == digits[index, ..., 0]).all()
    assert len(load(str(tmp_path / "folder"))) == 10


def test_a_folder_of_mixed_images_is_compared_at_a_size_that_is_said(mixed: Path, tmp_path: Path) -> None:
    record, said = run(mixed, tmp_path / "small", size=4)
    assert record["pool"]["transform"] == "size=32x32 colour=colour"
    assert "compared at 32 x 32, colour (size=32x32 colour=colour)" in said[0]
    assert {path.name for path in (tmp_path / "small").iterdir()} <= {path.name for path in mixed.iterdir()}
    chosen, _ = run(mixed, tmp_path / "grey.npz", size=4, transform=Transform.parse("size=20x10 colour=grey"))
    assert chosen["pool"]["compared"] == "compared at 20 x 10, grey (size=20x10 colour=grey)"
    assert images_of(load(str(tmp_path / "grey.npz"))).shape == (20, 10, 1)
    assert load_pool(str(mixed)).data.labels is None


def test_images_within_32_pixels_are_compared_as_they_are_and_larger_ones_keep_their_aspect(
    classes: Path, tmp_path: Path
) -> None:
    assert load_pool(str(classes)).compared.shape == (28, 28, 1)
    large = np.random.default_rng(0).integers(0, 256, (3, 100, 50, 3), dtype=np.uint8)
    np.save(tmp_path / "large.npy", large)
    pool = load_pool(str(tmp_path / "large.npy"))
    assert pool.compared.shape == (32, 16, 3)
    assert (pool.as_read.array == large).all()
    run(tmp_path / "large.npy", tmp_path / "out.npz", size=2)
    assert images_of(load(str(tmp_path / "out.npz"))).shape == (100, 50, 3)
    (tmp_path / "alike").mkdir()
    for place, image in enumerate(large):
        Image.fromarray(image).save(tmp_path / "alike" / f"{place}.png")
    assert load_pool(str(tmp_path / "alike")).compared.shape == (32, 16, 3)


def test_a_bad_file_is_named_or_left_out_and_counted(mixed: Path, tmp_path: Path) -> None:
    pool = tmp_path / "pool"
    pool.mkdir()
    for file in sorted(mixed.iterdir())[:5]:
        (pool / file.name).write_bytes(file.read_bytes())
    (pool / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    with pytest.raises(InvalidInput, match=r"broken\.png cannot be used"):
        run(pool, tmp_path / "small.txt", size=2)
    record, said = run(pool, tmp_path / "small.txt", size=2, skip_bad=True)
    assert record["pool"]["images"] == 5
    assert "    1: bad, left out" in said


@pytest.mark.parametrize("form", ["txt", "csv"])
def test_what_an_earlier_reduction_wrote_can_be_kept(form: str, classes: Path, tmp_path: Path) -> None:
    first, _ = run(classes, tmp_path / f"first.{form}", size=4, strategy="random")
    second, _ = run(classes, tmp_path / f"second.{form}", size=7, keep=tmp_path / f"first.{form}")
    assert second["kept"] == first["chosen"]
    assert second["chosen"][:4] == first["chosen"]
    same, _ = run(classes, tmp_path / "third.csv", size=4, keep=tmp_path / f"first.{form}")
    assert same["chosen"] == first["chosen"]


def test_a_list_of_what_to_keep_may_hold_indices_empty_lines_and_repeats(arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("17\n\n3\r\n17\n")
    record, _ = run(arrays, tmp_path / "a.txt", size=5, keep=tmp_path / "keep.txt")
    assert record["kept"] == [17, 3]
    assert set(record["chosen"]) > {17, 3}


def copies(images: AnyArray) -> AnyArray:
    """JPEG copies, each a little brighter."""
    made = [np.clip(jpeg(image[..., 0]).astype(int) + 3, 0, 255) for image in images]
    return np.array(made, dtype=np.uint8)[..., np.newaxis]


def jpeg(image: AnyArray) -> AnyArray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file))


def resampled(image: AnyArray) -> AnyArray:
    larger = Image.fromarray(image).resize((48, 48), Image.Resampling.BICUBIC)
    return np.asarray(larger.resize((32, 32), Image.Resampling.BILINEAR))


def test_recompressed_copies_are_found_and_unrelated_images_are_not(digits: AnyArray) -> None:
    originals = digits[[0, 50, 100, 150, 200]]
    found = find_duplicates(Images(np.concatenate([originals, copies(originals)])), np.array([0]), 0.65)
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs == {(place, place + 5) for place in range(5)}
    assert found.images() == 10


def test_copies_of_photographs_are_more_similar_than_any_unrelated_pair(shared_data: Path) -> None:
    with Image.open(shared_data / "cifar10" / "data_batch_1.webp") as mosaic:
        pixels = np.asarray(mosaic.convert("RGB"))
    down, across = pixels.shape[0] // 32, pixels.shape[1] // 32
    images = pixels.reshape(down, 32, across, 32, 3).transpose(0, 2, 1, 3, 4).reshape(-1, 32, 32, 3)[:1000]
    few = images[:100]
    copied = {
        "saved as JPEG": [jpeg(image) for image in few],
        "brighter": list(np.clip(few.astype(int) + 20, 0, 255).astype(np.uint8)),
        "resampled": [resampled(image) for image in few],
    }
    unrelated = find_duplicates(Images(images), np.array([0]), 0.5)
    assert len(unrelated) == 0
    for way, made in copied.items():
        found = find_duplicates(Images(np.concatenate([few, made])), np.array([0]), 0.6)
        pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
        assert pairs == {(place, place + 100) for place in range(100)}, way


def test_pairs_are_those_at_or_above_the_threshold_most_similar_first(digits: AnyArray) -> None:
    images = digits[24:64]
    matrix = scaled(information(images // 16))
    found = find_duplicates(Images(images), np.array([0]), 0.5)
    wanted = {(a, b) for a, b in itertools.combinations(range(40), 2) if matrix[a, b] >= 0.5}
    assert 0 < len(wanted) < 700
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == wanted
    assert (np.diff(found.similarity) <= 0).all()
    np.testing.assert_allclose(found.similarity, matrix[found.first, found.second], rtol=1e-4)


def test_equal_images_are_near_duplicates_even_if_they_are_constant() -> None:
    images = np.zeros((5, 4, 4, 3), np.uint8)
    images[3] = 9
    images[4] = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    found = find_duplicates(Images(images), np.array([0]), 1.0)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(0, 1), (0, 2)]
    assert found.similarity.tolist() == [1, 1]


def test_too_many_pairs_are_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copycost.reduce._duplicates.MOST_PAIRS", 5)
    image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1) * np.uint8(16)
    found = find_duplicates(Images(image.repeat(9, axis=0)), np.array([0]), 0.9)
    assert len(found) == 5
    assert found.cut


def test_colour_is_compared_by_luminance_for_duplicates() -> None:
    images = np.random.default_rng(1).integers(0, 256, (4, 9, 9, 3), dtype=np.uint8)
    matrix = scaled(information(luminance(images) // 16))
    found = find_duplicates(Images(images), np.array([0]), 0.01)
    np.testing.assert_allclose(found.similarity, matrix[found.first, found.second], rtol=1e-4)


def test_the_sheet_shows_the_chosen_images_in_order(arrays: Path, digits: AnyArray, tmp_path: Path) -> None:
    record, _ = run(arrays, tmp_path / "small.csv", size=7)
    with Image.open(tmp_path / "small.sheet.png") as picture:
        sheet = np.asarray(picture)
    first = digits[record["chosen"][0], ..., 0].repeat(2, axis=0).repeat(2, axis=1)
    assert (sheet[3:59, 3:59] == first).all()
    second = digits[record["chosen"][1], ..., 0].repeat(2, axis=0).repeat(2, axis=1)
    assert (sheet[3:59, 62:118] == second).all()


def test_the_curve_holds_the_objective_of_each_size_beside_random(arrays: Path, tmp_path: Path) -> None:
    record, said = run(arrays, tmp_path / "small.csv", size=12, sizes="20,6,12", accuracy=False)
    rows = table(tmp_path / "small.curve.csv")
    assert [(int(row["size"]), row["strategy"]) for row in rows] == [
        *((size, "coverage") for size in (6, 12, 20)),
        *((size, "random") for size in (6, 12, 20)),
    ]
    ours, chance = rows[:3], rows[3:]
    pixels = information(images_of(load(str(arrays))).take(record["chosen"]).array)
    assert float(ours[1]["weight"]) == pytest.approx(np.triu(pixels**2, 1).sum(), rel=1e-4)
    assert float(ours[1]["coverage"]) == pytest.approx(record["coverage"], abs=1e-6)
    values = [float(row["coverage"]) for row in ours]
    assert values == sorted(values)
    for one, other in zip(ours, chance, strict=True):
        assert float(one["coverage"]) > float(other["coverage"])
        assert float(other["coverage_low"]) < float(other["coverage"]) < float(other["coverage_high"])
    assert all(row["accuracy"] == "" for row in rows)
    assert minidom.parse(str(tmp_path / "small.curve.svg")).documentElement is not None
    assert any("20 by random" in line for line in said)


@pytest.mark.parametrize("strategy", ["drmi", "random"])
def test_the_curve_of_drmi_and_of_random_can_be_had(strategy: str, classes: Path, tmp_path: Path) -> None:
    run(classes, tmp_path / "a.txt", sizes="3,6", strategy=strategy, by_label=True, accuracy=False)
    rows = table(tmp_path / "a.curve.csv")
    assert {row["strategy"] for row in rows} == {strategy, "random"}
    assert len((tmp_path / "a.txt").read_text(encoding="utf-8").splitlines()) == 6
    if strategy == "drmi":
        assert float(rows[1]["weight"]) < float(rows[3]["weight"])


def test_accuracy_is_measured_on_images_that_were_not_chosen_from(
    arrays: Path, digits: AnyArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycost.reduce._accuracy._SCHEDULE", Schedule(length=40))
    (tmp_path / "keep.txt").write_text("0\n30\n")
    record, said = run(arrays, tmp_path / "a.txt", sizes="12,30", keep=tmp_path / "keep.txt", by_label=True)
    assert any("12 trainings of LeNet-5" in line and "48 images held out" in line for line in said)
    for row in table(tmp_path / "a.curve.csv"):
        assert 0 <= float(row["accuracy"]) <= 1
    assert [len(point["accuracy"]["values"]) for point in record["curve"]] == [3, 3, 3, 3]
    whole = load("embedded[200:300]")
    np.savez(tmp_path / "test.npz", images=images_of(whole).array, labels=np.asarray(whole.labels))
    _, said = run(arrays, tmp_path / "b.txt", sizes="12", test=str(tmp_path / "test.npz"))
    assert any("tested on 100 images of " in line for line in said)
    with pytest.raises(InvalidInput, match="shares images with the pool"):
        run(arrays, tmp_path / "c.txt", sizes="12", test=str(arrays))
    np.savez(tmp_path / "other.npz", images=digits[:5, :20], labels=LABELS[:5])
    with pytest.raises(InvalidInput, match=r"images as the pool's, .28, 28, 1., with labels are needed"):
        run(arrays, tmp_path / "c.txt", sizes="12", test=str(tmp_path / "other.npz"))
    with pytest.raises(InvalidInput, match="which leaves too few; name a test set"):
        run(arrays, tmp_path / "c.txt", sizes="12,240")
    assert not list(tmp_path.glob("c.*"))


def test_what_is_to_be_kept_is_never_held_out(arrays: Path) -> None:
    pool = load_pool(str(arrays))
    keep = np.arange(0, 240, 2)
    chooser = Chooser(Dense(mutual_information(pool.compared.array)), "random", keep=keep)
    lesson, smaller = _held_out(chooser, pool, [130])
    assert len(lesson.test) == 48
    assert lesson.train.take(smaller.keep).digests() == pool.compared.take(keep).digests()
    assert not set(lesson.test.digests()) & set(lesson.train.digests())
    assert smaller.similarity.n == len(lesson.train) == 192


def test_a_plan_says_what_it_takes_and_writes_nothing(arrays: Path, tmp_path: Path) -> None:
    said: list[str] = []
    record = reduce(Request(str(arrays), str(tmp_path / "a.csv"), size=5), say=said.append, plan_only=True)
    assert record == {}
    assert "pairs to compare, about" in said[1]
    assert "GiB of memory" in said[1]
    assert not list(tmp_path.iterdir())


def test_the_record_holds_what_was_asked_and_found(arrays: Path, tmp_path: Path) -> None:
    record, _ = run(arrays, tmp_path / "a.csv", size=5, seed=3, strategy="random")
    assert json.loads((tmp_path / "a.record.json").read_text()) == json.loads(json.dumps(record))
    assert record["schema"] == "copycost.reduce/1"
    assert (record["strategy"], record["seed"], record["size"]) == ("random", 3, 5)
    assert record["pool"]["digest"] == load(str(arrays)).inputs.digest()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.csv",
        "a.duplicates.csv",
        "a.record.json",
        "a.sheet.png",
    ]


@pytest.mark.parametrize("k", [1, 240])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_one_image_or_all_of_them_can_be_chosen(k: int, strategy: str, arrays: Path, tmp_path: Path) -> None:
    record, _ = run(arrays, tmp_path / "a.csv", size=k, strategy=strategy)
    assert len(set(record["chosen"])) == k
    if k == 240:
        assert record["coverage"] == pytest.approx(1)
    else:
        assert table(tmp_path / "a.csv")[0]["nearest_chosen"] == ""


def test_a_pool_of_one_image_can_be_reduced_to_it(digits: AnyArray, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", digits[:1])
    for strategy in STRATEGIES:
        record, _ = run(tmp_path / "one.npy", tmp_path / f"{strategy}.csv", size=1, strategy=strategy)
        assert record["chosen"] == [0]


def test_constant_images_can_be_reduced(tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.zeros((6, 5, 5), np.uint8))
    for strategy in STRATEGIES:
        record, _ = run(tmp_path / "flat.npy", tmp_path / f"{strategy}.csv", size=3, strategy=strategy)
        assert len(set(record["chosen"])) == 3
        assert record["coverage"] == 0
        assert record["duplicates"]["images"] == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "the size is 0; the pool has 240 images, so 1 to 240 is allowed"),
        ({"size": -3}, "the size is -3"),
        ({"size": 241}, "the size is 241; the pool has 240 images"),
        ({"size": None}, "no size is given"),
        ({"size": 9, "by_label": True}, "the size is 9 and there are 10 classes"),
        ({"sizes": "5,241"}, "the size is 241"),
        ({"sizes": "5,x"}, "--sizes is '5,x'; write whole numbers"),
        ({"sizes": ""}, "--sizes is ''"),
        ({"strategy": "entropy"}, "the strategy is 'entropy'; coverage, drmi, random are allowed"),
        ({"reference": 0}, "the reference is 0"),
        ({"reference": 5, "strategy": "drmi"}, "only coverage takes it"),
        ({"duplicates": 0.0}, "the threshold of duplicates is 0"),
        ({"duplicates": float("nan")}, "the threshold of duplicates is nan"),
        ({"seed": -1}, "the seed is -1"),
        ({"link": True}, "the pool and the output must be folders"),
        ({"test": "embedded"}, "a test set is given, which only accuracy by size needs"),
        ({"out": "a.parquet"}, r"its ending says what is written: \.txt a list"),
        ({"out": ""}, "its ending says"),
        ({"out": "no/such/a.txt"}, "there is no folder .*no/such; make it first"),
        ({"keep": "missing.txt"}, r"the list of images to keep, .*missing\.txt, cannot be read"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    options: dict[str, Any], message: str, arrays: Path, tmp_path: Path
) -> None:
    values: dict[str, Any] = {"size": 5, "out": "a.txt", **options}
    out = values.pop("out")
    place = f"{tmp_path}/{out}" if out else ""
    if "keep" in values:
        values["keep"] = tmp_path / values["keep"]
    with pytest.raises(InvalidInput, match=message):
        run(arrays, place, **values)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("240\n", "names '240', which is not in .* an index from 0 to 239"),
        ("-1\n", "names '-1'"),
        ("0.png\n", "names '0.png'"),
        ("99999999999999999999999\n", "which is not in"),
        ("\n\n", "names no image to keep"),
        ("1\n2\n3\n4\n5\n6\n", "the size is 5 and 6 images are to be kept; ask for at least 6"),
    ],
)
def test_a_list_of_what_to_keep_that_does_not_fit_is_refused(
    text: str, message: str, arrays: Path, tmp_path: Path
) -> None:
    (tmp_path / "keep.txt").write_text(text)
    with pytest.raises(InvalidInput, match=message):
        run(arrays, tmp_path / "a.txt", size=5, keep=tmp_path / "keep.txt")


def test_a_table_to_keep_without_the_column_is_refused(arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "keep.csv").write_text("name,label\n3,4\n")
    with pytest.raises(InvalidInput, match="has no column 'index'"):
        run(arrays, tmp_path / "a.txt", size=5, keep=tmp_path / "keep.csv")


def test_a_pool_that_is_empty_missing_or_without_labels_is_refused(mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="holds no image"):
        run(tmp_path / "empty", tmp_path / "a.txt", size=1)
    np.save(tmp_path / "empty.npy", np.zeros((0, 4, 4), np.uint8))
    with pytest.raises(InvalidInput, match="holds no image"):
        run(tmp_path / "empty.npy", tmp_path / "a.txt", size=1)
    with pytest.raises(CopycostError, match="nowhere"):
        run(tmp_path / "nowhere", tmp_path / "a.txt", size=1)
    with pytest.raises(InvalidInput, match="has no labels, which --by-label needs"):
        run(mixed, tmp_path / "a.txt", size=1, by_label=True)
    with pytest.raises(InvalidInput, match="has no labels, without which there is no accuracy"):
        run(mixed, tmp_path / "a.txt", sizes="2", test="embedded")


def test_what_exists_is_replaced_only_where_that_is_said(arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(InvalidInput, match=r"a\.txt exists; choose another --out, or replace it with --overwrite"):
        run(arrays, tmp_path / "a.txt", size=3)
    assert (tmp_path / "a.txt").read_text() == "mine"
    run(arrays, tmp_path / "a.txt", sizes="3,4", accuracy=False, overwrite=True)
    assert (tmp_path / "a.curve.csv").exists()
    with pytest.raises(InvalidInput, match=r"a\.sheet\.png exists"):
        run(arrays, tmp_path / "a.csv", size=3)
    run(arrays, tmp_path / "a.txt", size=3, overwrite=True)
    assert not (tmp_path / "a.curve.csv").exists()


def test_a_folder_is_replaced_only_if_a_reduction_wrote_it(arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InvalidInput, match="was not written by a reduction, so it is not replaced"):
        run(arrays, tmp_path / "mine", size=3, overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()
    run(arrays, tmp_path / "small", size=5)
    run(arrays, tmp_path / "small", size=3, overwrite=True)
    assert len(list((tmp_path / "small").rglob("*.png"))) == 3


def test_the_pool_is_never_written_into(classes: Path, tmp_path: Path) -> None:
    for out in (classes, classes / "small", classes / "small.csv", classes.parent):
        with pytest.raises(InvalidInput, match="lie in each other; write beside it"):
            run(classes, out, size=3, overwrite=True)
    (tmp_path / "way in").symlink_to(classes)
    with pytest.raises(InvalidInput, match="lie in each other"):
        run(classes, tmp_path / "way in" / "small", size=3)


def test_a_pool_that_needs_more_memory_than_there_is_is_refused(
    arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycost.reduce._estimate.os.sysconf", lambda name: 1000)
    with pytest.raises(InvalidInput, match="reducing 240 images of 28 x 28 x 1 needs about"):
        run(arrays, tmp_path / "a.txt", size=3)


def test_a_write_that_fails_leaves_nothing_half_done(
    arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(arrays, tmp_path / "a.txt", size=3)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("copycost.reduce._result.write_sheet", full)
    with pytest.raises(InvalidInput, match=r"a\.txt cannot be written \(No space left on device\)"):
        run(arrays, tmp_path / "a.txt", size=4, overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


WITHOUT_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "mlxtend", "jinja2", "yaml", "safetensors"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Refuse())
from copycost.cli import main
sys.argv = ["copycost", *sys.argv[1:]]
main()
"""


def command(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", WITHOUT_TORCH, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd, timeout=SUBPROCESS, env=dict(os.environ))


def test_the_command_works_without_torch(classes: Path, tmp_path: Path) -> None:
    done = command("reduce", classes, "--sizes", "4,6", "--by-label", "--out", "small", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "accuracy by size needs torch" in done.stdout
    assert "class: images before, after" in done.stdout
    assert len(list((tmp_path / "small").rglob("*.png"))) == 6
    assert "copycost reduce" in json.loads((tmp_path / "small.record.json").read_text())["command"]


def test_the_command_says_in_a_sentence_what_is_wrong(classes: Path, tmp_path: Path) -> None:
    done = command("reduce", classes, "--size", "25", "--out", "small", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the size is 25; the pool has 24 images")
    assert not list(tmp_path.iterdir())


def test_the_samples_own_error_is_recorded_and_said(arrays: Path, digits: AnyArray, tmp_path: Path) -> None:
    record, said = run(arrays, tmp_path / "small.csv", size=12, reference=60)
    sampled = record["sampled"]
    assert sampled["value"] == pytest.approx(record["coverage"], abs=1e-6)
    assert sampled["error"] == pytest.approx(sampled["estimate"] - sampled["value"])
    assert 0 < sampled["standard_error"] < 0.1
    # The choice suits its sample, so the sample promises too much.
    assert 0 < sampled["error"] < 0.2
    (line,) = [line for line in said if line.startswith("the sample's own error")]
    for figure in ("estimate", "value", "standard_error"):
        assert f"{sampled[figure]:.4f}" in line
    assert f"{sampled['error']:+.4f}" in line


def test_the_error_of_samples_by_class_is_of_the_nearest_chosen_of_its_class(digits: AnyArray) -> None:
    images, labels = digits[:48], LABELS[:48]
    choice = Chooser(Dense(mutual_information(images)), labels=labels, reference=15).explained(8)
    matrix = scaled(information(images))
    inside = [matrix[choice.indices[labels[choice.indices] == labels[image]], image].max() for image in range(48)]
    assert choice.sampled is not None
    assert choice.sampled.value == pytest.approx(float(np.mean(inside)), rel=1e-4)
    assert choice.sampled.estimate == pytest.approx(choice.sampled.value, abs=0.1)


@pytest.mark.parametrize("reference", [None, 240, 5000])
def test_a_sample_of_all_images_is_all_of_them(
    reference: int | None, arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, said = run(arrays, tmp_path / "a.txt", size=6, reference=reference)
    assert (whole["reference"], whole["sampled"]) == (None, None)
    assert not any("chosen on a sample" in line or "sample's own error" in line for line in said)
    if reference is not None:  # also where no matrix is kept, and a sample would be the default
        monkeypatch.setattr("copycost.similarity._cost.MATRIX_LIMIT", 100)
        streamed, _ = run(arrays, tmp_path / "b.txt", size=6, reference=reference)
        assert (streamed["reference"], streamed["chosen"]) == (None, whole["chosen"])


def test_images_without_information_are_counted_and_said(digits: AnyArray, tmp_path: Path) -> None:
    images = digits[:20].copy()
    images[3:5] = 7
    np.save(tmp_path / "pool.npy", images)
    _, said = run(tmp_path / "pool.npy", tmp_path / "a.txt", size=4)
    assert any(line.startswith("    2: of one level alone") for line in said)
    _, said = run(tmp_path / "pool.npy", tmp_path / "b.txt", size=4, transform=Transform.parse("size=20x20"))
    assert any(line.startswith("    2: of one level alone") for line in said)


@pytest.mark.parametrize("pool", ["pool.npz", "way in.npz", "./pool.npz[:9]", "unlabelled:pool.npz"])
def test_a_pool_in_a_file_is_never_written_over(
    pool: str, arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pool.npz").write_bytes(arrays.read_bytes())
    (tmp_path / "way in.npz").symlink_to(tmp_path / "pool.npz")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=r"the output pool\.npz and the input .* lie in each other"):
        run(pool, "pool.npz", size=3, overwrite=True)
    assert (tmp_path / "pool.npz").read_bytes() == arrays.read_bytes()


def test_a_test_set_is_never_written_over(arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "test.npz").write_bytes(arrays.read_bytes())
    with pytest.raises(InvalidInput, match=r"test\.npz lie in each other"):
        run("embedded", tmp_path / "test.npz", sizes="3", test=str(tmp_path / "test.npz"), overwrite=True)
    assert (tmp_path / "test.npz").read_bytes() == arrays.read_bytes()


def test_a_folder_to_which_something_was_added_is_not_replaced(classes: Path, tmp_path: Path) -> None:
    record, _ = run(classes, tmp_path / "small", size=4)
    assert sorted(record["files"]) == sorted(
        path.relative_to(tmp_path / "small").as_posix() for path in (tmp_path / "small").rglob("*.png")
    )
    (tmp_path / "small" / "nought" / "my own.txt").write_text("notes")
    with pytest.raises(InvalidInput, match=r"holds nought/my own\.txt, which was not written by a reduction"):
        run(classes, tmp_path / "small", size=3, overwrite=True)
    (tmp_path / "small" / "nought" / "my own.txt").unlink()
    run(classes, tmp_path / "small", size=3, overwrite=True)
    assert len(list((tmp_path / "small").rglob("*.png"))) == 3


@pytest.mark.parametrize("moves", range(8))
def test_an_interrupt_while_things_are_moved_into_place_loses_nothing(
    moves: int, arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(arrays, tmp_path / "small", size=3)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    rename, left = Path.rename, [moves]

    def interrupted(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] == -1:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(arrays, tmp_path / "small", size=5, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_a_killed_run_left_is_named_and_left_alone(arrays: Path, tmp_path: Path) -> None:
    (tmp_path / ".a.txt.x1.part").mkdir()
    (tmp_path / ".b.txt.x1.part").mkdir()
    _, said = run(arrays, tmp_path / "a.txt", size=3)
    (line,) = [line for line in said if line.startswith("left by a run that was killed")]
    assert ".a.txt.x1.part" in line
    assert (tmp_path / ".a.txt.x1.part").is_dir()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused_before_anything_is_compared(arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o555)
    with pytest.raises(InvalidInput, match="nothing may be written into the folder"):
        run(arrays, tmp_path / "shut" / "a.txt", size=3)


def test_too_many_images_for_a_held_out_part_are_refused_before_anything_is_compared(
    arrays: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    with pytest.raises(InvalidInput, match="or leave accuracy out with --no-accuracy"):
        reduce(Request(str(arrays), str(tmp_path / "a.txt"), sizes="12,240"), say=said.append)
    assert said == []


def test_a_test_set_may_have_fewer_classes_than_the_pool_or_more(digits: AnyArray) -> None:
    few = Dataset("few", Images(digits[:72]), LABELS[:72], tuple("abc"))
    many = Dataset("many", Images(digits), LABELS, tuple("jihgfedcba"))
    for pool, test in ((few, many), (many, few)):
        for before, after in zip((pool, test), _aligned(pool, test), strict=True):
            assert after.labels is not None
            assert before.labels is not None
            assert [many.classes[label] for label in after.labels] == [before.classes[label] for label in before.labels]


def test_a_list_with_a_byte_order_mark_can_be_kept(arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("17\n3\n", encoding="utf-8-sig")
    (tmp_path / "keep.csv").write_text("index,label\n17,0\n3,0\n", encoding="utf-8-sig")
    for form in ("txt", "csv"):
        record, _ = run(arrays, tmp_path / f"{form}.npz", size=5, keep=tmp_path / f"keep.{form}")
        assert record["kept"] == [17, 3]


def test_a_pool_of_texts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one line\nanother\n")
    with pytest.raises(InvalidInput, match="holds texts; images are needed"):
        run(tmp_path / "lines.txt", tmp_path / "a.csv", size=1)


def test_names_of_any_kind_survive_lists_tables_and_folders(digits: AnyArray, tmp_path: Path) -> None:
    names = ["a b", " lead.png", "-rf.png", "--out.png", "ü.png", "日本.png", "no ext", "x.y.z.png", "'\".png", "12"]
    names += ["<b>&.png", "$(true).png", "tab\there.png", "[red]x.png", "=1+1.png", "a,b.png"]
    pool = tmp_path / "pool"
    pool.mkdir()
    for name, image in zip(names, digits, strict=False):
        Image.fromarray(image[..., 0]).save(pool / name, format="PNG")
    (pool / os.fsdecode(b"\xff\xfe.png")).write_bytes((pool / "12").read_bytes())
    everything = sorted(os.listdir(pool))
    n = len(everything)
    first, _ = run(pool, tmp_path / "a.txt", size=n)
    second, _ = run(pool, tmp_path / "b.csv", size=n, keep=tmp_path / "a.txt")
    third, _ = run(pool, tmp_path / "c", size=n, keep=tmp_path / "b.csv")
    assert first["chosen"] == second["chosen"] == third["chosen"]
    assert sorted(os.listdir(tmp_path / "c")) == everything
    run(pool, tmp_path / "c", size=2, overwrite=True)
    assert len(os.listdir(tmp_path / "c")) == 2


def test_images_of_extreme_shapes_can_be_reduced_and_shown(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pool = tmp_path / "pool"
    pool.mkdir()
    for place, shape in enumerate([(1, 1), (1, 300), (2000, 2), (64, 64), (500, 300)]):
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(pool / f"{place}.png")
    record, _ = run(pool, tmp_path / "small", size=5)
    assert record["pool"]["transform"] == "size=32x32"
    for name, sides in (("wide", (30, 4, 400)), ("tall", (30, 900, 3))):
        np.save(tmp_path / f"{name}.npy", rng.integers(0, 256, sides, dtype=np.uint8))
        run(tmp_path / f"{name}.npy", tmp_path / f"{name}-small.csv", size=30)
        with Image.open(tmp_path / f"{name}-small.sheet.png") as sheet:
            assert max(sheet.size) < 4 * min(sheet.size)


def test_ctrl_c_ends_with_a_sentence_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    np.save(tmp_path / "pool.npy", np.random.default_rng(0).integers(0, 256, (9000, 24, 24), dtype=np.uint8))
    # what a shell starts in the background does not hear Ctrl-C
    hears = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    line = [sys.executable, "-u", "-c", hears + WITHOUT_TORCH, "reduce", "pool.npy", "--size", "9", "--out", "small"]
    with subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "compared at" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=SUBPROCESS)
    assert running.returncode == 130
    assert told == "stopped; nothing is half written: the output is all there or as it was\n"
    assert sorted(os.listdir(tmp_path)) == ["pool.npy"]


def test_a_full_disk_is_a_sentence_and_leaves_nothing(classes: Path, tmp_path: Path) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n" + WITHOUT_TORCH
    line = [sys.executable, "-c", limited, "reduce", str(classes), "--size", "20", "--out", "small"]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "0"}
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=SUBPROCESS, env=environment)
    assert done.returncode == 2
    assert "small cannot be written (File too large); make room" in done.stderr
    assert os.listdir(tmp_path) == []


def points_of(*means: tuple[int, float, float]) -> list[Point]:
    ours = [Point(size, "coverage", student_interval([one]), student_interval([1.0])) for size, one, _ in means]
    return ours + [Point(size, "random", student_interval([two]), student_interval([1.0])) for size, _, two in means]


@pytest.mark.parametrize(
    "means",
    [
        [(5, 0.0, 0.0)],
        [(5, 1.0, 1.0)],
        [(10, 0.6, 0.55), (20, 0.7, 0.66), (1000, 0.9, 0.9), (10000, 0.96, 0.961)],
        [(size, 0.5 + size / 1000, 0.5) for size in range(1, 60)],
        [(1, 0.12345, 0.12345), (2, 0.12346, 0.12345)],
    ],
)
def test_the_labels_of_the_curve_are_round_and_never_run_into_each_other(
    means: list[tuple[int, float, float]], tmp_path: Path
) -> None:
    draw_curve(tmp_path / "a.svg", points_of(*means))
    texts = minidom.parse(str(tmp_path / "a.svg")).getElementsByTagName("text")
    words = [
        (str(getattr(one.firstChild, "data", "")), float(one.getAttribute("x")), float(one.getAttribute("y")))
        for one in texts
    ]
    percents = [(float(word.split()[0]), y) for word, _, y in words if word.endswith(" %")]
    assert 2 <= len(percents) <= 8
    assert 0 <= min(percents)[0] < max(percents)[0] <= 100
    assert all(above - below >= 12 for (_, above), (_, below) in itertools.pairwise(percents))
    sizes = sorted((x, word) for word, x, y in words if y == 276)
    assert sizes[-1][1] == f"{means[-1][0]:,}"
    assert all(right - left >= 44 for (left, _), (right, _) in itertools.pairwise(sizes))
    names = [y for word, _, y in words if word in ("coverage", "random")]
    assert abs(names[0] - names[1]) >= 14.9
    assert all(0 <= x <= 640 and 0 <= y <= 300 for _, x, y in words)
