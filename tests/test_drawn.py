"""Parts of a data set that are drawn: which, of what, in which order; and ImageNet below the data folder."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from copycost import datasets
from copycost.datasets import Transform, images_of, texts_of
from copycost.datasets._wanted import parse
from copycost.errors import InvalidInput, MissingData
from copycost.inputs import Images, Texts


def _photos(folder: Path, count: int = 12, classes: int = 3, size: int = 8) -> None:
    rng = np.random.default_rng(0)
    for at in range(count):
        file = folder / f"class{at % classes}" / f"{at:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(file)


def _rows(whole: list[bytes], part: list[bytes]) -> list[int]:
    return [whole.index(digest) for digest in part]


def test_a_draw_is_a_part_in_the_order_of_the_set_and_the_same_every_time() -> None:
    whole = datasets.load("embedded")
    part = datasets.load("embedded[200 drawn]")
    rows = _rows(whole.inputs.digests(), part.inputs.digests())
    assert len(part) == len(set(rows)) == 200
    assert rows == sorted(rows)
    assert whole.labels is not None
    assert part.labels is not None
    assert part.labels.tolist() == whole.labels[rows].tolist()
    assert datasets.load("embedded[ 200  drawn ]").inputs.digest() == part.inputs.digest()
    assert part.name == "embedded[200 drawn]"


def test_which_are_drawn_is_fixed_for_all_versions() -> None:
    rows = _rows(datasets.load("embedded").inputs.digests(), datasets.load("embedded[6 drawn]").inputs.digests())
    assert rows == [1525, 2345, 3319, 3335, 3983, 4178]


def test_a_seed_draws_others_and_seed_0_is_the_one_left_out() -> None:
    plain, zero, one = (datasets.load(f"embedded[50 drawn{end}]").inputs.digest() for end in ("", " seed=0", " seed=1"))
    assert plain == zero != one


def test_a_smaller_draw_is_part_of_a_larger_one() -> None:
    small, large = (set(datasets.load(f"embedded[{count} drawn]").inputs.digests()) for count in (40, 400))
    assert small < large


def test_every_input_is_as_likely_as_any_other() -> None:
    counts = np.zeros(20)
    for seed in range(2000):
        part = parse(f"x[5 drawn seed={seed}]").rows(20, "image")
        counts[list(part)] += 1
    expected, deviation = 500, (2000 * 0.25 * 0.75) ** 0.5
    assert np.abs(counts - expected).max() < 5 * deviation


def test_a_draw_of_all_is_the_whole_set() -> None:
    assert datasets.load("embedded[5000 drawn]").inputs.digest() == datasets.load("embedded").inputs.digest()


@pytest.mark.parametrize("count", [0, 5001, 10**17])
def test_more_than_there_are_and_none_at_all_are_refused_with_how_many_there_are(count: int) -> None:
    with pytest.raises(InvalidInput, match=rf"asks for {count} images drawn of 5000; draw from 1 to 5000"):
        datasets.load(f"embedded[{count} drawn]")


@pytest.mark.parametrize(
    "part",
    [
        "[drawn]",
        "[5 drwan]",
        "[5drawn]",
        "[-5 drawn]",
        "[5.5 drawn]",
        "[:5 drawn]",
        "[5 drawn seed]",
        "[5 drawn seed=]",
        "[5 drawn seed=-1]",
        "[5 drawn seed=x]",
        "[5 drawn seed = 1]",
        "[5 drawn 1]",
        "[" + "9" * 30 + " drawn]",
    ],
)
def test_what_cannot_be_understood_is_refused_with_how_to_write_it(part: str) -> None:
    with pytest.raises(InvalidInput, match=r"\[1000 drawn\] takes so many at random.*\[1000 drawn seed=1\]"):
        datasets.load(f"embedded{part}")


def test_of_a_folder_only_the_drawn_files_are_read_and_all_classes_are_known(tmp_path: Path) -> None:
    _photos(tmp_path)
    whole, part = datasets.load(str(tmp_path)), datasets.load(f"{tmp_path}[5 drawn]")
    assert part.classes == whole.classes
    assert list(part.files) == sorted(part.files)
    for file in set(whole.files) - set(part.files):
        (tmp_path / file).write_bytes(b"damaged")
    again = datasets.load(f"{tmp_path}[5 drawn]")
    assert again.files == part.files
    assert again.inputs.digests() == part.inputs.digests()
    with pytest.raises(InvalidInput, match="asks for 13 images drawn of 12"):
        datasets.load(f"{tmp_path}[13 drawn]")


def test_a_folder_is_held_once_while_it_is_read(tmp_path: Path) -> None:
    _photos(tmp_path, count=40, size=100)
    tracemalloc.start()
    part = datasets.load(f"{tmp_path}[40 drawn]")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * images_of(part).array.nbytes


def test_an_array_file_and_a_file_of_texts_are_drawn_from(tmp_path: Path) -> None:
    images = np.arange(20 * 4, dtype=np.uint8).reshape(20, 2, 2)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(20) % 3)
    part = datasets.load(f"{tmp_path}/a.npz[7 drawn]")
    rows = _rows(Images(images).digests(), part.inputs.digests())
    assert rows == sorted(set(rows))
    assert part.labels is not None
    assert part.labels.tolist() == [row % 3 for row in rows]
    (tmp_path / "t.txt").write_text("\n".join(f"text {row}" for row in range(20)))
    texts = texts_of(datasets.load(f"{tmp_path}/t.txt[7 drawn]")).texts
    assert texts == tuple(f"text {row}" for row in rows)
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"text {row},{row % 3}\n" for row in range(20)))
    table = datasets.load(f"{tmp_path}/t.csv[7 drawn]")
    assert (texts_of(table).texts, table.labels.tolist()) == (texts, part.labels.tolist())  # type: ignore[union-attr]
    with pytest.raises(InvalidInput, match="asks for 21 texts drawn of 20"):
        datasets.load(f"{tmp_path}/t.txt[21 drawn]")


def test_a_draw_may_be_unlabelled_and_transformed() -> None:
    part = datasets.load("unlabelled:embedded[9 drawn]", transform=Transform(size=(14, 14)))
    assert (part.labels, images_of(part).array.shape) == (None, (9, 14, 14, 1))
    assert datasets.medium_named("unlabelled:wikitext2:train[9 drawn]") == "text"


def test_a_folder_whose_own_name_looks_like_a_draw_is_that_folder(tmp_path: Path) -> None:
    _photos(tmp_path / "photos[3 drawn]")
    assert len(datasets.load(f"{tmp_path}/photos[3 drawn]")) == 12
    assert len(datasets.load(f"{tmp_path}/photos[3 drawn][4 drawn]")) == 4


def test_imagenet_lies_below_the_data_folder_in_its_own_layout(tmp_path: Path) -> None:
    _photos(tmp_path / "imagenet" / "train")
    _photos(tmp_path / "imagenet" / "val", count=6)
    part = datasets.load("imagenet:train[5 drawn]", data_dir=tmp_path)
    assert part.files == datasets.load(f"{tmp_path}/imagenet/train[5 drawn]").files
    assert part.classes == ("class0", "class1", "class2")
    assert len(datasets.load("imagenet:val", data_dir=tmp_path)) == 6
    assert datasets.load("unlabelled:imagenet:val", data_dir=tmp_path).labels is None


def test_imagenet_that_is_not_there_or_not_sorted_says_where_it_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=rf"train not found in {tmp_path}/imagenet.*one folder a class.*--data-dir"):
        datasets.load("imagenet:train[5 drawn]", data_dir=tmp_path)
    (tmp_path / "imagenet" / "val").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "imagenet" / "val" / "ILSVRC2012_val_00000001.png")
    with pytest.raises(InvalidInput, match="imagenet/val holds 1 files and no class folders"):
        datasets.load("imagenet:val", data_dir=tmp_path)
    with pytest.raises(InvalidInput, match="imagenet:train and imagenet:val"):
        datasets.load("imagenet:test", data_dir=tmp_path)


def test_nothing_is_copied_where_one_side_is_empty() -> None:
    images, texts = Images(np.zeros((3, 2, 2), np.uint8)), Texts(["one"])
    assert images.take([]).concat(images) is images
    assert images.concat(images.take([])) is images
    assert len(images.concat(images)) == 6
    assert texts.take([]).concat(texts).texts == texts.texts
    with pytest.raises(InvalidInput, match="cannot follow"):
        images.take([]).concat(Images(np.zeros((1, 3, 3), np.uint8)))
