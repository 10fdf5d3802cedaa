"""Sets of texts, natural pools, prepared sets and labels left out, on real files and independent readers."""

import csv
import hashlib
import importlib.util
import json
import lzma
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torchvision
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from copycost import Images, datasets
from copycost._types import AnyArray
from copycost.datasets import Dataset, Transform, _hub, _memory, _text_files, _text_sets
from copycost.datasets._running_text import brown_sentences, wikitext_sentences
from copycost.errors import InvalidInput, MissingData, MissingExtra
from copycost.inputs import Texts

TEXT_SETS = ("mr", "trec", "agnews", "imdb", "wikitext2", "brown")


def texts(text: str, folder: Path | None = None) -> list[str]:
    return list(datasets.texts_of(datasets.load(text, data_dir=folder, download=False)).texts)


def labels(dataset: Dataset) -> list[int]:
    assert dataset.labels is not None
    found: list[int] = dataset.labels.tolist()
    return found


def module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="session")
def prepared(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    layout = module(Path(__file__).with_name("shared_sets.py"))
    layout.prepare(shared_data, folder, (*TEXT_SETS, "gtsrb10", "tinyimagenet32", "glove"))
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP on this machine and give its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def write_table(path: Path, rows: list[tuple[Any, ...]], header: tuple[str, ...] = ("text", "label")) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


# ---- files of texts


def test_a_file_holds_one_text_a_line_and_blank_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "pool.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\n two \n   \n\tthree\x0bstill\xe2\x80\xa8here\xc2\x85\nlast")
    found = datasets.load(str(path))
    assert isinstance(found.inputs, Texts)
    assert found.inputs.texts == ("one", " two ", "\tthree\x0bstill\u2028here\x85", "last")
    assert (found.labels, found.classes, found.medium) == (None, (), "text")
    assert dict(found.notes) == {"blank lines, left out": 2}
    assert texts(f"{path}[1:3]") == [" two ", "\tthree\x0bstill\u2028here\x85"]


def test_a_file_without_blank_lines_has_no_notes(tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text("a\nb\n")
    assert dict(datasets.load(str(tmp_path / "pool.txt")).notes) == {}


@pytest.mark.parametrize("part", ["[:5]", "[4:]", "[2:2]", "[3:1]"])
@pytest.mark.parametrize("ending", [".txt", ".csv"])
def test_a_slice_that_is_not_there_is_refused_with_the_number_of_texts(part: str, ending: str, tmp_path: Path) -> None:
    if ending == ".txt":
        (tmp_path / "pool.txt").write_text("a\n\nb\nc\nd\n")
    else:
        write_table(tmp_path / "pool.csv", [("a",), ("b",), ("c",), ("d",)], ("text",))
    with pytest.raises(InvalidInput, match=r"asks for texts \d to \d of 4; a slice"):
        datasets.load(f"{tmp_path}/pool{ending}{part}")


def test_very_long_texts_are_read_whole(tmp_path: Path) -> None:
    long = " ".join(f"word{number}" for number in range(200_000))
    (tmp_path / "pool.txt").write_text(f"short\n{long}\n")
    assert texts(f"{tmp_path}/pool.txt") == ["short", long]
    before = csv.field_size_limit(1000)
    write_table(tmp_path / "pool.csv", [(long, 0), ("short", 1)])
    assert texts(f"{tmp_path}/pool.csv") == [long, "short"]
    assert csv.field_size_limit(before) == 1000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"fine\ncaf\xe9 noir\n", r"line 2: byte 4 of the line \(0xe9\) is not UTF-8; .*iconv -f LATIN1 -t UTF-8"),
        ("text".encode("utf-16"), r"line 1: byte 1 of the line \(0xff\)"),
        (b"cut \xe2\x82", r"line 1: byte 5"),
        (b"a surrogate \xed\xa0\x80\n", r"line 1: byte 13"),
        (b"", r"holds no text \(0 blank lines\)"),
        (b"\n \n\t\r\n", r"holds no text \(3 blank lines\)"),
    ],
)
def test_files_that_are_not_utf8_or_empty_are_refused(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_bytes(content)
    with pytest.raises(InvalidInput, match=words):
        datasets.load(str(tmp_path / "pool.txt"))


@pytest.mark.parametrize("name", ["nowhere.txt", "nowhere.csv", "a\0b.txt", "x" * 5000 + ".csv"])
def test_a_file_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"there is no file .*\.txt or \.csv"):
        datasets.load(name)


