"""Folders of images, made from real digits and photographs, against Pillow and pixels worked out by hand."""

import io
import json
import os
import random
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from copycost import Images, datasets
from copycost._types import AnyArray, ByteArray
from copycost.datasets import Dataset, Transform, _memory, images_of
from copycost.errors import InvalidInput, MissingData

ENDINGS = ("png", "jpg", "bmp", "gif", "webp", "tif")


def digits(count: int, start: int = 0) -> Dataset:
    """Real digits, one class after the other in turn."""
    return datasets.load("embedded").take([(start + at) % 10 * 500 + (start + at) // 10 for at in range(count)])


def encoded(image: Image.Image, ending: str, **options: Any) -> bytes:
    written = io.BytesIO()
    if ending == "webp":
        options = {"lossless": True, "exact": True} | options
    image.save(written, {"jpg": "JPEG", "tif": "TIFF"}.get(ending, ending.upper()), **options)
    return written.getvalue()


def fill(folder: Path, images: ByteArray, names: list[str] | None = None, ending: str = "png") -> list[str]:
    """Write grey or colour images; return their names."""
    names = names or [f"{at:04}.{ending}" for at in range(len(images))]
    for name, image in zip(names, images, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        (folder / name).write_bytes(encoded(picture, name.rpartition(".")[2]))
    return names


def fill_classes(folder: Path, data: Dataset, names: dict[int, str]) -> None:
    assert data.labels is not None
    files = [f"{names[label]}/{at:04}.png" for at, label in enumerate(data.labels.tolist())]
    fill(folder, images_of(data).array, files)


def one(folder: Path, content: bytes, name: str = "only.png") -> Dataset:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return datasets.load(str(folder))


def test_a_flat_folder_gives_its_images_in_the_order_of_their_names_without_labels(tmp_path: Path) -> None:
    data = digits(6)
    fill(tmp_path, images_of(data).array, ["b.png", "B.png", "a10.png", "a2.png", "é.png", "~.png"])
    found = datasets.load(str(tmp_path))
    assert found.files == ("B.png", "a10.png", "a2.png", "b.png", "~.png", "é.png")
    np.testing.assert_array_equal(images_of(found).array, images_of(data).array[[1, 2, 3, 0, 5, 4]])
    assert (found.labels, found.classes, found.name) == (None, (), str(tmp_path))
    assert dict(found.notes) == {}


def test_class_folders_are_numbered_in_the_order_of_their_names_however_deep_the_files_lie(tmp_path: Path) -> None:
    data = digits(5)
    names = ["cat/b/2.png", "cat/1.png", "Zebra/1.png", "bird/x.png", "cat-fish/1.png"]
    fill(tmp_path, images_of(data).array, names)
    (tmp_path / "empty").mkdir()
    found = datasets.load(str(tmp_path))
    assert found.classes == ("Zebra", "bird", "cat", "cat-fish", "empty")
    assert found.labels is not None
    named = dict(zip(found.files, [found.classes[label] for label in found.labels], strict=True))
    assert named == {name: name.partition("/")[0] for name in names}
    assert found.files == tuple(sorted(names))
    np.testing.assert_array_equal(
        images_of(found).array, images_of(data).array[[names.index(name) for name in found.files]]
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_is_read_whatever_the_file_is_called(ending: str, tmp_path: Path) -> None:
    data = images_of(digits(3)).array
    fill(tmp_path / "grey", data, ending=ending)
    fill(tmp_path / "colour", data.repeat(3, axis=-1), ending=ending)
    for kind in ("grey", "colour"):
        for file in list((tmp_path / kind).iterdir()):
            file.rename(file.with_suffix(""))
        expected = "grey" if ending == "gif" else kind
        found = images_of(datasets.load(str(tmp_path / kind)))
        assert found.shape == (28, 28, 3 if ending == "webp" or expected == "colour" else 1)
        difference = np.abs(found.array.astype(int) - data)
        assert difference.max() <= (0 if ending != "jpg" else 40)
        assert difference.mean() <= (0 if ending != "jpg" else 4)


def test_formats_may_be_mixed(tmp_path: Path) -> None:
    data = images_of(digits(6)).array
    fill(tmp_path, data, [f"{at}.{ending}" for at, ending in enumerate(ENDINGS)])
    with pytest.raises(InvalidInput, match=r"0.png has grey pixels and 4.webp has colour pixels.*colour=grey"):
        datasets.load(str(tmp_path))
    found = images_of(datasets.load(str(tmp_path), transform=Transform(colour="grey"))).array
    np.testing.assert_array_equal(found[[0, 2, 3, 4, 5]], data[[0, 2, 3, 4, 5]])


def test_mixed_sizes_need_a_size_and_the_error_says_so(tmp_path: Path) -> None:
    data = images_of(digits(3))
    fill(tmp_path, data.array)
    fill(tmp_path, datasets.resize(data, 20, 31).array, ["x.png", "y.png", "z.png"])
    with pytest.raises(InvalidInput, match=r'28 x 28 pixels and x.png has 20 x 31.*--transform "size=28x28"'):
        datasets.load(str(tmp_path))
    found = datasets.load(str(tmp_path), transform=Transform.parse("size=16x16 fit=pad"))
    assert images_of(found).shape == (16, 16, 1)
    alone = Transform.parse("size=16x16 fit=pad")(datasets.resize(data, 20, 31))
    np.testing.assert_array_equal(images_of(found).array[3:], alone.array)


def test_a_slice_reads_only_its_files_and_keeps_all_class_names(tmp_path: Path) -> None:
    fill_classes(tmp_path, digits(20), {digit: f"digit {digit}" for digit in range(10)})
    (tmp_path / "digit 9" / "9999.png").write_bytes(b"broken")
    whole = datasets.load(str(tmp_path), skip_bad=True)
    part = datasets.load(f"{tmp_path}[4:9]")
    assert part.files == whole.files[4:9]
    assert part.classes == whole.classes
    np.testing.assert_array_equal(images_of(part).array, images_of(whole).array[4:9])
    assert datasets.load(f"{tmp_path}[18:]", skip_bad=True).skipped == ("digit 9/9999.png",)
    with pytest.raises(InvalidInput, match="of 21"):
        datasets.load(f"{tmp_path}[:22]")


def test_a_folder_whose_own_name_looks_like_a_slice_is_that_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a[0:1]", "a", "mnist", "mlist:train"):
        fill(tmp_path / name, images_of(digits(len(name))).array)
    assert len(datasets.load("a[0:1]")) == len("a[0:1]")
    assert len(datasets.load("a[0:1][2:5]")) == 3
    assert len(datasets.load("./mnist")) == 5
    assert len(datasets.load("mlist:train")) == len("mlist:train")
    assert len(datasets.load(".//a/")) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_exif_orientation_is_applied(orientation: int, ending: str, tmp_path: Path) -> None:
    picture = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3).repeat(16, 0).repeat(16, 1) * 40)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(picture.convert("RGB"), ending, exif=exif)
    with Image.open(io.BytesIO(content)) as stored:
        reference = np.asarray(ImageOps.exif_transpose(stored))
    found = one(tmp_path, content)
    np.testing.assert_array_equal(images_of(found).array[0], reference)
    assert images_of(found).shape[:2] == ((32, 48) if orientation < 5 else (48, 32))
    if ending != "tif":
        assert found.notes.get("turned by EXIF", 0) == (orientation > 1)


def png(width: int, height: int, depth: int, kind: int, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file made by hand, for what Pillow cannot write."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)), *chunks]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_of_sixteen_bits_the_high_byte_is_kept_in_grey_and_in_colour(tmp_path: Path) -> None:
    values = np.array([[0, 255, 256], [32767, 65279, 65535]], dtype=np.uint16)
    expected = (values >> 8).astype(np.uint8)
    for ending in ("png", "tif"):
        found = one(tmp_path, encoded(Image.fromarray(values), ending))
        np.testing.assert_array_equal(images_of(found).array[0, ..., 0], expected)
        assert dict(found.notes) == {"16 bits, high byte kept": 1}
    rows = b"".join(b"\0" + row.repeat(3).astype(">u2").tobytes() for row in values)
    colour = images_of(one(tmp_path, png(3, 2, 16, 2, rows))).array[0]
    np.testing.assert_array_equal(colour, expected[..., np.newaxis].repeat(3, axis=-1))


def over_white(colours: AnyArray, alpha: AnyArray) -> AnyArray:
    share = alpha[..., np.newaxis].astype(np.float64) / 255
    return colours * share + 255 * (1 - share)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_transparent_parts_are_shown_over_white(mode: str, ending: str, tmp_path: Path) -> None:
    if mode == "LA" and ending == "webp":
        pytest.skip("WebP holds no grey images")
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, len(mode)), dtype=np.uint8)
    found = one(tmp_path, encoded(Image.fromarray(pixels, mode), ending))
    assert np.abs(images_of(found).array[0] - over_white(pixels[..., :-1], pixels[..., -1])).max() <= 0.5001
    assert dict(found.notes) == {"transparent parts shown over white": 1}
    pixels[..., -1] = 255
    opaque = one(tmp_path, encoded(Image.fromarray(pixels, mode), ending))
    np.testing.assert_array_equal(images_of(opaque).array[0], pixels[..., :-1])
    assert dict(opaque.notes) == {}


@pytest.mark.parametrize("ending", ["png", "gif", "bmp", "tif"])
def test_a_palette_of_greys_stays_grey_and_any_other_becomes_colour(ending: str, tmp_path: Path) -> None:
    places = np.arange(12, dtype=np.uint8).reshape(3, 4) % 4
    for name, table in (("grey", [[9] * 3, [200] * 3, [0] * 3, [255] * 3]), ("colour", [[9, 8, 7], [1, 2, 3]] * 2)):
        picture = Image.fromarray(places, "P")
        picture.putpalette([level for colour in table for level in colour])
        found = images_of(one(tmp_path / name, encoded(picture, ending))).array[0]
        expected = np.array(table, dtype=np.uint8)[places]
        np.testing.assert_array_equal(found, expected[..., :1] if name == "grey" else expected)


def test_a_transparent_colour_of_a_palette_is_shown_over_white(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1]], dtype=np.uint8), "P")
    picture.putpalette([10, 20, 30, 40, 50, 60])
    for ending in ("png", "gif"):
        found = one(tmp_path, encoded(picture, ending, transparency=0))
        assert images_of(found).array[0].tolist() == [[[255, 255, 255], [40, 50, 60]]]


