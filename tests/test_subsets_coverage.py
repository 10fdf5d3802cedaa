"""Facility location against a plain greedy choice and against every subset there is."""

import itertools

import numpy as np
import pytest

from copycost._types import AnyArray, Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.similarity import Dense, OnDemand, Similarity, mutual_information
from copycost.subsets import coverage, normalised


class Watched(Similarity):
    """A matrix that counts the values it hands out, and cannot be had whole."""

    def __init__(self, matrix: AnyArray) -> None:
        self.matrix: Float32Array = matrix.astype(np.float32)
        self.values = 0

    @property
    def n(self) -> int:
        return len(self.matrix)

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        block: Float32Array = self.matrix[rows] if columns is None else self.matrix[np.ix_(rows, columns)]
        self.values += block.size
        return block

    def dense(self) -> Dense:
        raise AssertionError("the whole matrix was asked for")


def similarities(n: int, seed: int, *, values: int = 1 << 16) -> FloatArray:
    """Non-negative values whose sums are exact; few distinct ``values`` make many ties."""
    upper = np.triu(np.random.default_rng(seed).integers(0, values, (n, n)), 0) / 1024.0
    return np.maximum(upper, upper.T)


def located(matrix: FloatArray, subset: AnyArray | tuple[int, ...], targets: AnyArray | None = None) -> float:
    rows = matrix[list(subset)]
    return float((rows if targets is None else rows[:, targets]).max(axis=0).sum())


def plain_greedy(matrix: FloatArray, k: int, targets: AnyArray | None = None) -> list[int]:
    chosen: list[int] = []
    for _ in range(k):
        rest = [u for u in range(len(matrix)) if u not in chosen]
        chosen.append(max(rest, key=lambda u: (located(matrix, (*chosen, u), targets), -u)))
    return chosen


@pytest.mark.parametrize("values", [3, 40, 1 << 16])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (7, 3), (30, 30), (40, 9), (90, 5)])
def test_lazy_gains_choose_what_a_plain_greedy_choice_chooses(n: int, k: int, values: int) -> None:
    for seed in range(3):
        matrix = similarities(n, seed, values=values)
        got = coverage(Dense(matrix), k)
        assert got.indices.tolist() == plain_greedy(matrix, k)
        assert got.value == pytest.approx(located(matrix, got.indices))
        assert got.gains.sum() == pytest.approx(got.value)
        assert (np.diff(got.gains) <= 0).all()
        assert (got.estimate, got.error) == (None, None)


@pytest.mark.parametrize(("n", "k"), [(8, 2), (11, 4), (12, 7)])
def test_greedy_keeps_its_guarantee_and_no_subset_exceeds_the_bound(n: int, k: int) -> None:
    for seed in range(5):
        matrix = similarities(n, seed)
        most = max(located(matrix, subset) for subset in itertools.combinations(range(n), k))
        got = coverage(Dense(matrix), k)
        assert got.bound is not None
        assert (1 - 1 / np.e) * most <= got.value <= most + 1e-9
        assert most <= got.bound + 1e-9


def test_rows_that_do_not_fit_in_memory_are_streamed_to_the_same_choice() -> None:
    points = np.random.default_rng(1).gamma(0.5, 1, (300, 5))
    matrix = points @ points.T
    held = coverage(Dense(matrix), 40)
    for cache_bytes in (0, 30 * 4 * 300):
        streamed = coverage(Watched(matrix), 40, cache_bytes=cache_bytes)
        assert streamed.indices.tolist() == held.indices.tolist()
        assert streamed.gains.tolist() == held.gains.tolist()
        assert streamed.value == held.value
        assert streamed.bound == pytest.approx(held.bound)


def test_the_first_choices_are_the_answer_for_a_smaller_k() -> None:
    matrix = similarities(60, 5)
    assert coverage(Dense(matrix), 20).indices[:7].tolist() == coverage(Dense(matrix), 7).indices.tolist()


@pytest.mark.parametrize("cache_bytes", [0, 1 << 20])
def test_given_points_alone_are_covered(cache_bytes: int) -> None:
    matrix = similarities(50, 2)
    targets = np.array([4, 8, 9, 30, 31])
    similarity = Watched(matrix)
    got = coverage(similarity, 6, reference=targets, cache_bytes=cache_bytes)
    assert got.indices.tolist() == plain_greedy(matrix, 6, targets)
    assert got.value == pytest.approx(located(matrix, got.indices, targets))
    assert coverage(similarity, 3, reference=[7]).indices[0] == int(matrix[:, 7].argmax())