def test_texts_that_would_not_fit_into_memory_are_refused_and_a_part_of_them_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "x" * 1000 + "\n"
    (tmp_path / "pool.txt").write_text(line * 4000)
    (tmp_path / "one.txt").write_text("short\n" + "x" * 4_000_000)
    monkeypatch.setattr(_memory, "_SHARE", _memory.memory_limit() * 4 // 1_000_000)
    for name in ("pool.txt", "one.txt"):
        with pytest.raises(InvalidInput, match=r"takes .* MiB of memory as strings; .* Take a part"):
            datasets.load(str(tmp_path / name))
    assert len(datasets.load(f"{tmp_path}/pool.txt[3000:3100]")) == 100
    with pytest.raises(InvalidInput, match=r"one\.txt, line 2, takes"):
        datasets.load(f"{tmp_path}/one.txt[:1]")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=30)))
def test_any_lines_come_back_but_for_blank_ones(lines: list[str], tmp_path: Path) -> None:
    path = tmp_path / "pool.txt"
    path.write_bytes("\n".join(lines).encode())
    expected = [line.removesuffix("\r") for line in lines if line.strip()]
    if lines and lines[0].startswith("\ufeff"):
        return
    if not expected:
        with pytest.raises(InvalidInput, match="holds no text"):
            datasets.load(str(path))
    else:
        assert texts(str(path)) == expected


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30), st.integers(0, 9)
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_table_that_python_writes_comes_back(rows: list[tuple[str, int]], tmp_path: Path) -> None:
    path = write_table(tmp_path / "pool.csv", rows)
    found = datasets.load(str(path))
    assert datasets.texts_of(found).texts == tuple(text for text, _ in rows)
    assert labels(found) == [label for _, label in rows]
    assert found.classes == tuple(str(number) for number in range(max(label for _, label in rows) + 1))
    assert not found.named


def test_labels_that_are_names_are_numbered_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "pool.csv", [("x", "spam"), ("", "Ham"), ("y", " spam "), ("z", "Zeta"), ("u", "apple"), ("v", "é")]
    )
    found = datasets.load(str(path))
    assert found.classes == ("Ham", "Zeta", "apple", "spam", "é")
    assert labels(found) == [3, 0, 3, 1, 2, 4]
    assert found.named
    part = datasets.load(f"{path}[1:2]")
    assert (labels(part), part.classes, datasets.texts_of(part).texts) == ([0], found.classes, ("",))


def test_other_columns_are_not_looked_at_and_labels_may_be_missing(tmp_path: Path) -> None:
    path = write_table(tmp_path / "pool.csv", [(7, 'a,\n"b"', "x"), (8, "c", "y")], ("id", " Text ", "note"))
    found = datasets.load(str(path))
    assert datasets.texts_of(found).texts == ('a,\n"b"', "c")
    assert (found.labels, found.classes) == (None, ())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "begins with nothing; a header is needed"),
        ("a,b\nx,1\n", "begins with 'a', 'b'; a header"),
        ("text,text\nx,y\n", "a header is needed with one column 'text'"),
        ("text,label,label\nx,1,1\n", "a header is needed"),
        ("text,label\n", "holds no row below its header"),
        ("text,label\nx,1\ny\n", r"line 3: the row has 1 columns and the header 2; put texts"),
        ("text,label\nx, and y,1\n", r"line 2: the row has 3 columns"),
        ('text,label\n"x,1\n', r"line 2: it is not a table of comma-separated values"),
        ('text,label\n"x"y,1\n', "it is not a table"),
        ("text,label\nx,1\ny,\n", "line 3: the label is empty"),
        ("text,label\nx,1.0\ny,0.0\n", "has the label '0.0' among others that are not whole numbers from 0"),
        ("text,label\nx,-1\ny,1\n", "has the label '-1'"),
        ("text,label\nx,1\ny,spam\n", "has the label '1'"),
        ("text,label\nx,1e3\ny,spam\n", "has the label '1e3'"),
        ("text,label\nx,100000\n", "has the label 100000; number the classes from 0, below 100000"),
    ],
)
def test_files_that_are_no_tables_of_texts_are_refused(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text(content)
    with pytest.raises(InvalidInput, match=words):
        datasets.load(str(tmp_path / "pool.csv"))


def test_a_table_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_bytes(b"text,label\nfine,0\ncaf\xe9,1\n")
    with pytest.raises(InvalidInput, match=r"pool\.csv, line 3: byte 4"):
        datasets.load(str(tmp_path / "pool.csv"))


def test_too_many_names_of_classes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_text_files, "_MOST_CLASSES", 3)
    path = write_table(tmp_path / "pool.csv", [(text, text) for text in "abcd"])
    with pytest.raises(InvalidInput, match="has 4 different labels; at most 3"):
        datasets.load(str(path))