@pytest.mark.parametrize("ending", ["png", "bmp", "tif"])
def test_one_bit_is_black_and_white(ending: str, tmp_path: Path) -> None:
    bits = np.array([[True, False, True], [False, False, True]])
    found = one(tmp_path, encoded(Image.fromarray(bits), ending))
    assert images_of(found).array[0, ..., 0].tolist() == [[255, 0, 255], [0, 0, 255]]


def test_of_several_frames_the_first_is_read(tmp_path: Path) -> None:
    frames = [Image.fromarray(image[..., 0]) for image in images_of(digits(3)).array]
    for ending in ("gif", "tif", "png", "webp"):
        content = encoded(frames[0], ending, save_all=True, append_images=frames[1:])
        found = images_of(one(tmp_path, content)).array[0]
        assert (found == images_of(digits(1)).array[0]).all()


def test_colours_for_print_are_converted_and_counted(tmp_path: Path) -> None:
    picture = Image.fromarray(np.full((8, 8, 4), [0, 255, 255, 0], np.uint8), "CMYK")
    for ending in ("jpg", "tif"):
        found = one(tmp_path, encoded(picture, ending))
        assert np.abs(images_of(found).array[0].astype(int) - [255, 0, 0]).max() <= 2
        assert dict(found.notes) == {"converted from CMYK": 1}