@pytest.mark.parametrize("cache_bytes", [0, 1 << 20])
def test_a_sample_guides_the_choice_reads_less_and_prints_its_error(cache_bytes: int) -> None:
    points = np.random.default_rng(0).gamma(0.4, 1, (900, 4))
    matrix = points @ points.T / np.linalg.norm(points, axis=1) / np.linalg.norm(points, axis=1)[:, None]
    exact = coverage(Dense(matrix), 12)
    similarity = Watched(matrix)
    got = coverage(similarity, 12, reference=100, rng=np.random.default_rng(3), cache_bytes=cache_bytes)
    if cache_bytes:
        assert similarity.values < 900 * 150
    assert got.value == pytest.approx(located(matrix, got.indices), rel=1e-6)
    assert exact.value * 0.97 <= got.value <= exact.value * 1.001
    assert got.estimate is not None
    assert got.error == got.estimate - got.value
    assert abs(got.error) < 0.05 * got.value
    assert got.bound is None
    again = coverage(Dense(matrix), 12, reference=100, rng=np.random.default_rng(3))
    assert again.indices.tolist() == got.indices.tolist()


def test_a_sampled_point_gains_nothing_from_covering_itself() -> None:
    # Only point 0 resembles others, a little: a sample that counted itself would take one of its own.
    matrix = np.eye(40) * 10
    matrix[0, 1:] = matrix[1:, 0] = 0.25
    got = coverage(Dense(matrix), 1, reference=39, rng=np.random.default_rng(0))
    assert got.indices.tolist() == [0]
    assert got.estimate == pytest.approx(10 + 39 * 0.25, rel=0.05)


def test_a_whole_sample_estimates_the_exact_value() -> None:
    matrix = similarities(30, 0)
    got = coverage(Dense(matrix), 30, reference=30, rng=np.random.default_rng(0))
    assert got.value == pytest.approx(located(matrix, tuple(range(30))))


def test_progress_counts_the_chosen() -> None:
    told: list[float] = []
    coverage(Dense(similarities(20, 0)), 4, progress=told.append)
    assert told == [0.25, 0.5, 0.75, 1.0]


def test_the_answer_is_read_only() -> None:
    got = coverage(Dense(similarities(9, 0)), 3)
    for array in (got.indices, got.gains):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_normalised_mutual_information_lies_between_0_and_1_and_constant_images_at_0() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 4, (70, 6, 6)).astype(np.uint8)
    images[5] = 9
    images[8] = 3 - images[7]
    matrix = mutual_information(images).astype(np.float64)
    roots = np.sqrt(np.diagonal(matrix))
    with np.errstate(invalid="ignore"):
        expected = np.nan_to_num(matrix / roots / roots[:, None])
    for similarity in (Dense(matrix.astype(np.float32)), OnDemand(images)):
        view = normalised(similarity)
        got = view.block(np.arange(70))
        np.testing.assert_allclose(got, expected, atol=1e-5)
        assert got.dtype == np.float32
        assert got[7, 8] == pytest.approx(1, abs=1e-6)
        assert got[5].max() == 0
        np.testing.assert_array_equal(view.block([3, 5], [1, 7, 5]), got[np.ix_([3, 5], [1, 7, 5])])
        np.testing.assert_array_equal(view.dense().matrix, got)
    chosen = coverage(normalised(OnDemand(images)), 4)
    assert chosen.indices.tolist() == coverage(Dense(expected.astype(np.float32)), 4).indices.tolist()
    assert 0 < chosen.value <= 69 + 1e-3


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_diagonal_that_cannot_be_a_measure_of_the_items_is_refused(bad: float) -> None:
    matrix = similarities(9, 0)
    matrix[4, 4] = bad
    with pytest.raises(InvalidInput, match="on its diagonal, at point 4"):
        normalised(Watched(matrix))


@pytest.mark.parametrize(
    ("k", "options", "named"),
    [
        (0, {}, "k is 0"),
        (11, {}, "k is 11"),
        (3, {"reference": 4}, "rng is None"),
        (3, {"reference": 0, "rng": np.random.default_rng(0)}, "reference is 0"),
        (3, {"reference": 11, "rng": np.random.default_rng(0)}, "reference is 11"),
        (3, {"reference": []}, "reference is"),
        (3, {"reference": [1.5]}, "reference is"),
        (3, {"reference": [0, 10]}, "reference holds points from 0 to 10"),
        (3, {"cache_bytes": -1}, "cache_bytes is -1"),
    ],
)
def test_arguments_that_cannot_be_met_are_refused_by_name(k: int, options: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        coverage(Dense(similarities(10, 0)), k, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{}, {"cache_bytes": 0}, {"reference": list(range(90))}])
@pytest.mark.parametrize("bad", [-0.5, np.nan, np.inf])
def test_negative_values_nan_and_infinity_are_refused(bad: float, options: dict[str, object]) -> None:
    matrix = similarities(90, 0)
    matrix[40, 41] = matrix[41, 40] = bad

    class Unchecked(Watched):
        def dense(self) -> Dense:
            return Dense.of_trusted(self.matrix)

    with pytest.raises(InvalidInput, match="similarity h"):
        coverage(Unchecked(matrix), 3, **options)  # type: ignore[arg-type]