def test_texts_are_not_transformed(tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text("a\nb\n")
    with pytest.raises(InvalidInput, match=r"transform is 'size=8x8', and .*pool.txt holds texts"):
        datasets.load(str(tmp_path / "pool.txt"), transform=Transform(size=(8, 8)))
    assert len(datasets.load(str(tmp_path / "pool.txt"), transform=Transform())) == 2


# ---- the data set itself


def test_errors_speak_of_the_medium() -> None:
    two = Texts(["a", "b"])
    with pytest.raises(InvalidInput, match="for 2 texts; one label for each text"):
        Dataset("mine", two, np.array([0]), ("a",))
    with pytest.raises(InvalidInput, match="holds no text"):
        Dataset("mine", Texts([]), None, ())
    with pytest.raises(InvalidInput, match="mine holds texts; images are needed here"):
        datasets.images_of(Dataset("mine", two, None, ()))
    images = Dataset("mine", Images(np.zeros((1, 2, 2), np.uint8)), None, ())
    with pytest.raises(InvalidInput, match="mine holds images; texts are needed here"):
        datasets.texts_of(images)
    assert datasets.images_of(images) is images.inputs


def test_texts_are_taken_with_their_labels() -> None:
    whole = Dataset("mine", Texts(["a", "b", "c"]), np.array([0, 1, 0]), ("x", "y"))
    part = whole.take([2, 1], "part")
    assert datasets.texts_of(part).texts == ("c", "b")
    assert (labels(part), part.name, part.classes) == ([0, 1], "part", ("x", "y"))


def test_overlap_is_found_among_texts_and_media_are_not_mixed() -> None:
    a, b = Texts(["x", "y", "y", ""]), Texts(["y", "", "z "])
    assert datasets.find_overlap(a, b) == 2
    assert datasets.find_overlap(a, Texts([])) == 0
    with pytest.raises(InvalidInput, match="a holds texts and b holds images"):
        datasets.find_overlap(a, Images(np.zeros((1, 2, 2), np.uint8)))


# ---- labels left out, classes kept apart


def test_labels_can_be_left_out_of_any_set(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "pool.npz", images=np.arange(36, dtype=np.uint8).reshape(4, 3, 3), labels=np.array([3, 1, 0, 2])
    )
    write_table(tmp_path / "pool.csv", [("a", 0), ("b", 1)])
    for text, count in (("pool.npz", 4), ("pool.npz[1:3]", 2), ("pool.csv", 2), ("pool.csv[1:]", 1)):
        labelled = datasets.load(f"{tmp_path}/{text}")
        found = datasets.load(f"unlabelled:{tmp_path}/{text}")
        assert (found.labels, found.classes, len(found)) == (None, (), count)
        assert found.name == f"unlabelled:{tmp_path}/{text}"
        assert found.inputs.digest() == labelled.inputs.digest()
    assert datasets.load("unlabelled:embedded[:3]").labels is None
    with pytest.raises(InvalidInput, match="there is no data set 'nothing'"):
        datasets.load("unlabelled:nothing")


def test_a_folder_without_labels_may_hold_a_single_folder_and_images_beside_folders(tmp_path: Path) -> None:
    (tmp_path / "photos" / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(("b.png", "deep/a.png", "deep/er/c.png")):
        Image.fromarray(np.full((4, 4), number, np.uint8)).save(tmp_path / "photos" / name)
    found = datasets.load(f"unlabelled:{tmp_path}/photos")
    assert found.files == ("b.png", "deep/a.png", "deep/er/c.png")
    assert (found.labels, found.classes) == (None, ())
    with pytest.raises(InvalidInput, match="single folder"):
        datasets.load(f"{tmp_path}/photos")


def natural(named: bool, classes: tuple[str, ...]) -> Dataset:
    images = Images(np.zeros((len(classes), 2, 2), np.uint8))
    return Dataset("natural", images, np.arange(len(classes)), classes, named=named)


def align(pool: Dataset, test: Dataset) -> Dataset:
    return datasets.align_classes(pool, test, role="pool", reference_role="test set")


def test_labels_of_a_pool_that_mean_something_else_are_refused_with_the_way_to_leave_them_out() -> None:
    signs = natural(True, ("1", "2", "4"))
    for pool in (natural(True, ("cat", "dog")), natural(False, ("0", "1", "2", "3"))):
        with pytest.raises(InvalidInput, match="unlabelled:natural"):
            align(pool, signs)
        assert align(pool.unlabelled(), signs).labels is None


def test_a_file_that_numbers_some_of_the_classes_keeps_its_numbers() -> None:
    pool = natural(False, ("0", "1"))
    assert align(pool, natural(True, ("cat", "dog", "owl"))) is pool
    assert align(pool, natural(False, ("0",))) is pool


def test_named_classes_are_matched_by_their_names() -> None:
    found = align(natural(True, ("dog", "cat")), natural(True, ("cat", "dog", "owl")))
    assert labels(found) == [1, 0]
    assert found.classes == ("cat", "dog", "owl")


# ---- the named sets of texts, on the real files


def lines_of(path: Path) -> list[str]:
    return [line for line in path.read_bytes().decode("latin-1").split("\n") if line]


def test_sentence_polarity_is_divided_once_and_for_all(prepared: Path, shared_data: Path) -> None:
    train, test = (datasets.load(f"mr:{split}", data_dir=prepared, download=False) for split in ("train", "test"))
    assert (len(train), len(test)) == (9596, 1066)
    assert np.bincount(labels(test)).tolist() == [533, 533]
    assert datasets.find_overlap(train.inputs, test.inputs) == 0
    known = {line.strip(" "): 0 for line in lines_of(shared_data / "text" / "mr" / "rt-polarity.neg")}
    known |= {line.strip(" "): 1 for line in lines_of(shared_data / "text" / "mr" / "rt-polarity.pos")}
    for part in (train, test):
        assert [known[text] for text in datasets.texts_of(part).texts] == labels(part)
    assert 0.4 < np.mean(labels(train)[:1000]) < 0.6
    assert train.classes == ("negative", "positive")
    digest = hashlib.sha256(b"".join(test.inputs.digests())).hexdigest()
    assert digest[:16] == "225051730a074f0d"


def test_questions_have_their_coarse_classes(prepared: Path) -> None:
    train, test = (datasets.load(f"trec:{split}", data_dir=prepared, download=False) for split in ("train", "test"))
    assert train.classes == ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
    assert np.bincount(labels(train)).tolist() == [86, 1162, 1250, 1223, 835, 896]
    assert np.bincount(labels(test)).tolist() == [9, 138, 94, 65, 81, 113]
    assert datasets.texts_of(test).texts[0] == "How far is it from Denver to Aspen ?"
    assert labels(test)[0] == 5


@pytest.mark.parametrize(("name", "count"), [("agnews", 7600), ("imdb", 25_000)])
def test_a_prepared_table_gives_the_texts_and_labels_it_was_made_of(
    name: str, count: int, prepared: Path, shared_data: Path
) -> None:
    expected_texts, expected = getattr(module(shared_data / "load.py"), name)("test")
    found = datasets.load(f"{name}:test", data_dir=prepared, download=False)
    assert list(datasets.texts_of(found).texts) == expected_texts
    assert labels(found) == expected
    assert len(found) == count
    assert found.classes == datasets.SOURCES[name].classes
    assert found.named


def test_news_in_the_layout_of_their_archive_become_the_same_texts(prepared: Path, tmp_path: Path) -> None:
    part = datasets.load("agnews:test[:500]", data_dir=prepared, download=False)
    (tmp_path / "ag_news_csv").mkdir()
    with (tmp_path / "ag_news_csv" / "test.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, quoting=csv.QUOTE_ALL)
        for text, label in zip(datasets.texts_of(part).texts, labels(part), strict=True):
            table.writerow((label + 1, *text.split(" . ", 1)))
    found = datasets.load("agnews:test", data_dir=tmp_path, download=False)
    assert found.inputs.digest() == part.inputs.digest()
    assert labels(found) == labels(part)
    assert found.classes == ("World", "Sports", "Business", "Sci/Tech")


def test_reviews_in_the_layout_of_their_archive_count_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for side in ("neg", "pos", "unsup"):
        folder = tmp_path / "aclImdb" / "train" / side
        folder.mkdir(parents=True)
        for number in (10, 2, 0):
            (folder / f"{number}_7.txt").write_text(f"{side} {number}<br />é", encoding="utf-8")
    (tmp_path / "aclImdb" / "train" / "neg" / "urls.txt").write_text("no review")
    found = datasets.load("imdb:train", data_dir=tmp_path, download=False)
    expected = [f"{side} {number}<br />é" for side in ("neg", "pos") for number in (0, 2, 10)]
    assert list(datasets.texts_of(found).texts) == expected
    assert labels(found) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("text", "file", "content", "words"),
    [
        ("trec:train", "trec/train_5500.label", b"NUM:date When ?\nWhat is it ?\n", "line 2: it begins with 'What'"),
        ("agnews:test", "ag_news_csv/test.csv", b'"5","a","b"\n', "a class from 1 to 4"),
        ("agnews:test", "ag_news_csv/test.csv", b'"1","a"\n', "of 2 columns"),
        ("agnews:test", "ag_news_csv/test.csv", b'"1","' + b"a" * 200_000, "cannot be read"),
        ("wikitext2:test", "wikitext-2/wiki.test.tokens", b" = Title = \n", "hold no sentence"),
        ("imdb:test", "aclImdb/test/neg/readme.txt", b"nothing", "holds no review"),
    ],
)
def test_files_of_a_set_that_are_not_its_own_are_refused(
    text: str, file: str, content: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_bytes(content)
    (tmp_path / "aclImdb" / "test" / "pos").mkdir(parents=True, exist_ok=True)
    with pytest.raises(InvalidInput, match=words):
        datasets.load(text, data_dir=tmp_path, download=False)


def test_sentences_of_wikipedia_hold_every_word_but_the_headings(prepared: Path, shared_data: Path) -> None:
    content = lzma.decompress((shared_data / "text" / "wikitext2" / "wiki.valid.tokens.xz").read_bytes()).decode()
    found = texts("wikitext2:valid", prepared)
    kept = [line for line in content.split("\n") if line.strip() and not line.startswith(" = ")]
    for mark in ".,-":
        kept = [line.replace(f" @{mark}@ ", mark) for line in kept]
    assert " ".join(found) == " ".join(" ".join(kept).split())
    assert 7500 < len(found) < 8500
    assert not any("@" in text and "@-@" in text for text in found)
    assert any("<unk>" in text for text in found)
    assert not any(text.startswith("= ") for text in found)
    assert texts("wikitext2:train", prepared)[: len(found)] == found


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        (" = = Title = = ", []),
        ("  ", []),
        ("He came . She left ! Why ? ", ["He came .", "She left !", "Why ?"]),
        ('" It is . " he said . " No . " ', ['" It is . "', "he said .", '" No . "']),
        ('He said . " Go . " ', ["He said .", '" Go . "']),
        ("( A full stop . ) Then more ", ["( A full stop . )", "Then more"]),
        ("1 @,@ 500 kg of 0 @.@ 5 @-@ inch nails . . . ", ["1,500 kg of 0.5-inch nails . . ."]),
        ("H. americanus lives .", ["H. americanus lives ."]),
        (".", ["."]),
    ],
)
def test_a_sentence_ends_where_its_mark_stands_alone(line: str, sentences: list[str]) -> None:
    assert list(wikitext_sentences([line])) == sentences


def test_sentences_of_brown_are_read_from_tagged_files_in_order(prepared: Path, tmp_path: Path) -> None:
    expected = texts("brown:train[:6]", prepared)
    assert len(texts("brown:train", prepared)) == 57_340
    (tmp_path / "brown").mkdir()
    (tmp_path / "brown" / "cats.txt").write_text("ca01 news")
    names = ("ca01", "ca10", "cb02", "ck01", "cm03", "cr09")
    for name, part in reversed([(name, [text]) for name, text in zip(names, expected, strict=True)]):
        tagged = ["\t" + " ".join(f"{word}/tag" for word in text.split()) + "\n\n" for text in part]
        (tmp_path / "brown" / name).write_text("\n".join(tagged))
    assert texts("brown:train", tmp_path) == expected
    assert list(brown_sentences(["1/2/cd cup/nn"])) == ["1/2 cup"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mr:train", r"rt-polarity.neg, rt-polarity.pos not found in .*rt-polaritydata, .*train.csv or train.txt"),
        ("trec:test", r"TREC_10.label not found"),
        ("agnews:train", r"train.csv not found in .*ag_news_csv"),
        ("imdb:test", r"neg, pos not found in .*aclImdb/test"),
        ("wikitext2:train", r"wiki.train.tokens not found in .*wikitext-2, and it is not fetched from here: .*mirrors"),
        ("brown:train", r"ca01 not found in .*NLTK"),
        ("gtsrb:train", r"Training not found"),
        ("gtsrb10:test", r"Images, GT-final_test.csv not found .*gtsrb10/test.npz"),
        ("tinyimagenet32:train", r"train not found in .*tiny-imagenet-200"),
    ],
)
def test_what_is_missing_of_a_set_is_named_with_its_place(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=words):
        datasets.load(text, data_dir=tmp_path, download=False)


