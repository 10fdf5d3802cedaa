"""The paper's Algorithms 1 to 3 against a plain transcription, and against every subset there is."""

import itertools
import math
import tracemalloc
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from copycost._types import AnyArray, Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.similarity import Similarity
from copycost.subsets import Subset, lightest_subset, replacement
from copycost.subsets._checks import check_symmetric
from copycost.subsets._subset import pair_sum

Init = Literal["min-sum", "min-max"]
INITS: list[Init] = ["min-sum", "min-max"]


class Matrix(Similarity):
    """A similarity held in memory, unchecked, that counts the rows it hands out."""

    def __init__(self, matrix: AnyArray) -> None:
        self.matrix: Float32Array = matrix.astype(np.float32)
        self.rows = 0

    @property
    def n(self) -> int:
        return len(self.matrix)

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        if columns is None:
            self.rows += len(rows)
        block: Float32Array = self.matrix[rows] if columns is None else self.matrix[np.ix_(rows, columns)]
        return block


def symmetric(n: int, seed: int, *, values: int | None = None, signed: bool = False) -> FloatArray:
    """A symmetric matrix whose sums are exact in float64; few distinct ``values`` make many ties."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(0, values or 1 << 20, (n, n)), 1) / 1024.0
    if signed:
        upper *= np.triu(rng.choice([-1.0, 1.0], (n, n)), 1)
    return upper + upper.T + np.diag(rng.random(n).round(3))


def weight(matrix: FloatArray, subset: AnyArray | tuple[int, ...]) -> float:
    return float(sum(matrix[i, j] for i, j in itertools.combinations(subset, 2)))


def algorithm_2(matrix: FloatArray, k: int, t: int, init: Init) -> list[int]:
    merge: Callable[[float, float], float] = (lambda a, b: a + b) if init == "min-sum" else max
    chosen = [t]
    f = {i: matrix[t, i] for i in range(len(matrix)) if i != t}
    while len(chosen) < k:
        p = min(f, key=lambda i: (f[i], i))
        chosen.append(p)
        del f[p]
        f = {x: merge(f[x], matrix[p, x]) for x in f}
    return chosen


def algorithm_3(matrix: FloatArray, chosen: list[int]) -> tuple[list[int], int]:
    s, swaps = set(chosen), 0
    everything = range(len(matrix))
    while True:
        inside = {t: sum(matrix[t, j] for j in s if j != t) for t in s}
        outside = {t: sum(matrix[t, j] for j in s) for t in everything if t not in s}
        p = max(inside, key=lambda t: (inside[t], -t))
        if not outside:
            return sorted(s), swaps
        q = min(outside, key=lambda j: (outside[j] - matrix[p, j], j))
        if outside[q] - matrix[p, q] >= inside[p]:
            return sorted(s), swaps
        s = (s | {q}) - {p}
        swaps += 1


def algorithm_1(
    matrix: FloatArray, k: int, starts: list[int], init: Init, replace: bool
) -> tuple[float, list[int], int, int]:
    best, subset, start, most = np.inf, [0], -1, 0
    for t in starts:
        chosen = algorithm_2(matrix, k, t, init)
        if replace:
            chosen, swaps = algorithm_3(matrix, chosen)
            most = max(most, swaps)
        if weight(matrix, tuple(chosen)) < best:
            best, subset, start = weight(matrix, tuple(chosen)), sorted(chosen), t
    return best, subset, start, most


CASES = [
    (9, 3, None),
    (14, 5, 3),
    (25, 8, None),
    (25, 8, 2),
    (40, 12, 4),
    (40, 1, 3),
    (30, 30, 5),
    (70, 6, 1),
]


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("method", ["greedy", "paper"])
@pytest.mark.parametrize(("n", "k", "values"), CASES)
def test_all_starts_agree_with_a_plain_transcription(
    n: int, k: int, values: int | None, method: Literal["greedy", "paper"], init: Init
) -> None:
    for seed, signed in [(0, False), (1, True)]:
        matrix = symmetric(n, seed, values=values, signed=signed)
        least, subset, start, most = algorithm_1(matrix, k, list(range(n)), init, method == "paper")
        got = lightest_subset(Matrix(matrix), k, method=method, init=init)
        assert got.indices.tolist() == subset
        assert got.weight == pytest.approx(least, abs=1e-12)
        assert got.trace.start == start
        assert got.trace.starts == n
        assert got.trace.most_iterations >= got.trace.iterations
        assert got.trace.most_iterations == most


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("values", [None, 3])
def test_a_single_start_follows_algorithms_2_and_3_step_by_step(values: int | None, init: Init) -> None:
    matrix = symmetric(600, 5, values=values)
    for start in [0, 311, 599]:
        expected, swaps = algorithm_3(matrix, algorithm_2(matrix, 7, start, init))
        similarity = Matrix(matrix)
        got = lightest_subset(similarity, 7, init=init, starts=[start])
        assert got.indices.tolist() == expected
        assert got.trace.iterations == swaps
        assert similarity.rows <= 7 + 2 * (swaps + 1)


@pytest.mark.parametrize("init", INITS)
def test_walks_by_rows_and_over_the_whole_matrix_choose_the_same_subset(init: Init) -> None:
    rng = np.random.default_rng(8)
    points = rng.gamma(0.3, 1, (700, 6))
    similarity = Matrix((points @ points.T) ** 2)
    whole = lightest_subset(similarity, 9, init=init)
    similarity.rows = 0
    alone = [lightest_subset(similarity, 9, init=init, starts=[start]) for start in range(700)]
    assert similarity.rows < 700 * 60
    best = min(alone, key=lambda one: one.weight)
    assert best.indices.tolist() == whole.indices.tolist()
    assert best.weight == whole.weight
    assert best.trace.start == whole.trace.start


@pytest.mark.parametrize(("n", "k"), [(8, 2), (10, 4), (12, 5), (12, 11)])
def test_no_subset_is_lighter_than_the_bound_and_the_answer_is_near_the_best_of_all(n: int, k: int) -> None:
    for seed, signed in itertools.product(range(5), [False, True]):
        matrix = symmetric(n, seed, signed=signed)
        least = min(weight(matrix, subset) for subset in itertools.combinations(range(n), k))
        got = lightest_subset(Matrix(matrix), k)
        assert got.weight == pytest.approx(weight(matrix, got.indices), abs=1e-9)
        assert got.bound is not None
        assert got.bound <= least + 1e-9
        assert least <= got.weight + 1e-9
        assert got.weight <= least + 0.25 * abs(least)


def test_replacement_takes_the_entering_point_of_algorithm_3_not_of_the_prose() -> None:
    # From {0, 1, 2}, point 0 leaves. Point 3 has the least Out (4); point 4 has the least Out - I[0, .] (0).
    matrix = np.array(
        [[0, 9, 9, 0, 8], [9, 0, 1, 2, 0], [9, 1, 0, 2, 0], [0, 2, 2, 0, 50], [8, 0, 0, 50, 0]], dtype=float
    )
    got = replacement(Matrix(matrix), [2, 0, 1])
    assert got.indices.tolist() == [1, 2, 4]
    assert (got.weight, got.trace.iterations) == (1.0, 1)


def test_replacement_never_makes_a_subset_heavier_and_ends_where_it_stays() -> None:
    matrix = symmetric(120, 3, signed=True)
    rng = np.random.default_rng(0)
    for _ in range(10):
        begin = rng.choice(120, 15, replace=False)
        expected, swaps = algorithm_3(matrix, begin.tolist())
        got = replacement(Matrix(matrix), begin)
        assert got.indices.tolist() == expected
        assert got.trace.iterations == swaps
        assert got.weight <= weight(matrix, tuple(begin))
        again = replacement(Matrix(matrix), got)
        assert (again.indices.tolist(), again.trace.iterations) == (got.indices.tolist(), 0)


def test_replacement_ends_on_ties_that_float32_cannot_hold_exactly() -> None:
    matrix = np.full((60, 60), 0.1)
    got = replacement(Matrix(matrix), np.arange(30, 50))
    assert got.trace.iterations == 0
    few = np.random.default_rng(0).normal(0, 1e6, (30, 30)).astype(np.float32)
    twins = np.kron((few + few.T), np.ones((4, 4))).astype(np.float64)
    for seed in range(5):
        begin = np.random.default_rng(seed).choice(120, 40, replace=False)
        got = replacement(Matrix(twins), begin)
        assert got.weight <= weight(twins, tuple(begin))
        assert got.trace.iterations < 10 * 40
    blocks = np.kron(np.ones((12, 12)), np.full((5, 5), 1e-3)) + np.kron(np.eye(12), np.full((5, 5), 0.7))
    assert replacement(Matrix(blocks), np.arange(12)).weight == pytest.approx(66 * 1e-3, rel=1e-6)


def test_the_lowest_index_wins_when_all_pairs_weigh_the_same() -> None:
    got = lightest_subset(Matrix(np.ones((2000, 2000))), 5)
    assert got.indices.tolist() == [0, 1, 2, 3, 4]
    assert got.trace.start == 0


def test_k_of_one_and_k_of_n_are_answered() -> None:
    matrix = symmetric(20, 1)
    one = lightest_subset(Matrix(matrix), 1)
    assert (one.indices.tolist(), one.weight, one.bound) == ([0], 0.0, 0.0)
    every = lightest_subset(Matrix(matrix), 20)
    assert every.indices.tolist() == list(range(20))
    assert every.weight == pytest.approx(weight(matrix, tuple(range(20))))
    assert every.bound == pytest.approx(every.weight)
    single = lightest_subset(Matrix(np.ones((1, 1))), 1)
    assert (single.indices.tolist(), single.weight) == ([0], 0.0)


@pytest.mark.parametrize("diagonal", [np.nan, np.inf, -np.inf, -1e30])
@pytest.mark.parametrize("starts", [None, [4, 77]])
def test_the_diagonal_is_ignored(diagonal: float, starts: list[int] | None) -> None:
    matrix = symmetric(90, 2)
    expected = lightest_subset(Matrix(matrix), 6, starts=starts)
    filled = matrix.copy()
    np.fill_diagonal(filled, diagonal)
    got = lightest_subset(Matrix(filled), 6, starts=starts)
    assert got.indices.tolist() == expected.indices.tolist()
    assert got.weight == expected.weight


def test_a_count_of_starts_is_drawn_by_the_generator_without_repeats() -> None:
    similarity = Matrix(symmetric(50, 2))
    first = lightest_subset(similarity, 4, starts=7, rng=np.random.default_rng(3))
    again = lightest_subset(similarity, 4, starts=7, rng=np.random.default_rng(3))
    assert first.indices.tolist() == again.indices.tolist()
    assert first.trace == again.trace
    drawn = np.random.default_rng(3).choice(50, 7, replace=False)
    assert lightest_subset(similarity, 4, starts=drawn).indices.tolist() == first.indices.tolist()
    every = lightest_subset(similarity, 4, starts=50, rng=np.random.default_rng(0))
    assert every.weight == lightest_subset(similarity, 4).weight


def test_a_time_limit_ends_the_search_with_the_best_so_far() -> None:
    similarity = Matrix(symmetric(900, 4, values=50))
    short = lightest_subset(similarity, 30, seconds=1e-9)
    assert 0 < short.trace.starts < 900
    long = lightest_subset(similarity, 30, seconds=1e9)
    assert long.trace.starts == 900
    assert long.weight <= short.weight


def test_progress_is_told_how_many_starts_are_done() -> None:
    told: list[float] = []
    lightest_subset(Matrix(symmetric(900, 4)), 3, progress=told.append)
    assert told[-1] == 1.0
    assert told == sorted(set(told))
    told.clear()
    lightest_subset(Matrix(symmetric(900, 4)), 3, starts=[5, 6], progress=told.append)
    assert told[-1] == 1.0


def test_a_subset_is_frozen() -> None:
    got = lightest_subset(Matrix(symmetric(10, 0)), 3)
    assert isinstance(got, Subset)
    assert got.indices.dtype == np.int64
    with pytest.raises(AttributeError):
        got.weight = 0.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        got.indices[0] = 1


@pytest.mark.parametrize(
    ("k", "options", "named"),
    [
        (0, {}, "k is 0"),
        (-3, {}, "k is -3"),
        (13, {}, "k is 13"),
        (2.0, {}, "k is 2.0"),
        (True, {}, "k is True"),
        (3, {"starts": [0, 12]}, "starts holds points from 0 to 12"),
        (3, {"starts": [-1]}, "starts holds points from -1"),
        (3, {"starts": []}, "starts is"),
        (3, {"starts": [0.5]}, "starts is"),
        (3, {"starts": 0, "rng": np.random.default_rng(0)}, "starts is 0"),
        (3, {"starts": 13, "rng": np.random.default_rng(0)}, "starts is 13"),
        (3, {"starts": 4}, "rng is None"),
        (3, {"method": "exact"}, "method is 'exact'"),
        (3, {"init": "sum"}, "init is 'sum'"),
        (3, {"seconds": 0}, "seconds is 0"),
        (3, {"seconds": float("nan")}, "seconds is nan"),
    ],
)
def test_arguments_that_cannot_be_met_are_refused_by_name(k: int, options: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        lightest_subset(Matrix(symmetric(12, 0)), k, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("starts", [None, [3]])
def test_a_similarity_with_nan_or_infinity_is_refused(bad: float, starts: list[int] | None) -> None:
    matrix = symmetric(200, 0)
    matrix[3, 150] = matrix[150, 3] = bad
    with pytest.raises(InvalidInput, match="NaN or infinity in the row of point 3"):
        lightest_subset(Matrix(matrix), 4, starts=starts)


@pytest.mark.parametrize("starts", [None, [3]])
def test_a_similarity_that_is_not_symmetric_is_refused(starts: list[int] | None) -> None:
    matrix = np.random.default_rng(0).random((200, 200))
    with pytest.raises(InvalidInput, match="not symmetric"):
        lightest_subset(Matrix(matrix), 4, starts=starts)


def test_one_pair_that_differs_is_enough_for_a_refusal_and_rounding_is_not() -> None:
    matrix = symmetric(200, 0)
    matrix[150, 20] *= 1.01
    with pytest.raises(InvalidInput, match="point 20 differ"):
        lightest_subset(Matrix(matrix), 4)
    noisy = symmetric(200, 0) * (1 + 1e-6 * np.random.default_rng(0).standard_normal((200, 200)))
    expected = lightest_subset(Matrix((noisy + noisy.T) / 2), 4)
    assert lightest_subset(Matrix(noisy), 4).weight == pytest.approx(expected.weight, rel=1e-4)


@pytest.mark.parametrize("part", [128, 1000, 1 << 20])
@pytest.mark.parametrize("k", [1, 2, 17, 60, 300])
def test_the_weight_is_one_sum_over_all_pairs_however_few_are_held(
    monkeypatch: pytest.MonkeyPatch, k: int, part: int
) -> None:
    monkeypatch.setattr("copycost.subsets._subset.PAIRS", part)
    block = np.exp(np.random.default_rng(k).normal(0, 4, (k, k))).astype(np.float32)
    pairs = block[np.triu_indices(k, 1)].astype(np.float64)
    assert pair_sum(block) == pairs.sum()
    assert pair_sum(block) == pytest.approx(math.fsum(pairs), rel=1e-12)


@pytest.mark.parametrize("panel", [1, 8 * 200 * 7, 1 << 23])
def test_a_block_is_checked_in_panels_as_it_is_whole(monkeypatch: pytest.MonkeyPatch, panel: int) -> None:
    monkeypatch.setattr("copycost.subsets._checks.PANEL_BYTES", panel)
    points = np.arange(1000, 1200)
    block = symmetric(200, 0).astype(np.float32)
    np.fill_diagonal(block, np.nan)
    check_symmetric(block, points)
    uneven = block.copy()
    uneven[150, 20] *= np.float32(1.01)
    with pytest.raises(InvalidInput, match="row and the column of point 1020 differ"):
        check_symmetric(uneven, points)
    uneven[70, 199] = np.nan
    with pytest.raises(InvalidInput, match="NaN or infinity in the row of point 1070"):
        check_symmetric(uneven, points)


def test_weighing_a_large_choice_holds_little_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copycost.subsets._checks.PANEL_BYTES", 1 << 18)
    monkeypatch.setattr("copycost.subsets._subset.PAIRS", 1 << 16)
    block = symmetric(1500, 0).astype(np.float32)
    tracemalloc.start()
    try:
        check_symmetric(block, np.arange(1500))
        pair_sum(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < block.nbytes / 3


@pytest.mark.parametrize("members", [[], [1, 1], [0, 12], [-1], [0.0], [[0, 1]]])
def test_replacement_refuses_what_is_not_a_subset(members: list[int]) -> None:
    with pytest.raises(InvalidInput, match="subset"):
        replacement(Matrix(symmetric(12, 0)), np.array(members))
