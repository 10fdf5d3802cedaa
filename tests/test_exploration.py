"""Exploring data: balance, samples and planes, held against scikit-learn, and at the edges."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from copycost.datasets import Dataset, load
from copycost.errors import InvalidInput
from copycost.exploration import Exploration, explore, read_exploration, write_exploration
from copycost.exploration._planes import gram_matrix, neighbour_plane, principal_components
from copycost.inputs import Images, Texts

WORDS = ("fine", "dull", "film", "plot", "actor", "scene", "bad", "good", "long", "short")


def _images(n: int, classes: int = 3, side: int = 6, channels: int = 1, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    shade = 60 * labels[:, None, None, None] + rng.integers(0, 60, (n, side, side, channels))
    return Dataset("made", Images(shade.astype(np.uint8)), labels, tuple(f"class {name}" for name in range(classes)))


def _texts(n: int, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    texts = [" ".join(rng.choice(WORDS[:6] if label else WORDS[4:], 8)) for label in labels]
    return Dataset("texts", Texts(texts), labels, ("dull", "fine"))


def _explored(dataset: Dataset, **options: float) -> Exploration:
    return explore(dataset, rng=np.random.default_rng(1), **options)  # type: ignore[arg-type]


def test_balance_samples_and_the_drawn_share_follow_the_classes() -> None:
    dataset = _images(2600, classes=4).take(np.arange(2599))
    found = _explored(dataset)
    assert dataset.labels is not None
    assert found.balance == tuple(np.bincount(dataset.labels).tolist())
    assert sum(found.balance) == found.count == 2599
    for label, group in enumerate(found.samples):
        assert len(set(group)) == 5
        assert set(dataset.labels[list(group)].tolist()) == {label}
    assert len(found.sample) == 260
    assert list(found.sample) == sorted(set(found.sample))
    assert found.labels == tuple(dataset.labels[list(found.sample)].tolist())
    assert set(np.bincount(found.labels).tolist()) == {65}
    assert len(found.linear.points) == len(found.neighbours.points) == 260
    assert found.digest == dataset.inputs.digest()
    assert found.versions.keys() == {"numpy", "scipy", "scikit-learn"}


@pytest.mark.parametrize(
    ("n", "share", "most", "drawn"), [(150, 0.1, 2000, 150), (900, 0.1, 2000, 200), (900, 1, 50, 50)]
)
def test_small_sets_are_drawn_whole_and_large_ones_up_to_the_limit(n: int, share: float, most: int, drawn: int) -> None:
    assert len(_explored(_images(n), share=share, most=most).sample) == drawn


@pytest.mark.parametrize(("channels", "side"), [(1, 6), (3, 40)])
def test_the_plane_of_images_is_that_of_scikit_learns_pca(channels: int, side: int) -> None:
    dataset = _images(60, channels=channels, side=side)
    assert isinstance(dataset.inputs, Images)
    found = _explored(dataset)
    pixels = dataset.inputs.array[list(found.sample)].reshape(60, -1) / 255
    reference = PCA(2, svd_solver="full").fit(pixels)
    points = np.array(found.linear.points)
    expected = reference.transform(pixels)
    expected *= np.sign(expected[np.abs(expected).argmax(axis=0), [0, 1]])
    np.testing.assert_allclose(points, expected, rtol=1e-3, atol=1e-4)
    assert found.linear.explained == pytest.approx(reference.explained_variance_ratio_, rel=1e-6)
    assert (points[np.abs(points).argmax(axis=0), [0, 1]] > 0).all()


def test_the_components_of_texts_span_what_a_truncated_svd_of_centred_tf_idf_does() -> None:
    texts = _texts(50).inputs
    assert isinstance(texts, Texts)
    gram = gram_matrix(texts)
    assert gram is not None
    rows = TfidfVectorizer().fit_transform(texts.texts).toarray()
    rows -= rows.mean(axis=0)
    expected = TruncatedSVD(2, algorithm="arpack", random_state=0).fit_transform(rows)
    found, shares = principal_components(gram, 2)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-6, atol=1e-9)
    assert shares == pytest.approx((expected**2).sum(axis=0) / (rows**2).sum(), rel=1e-9)


def test_tsne_keeps_apart_what_lies_apart() -> None:
    found = _explored(_images(90))
    points, labels = np.array(found.neighbours.points), np.array(found.labels)
    near = np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(90)
    assert (labels[near.argmin(axis=1)] == labels).mean() > 0.95
    assert "perplexity 29.7" in found.neighbours.method


@pytest.mark.parametrize("dataset", [_images(120), _texts(80)], ids=["images", "texts"])
def test_the_same_generator_gives_the_same_document_and_another_one_another(dataset: Dataset) -> None:
    assert _explored(dataset, most=40) == _explored(dataset, most=40)
    assert explore(dataset, rng=np.random.default_rng(2), most=40).sample != _explored(dataset, most=40).sample


def test_without_labels_there_is_no_balance_and_one_group_of_samples() -> None:
    found = _explored(Dataset("made", _images(40).inputs, None, ()))
    assert (found.classes, found.balance, found.labels) == ((), (), ())
    assert [len(group) for group in found.samples] == [5]
    assert len(found.linear.points) == 40


def test_one_class_and_a_class_without_a_member_are_explored() -> None:
    single = _images(30, classes=1)
    assert _explored(single).balance == (30,)
    gap = dataclasses.replace(_images(30), classes=("a", "b", "c", "none of these"))
    found = _explored(gap)
    assert found.balance == (10, 10, 10, 0)
    assert found.samples[3] == ()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_than_four_inputs_have_no_tsne_and_say_so(n: int) -> None:
    found = _explored(_images(n))
    assert found.neighbours.points == ()
    assert found.neighbours.reason == f"t-SNE needs 4 inputs or more, and the sample holds {n}"
    assert bool(found.linear.points) == (n > 1)
    if n == 2:
        assert found.linear.explained == pytest.approx((1, 0))


def test_four_inputs_are_enough_for_tsne() -> None:
    found = _explored(_images(4))
    assert len(found.neighbours.points) == 4
    assert np.isfinite(found.neighbours.points).all()


def test_inputs_that_are_all_alike_have_no_plane_and_say_so() -> None:
    for inputs in (Images(np.full((12, 5, 5), 200, np.uint8)), Texts(["the same film"] * 12)):
        found = _explored(Dataset("alike", inputs, np.arange(12) % 2, ("a", "b")))
        for plane in (found.linear, found.neighbours):
            assert plane.points == ()
            assert plane.reason == "all inputs of the sample are alike"


def test_inputs_that_mostly_repeat_one_another_still_get_points() -> None:
    array = np.zeros((40, 4, 4), np.uint8)
    array[:3] = np.arange(1, 4)[:, None, None] * 80
    found = _explored(Dataset("repeats", Images(array), None, ()))
    assert np.isfinite(found.neighbours.points).all()
    assert found.linear.explained is not None
    assert found.linear.explained[0] == pytest.approx(1)


@pytest.mark.parametrize("texts", [["", "", "", "", ""], ["!", "?", "a", "…", " "]])
def test_texts_without_a_word_have_no_plane_and_say_so(texts: list[str]) -> None:
    found = _explored(Dataset("empty", Texts(texts), None, ()))
    assert found.linear.reason == found.neighbours.reason == "no text of the sample holds a word"


def test_empty_one_word_and_very_long_texts_lie_in_one_plane() -> None:
    texts = ["", "film", " ".join(WORDS * 10_000), "a fine film", "a dull plot", "good"]
    found = _explored(Dataset("lengths", Texts(texts), None, ()))
    assert np.isfinite(found.linear.points).all()
    assert np.isfinite(found.neighbours.points).all()


@pytest.mark.parametrize(("option", "value"), [("share", 0.0), ("share", 1.5), ("share", float("nan")), ("most", 0)])
def test_shares_and_limits_that_cannot_be_are_refused(option: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=f"{option} is"):
        _explored(_images(20), **{option: value})


def test_a_written_file_reads_back_as_the_same_explorations(tmp_path: Path) -> None:
    path = tmp_path / "exploration.json"
    parts = {"pool": _images(30), "test": _texts(12)}
    write_exploration(parts, path, seed=3)
    found = read_exploration(path)
    assert list(found) == ["pool", "test"]
    assert found["test"].medium == "text"
    first = path.read_bytes()
    write_exploration(parts, path, seed=3)
    assert path.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["exploration.json"]
    again = found["pool"].as_document()
    assert Exploration.from_document(json.loads(json.dumps(again))) == found["pool"]


NO_PARTS = '{"schema": "copycost.exploration/1"}'


def test_no_file_is_no_exploration_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exploration.json"
    assert read_exploration(path) == {}
    for text in ("{", "[]", '{"schema": "other"}', NO_PARTS, NO_PARTS[:-1] + ', "parts": {"pool": 5}}'):
        path.write_text(text)
        with pytest.raises(InvalidInput, match="exploration"):
            read_exploration(path)
    document = _explored(_images(20)).as_document()
    for broken in (
        {key: value for key, value in document.items() if key != "sample"},
        document | {"linear": document["linear"] | {"points": [[0, 0]]}},
        document | {"surprise": 1},
        document | {"neighbours": None},
    ):
        with pytest.raises(InvalidInput, match="an exploration"):
            Exploration.from_document(broken)
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_exploration({"pool": _images(20)}, tmp_path / "no" / "such.json", 0)


def test_exploring_loads_no_torch() -> None:
    code = "import sys, copycost.exploration; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0


def test_components_of_a_gram_matrix_without_variance_are_none() -> None:
    found, shares = principal_components(np.zeros((5, 5)), 3)
    assert found.shape == (5, 0)
    assert shares.shape == (0,)
    assert neighbour_plane(found, np.random.default_rng(0)).points == ()


def test_the_embedded_digits_are_explored_with_the_variance_that_pca_explains() -> None:
    dataset = load("embedded")
    assert isinstance(dataset.inputs, Images)
    found = _explored(dataset, most=300)
    pixels = dataset.inputs.array[list(found.sample)].reshape(300, -1) / 255
    assert found.linear.explained == pytest.approx(PCA(2, svd_solver="full").fit(pixels).explained_variance_ratio_)
