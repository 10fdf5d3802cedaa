"""Word vectors from files."""

from pathlib import Path

import numpy as np
import pytest

from copycost._types import AnyArray
from copycost.errors import InvalidInput, MissingData
from copycost.networks import load_vectors


def _write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def _write_arrays(path: Path, **arrays: AnyArray) -> str:
    np.savez(path, allow_pickle=True, **arrays)
    return str(path)


def _words(text: str) -> AnyArray:
    return np.frombuffer(text.encode(), np.uint8)


def test_vectors_are_read_from_text_with_or_without_a_first_line_of_counts(tmp_path: Path) -> None:
    plain = load_vectors(_write(tmp_path / "a.txt", "the 0.5 -1 2e-1\nété 1 2 3\nat a.b 4 5 6\nthe 7 8 9\n"))
    assert plain.words == ("the", "été", "at a.b", "the")
    assert plain.array.dtype == np.float32
    np.testing.assert_array_equal(plain.array[:2], np.array([[0.5, -1, 0.2], [1, 2, 3]], np.float32))
    assert plain.rows["the"] == 0
    counted = load_vectors(_write(tmp_path / "b.vec", "2 3\nthe 0.5 -1 2e-1 \nof 1 2 3\n"))
    assert counted.words == ("the", "of")


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_vectors_are_read_from_arrays(tmp_path: Path, kind: str) -> None:
    values: AnyArray = np.random.default_rng(0).normal(size=(2, 5)).astype(kind)
    vectors = load_vectors(_write_arrays(tmp_path / "v.npz", words=_words("the\nété"), vec=values))
    assert vectors.words == ("the", "été")
    assert vectors.array.dtype == np.float32
    np.testing.assert_array_equal(vectors.array, values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one word"),
        ("the\n", "line 1"),
        ("the 1 2\nof 1\n", "does not hold word vectors"),
        ("the 1 2\nof 1 2 x\nto 1 two\n", "does not hold word vectors"),
        ("the 1 2\n\nof 1 2\n", "does not hold word vectors"),
        ("the 1 nan\n", "NaN"),
    ],
)
def test_texts_that_hold_no_vectors_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        load_vectors(_write(tmp_path / "v.txt", text))


def test_files_that_hold_no_vectors_are_refused(tmp_path: Path) -> None:
    good = np.ones((2, 3), np.float32)
    bad: tuple[dict[str, AnyArray], ...] = (
        {"words": _words("a\nb")},
        {"vec": good},
        {"words": _words("a\nb\nc"), "vec": good},
        {"words": np.array(["a", "b"]), "vec": good},
        {"words": np.array(["a", "b"], object), "vec": good},
        {"words": _words("a\nb"), "vec": good.astype(np.int64)},
        {"words": _words("a\nb"), "vec": good * np.inf},
        {"words": np.array([255, 10, 65], np.uint8), "vec": good},
    )
    for number, arrays in enumerate(bad):
        with pytest.raises(InvalidInput):
            load_vectors(_write_arrays(tmp_path / f"{number}.npz", **arrays))
    for name in ("broken.npz", "broken.txt"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 not whole \xff\xfe")
        with pytest.raises(InvalidInput, match="does not hold word vectors"):
            load_vectors(str(tmp_path / name))
    np.save(tmp_path / "one.npy", good)
    for name, content in (("empty.npz", b""), ("one.npz", (tmp_path / "one.npy").read_bytes())):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidInput, match="does not hold word vectors"):
            load_vectors(str(tmp_path / name))
    with pytest.raises(InvalidInput, match="there is no file of word vectors"):
        load_vectors(str(tmp_path / "none.txt"))


def test_glove_is_looked_for_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingData, match=r"nlp\.stanford\.edu.*glove\.6B\.50d\.txt"):
        load_vectors("glove:50d", tmp_path)
    _write_arrays(tmp_path / "glove.6B.50d.top50k.f16.npz", words=_words("the"), vec=np.ones((1, 50), np.float16))
    assert load_vectors("glove:50d", tmp_path).array.shape == (1, 50)
    monkeypatch.setenv("COPYCOST_DATA", str(tmp_path))
    assert load_vectors("glove:50d").words == ("the",)
    _write(tmp_path / "glove.6B.50d.txt", "whole " + " ".join(["1"] * 50))
    assert load_vectors("glove:50d").words == ("whole",)
    with pytest.raises(InvalidInput, match="known are glove:50d"):
        load_vectors("glove:51d", tmp_path)
