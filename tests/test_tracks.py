"""Folds of a target's training data that keep the images of one video track together."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.model_selection import StratifiedGroupKFold

from copycost import datasets
from copycost._types import IntArray
from copycost.audit import AuditSpec, build_spec, load_data
from copycost.audit._folds import folds
from copycost.audit._records import TRAINING_SCHEMA, read_json
from copycost.audit._scenario import train_network
from copycost.audit._tasks import target_key
from copycost.datasets import Dataset, Transform, split_by_track, tracks_of
from copycost.errors import InvalidInput
from copycost.inputs import Images

FRAMES = 8


def _split(labels: Any, tracks: Any, parts: int, seed: int = 0) -> tuple[IntArray, ...]:
    return split_by_track(np.asarray(labels), np.asarray(tracks), parts, np.random.default_rng(seed))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=60), st.integers(1, 4))
@settings(deadline=None)
def test_parts_share_no_track_leave_nothing_out_and_are_there_if_there_are_tracks_enough(
    members: list[tuple[int, int]], parts: int
) -> None:
    labels, tracks = (np.array(column) for column in zip(*members, strict=True))
    if len(set(members)) < parts:
        with pytest.raises(InvalidInput, match="too few tracks"):
            _split(labels, tracks, parts)
        return
    found = _split(labels, tracks, parts)
    assert sorted(np.concatenate(found).tolist()) == list(range(len(members)))
    whose = [{members[row] for row in part.tolist()} for part in found]
    assert sum(map(len, whose)) == len(set(members))
    assert all((np.diff(part) > 0).all() for part in found)


@pytest.mark.parametrize(("tracks", "parts"), [([5, 7, 11], 5), ([49, 74], 5), ([5], 5), ([3, 4], 2), ([1, 1, 1], 3)])
def test_of_tracks_of_one_length_each_part_has_the_same_number_of_a_class_but_one(
    tracks: list[int], parts: int
) -> None:
    labels = np.repeat(np.arange(len(tracks)), [FRAMES * count for count in tracks])
    numbers = np.concatenate([np.repeat(np.arange(count), FRAMES) for count in tracks])
    found = _split(labels, numbers, parts)
    for label in range(len(tracks)):
        counts = [int((labels[part] == label).sum()) for part in found]
        assert max(counts) - min(counts) <= FRAMES
    whole = [len(part) for part in found]
    assert max(whole) - min(whole) <= FRAMES


def test_another_generator_draws_other_parts_and_the_same_one_the_same() -> None:
    labels, tracks = np.zeros(40, np.int64), np.repeat(np.arange(10), 4)
    one, again, other = (_split(labels, tracks, 5, seed) for seed in (0, 0, 1))
    assert [part.tolist() for part in one] == [part.tolist() for part in again]
    assert [part.tolist() for part in one] != [part.tolist() for part in other]


def test_one_part_is_everything_and_labels_without_their_tracks_are_refused() -> None:
    (whole,) = _split([0, 1, 0], [0, 0, 1], 1)
    assert whole.tolist() == [0, 1, 2]
    with pytest.raises(InvalidInput, match=r"labels have shape \(3,\) and tracks \(2,\)"):
        _split([0, 1, 0], [0, 0], 1)
    with pytest.raises(InvalidInput, match="too few tracks for 2 parts"):
        _split([0, 0], [3, 3], 2)
    with pytest.raises(InvalidInput, match="too few tracks"):
        _split(np.zeros(0, np.int64), np.zeros(0, np.int64), 2)


def test_the_folds_of_the_signs_are_as_even_as_scikit_learns_and_share_no_track(
    shared_data: Path, tmp_path: Path
) -> None:
    layout = runpy.run_path(str(Path(__file__).with_name("shared_sets.py")))
    layout["prepare"](shared_data, tmp_path, ["gtsrb10"])
    signs = datasets.load("gtsrb10:train", data_dir=tmp_path, download=False)
    tracks = tracks_of(signs)
    assert signs.labels is not None
    assert tracks is not None
    assert tracks_of(datasets.load("gtsrb10:test", data_dir=tmp_path, download=False)) is None
    whose = 1000 * signs.labels + tracks
    assert len(np.unique(whose)) == 654
    ours = split_by_track(signs.labels, tracks, 5, np.random.default_rng(0))
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    theirs = [held for _, held in splitter.split(whose, signs.labels, whose)]
    assert _uneven(ours, signs.labels) <= _uneven(theirs, signs.labels)
    assert sum(len(np.unique(whose[part])) for part in ours) == 654
    sizes = [len(part) for part in ours]
    assert max(sizes) - min(sizes) <= 30


def _uneven(parts: Any, labels: IntArray) -> int:
    counts = np.array([np.bincount(labels[part], minlength=10) for part in parts])
    return int((counts.max(axis=0) - counts.min(axis=0)).max())


def test_tracks_are_read_from_the_names_of_the_files_of_the_signs(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 6, 6, 3), dtype=np.uint8)
    names = [f"{label:05}/{track:05}_{frame:05}.ppm" for label in (1, 2) for track in (0, 17) for frame in range(3)]
    for name, pixels in zip(names, noise, strict=True):
        place = tmp_path / "gtsrb" / "GTSRB" / "Final_Training" / "Images" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place)
    size = Transform(size=(6, 6))
    signs = datasets.load("gtsrb10:train", data_dir=tmp_path, download=False, transform=size)
    assert _listed(tracks_of(signs)) == [0, 0, 0, 17, 17, 17] * 2
    part = datasets.load("gtsrb:train[2:5]", data_dir=tmp_path, download=False, transform=size)
    assert _listed(tracks_of(part)) == [0, 17, 17]


def _listed(tracks: IntArray | None) -> list[int] | None:
    return None if tracks is None else tracks.tolist()


@pytest.mark.parametrize("file", ["00000.ppm", "a/00000_0001.ppm", "a/00000_00001.png", "00000_00001.ppm.bak"])
def test_other_names_tell_no_track(file: str) -> None:
    images = Images(np.zeros((2, 2, 2), np.uint8))
    assert tracks_of(Dataset("x", images, None, (), files=("a/00000_00001.ppm", file))) is None
    assert tracks_of(Dataset("x", images, None, ())) is None


def _array_file(path: Path, **members: Any) -> Path:
    np.savez(path, images=np.zeros((3, 2, 2), np.uint8), **members)
    return path


def test_an_array_file_may_hold_tracks_and_a_part_of_it_keeps_its_own(tmp_path: Path) -> None:
    path = _array_file(tmp_path / "a.npz", labels=np.array([0, 1, 1]), track=np.array([4, 4, 9], np.uint16))
    assert _listed(datasets.load(f"{path}[1:]").tracks) == [4, 9]
    found = datasets.load(str(path))
    assert _listed(found.take([2, 0]).tracks) == [9, 4]
    assert found.tracks is not None
    assert not found.tracks.flags.writeable


@pytest.mark.parametrize("track", [np.zeros((3, 1), np.int64), np.zeros(3), np.array(["a", "b", "c"]), np.int64(1)])
def test_tracks_that_are_no_vector_of_whole_numbers_are_refused(track: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="'track' of dtype"):
        datasets.load(str(_array_file(tmp_path / "a.npz", track=track)))


def test_a_file_with_too_few_tracks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"tracks of shape \(2,\) for 3 images"):
        datasets.load(str(_array_file(tmp_path / "a.npz", track=np.zeros(2, np.int64))))


def _videos(path: Path, *, tracks: int = 24) -> dict[str, Any]:
    """Write noise in which frames of one track are alike and nothing tells the class but the track."""
    rng = np.random.default_rng(0)
    signs = rng.integers(40, 216, (tracks, 12, 12))
    images = np.repeat(signs, FRAMES, axis=0) + rng.integers(-8, 8, (tracks * FRAMES, 12, 12))
    labels = np.repeat(np.arange(tracks) % 2, FRAMES)
    members: dict[str, Any] = {"images": images.astype(np.uint8), "labels": labels}
    np.savez(path / "videos.npz", **members, track=np.repeat(np.arange(tracks) // 2, FRAMES))
    np.savez(path / "plain.npz", **members)
    np.savez(path / "test.npz", images=rng.integers(0, 256, (20, 12, 12)).astype(np.uint8), labels=np.arange(20) % 2)
    np.savez(path / "pool.npz", images=rng.integers(0, 256, (30, 12, 12)).astype(np.uint8))
    return {
        "target": f"lenet5@{path}/videos.npz",
        "pool": f"{path}/pool.npz",
        "test": f"{path}/test.npz",
        "transform": "size=28x28",
        "budgets": [10],
        "strategies": ["random"],
        "target_schedule": "epochs:30 batch=16",
        "target_folds": 4,
        "target_folds_by": "track",
        "transfer": {"images": 0},
    }


def test_a_target_never_sees_a_track_of_its_fold(tmp_path: Path) -> None:
    spec = build_spec(_videos(tmp_path))
    training = load_data(spec, 0, None).training
    assert training is not None
    held = []
    for seed in range(5):
        seen, watched = folds(spec, training, seed)
        assert watched is not None
        assert len(seen) + len(watched) == len(training)
        held.append(set(watched.inputs.digests()))
        assert not held[-1] & set(seen.inputs.digests())
        assert len(watched) == len(training) // 4
    assert held[0] == held[4]
    assert len(set.union(*held)) == sum(len(one) for one in held[:4])


def test_near_duplicates_on_both_sides_make_a_fold_easy_and_folds_by_track_do_not(tmp_path: Path) -> None:
    values = _videos(tmp_path)
    found = {
        by: _watched(build_spec(values | {"target_folds_by": by}), tmp_path / f"{by}") for by in ("image", "track")
    }
    assert found["image"] > 0.95
    assert found["track"] < 0.8  # the class of a track that was not seen can only be guessed


def _watched(spec: AuditSpec, weights: Path) -> float:
    data = load_data(spec, 0, None)
    train_network(spec, data, 0, "target", weights.with_suffix(".safetensors"), None, lambda share: None)
    return float(read_json(weights.with_suffix(".json"), TRAINING_SCHEMA)["epochs"][-1]["watched_accuracy"])


def test_folds_by_image_keep_the_keys_they_had() -> None:
    values = {"target": "lenet5@mnist:train", "pool": "mnist:train", "test": "mnist:test", "target_folds": 5}
    plain, said, tracks = (
        build_spec(values | more) for more in ({}, {"target_folds_by": "image"}, {"target_folds_by": "track"})
    )
    assert [cell.key for cell in plain.cells()] == [cell.key for cell in said.cells()]
    assert target_key(plain, 0) == target_key(said, 0) == "198709cc8edd6b74"
    assert plain.cells()[0].key == "14588c6a2f196eb6"
    assert target_key(tracks, 0) != target_key(plain, 0)
    assert tracks.cells()[0].key != plain.cells()[0].key


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target_folds": 0}, "so there are no folds"),
        ({"target_folds_by": "sign"}, "'image' or 'track'"),
        ({"target": "plain"}, "does not tell the video tracks"),
        ({"target_folds": 25}, "too few tracks for 25 parts"),
    ],
)
def test_folds_by_track_that_cannot_be_are_refused_before_anything_is_asked(
    change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    values = _videos(tmp_path) | change
    if values["target"] == "plain":
        values["target"] = f"lenet5@{tmp_path}/plain.npz"
    with pytest.raises(InvalidInput, match=words):
        load_data(build_spec(values), 0, None)
