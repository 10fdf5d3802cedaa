"""The tile kernel against the plain one, to the bit: real images, long runs, any background, any processor."""

import gzip
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from copycost._types import ByteArray, Float32Array
from copycost.similarity import OnDemand, mutual_information, mutual_information_block
from copycost.similarity._pairs import between
from copycost.similarity._scalar import scalar_block
from copycost.similarity._table import count_log_count
from copycost.similarity._tiles import common_level, tile


def assert_equal_to_the_bit(images: ByteArray) -> Float32Array:
    flat = images.reshape(len(images), -1)
    matrix = mutual_information(images)
    assert matrix.tobytes() == scalar_block(flat, flat).tobytes()
    return matrix


def mnist(shared_data: Path) -> ByteArray:
    with gzip.open(shared_data / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz") as file:
        return np.frombuffer(file.read(16 + 784 * 300), np.uint8, offset=16).reshape(-1, 28, 28, 1)


def cifar(shared_data: Path) -> ByteArray:
    spec = importlib.util.spec_from_file_location("shared_data_load", shared_data / "load.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    images: ByteArray = module.cifar10(False)[0][:70]
    return images


def test_mnist_images(shared_data: Path) -> None:
    images = mnist(shared_data)
    matrix = assert_equal_to_the_bit(images[:150])
    assert common_level(images.reshape(len(images), -1)) == 0
    assert 0.2 < np.median(matrix[np.triu_indices(150, 1)]) < 0.5


def test_inverted_mnist_images_have_another_background_and_the_same_information(shared_data: Path) -> None:
    images = mnist(shared_data)[:100]
    assert common_level((255 - images).reshape(100, -1)) == 255
    assert mutual_information(255 - images).tobytes() == mutual_information(images).tobytes()


def test_cifar_images(shared_data: Path) -> None:
    assert_equal_to_the_bit(cifar(shared_data))


@pytest.mark.parametrize("repeats", [253, 254, 255, 256, 257, 511, 1000])
def test_runs_around_and_beyond_what_a_byte_counts(repeats: int) -> None:
    rng = np.random.default_rng(repeats)
    image = np.repeat(np.arange(4, dtype=np.uint8), [repeats, repeats, 3, 2 * repeats])
    shuffled = [rng.permutation(image) for _ in range(4)]
    halves = np.arange(len(image)) % 2
    assert_equal_to_the_bit(np.stack([image, *shuffled, image // 2, halves.astype(np.uint8)]))


def test_every_level_at_once() -> None:
    rng = np.random.default_rng(0)
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 8)
    assert_equal_to_the_bit(np.stack([ramp, *(rng.permutation(ramp) for _ in range(6))]))


def test_permuting_levels_and_pixels_together_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    images = (rng.random((40, 500)) ** 4 * 256).astype(np.uint8)
    relabelled = rng.permutation(256).astype(np.uint8)[images][:, rng.permutation(500)]
    assert mutual_information(relabelled).tobytes() == mutual_information(images).tobytes()


@pytest.mark.parametrize("background", [0, 1, 77, 255])
def test_the_background_decides_nothing_but_the_speed(background: int) -> None:
    rng = np.random.default_rng(9)
    images = np.where(rng.random((67, 900)) < 0.6, 0, rng.integers(0, 256, (67, 900))).astype(np.uint8)
    images[:9][images[:9] > 90] = 255
    tiled = tile(images, background)
    assert between(tiled, tiled).tobytes() == scalar_block(images, images).tobytes()


@pytest.mark.parametrize("m", [1, 2, 4, 5, 8])
def test_a_few_rows_against_many_images(m: int) -> None:
    rng = np.random.default_rng(m)
    images = np.where(rng.random((130, 700)) < 0.7, 0, rng.integers(0, 4, (130, 700))).astype(np.uint8)
    images[3] = 2
    rows = np.arange(m) * 3
    expected = scalar_block(images[rows], images)
    assert mutual_information_block(images[rows], images).tobytes() == expected.tobytes()
    assert OnDemand(images).block(rows).tobytes() == expected.tobytes()


@pytest.mark.parametrize("pixels", [1, 2, 784, 3072, 150_528, 10**7])
def test_sums_over_the_table_are_exact(pixels: int) -> None:
    table = count_log_count(pixels)
    counts = np.unique(np.linspace(0, pixels, 50).astype(int))
    np.testing.assert_allclose(table[counts], counts * np.log(np.maximum(counts, 1)), rtol=1e-13, atol=pixels * 1e-13)
    parts = np.random.default_rng(0).permutation(table[: min(pixels, 1000)])
    parts = parts[np.cumsum(parts) <= table[-1]]
    assert parts.sum() == parts[::-1].sum() == sum(map(float, np.sort(parts)))


@pytest.mark.parametrize(
    "first",
    [
        "from copycost.similarity import mutual_information; mutual_information(np.zeros((9, 4), np.uint8))",
        "from copycost.subsets import lightest_subset; lightest_subset(Dense(np.ones((9, 9), np.float32)), 3)",
    ],
)
def test_the_first_kernel_leaves_the_threads_of_torch_alone(first: str) -> None:
    program = f"""
import numpy as np, torch
from copycost.similarity import Dense
torch.set_num_threads(1)
{first}
assert torch.get_num_threads() == 1, torch.get_num_threads()
"""
    subprocess.run([sys.executable, "-c", program], check=True)  # the threads are started once in a process


def test_the_number_of_threads_changes_nothing() -> None:
    if numba.get_num_threads() < 2:
        pytest.skip("one core: there is no second thread to compare")
    images = np.random.default_rng(2).integers(0, 40, (200, 300)).astype(np.uint8)
    many = mutual_information(images)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert mutual_information(images).tobytes() == many.tobytes()
    finally:
        numba.set_num_threads(before)


def test_a_processor_without_wide_vectors_gives_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    images = np.where(rng.random((70, 800)) < 0.5, 0, rng.integers(0, 9, (70, 800))).astype(np.uint8)
    images[:5] = images[:5] > 0
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, numpy as np; from copycost.similarity import mutual_information\n"
        "np.save(sys.argv[2], mutual_information(np.load(sys.argv[1])))"
    )
    plain = {**os.environ, "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    arguments = [sys.executable, "-c", code, str(tmp_path / "images.npy"), str(tmp_path / "matrix.npy")]
    subprocess.run(arguments, env=plain, check=True)
    assert np.load(tmp_path / "matrix.npy").tobytes() == mutual_information(images).tobytes()
