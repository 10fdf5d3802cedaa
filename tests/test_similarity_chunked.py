"""Similarities on disk: resumed after kills, refused where they do not belong, never silently wrong."""

import importlib.util
import json
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from copycost._types import ByteArray
from copycost.errors import CopycostError, InvalidInput, MissingExtra
from copycost.similarity import Chunked, mutual_information

HAS_ZARR = importlib.util.find_spec("zarr") is not None
needs_zarr = pytest.mark.skipif(not HAS_ZARR, reason="Zarr is not installed (copycost[store])")


def some_images(seed: int = 0) -> ByteArray:
    rng = np.random.default_rng(seed)
    images = np.where(rng.random((300, 40)) < 0.5, 0, rng.integers(0, 9, (300, 40))).astype(np.uint8)
    images[64:140] = 5
    return images


BUILD = """
import os, signal, sys, numpy as np
from copycost.similarity import Chunked
stop = float(sys.argv[3])
def progress(share):
    if share >= stop:
        os.kill(os.getpid(), signal.SIGKILL)
Chunked.build(np.load(sys.argv[1]), sys.argv[2], side=64, progress=progress)
"""


def killed_build(folder: Path, images: ByteArray, share: float) -> None:
    np.save(folder / "images.npy", images)
    arguments = [str(folder / "images.npy"), str(folder / "store"), str(share)]
    ended = subprocess.run([sys.executable, "-c", BUILD, *arguments], check=False)
    assert ended.returncode == -signal.SIGKILL


@needs_zarr
def test_a_store_holds_the_matrix_to_the_bit(tmp_path: Path) -> None:
    images = some_images()
    matrix = mutual_information(images)
    shares: list[float] = []
    store = Chunked.build(images, tmp_path / "store", side=64, progress=shares.append)
    assert store.n == 300
    assert store.dense().matrix.tobytes() == matrix.tobytes()
    rows, columns = [299, 3, 3, 70], [0, 150, 149, 150]
    assert store.block(rows, columns).tobytes() == matrix[np.ix_(rows, columns)].tobytes()
    assert store.block(rows).tobytes() == matrix[rows].tobytes()
    assert store.block([], columns).shape == (0, 4)
    assert store.power(2).restrict([5, 299]).block([1])[0, 0] == matrix[299, 5] ** 2
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


@needs_zarr
def test_a_build_that_is_killed_twice_ends_right(tmp_path: Path) -> None:
    images = some_images()
    killed_build(tmp_path, images, 0.3)
    with pytest.raises(InvalidInput, match="lacks 10 tiles"):
        Chunked(tmp_path / "store")
    killed_build(tmp_path, images, 0.7)
    shares: list[float] = []
    store = Chunked.build(images, tmp_path / "store", progress=shares.append)
    assert shares[0] >= 0.7
    assert store.dense().matrix.tobytes() == mutual_information(images).tobytes()


@needs_zarr
def test_a_tile_whose_record_was_cut_off_is_computed_again(tmp_path: Path) -> None:
    images, path = some_images(), tmp_path / "store"
    Chunked.build(images, path, side=64)
    record = path / "finished.txt"
    record.write_text("".join(line + "\n" for line in record.read_text().split("\n")[:6]) + "1 ")
    with pytest.raises(InvalidInput, match="lacks 9 tiles"):
        Chunked(path)
    assert Chunked.build(images, path).dense().matrix.tobytes() == mutual_information(images).tobytes()
    assert len(record.read_text().splitlines()) == 15


@needs_zarr
def test_a_run_killed_as_it_wrote_its_first_file_is_started_again(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.mkdir()
    (path / "zarr.json.123.partial").write_text("{")
    assert Chunked.build(some_images()[:70], path, side=64).n == 70


@needs_zarr
def test_a_finished_store_is_opened_and_not_written_again(tmp_path: Path) -> None:
    images, path = some_images()[:100], tmp_path / "store"
    digest = Chunked.build(images, path, side=64).digest
    times = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    again = Chunked.build(images.reshape(100, 8, 5), path)
    assert again.digest == Chunked(path).digest == digest
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()} == times


@needs_zarr
def test_images_without_information_are_not_taken_for_missing_tiles(tmp_path: Path) -> None:
    images = np.repeat(np.arange(130, dtype=np.uint8)[:, None], 20, axis=1)
    store = Chunked.build(images, tmp_path / "store", side=64)
    assert store.dense().matrix.tolist() == np.zeros((130, 130)).tolist()