@pytest.mark.parametrize("values", [np.zeros((4, 4), np.float32), np.zeros((4, 4), np.int32)])
def test_pixels_without_a_known_range_are_refused(values: AnyArray, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="32 bits, whose range is not known"):
        one(tmp_path, encoded(Image.fromarray(values), "tif"))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("keep", [0.0, 0.2, 0.6, 0.9])
def test_a_file_cut_short_is_named_or_skipped_and_counted(ending: str, keep: float, tmp_path: Path) -> None:
    data = images_of(digits(3)).array.repeat(3, axis=-1)
    fill(tmp_path, np.random.default_rng(0).integers(0, 256, data.shape, dtype=np.uint8), ending=ending)
    bad = tmp_path / f"0001.{ending}"
    bad.write_bytes(bad.read_bytes()[: int(keep * bad.stat().st_size)])
    with pytest.raises(InvalidInput, match=rf"{bad} cannot be used: it .*--skip-bad") as caught:
        datasets.load(str(tmp_path))
    assert "\n" not in str(caught.value)
    found = datasets.load(str(tmp_path), skip_bad=True)
    assert found.files == (f"0000.{ending}", f"0002.{ending}")
    assert found.skipped == (f"0001.{ending}",)
    assert dict(found.notes) == {"bad, left out": 1}