def test_the_files_on_this_machine_have_the_checksums_that_downloads_are_held_to(shared_data: Path) -> None:
    for name, md5 in _text_sets.TREC_MD5.items():
        assert hashlib.md5((shared_data / "text" / "trec" / name).read_bytes()).hexdigest() == md5


def test_a_set_is_fetched_once_checked_and_laid_out(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = tmp_path / "web"
    web.mkdir()
    with tarfile.open(web / "rt-polaritydata.tar.gz", "w:gz") as archive:
        archive.add(prepared / "rt-polaritydata", "rt-polaritydata")
    md5 = hashlib.md5((web / "rt-polaritydata.tar.gz").read_bytes()).hexdigest()
    for name in _text_sets.TREC_MD5:
        shutil.copyfile(prepared / "trec" / name, web / name)
    with served(web) as address:
        monkeypatch.setattr(_text_sets, "MR", address + "rt-polaritydata.tar.gz")
        monkeypatch.setattr(_text_sets, "TREC", address)
        with pytest.raises(MissingData, match="the download failed: File not found or corrupted"):
            datasets.load("mr:test", data_dir=tmp_path / "data")
        assert list((tmp_path / "data").iterdir()) == []
        monkeypatch.setattr(_text_sets, "MR_MD5", md5)
        for text in ("mr:test", "trec:test"):
            found = datasets.load(text, data_dir=tmp_path / "data")
            assert found.inputs.digest() == datasets.load(text, data_dir=prepared).inputs.digest()
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["rt-polaritydata", "trec"]


# ---- prepared sets


def test_a_prepared_file_goes_before_the_files_of_the_set_and_has_its_classes(tmp_path: Path) -> None:
    (tmp_path / "cifar10").mkdir()
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    np.savez(tmp_path / "cifar10" / "train.npz", images=images, labels=np.array([3, 0]))
    found = datasets.load("cifar10:train", data_dir=tmp_path, download=False)
    np.testing.assert_array_equal(datasets.images_of(found).array, images)
    assert [found.classes[label] for label in labels(found)] == ["cat", "airplane"]
    assert found.named
    part = datasets.load("cifar10:train[1:]", data_dir=tmp_path, transform=Transform(size=(2, 2)))
    assert (datasets.images_of(part).shape, labels(part)) == ((2, 2, 3), [0])


def test_a_prepared_table_may_name_its_classes(tmp_path: Path) -> None:
    write_table(tmp_path / "trec" / "train.csv", [("How far ?", "NUM"), ("Who ?", "HUM")])
    found = datasets.load("trec:train", data_dir=tmp_path, download=False)
    assert labels(found) == [5, 3]
    assert found.classes == ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")


@pytest.mark.parametrize(
    ("rows", "words"),
    [([("x", 6)], "has the label 6; number the classes from 0, below 6"), ([("x", "WHO")], "has the label 'WHO'")],
)
def test_a_prepared_table_with_labels_that_the_set_does_not_have_is_refused(
    rows: list[tuple[str, object]], words: str, tmp_path: Path
) -> None:
    write_table(tmp_path / "trec" / "train.csv", rows)
    with pytest.raises(InvalidInput, match=words):
        datasets.load("trec:train", data_dir=tmp_path, download=False)


def test_prepared_images_with_labels_that_the_set_does_not_have_are_refused(tmp_path: Path) -> None:
    (tmp_path / "gtsrb10").mkdir()
    np.savez(tmp_path / "gtsrb10" / "test.npz", images=np.zeros((1, 2, 2), np.uint8), labels=np.array([10]))
    with pytest.raises(InvalidInput, match="has the label 10; this set has 10 classes"):
        datasets.load("gtsrb10:test", data_dir=tmp_path, download=False)


def test_two_prepared_files_of_one_part_are_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "mr" / "train.csv", [("x", 0)])
    (tmp_path / "mr" / "train.txt").write_text("x\n")
    with pytest.raises(InvalidInput, match=r"both .*train.csv and train.txt"):
        datasets.load("mr:train", data_dir=tmp_path, download=False)