@needs_zarr
def test_one_image_makes_a_store(tmp_path: Path) -> None:
    store = Chunked.build(np.array([[0, 1]], dtype=np.uint8), tmp_path / "store")
    assert store.block([0]).tolist() == [[np.float32(np.log(2))]]


@needs_zarr
def test_a_store_of_other_images_is_refused(tmp_path: Path) -> None:
    Chunked.build(some_images()[:70], tmp_path / "store", side=64)
    with pytest.raises(InvalidInput, match="other images"):
        Chunked.build(some_images(1)[:70], tmp_path / "store")


@needs_zarr
@pytest.mark.parametrize("finished", [True, False])
def test_a_store_of_another_version_is_refused(tmp_path: Path, finished: bool) -> None:
    images, path = some_images()[:70], tmp_path / "store"
    Chunked.build(images, path, side=64)
    if not finished:
        (path / "finished.txt").write_text("0 0\n")
    metadata = json.loads((path / "zarr.json").read_text())
    metadata["attributes"]["copycost"]["kernel"] = 0
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(InvalidInput, match="version 0 of the kernel"):
        Chunked.build(images, path)
    with pytest.raises(InvalidInput, match="version 0 of the kernel"):
        Chunked(path)


@needs_zarr
def test_folders_of_something_else_are_refused_and_left_alone(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    images, full, foreign, broken, file = some_images()[:70], *(tmp_path / name for name in "abcd")
    full.mkdir()
    (full / "thesis.txt").write_text("mine")
    zarr.create_array(store=str(foreign), shape=(70, 70), chunks=(70, 70), dtype="float32")
    broken.mkdir()
    (broken / "zarr.json").write_text("{}")
    file.write_text("mine")
    for path, message in [
        (full, "no store"),
        (foreign, "not one that"),
        (broken, "cannot be read"),
        (file, "no store"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            Chunked.build(images, path)
        with pytest.raises(InvalidInput, match=message):
            Chunked(path)
    with pytest.raises(InvalidInput, match="no store"):
        Chunked(tmp_path / "nothing")
    assert (full / "thesis.txt").read_text() == "mine"


@needs_zarr
def test_values_lost_from_a_finished_store_are_never_read_as_numbers(tmp_path: Path) -> None:
    store = Chunked.build(some_images()[:130], tmp_path / "store", side=64)
    shutil.rmtree(tmp_path / "store" / "c" / "1")
    assert store.block([0]).shape == (1, 130)
    with pytest.raises(CopycostError, match="lost values"):
        store.block([70])


@needs_zarr
def test_a_second_process_may_not_write_the_same_store(tmp_path: Path) -> None:
    images, path = some_images()[:140], tmp_path / "store"
    refusals: list[str] = []

    def meanwhile(_share: float) -> None:
        try:
            Chunked.build(images, path)
        except InvalidInput as error:
            refusals.append(str(error))

    Chunked.build(images, path, side=64, progress=meanwhile)
    assert refusals
    assert all("another process" in refusal for refusal in refusals)


@needs_zarr
def test_too_small_a_disk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="GB of free space and the matrix needs 360"):
        Chunked.build(np.zeros((3_000_000, 1), np.uint8), tmp_path / "store")
    assert not (tmp_path / "store").exists()


@needs_zarr
def test_a_disk_that_fills_up_on_the_way_is_reported_and_what_is_finished_stays(tmp_path: Path) -> None:
    images, path = some_images(), tmp_path / "store"
    Chunked.build(images, path, side=64)
    (path / "finished.txt").write_text("0 0\n")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(CopycostError, match=r"no space is left .* finished tiles are kept"):
            Chunked.build(images, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert (path / "finished.txt").read_text() == "0 0\n"
    assert Chunked.build(images, path).dense().matrix.tobytes() == mutual_information(images).tobytes()


@needs_zarr
@pytest.mark.parametrize("side", [0, -64, 100])
def test_a_side_must_be_a_multiple_of_a_tile(tmp_path: Path, side: int) -> None:
    with pytest.raises(InvalidInput, match="multiple of 64"):
        Chunked.build(some_images(), tmp_path / "store", side=side)


@pytest.mark.skipif(HAS_ZARR, reason="Zarr is installed")
def test_without_zarr_the_error_names_the_extra(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match=r"copycost\[store\]"):
        Chunked.build(some_images(), tmp_path / "store")
