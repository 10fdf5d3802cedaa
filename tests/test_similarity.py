"""The contract of similarities: dense, on demand, and the lazy views of both."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from copycost._types import ByteArray, Float32Array, IntArray
from copycost.errors import InvalidInput
from copycost.similarity import Dense, OnDemand, Similarity, mutual_information


@pytest.fixture(scope="module")
def images() -> ByteArray:
    rng = np.random.default_rng(5)
    images = rng.integers(0, 12, (9, 6, 5, 1)).astype(np.uint8)
    images[4] = 3
    return images


@pytest.fixture(scope="module")
def matrix(images: ByteArray) -> Float32Array:
    return mutual_information(images)


@pytest.fixture(params=["dense", "on demand", "on demand, no cache"])
def similarity(request: pytest.FixtureRequest, images: ByteArray, matrix: Float32Array) -> Similarity:
    if request.param == "dense":
        return Dense(matrix)
    return OnDemand(images) if request.param == "on demand" else OnDemand(images, cache_bytes=0)


def test_every_implementation_gives_the_same_blocks_to_the_bit(similarity: Similarity, matrix: Float32Array) -> None:
    rows, columns = [7, 0, 7], [8, 4, 1, 1]
    for _ in range(2):
        assert similarity.block(rows, columns).tolist() == matrix[np.ix_(rows, columns)].tolist()
        assert similarity.block(rows).tolist() == matrix[rows].tolist()
    assert similarity.n == 9
    assert similarity.block(rows).dtype == np.float32


def test_views_compose_in_any_order(similarity: Similarity, matrix: Float32Array) -> None:
    ids = np.array([8, 2, 5, 0])
    expected = -(matrix[np.ix_(ids, ids)].astype(np.float64) ** 4)
    views = [
        similarity.power(4).negate().restrict(ids),
        similarity.restrict(ids).power(4).negate(),
        similarity.power(2).restrict(ids).power(2).negate(),
        similarity.restrict([1, 8, 2, 5, 0]).restrict([1, 2, 3, 4]).power(4).negate(),
    ]
    for view in views:
        assert view.n == 4
        np.testing.assert_allclose(view.block([0, 3]), expected[[0, 3]], rtol=1e-6)
        np.testing.assert_allclose(view.block([0, 3], [2, 1]), expected[np.ix_([0, 3], [2, 1])], rtol=1e-6)
        np.testing.assert_allclose(view.dense().matrix, expected, rtol=1e-6)


def test_negating_twice_and_the_first_power_change_nothing(similarity: Similarity, matrix: Float32Array) -> None:
    assert similarity.negate().negate().power(1).dense().matrix.tolist() == matrix.tolist()


def test_a_view_reads_nothing_until_it_is_asked() -> None:
    class Unreadable(Similarity):
        @property
        def n(self) -> int:
            return 3

        def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
            raise RuntimeError("read")

    view = Unreadable().power(2).restrict([0, 2]).negate()
    with pytest.raises(RuntimeError, match="read"):
        view.block([0])


def test_a_dense_view_of_a_panel_is_its_rows() -> None:
    big = Dense(np.fromfunction(lambda i, j: np.minimum(i, j) % 97, (70, 70)))
    ids = np.arange(69, -1, -1)
    assert big.restrict(ids).dense().matrix.tolist() == big.matrix[::-1, ::-1].tolist()


def test_empty_rows_and_columns_give_empty_blocks(similarity: Similarity) -> None:
    assert similarity.block([]).shape == (0, 9)
    assert similarity.block([1], []).shape == (1, 0)


@pytest.mark.parametrize("rows", [[9], [-1], [0.5], [[0]], [True], "0"])
def test_rows_that_are_no_indices_are_refused(similarity: Similarity, rows: object) -> None:
    with pytest.raises(InvalidInput, match=r"rows .*integers from 0 to 8"):
        similarity.block(rows)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="columns"):
        similarity.block([0], rows)  # type: ignore[arg-type]


def test_a_restriction_needs_distinct_items(similarity: Similarity) -> None:
    with pytest.raises(InvalidInput, match="repeats"):
        similarity.restrict([1, 1])
    with pytest.raises(InvalidInput, match="empty"):
        similarity.restrict([])
    with pytest.raises(InvalidInput, match="ids holds 4"):
        similarity.restrict([0, 1, 2, 3]).restrict([4])
    with pytest.raises(InvalidInput, match="ids holds 9"):
        similarity.power(2).restrict([9])


@pytest.mark.parametrize("alpha", [0, -1.0, np.nan, np.inf])
def test_a_power_must_be_positive(similarity: Similarity, alpha: float) -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        similarity.power(alpha)


def test_a_fractional_power_needs_values_of_one_sign(similarity: Similarity, matrix: Float32Array) -> None:
    np.testing.assert_allclose(similarity.power(1.5).block([1])[0], matrix[1] ** 1.5, rtol=1e-5)
    assert similarity.negate().power(3).block([1])[0].tolist() == pytest.approx((-(matrix[1] ** 3)).tolist())
    with pytest.raises(InvalidInput, match="fractional"):
        similarity.negate().power(1.5).block([1])


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((2, 3)), "shape"),
        (np.zeros((0, 0)), "shape"),
        (np.zeros(4), "shape"),
        (np.array([["a"]]), "dtype"),
        (np.array([[1j]]), "dtype"),
        (np.array([[0.0, np.nan], [np.nan, 0.0]]), r"nan at \(0, 1\)"),
        (np.array([[0.0, 1.0], [1.0, np.inf]]), r"inf at \(1, 1\)"),
        (np.array([[0.0, 1e39], [1e39, 0.0]]), "float32"),
        (np.array([[0.0, 1.0], [1.1, 0.0]]), r"not symmetric: entries \(0, 1\)"),
    ],
)
def test_a_matrix_that_is_no_similarity_is_refused(matrix: Float32Array, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Dense(matrix)


def test_an_asymmetry_far_from_the_first_tile_is_found() -> None:
    matrix = np.zeros((1100, 1100), dtype=np.float32)
    matrix[1099, 3] = 1.0
    with pytest.raises(InvalidInput, match=r"\(3, 1099\)"):
        Dense(matrix)
    matrix[1099, 3] = np.nan
    with pytest.raises(InvalidInput, match=r"nan at \(1099, 3\)"):
        Dense(matrix)


def test_rounding_does_not_make_a_matrix_asymmetric() -> None:
    matrix = np.array([[1.0, 0.3], [np.float32(0.3), 1.0]])
    assert Dense(matrix).n == 2


def test_a_memory_mapped_matrix_is_not_copied(tmp_path: Path, matrix: Float32Array) -> None:
    np.save(tmp_path / "matrix.npy", matrix)
    mapped = np.load(tmp_path / "matrix.npy", mmap_mode="r")
    similarity = Dense(mapped)
    assert np.shares_memory(similarity.matrix, mapped)
    assert similarity.block([3], [1, 2]).tolist() == matrix[[3], 1:3].tolist()


def test_the_row_cache_stays_under_its_bytes_and_drops_what_was_used_longest_ago(images: ByteArray) -> None:
    row_bytes = 4 * len(images)
    similarity = OnDemand(images, cache_bytes=2 * row_bytes)
    for row in (0, 1, 0, 2):
        similarity.block([row])
        assert similarity.cached_bytes <= 2 * row_bytes
    assert similarity.cached_rows() == [0, 2]
    similarity.restrict([0, 1, 2]).block([0, 1, 2])
    assert similarity.cached_bytes <= 2 * row_bytes


def test_more_rows_than_the_cache_holds_are_still_right(images: ByteArray, matrix: Float32Array) -> None:
    similarity = OnDemand(images, cache_bytes=4 * len(images))
    assert similarity.block(range(9)).tolist() == matrix.tolist()


def test_what_a_caller_writes_into_a_block_does_not_reach_the_cache(images: ByteArray) -> None:
    similarity = OnDemand(images)
    first = similarity.block([2]).copy()
    similarity.block([2])[:] = 7.0
    assert similarity.block([2]).tolist() == first.tolist()


def test_a_negative_cache_is_refused(images: ByteArray) -> None:
    with pytest.raises(InvalidInput, match="cache_bytes"):
        OnDemand(images, cache_bytes=-1)


def test_one_image_is_a_similarity() -> None:
    one = OnDemand(np.array([[0, 0, 1, 1]], dtype=np.uint8))
    assert one.n == 1
    assert one.dense().matrix.tolist() == [[np.float32(np.log(2))]]


def test_the_room_imports_without_torch() -> None:
    code = "import sys, copycost.similarity; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