# ---- traffic signs and natural images


def test_the_largest_classes_of_the_signs_are_numbered_anew(prepared: Path, shared_data: Path) -> None:
    whole = module(shared_data / "load.py")
    for split, train in (("train", True), ("test", False)):
        images, numbers = whole.gtsrb10(train)
        found = datasets.load(f"gtsrb10:{split}", data_dir=prepared, download=False)
        np.testing.assert_array_equal(datasets.images_of(found).array, images)
        assert [int(found.classes[label]) for label in labels(found)] == numbers.tolist()


def sign(seed: int) -> AnyArray:
    generator = np.random.default_rng(seed)
    shape = (*generator.integers(15, 40, 2), 3)
    return generator.integers(0, 256, shape, dtype=np.uint8)


def write_signs(base: Path, folder: str) -> None:
    for number in (0, 1, 3, 42):
        place = base / "GTSRB" / folder / f"{number:05}"
        place.mkdir(parents=True)
        for track in range(2):
            Image.fromarray(sign(10 * number + track)).save(place / f"00000_{track:05}.ppm")
        (place / f"GT-{number:05}.csv").write_text("Filename;Width\n")


def test_signs_in_the_layout_of_torchvision_are_what_torchvision_reads(tmp_path: Path) -> None:
    base = tmp_path / "gtsrb"
    write_signs(base, "Training")
    images = base / "GTSRB" / "Final_Test" / "Images"
    images.mkdir(parents=True)
    rows = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for number, name in ((38, "00000.ppm"), (1, "00001.ppm"), (7, "00002.ppm")):
        Image.fromarray(sign(1000 + number)).save(images / name)
        rows.append(f"{name};20;20;1;1;18;18;{number}")
    (base / "GT-final_test.csv").write_text("\r\n".join(rows) + "\r\n")
    resized = Transform(size=(16, 16))
    for split in ("train", "test"):
        with pytest.raises(InvalidInput, match=r'give a size, such as --transform "size='):
            datasets.load(f"gtsrb:{split}", data_dir=tmp_path, download=False)
        found = datasets.load(f"gtsrb:{split}", data_dir=tmp_path, download=False, transform=resized)
        reference = torchvision.datasets.GTSRB(tmp_path, split=split)
        expected = [0, 0, 1, 1, 3, 3, 42, 42] if split == "train" else [label for _, label in reference]
        assert labels(found) == expected
        for image, (picture, _) in zip(datasets.images_of(found).array, reference, strict=True):
            alone = resized(Images(np.asarray(picture)[np.newaxis]))
            np.testing.assert_array_equal(image, alone.array[0])
        assert len(found.classes) == 43
    largest = datasets.load("gtsrb10:test", data_dir=tmp_path, download=False, transform=resized)
    assert (labels(largest), largest.classes[9]) == ([9, 0], "38")
    assert largest.files == ("00000.ppm", "00001.ppm")
    assert len(datasets.load("gtsrb10:train[1:]", data_dir=tmp_path, transform=resized)) == 1