def test_files_that_are_no_images_are_named_or_skipped(tmp_path: Path) -> None:
    fill(tmp_path / "a", images_of(digits(2)).array)
    fill(tmp_path / "b", images_of(digits(2, 5)).array)
    (tmp_path / "b" / "labels.csv").write_text("file,label\n")
    with pytest.raises(InvalidInput, match=r"b/labels.csv cannot be used: it is not an image of a kind that is read"):
        datasets.load(str(tmp_path))
    fill(tmp_path, images_of(digits(1)).array, ["loose.png"])
    with pytest.raises(InvalidInput, match="lies beside the class folders"):
        datasets.load(f"{tmp_path}[5:]")
    found = datasets.load(str(tmp_path), skip_bad=True)
    assert found.skipped == ("b/labels.csv", "loose.png")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 0, 1, 1]


def test_other_kinds_of_image_files_are_not_opened(tmp_path: Path) -> None:
    for kind in ("PPM", "EPS", "PDF", "ICO"):
        written = io.BytesIO()
        Image.new("RGB", (16, 16)).save(written, kind)
        with pytest.raises(InvalidInput, match="not an image of a kind that is read"):
            one(tmp_path, written.getvalue())


def test_hidden_files_and_folders_are_left_out_and_counted(tmp_path: Path) -> None:
    fill(tmp_path, images_of(digits(2)).array)
    (tmp_path / ".DS_Store").write_bytes(b"x")
    fill(tmp_path / ".thumbnails", images_of(digits(2)).array)
    found = datasets.load(str(tmp_path))
    assert (len(found), dict(found.notes)) == (2, {"hidden, left out": 2})


def test_links_that_leave_the_folder_are_refused_even_where_bad_files_are_skipped(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    fill(folder, images_of(digits(2)).array)
    fill(elsewhere, images_of(digits(1, 5)).array)
    targets: list[tuple[str | Path, str]] = [
        (elsewhere / "0000.png", "leads out of the folder"),
        ("../elsewhere/0000.png", "leads out of the folder"),
        ("../nowhere", "leads out of the folder"),
        (elsewhere, "leads out of the folder"),
        ("/etc/hostname", "leads out of the folder"),
        ("link.png", "leads out of the folder"),
        (".", "leads to a folder"),
    ]
    for target, words in targets:
        (folder / "link.png").symlink_to(target)
        for skip_bad in (False, True):
            with pytest.raises(InvalidInput, match=rf"link.png is a link that {words}"):
                datasets.load(str(folder), skip_bad=skip_bad)
        (folder / "link.png").unlink()


def test_links_inside_the_folder_and_to_the_folder_are_followed(tmp_path: Path) -> None:
    fill(tmp_path / "folder", images_of(digits(2)).array)
    (tmp_path / "folder" / "again.png").symlink_to("0000.png")
    (tmp_path / "name").symlink_to("folder")
    found = datasets.load(str(tmp_path / "name"))
    assert found.files == ("0000.png", "0001.png", "again.png")
    np.testing.assert_array_equal(images_of(found).array[0], images_of(found).array[2])
    (tmp_path / "folder" / "again.png").unlink()
    (tmp_path / "folder" / "again.png").symlink_to("missing.png")
    with pytest.raises(InvalidInput, match=r"again.png cannot be used: it is not a regular file"):
        datasets.load(str(tmp_path / "name"))


def test_pipes_are_not_opened(tmp_path: Path) -> None:
    fill(tmp_path, images_of(digits(1)).array)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InvalidInput, match="not a regular file"):
        datasets.load(str(tmp_path))
    assert datasets.load(str(tmp_path), skip_bad=True).skipped == ("pipe.png",)