def test_a_similarity_that_is_not_symmetric_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not symmetric"):
        coverage(Watched(np.random.default_rng(0).random((50, 50))), 3)


@pytest.mark.parametrize("keep", [[], [7], [20, 3], np.array([5, 4, 11], np.uint8)])
@pytest.mark.parametrize("streamed", [False, True])
def test_points_that_are_kept_come_first_and_the_others_are_chosen_beyond_them(
    keep: list[int] | AnyArray, streamed: bool
) -> None:
    for seed, values in ((0, 3), (1, 1 << 16)):
        matrix = similarities(30, seed, values=values)
        similarity = Watched(matrix) if streamed else Dense(matrix)
        got = coverage(similarity, 9, keep=keep, cache_bytes=0 if streamed else 1 << 20)
        wanted = [int(point) for point in keep]
        while len(wanted) < 9:
            rest = [u for u in range(30) if u not in wanted]
            wanted.append(max(rest, key=lambda u: (located(matrix, (*wanted, u)), -u)))
        assert got.indices.tolist() == wanted
        assert got.value == pytest.approx(located(matrix, tuple(wanted)))
        steps = [0.0, *(located(matrix, tuple(wanted[: m + 1])) for m in range(9))]
        np.testing.assert_allclose(got.gains, np.diff(steps), rtol=1e-6, atol=1e-6)


def test_all_points_may_be_kept_and_then_nothing_is_chosen() -> None:
    matrix = similarities(6, 0)
    assert coverage(Dense(matrix), 2, keep=[5, 1]).indices.tolist() == [5, 1]
    got = coverage(Dense(matrix), 6, keep=[3, 2, 1, 0, 5, 4])
    assert got.indices.tolist() == [3, 2, 1, 0, 5, 4]
    assert got.bound == pytest.approx(got.value)


def test_no_set_that_holds_the_kept_points_exceeds_the_bound() -> None:
    for seed in range(5):
        matrix = similarities(11, seed)
        sets = [subset for subset in itertools.combinations(range(11), 4) if {2, 9} <= set(subset)]
        most = max(located(matrix, subset) for subset in sets)
        got = coverage(Dense(matrix), 4, keep=[9, 2])
        assert got.bound is not None
        assert got.value <= most + 1e-9 <= got.bound + 2e-9


@pytest.mark.parametrize(
    ("keep", "named"),
    [
        ([1, 1], "keep holds points from 1 to 1, 1 distinct of 2"),
        ([10], "keep holds points from 10 to 10"),
        ([-1], "keep holds points from -1 to -1"),
        ([0, 1, 2, 3], "keep holds 4 points and k is 3"),
        ([0.5], "keep is"),
        ([True, False], "keep is"),
        ([[1, 2]], "keep is"),
    ],
)
def test_points_that_cannot_be_kept_are_refused(keep: list[int], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        coverage(Dense(similarities(10, 0)), 3, keep=keep)


def test_the_standard_error_is_the_spread_of_estimates_over_samples() -> None:
    # All points are kept, so that nothing is chosen to suit the sample and only chance is left.
    points = np.random.default_rng(0).gamma(0.4, 1, (400, 4))
    matrix = points @ points.T
    similarity, keep = Dense(matrix), list(range(10))
    found = [coverage(similarity, 10, keep=keep, reference=60, rng=np.random.default_rng(seed)) for seed in range(300)]
    estimates = [one.estimate for one in found if one.estimate is not None]
    errors = [one.standard_error for one in found if one.standard_error is not None]
    assert len(estimates) == len(errors) == 300
    assert np.mean(estimates) == pytest.approx(found[0].value, abs=3 * np.std(estimates) / np.sqrt(300))
    assert np.mean(np.square(errors)) == pytest.approx(np.var(estimates), rel=0.3)


def test_a_sample_of_all_points_has_no_error() -> None:
    matrix = similarities(30, 0)
    for k in (5, 30):
        got = coverage(Dense(matrix), k, reference=30, rng=np.random.default_rng(0))
        assert got.error == pytest.approx(0, abs=1e-6 * got.value)
        assert got.standard_error == 0


def test_a_sample_that_was_chosen_itself_says_nothing_of_the_rest() -> None:
    matrix = similarities(12, 0)
    whole = coverage(Dense(matrix), 11, reference=1, rng=np.random.default_rng(1))
    sampled = int(np.random.default_rng(1).choice(12, size=1, replace=False)[0])
    got = coverage(Dense(matrix), 3, keep=[sampled], reference=1, rng=np.random.default_rng(1))
    assert (got.estimate, got.error, got.standard_error) == (None, None, None)
    assert got.value == pytest.approx(located(matrix, got.indices))
    assert whole.standard_error is None