def test_the_whole_training_part_of_the_signs_goes_before_that_of_torchvision(tmp_path: Path) -> None:
    write_signs(tmp_path / "gtsrb", "Final_Training/Images")
    (tmp_path / "gtsrb" / "GTSRB" / "Training").mkdir()
    found = datasets.load("gtsrb:train", data_dir=tmp_path, download=False, transform=Transform(size=(8, 8)))
    assert labels(found) == [0, 0, 1, 1, 3, 3, 42, 42]


@pytest.mark.parametrize("row", ["00000.ppm;43", "00000.ppm;x", "../00000.ppm;1", "00000.png;1", "00000.ppm", ""])
def test_a_damaged_table_of_signs_is_refused(row: str, tmp_path: Path) -> None:
    (tmp_path / "gtsrb" / "GTSRB" / "Final_Test" / "Images").mkdir(parents=True)
    (tmp_path / "gtsrb" / "GT-final_test.csv").write_text(f"Filename;ClassId\n{row}\n")
    with pytest.raises(InvalidInput, match="delete it and load the set again"):
        datasets.load("gtsrb:test", data_dir=tmp_path, download=False)


def test_natural_images_are_halved_by_averaging_and_grey_ones_become_colour(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    root = tmp_path / "tiny-imagenet-200" / "train"
    decoded = []
    for name in ("n01", "n02"):
        (root / name / "images").mkdir(parents=True)
        (root / name / f"{name}_boxes.txt").write_text("no image")
        for number, shape in enumerate([(64, 64, 3), (64, 64)]):
            path = root / name / "images" / f"{name}_{number}.JPEG"
            Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8)).save(path)
            decoded.append(np.asarray(Image.open(path).convert("RGB")).astype(np.float64))
    found = datasets.load("tinyimagenet32:train", data_dir=tmp_path, download=False)
    means = np.stack(decoded).reshape(4, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    assert np.abs(datasets.images_of(found).array - means).max() <= 1.0
    assert (labels(found), found.classes) == ([0, 0, 1, 1], ("n01", "n02"))
    grey = datasets.load("unlabelled:tinyimagenet32:train[1:3]", data_dir=tmp_path, transform=Transform(colour="grey"))
    assert (datasets.images_of(grey).shape, grey.labels, len(grey)) == ((32, 32, 1), None, 2)


def test_a_natural_pool_goes_with_a_target_of_other_classes_once_its_labels_are_left_out(prepared: Path) -> None:
    test = datasets.load("gtsrb10:test", data_dir=prepared, download=False)
    pool = datasets.load("tinyimagenet32:train", data_dir=prepared, download=False)
    assert np.bincount(labels(pool)).tolist() == [150] * 200
    with pytest.raises(InvalidInput, match="unlabelled:tinyimagenet32:train"):
        align(pool, test)
    free = datasets.load("unlabelled:tinyimagenet32:train", data_dir=prepared, download=False)
    assert align(free, test) is free
    assert datasets.find_overlap(free.inputs, test.inputs) == 0


def test_a_folder_in_the_layout_of_imagenet_is_a_pool(shared_data: Path, tmp_path: Path) -> None:
    names = [name for name, _ in json.loads((shared_data / "imagenet_sample" / "index.json").read_text())]
    with tarfile.open(shared_data / "imagenet_sample" / "imagenet_sample_224_q90.tar") as archive:
        members = [member for member in archive.getmembers() if member.isfile()][:12]
        for name, member in zip(names, members, strict=False):
            content = archive.extractfile(member)
            assert content is not None
            (tmp_path / name).mkdir()
            (tmp_path / name / f"{name}_1.JPEG").write_bytes(content.read())
    small = Transform(size=(32, 32), resample="area", colour="colour", fit="crop")
    found = datasets.load(str(tmp_path), transform=small)
    assert found.classes == tuple(sorted(names[:12]))
    assert datasets.images_of(found).array.shape == (12, 32, 32, 3)
    assert datasets.load(f"unlabelled:{tmp_path}", transform=small).inputs.digest() == found.inputs.digest()


def test_texts_are_read_without_torch(tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text("a\n")
    code = (
        "import sys; from copycost import datasets; "
        f"datasets.load({str(tmp_path / 'pool.txt')!r}); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'PIL', 'datasets')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- the Hugging Face Hub


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hf:imdb:train", ("imdb", None, "train")),
        ("hf:stanfordnlp/imdb:test", ("stanfordnlp/imdb", None, "test")),
        ("hf:nyu-mll/glue/sst2:validation", ("nyu-mll/glue", "sst2", "validation")),
    ],
)
def test_a_set_of_the_hub_is_named_by_owner_name_configuration_and_split(
    text: str, address: tuple[str, str | None, str]
) -> None:
    assert _hub.parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["hf:", "hf:imdb", "hf:imdb:", "hf::train", "hf:a//b:train", "hf:a/b/c/d:train", "hf:/"]
)
def test_a_set_of_the_hub_without_a_name_or_a_split_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"names no set of the Hugging Face Hub; write hf:OWNER/NAME:SPLIT"):
        datasets.load(text, data_dir=tmp_path)