def test_folders_that_hold_nothing_to_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no image"):
        datasets.load(str(tmp_path))
    (tmp_path / "a.md").write_text("no image")
    with pytest.raises(InvalidInput, match=r"holds no image that can be read \(1 bad files"):
        datasets.load(str(tmp_path), skip_bad=True)
    with pytest.raises(InvalidInput, match=r"there is no folder .*/nowhere;"):
        datasets.load(f"{tmp_path}/nowhere")
    with pytest.raises(InvalidInput, match="a file of a kind that is not read"):
        datasets.load(f"{tmp_path}/a.md")


def test_a_single_class_folder_is_refused_with_the_path_to_name_instead(tmp_path: Path) -> None:
    fill(tmp_path / "images", images_of(digits(2)).array)
    with pytest.raises(InvalidInput, match=rf"single folder, 'images'.*name {tmp_path}/images itself"):
        datasets.load(str(tmp_path))
    assert len(datasets.load(f"{tmp_path}/images")) == 2


def test_names_that_are_not_text_are_shown_escaped_and_are_no_class_names(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path)
    fill(tmp_path / "a", images_of(digits(1)).array)
    with open(raw + b"/a/\xff\n.png", "wb") as file:
        file.write(b"broken")
    os.mkdir(raw + b"/b")
    with pytest.raises(InvalidInput) as caught:
        datasets.load(str(tmp_path))
    assert "\\udcff" in str(caught.value)
    assert "\n" not in str(caught.value)
    (skipped,) = datasets.load(str(tmp_path), skip_bad=True).skipped
    assert json.loads(json.dumps(skipped).encode("utf-8")) == skipped.encode("utf-8").decode()
    os.mkdir(raw + b"/\xff")
    with pytest.raises(InvalidInput, match="not UTF-8 text"):
        datasets.load(str(tmp_path))


def test_a_decompression_bomb_is_refused_at_pillows_own_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(Image.new("L", (200, 100)), "png")
    for limit in (15_000, 5_000):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(InvalidInput, match=r"only.png cannot be used: .*decompression bomb"):
            one(tmp_path, content)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    assert images_of(one(tmp_path, content)).shape == (100, 200, 1)


