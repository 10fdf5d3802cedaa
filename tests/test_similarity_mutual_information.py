"""Mutual information against a float64 reference, and the bad input it refuses."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from copycost._types import AnyArray, ByteArray, FloatArray
from copycost.errors import InvalidInput
from copycost.similarity import luminance, mutual_information, mutual_information_block, to_levels


def reference(images: AnyArray) -> FloatArray:
    """Return Equation 1 term by term, in float64, over a 256 x 256 histogram of each pair."""
    flat = images.reshape(len(images), -1)
    result = np.zeros((len(flat), len(flat)))
    for u, v in itertools.product(range(len(flat)), repeat=2):
        joint = np.zeros((256, 256))
        np.add.at(joint, (flat[u], flat[v]), 1.0 / flat.shape[1])
        there = joint > 0
        independent = np.outer(joint.sum(1), joint.sum(0))
        result[u, v] = (joint[there] * np.log(joint[there] / independent[there])).sum()
    return result


def random_images(rng: np.random.Generator) -> ByteArray:
    return rng.integers(0, 256, (9, 20, 20)).astype(np.uint8)


def few_levels(rng: np.random.Generator) -> ByteArray:
    return rng.integers(0, 5, (9, 28, 28)).astype(np.uint8)


def binary(rng: np.random.Generator) -> ByteArray:
    shares = np.linspace(0.02, 0.98, 9)[:, None]
    return np.where(rng.random((9, 1500)) < shares, 255, 3).astype(np.uint8)


def constant(rng: np.random.Generator) -> ByteArray:
    images = np.repeat(np.array([0, 0, 7, 255, 128], dtype=np.uint8)[:, None], 700, axis=1)
    images[4] = rng.integers(0, 256, 700)
    return images


def ink_on_paper(rng: np.random.Generator) -> ByteArray:
    smooth = np.clip(rng.normal(128, 90, (9, 784)), 0, 255)
    return np.where(rng.random((9, 784)) < 0.8, 0, smooth).astype(np.uint8)


def long_runs(rng: np.random.Generator) -> ByteArray:
    """Return images in which levels other than the commonest repeat 254 to 257 and 700 times."""
    counts = [254, 255, 256, 257, 700, 1, 2, 900]
    image = np.repeat(np.arange(len(counts)), counts).astype(np.uint8)
    shuffled = np.stack([rng.permutation(image) for _ in range(5)])
    return np.concatenate([shuffled, image[None], image[None] + 1, image[None] % 2])


def identical(rng: np.random.Generator) -> ByteArray:
    return np.repeat(rng.integers(0, 9, (1, 600)).astype(np.uint8), 6, axis=0)


KINDS = [random_images, few_levels, binary, constant, ink_on_paper, long_runs, identical]


@pytest.mark.parametrize("kind", KINDS)
def test_it_agrees_with_equation_1(kind: Callable[[np.random.Generator], ByteArray]) -> None:
    images = kind(np.random.default_rng(3))
    np.testing.assert_allclose(mutual_information(images), reference(images), rtol=0, atol=2e-6)


def test_it_agrees_with_scikit_learn() -> None:
    images = ink_on_paper(np.random.default_rng(1))
    expected = [[mutual_info_score(u, v) for v in images] for u in images]
    np.testing.assert_allclose(mutual_information(images), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 130])
def test_tile_edges_change_nothing(n: int) -> None:
    rng = np.random.default_rng(n)
    images = np.where(rng.random((n, 90)) < 0.5, 9, rng.integers(0, 6, (n, 90))).astype(np.uint8)
    matrix = mutual_information(images)
    some = np.unique(np.r_[0, n // 2, max(0, n - 2), n - 1])
    np.testing.assert_allclose(matrix[np.ix_(some, some)], reference(images[some]), rtol=0, atol=2e-6)
    assert (matrix == matrix.T).all()


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 65), (3, 64), (63, 2), (65, 130), (16, 17)])
def test_a_block_is_to_the_bit_what_the_matrix_holds(m: int, n: int) -> None:
    images = np.concatenate([few_levels(np.random.default_rng(k)) for k in range(22)])[:, :8, :9]
    whole = mutual_information(images[: m + n])
    assert (mutual_information_block(images[:m], images[m : m + n]) == whole[:m, m:]).all()
    assert (mutual_information_block(images[m : m + n], images[:m]) == whole[m:, :m]).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 6), st.integers(1, 256), st.integers(0, 2**32 - 1))
def test_any_small_set_of_images_agrees_with_equation_1(pixels: int, n: int, levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = (rng.random((n, pixels)) ** 3 * levels).astype(np.uint8)
    np.testing.assert_allclose(mutual_information(images), reference(images), rtol=0, atol=2e-6)


def test_the_diagonal_is_the_entropy() -> None:
    image = np.repeat(np.arange(4, dtype=np.uint8), 25)[None]
    assert mutual_information(image).tolist() == [[pytest.approx(np.log(4), abs=1e-6)]]


def test_a_constant_image_has_exactly_0_with_everything() -> None:
    matrix = mutual_information(constant(np.random.default_rng(0)))
    assert matrix[:4].tolist() == np.zeros((4, 5)).tolist()
    assert matrix[4, 4] > 5.0


def test_independent_images_are_never_negative() -> None:
    grid = np.stack([np.repeat(np.arange(50), 50), np.tile(np.arange(50), 50)]).astype(np.uint8)
    assert mutual_information(grid)[0, 1] == pytest.approx(0.0, abs=1e-9)
    assert mutual_information(grid)[0, 1] >= 0.0


def test_an_image_of_one_pixel_has_no_information() -> None:
    assert mutual_information(np.array([[3], [9]], dtype=np.uint8)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_every_channel_value_is_a_pixel() -> None:
    colour = np.random.default_rng(2).integers(0, 9, (4, 6, 6, 3)).astype(np.uint8)
    np.testing.assert_allclose(mutual_information(colour), reference(colour.reshape(4, -1)), atol=2e-6)


def test_large_images_stay_exact() -> None:
    rng = np.random.default_rng(4)
    images = np.stack([np.sort(rng.integers(0, 256, 150_528)), rng.integers(100, 140, 150_528)]).astype(np.uint8)
    images = np.concatenate([images, images // 2])
    np.testing.assert_allclose(mutual_information(images), reference(images), rtol=0, atol=2e-6)


def test_arrays_in_any_memory_order_give_the_same() -> None:
    images = few_levels(np.random.default_rng(8))
    expected = mutual_information(images)
    assert (mutual_information(np.asfortranarray(images)) == expected).all()
    assert (mutual_information(list(images)) == expected).all()
    assert (mutual_information(images[::-1])[::-1, ::-1] == expected).all()


def test_progress_rises_from_0_to_1() -> None:
    shares: list[float] = []
    images = np.repeat(few_levels(np.random.default_rng(0)), 150, axis=0)[:, :2]
    mutual_information(images, progress=shares.append)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert len(shares) >= 3


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 4), np.uint8), "at least one image"),
        (np.zeros((3, 0), np.uint8), "at least one image"),
        (np.zeros(4, np.uint8), "shape"),
        (np.zeros((2, 4)), "give levels"),
        (np.zeros((2, 4), np.int64), "give levels"),
        (np.zeros((2, 4), complex), "real numbers"),
        (np.array([["a", "b"]]), "real numbers"),
        ([np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)], "image 1 has shape"),
        ([], "at least one image"),
    ],
)
def test_images_that_cannot_be_compared_are_refused(images: AnyArray, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        mutual_information(images)


@pytest.mark.parametrize("levels", [0, -1, 257, 2.5, True])
def test_a_wrong_number_of_levels_is_refused(levels: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 256"):
        mutual_information(np.zeros((2, 4)), levels=levels)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_floats_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        mutual_information(np.array([[0.0, 1.0], [bad, 2.0]]), levels=4)


def test_blocks_of_images_of_different_sizes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="a have 4 pixels and images of b 5"):
        mutual_information_block(np.zeros((2, 4), np.uint8), np.zeros((2, 5), np.uint8))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int16, np.int64, np.uint16])
def test_levels_are_equal_widths_over_the_range_of_the_array(dtype: type) -> None:
    values = np.linspace(-60, 67, 128).reshape(2, 64)
    if np.dtype(dtype).kind == "u":
        values += 60
    array: AnyArray = values.astype(dtype)
    binned = to_levels(array, levels=8)
    edges = np.linspace(float(array.min()), float(array.max()), 9)
    assert (binned == np.clip(np.digitize(array.astype(np.float64), edges) - 1, 0, 7)).all()
    assert (mutual_information(array, levels=8) == mutual_information(binned)).all()


def test_levels_of_extreme_ranges_do_not_overflow() -> None:
    huge = np.array([[-1.7e308, 0.0, 1.7e308, 1.7e308]])
    assert to_levels(huge, levels=2).tolist() == [[0, 1, 1, 1]]
    assert to_levels(np.full((1, 3), 0.1), levels=200).tolist() == [[0, 0, 0]]


def test_booleans_are_two_levels() -> None:
    masks = np.random.default_rng(0).random((5, 300)) < 0.3
    assert (mutual_information(masks) == mutual_information(masks.astype(np.uint8))).all()


def test_luminance_is_rounded_bt_601() -> None:
    colour = np.random.default_rng(1).integers(0, 256, (3, 5, 4, 3)).astype(np.uint8)
    expected = np.rint(colour @ np.array([0.299, 0.587, 0.114]))
    grey = luminance(colour)
    assert grey.shape == (3, 5, 4, 1)
    assert grey.dtype == np.uint8
    assert np.abs(grey[..., 0] - expected).max() <= 1
    assert (grey[..., 0] == expected).mean() > 0.99
    assert luminance(np.full((1, 1, 1, 3), 255, np.uint8)).item() == 255


@pytest.mark.parametrize("shape", [(2, 4, 4, 1), (4, 4, 3)])
def test_luminance_needs_colour_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match="height, width, 3"):
        luminance(np.zeros(shape, np.uint8))
    with pytest.raises(InvalidInput, match="uint8"):
        luminance(np.zeros((1, 2, 2, 3)))