def test_a_set_of_the_hub_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"pip install 'copycost\[hub\]'"):
        datasets.load("hf:stanfordnlp/imdb:train[:10]", data_dir=tmp_path)


def test_a_table_of_the_hub_is_read_by_the_types_of_its_columns() -> None:
    hub = pytest.importorskip("datasets", reason="the package datasets is not installed")
    features = hub.Features(
        {"idx": hub.Value("int64"), "sentence": hub.Value("string"), "label": hub.ClassLabel(names=["no", "yes"])}
    )
    table = hub.Dataset.from_dict({"idx": [0, 1], "sentence": ["a", None], "label": [1, 0]}, features=features)
    assert _hub._columns("hf:mine:train", table) == ("sentence", "label")
    numbers, classes = _hub._labels("hf:mine:train", table, "label")
    assert numbers is not None
    assert (numbers.tolist(), classes) == ([1, 0], ("no", "yes"))
    assert _hub._texts("hf:mine:train", table, "sentence").texts == ("a", "")


def test_a_set_in_the_hubs_layout_is_loaded_by_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("datasets", reason="the package datasets is not installed")
    monkeypatch.chdir(tmp_path)  # the package takes OWNER/NAME below the working directory before it asks the Hub
    words, pictures = Path("own/words/data"), Path("own/pictures/data")
    for folder in (words, pictures):
        folder.mkdir(parents=True)
    kinds = hub.Features({"text": hub.Value("string"), "label": hub.ClassLabel(names=["bad", "good"])})
    rows = {"text": [f"this is sentence {row}" for row in range(6)], "label": [0, 1] * 3}
    hub.Dataset.from_dict(rows, features=kinds).to_parquet(words / "train-00000-of-00001.parquet")
    kinds = hub.Features({"image": hub.Image(), "label": hub.ClassLabel(names=["a", "b", "c"])})
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)
    rows = {"image": [Image.fromarray(image) for image in pixels], "label": [0, 1, 2] * 3}
    hub.Dataset.from_dict(rows, features=kinds).to_parquet(pictures / "train-00000-of-00001.parquet")

    texts = datasets.load("hf:own/words:train", data_dir=tmp_path)
    assert (labels(texts), texts.classes) == ([0, 1] * 3, ("bad", "good"))
    assert datasets.texts_of(texts).texts[3] == "this is sentence 3"
    images = datasets.load("hf:own/pictures:train[2:7]", data_dir=tmp_path)
    assert (labels(images), images.classes) == ([2, 0, 1, 2, 0], ("a", "b", "c"))
    assert (cast(Images, images.inputs).array == pixels[2:7]).all()
    with pytest.raises(MissingData, match=r"hf:own/words cannot be loaded .*check the name, the configuration and"):
        datasets.load("hf:own/words:test", data_dir=tmp_path)


# ---- the guide


def test_the_guide_names_every_public_set_and_shows_how_a_table_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (Path(__file__).resolve().parents[1] / "docs" / "guide" / "data.md").read_text(encoding="utf-8")
    assert [name for name in datasets.SOURCES if f"`{name}`" not in guide] == []
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^## Files of texts\n.*?```python\n(.*?)```", guide, re.DOTALL | re.M)
    exec(compile(code, "guide", "exec"), {})
    found = datasets.load("pool.csv")
    assert (labels(found), found.classes) == ([1, 0], ("negative", "positive"))
    assert datasets.texts_of(found).texts == ("A fine film, all in all.", "Dull.")