def test_a_folder_too_large_for_memory_is_refused_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, images_of(digits(30)).array)
    monkeypatch.setattr(_memory, "_SHARE", _memory.memory_limit() * 4 // 1_500_000)
    assert len(datasets.load(str(tmp_path))) == 30
    with pytest.raises(InvalidInput, match=r"30 images .* takes 17.9 MiB .* at most \d.\d MiB .*--transform size"):
        datasets.load(str(tmp_path), transform=Transform(size=(790, 790)))
    assert _memory.memory_limit() > 0


def test_photographs_become_what_pillow_makes_of_them(shared_data: Path, tmp_path: Path) -> None:
    with tarfile.open(shared_data / "imagenet_sample" / "imagenet_sample_224_q90.tar") as archive:
        members = [member for member in archive.getmembers() if member.isfile()][:12]
        for at, member in enumerate(members):
            content = archive.extractfile(member)
            assert content is not None
            (tmp_path / f"{at:02}.jpg").write_bytes(content.read())
    found = datasets.load(str(tmp_path), transform=Transform.parse("size=32x32 resample=area"))
    assert images_of(found).shape == (32, 32, 3)
    for file, image in zip(found.files, images_of(found).array, strict=True):
        with Image.open(tmp_path / file) as picture:
            reference = picture.convert("RGB").resize((32, 32), Image.Resampling.BOX)
        np.testing.assert_array_equal(image, np.asarray(reference))


def test_tiles_of_cifar10_survive_a_folder_to_the_pixel(shared_data: Path, tmp_path: Path) -> None:
    with Image.open(shared_data / "cifar10" / "test_batch.webp") as mosaic:
        width = mosaic.width // 32
        strip = np.asarray(mosaic.crop((0, 0, mosaic.width, 32)).convert("RGB"))
    labels = np.load(shared_data / "cifar10" / "test_batch.labels.npy")[:width].astype(np.int64)
    tiles = strip.reshape(32, width, 32, 3).transpose(1, 0, 2, 3)
    data = Dataset("tiles", Images(tiles), labels, tuple(str(label) for label in range(10)))
    fill_classes(tmp_path, data, {label: f"class{label}" for label in range(10)})
    found = datasets.load(str(tmp_path))
    assert sorted(found.inputs.digests()) == sorted(data.inputs.digests())
    numbers = dict(zip(data.inputs.digests(), labels.tolist(), strict=True))
    named = [f"class{numbers[digest]}" for digest in found.inputs.digests()]
    assert found.labels is not None
    assert [found.classes[label] for label in found.labels] == named


MAGIC = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"BM",
    b"GIF89a",
    b"RIFF\x20\0\0\0WEBPVP8 ",
    b"II*\0",
    b"MM\0*",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from(MAGIC), rest=st.binary(max_size=200))
def test_random_bytes_are_refused_or_read_and_never_a_traceback(start: bytes, rest: bytes, tmp_path: Path) -> None:
    read_or_refused(tmp_path, start + rest)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from(ENDINGS), mode=st.sampled_from(["1", "L", "P", "RGB", "RGBA"]), seed=st.integers(0, 2**32)
)
def test_damaged_images_are_refused_or_read_and_never_a_traceback(
    ending: str, mode: str, seed: int, tmp_path: Path, wanted: Callable[[str, str], bytes]
) -> None:
    content = bytearray(wanted(ending, mode))
    draw = random.Random(seed)
    for _ in range(draw.randint(1, 8)):
        content[draw.randrange(min(len(content), draw.choice([40, 200, 10_000])))] = draw.randrange(256)
    read_or_refused(tmp_path, bytes(content))


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], bytes]:
    """Small whole images by format and mode; a low limit keeps damaged sizes from costing time."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    exif = Image.Exif()
    exif[0x0112] = 6
    made: dict[tuple[str, str], bytes] = {}

    def content(ending: str, mode: str) -> bytes:
        if (ending, mode) not in made:
            picture = Image.fromarray(images_of(digits(1)).array[0, ..., 0]).convert(mode)
            picture = picture.convert("RGB") if ending == "jpg" else picture
            made[ending, mode] = encoded(picture, ending, **({} if ending in ("bmp", "gif") else {"exif": exif}))
        return made[ending, mode]

    return content


def read_or_refused(folder: Path, content: bytes) -> None:
    try:
        found = one(folder, content)
    except InvalidInput as error:
        refusal = str(error)
    else:
        assert len(found) == 1
        assert images_of(found).shape[2] in (1, 3)
        return
    assert "only.png cannot be used: it" in refusal
    assert "\n" not in refusal


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30), st.booleans())
def test_any_text_names_a_set_or_is_refused(text: str, skip_bad: bool) -> None:
    try:
        found = datasets.load(text, data_dir=Path("/nonexistent"), download=False, skip_bad=skip_bad)
    except (InvalidInput, MissingData):
        return
    assert len(found) > 0
