"""Tabu search against every subset there is, against an exact solver, and against best-known values."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from copycost._types import AnyArray, Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.similarity import Dense, Similarity
from copycost.subsets import Subset, lightest_subset


class Unchecked(Similarity):
    """A matrix that no constructor has looked at."""

    def __init__(self, matrix: AnyArray) -> None:
        self.matrix: Float32Array = matrix.astype(np.float32)

    @property
    def n(self) -> int:
        return len(self.matrix)

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        block: Float32Array = self.matrix[rows] if columns is None else self.matrix[np.ix_(rows, columns)]
        return block


def symmetric(n: int, seed: int, low: int = 0, high: int = 1 << 16) -> FloatArray:
    upper = np.triu(np.random.default_rng(seed).integers(low, high, (n, n)), 1) / 256.0
    return upper + upper.T


def tabu(matrix: AnyArray, k: int, seed: int = 0, iterations: int = 2000) -> Subset:
    rng = np.random.default_rng(seed)
    return lightest_subset(Dense(matrix), k, method="tabu", iterations=iterations, rng=rng)


def weight(matrix: FloatArray, subset: AnyArray) -> float:
    return float(np.triu(matrix[np.ix_(subset, subset)], 1).sum())


def least_of_all(matrix: FloatArray, k: int) -> float:
    subsets = np.array(list(itertools.combinations(range(len(matrix)), k)))
    total = np.zeros(len(subsets))
    for i, j in itertools.combinations(range(k), 2):
        total += matrix[subsets[:, i], subsets[:, j]]
    return float(total.min())


def most_by_milp(distances: FloatArray, m: int) -> float:
    """The largest sum over pairs of m points: a variable for each point, and one for each pair of both."""
    n = len(distances)
    pairs = list(itertools.combinations(range(n), 2))
    gain = np.concatenate([np.zeros(n), [-distances[i, j] for i, j in pairs]])
    both = np.zeros((2 * len(pairs), n + len(pairs)))
    for row, (i, j) in enumerate(pairs):
        both[2 * row, n + row] = both[2 * row + 1, n + row] = 1
        both[2 * row, i] = both[2 * row + 1, j] = -1
    count = np.concatenate([np.ones(n), np.zeros(len(pairs))])
    degree = np.zeros((n, n + len(pairs)))
    for row, (i, j) in enumerate(pairs):
        degree[i, n + row] = degree[j, n + row] = 1
    degree[np.arange(n), np.arange(n)] = -(m - 1)
    solved = milp(
        gain,
        integrality=np.concatenate([np.ones(n), np.zeros(len(pairs))]),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(both, -np.inf, 0),
            LinearConstraint(count, m, m),
            LinearConstraint(degree, 0, 0),
        ],
        options={"mip_rel_gap": 0},
    )
    assert solved.status == 0
    return float(-solved.fun)


@pytest.mark.parametrize(("low", "high"), [(0, 1 << 16), (-(1 << 16), 1 << 16), (0, 512), (-512, 0)])
@pytest.mark.parametrize(("n", "k"), [(2, 1), (5, 2), (9, 4), (13, 6), (14, 12)])
def test_nothing_among_all_subsets_is_lighter(n: int, k: int, low: int, high: int) -> None:
    for seed in range(3):
        matrix = symmetric(n, seed, low, high)
        got = tabu(matrix, k, seed)
        least = least_of_all(matrix, k)
        assert got.weight == pytest.approx(least, abs=1e-9)
        assert got.weight == pytest.approx(weight(matrix, got.indices), abs=1e-9)
        assert got.bound is not None
        assert got.bound <= least + 1e-9
        assert got.indices.tolist() == sorted(set(got.indices.tolist()))


def test_a_mixed_integer_program_finds_nothing_better() -> None:
    for n, m, seed in [(10, 3, 0), (12, 4, 1), (14, 10, 2)]:
        distances = symmetric(n, seed, 0, 4000)
        assert -tabu(-distances, m).weight == pytest.approx(most_by_milp(distances, m), rel=1e-9)


def instance(shared_data: Path, name: str) -> tuple[FloatArray, int, float | None]:
    sys.path.insert(0, str(shared_data))
    try:
        import load  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(shared_data))
    distances, m = load.mdp(name)
    return distances, m, load.mdp_best().get(name)


def test_every_small_library_instance_is_solved_to_proven_optimality(shared_data: Path) -> None:
    names = [name for name in np.load(shared_data / "mdp" / "GKD-a.npz") if "_n10_" in name or "_n15_" in name]
    assert len(names) == 50
    for name in names:
        distances, m, _ = instance(shared_data, name)
        got = lightest_subset(
            Dense(distances).negate(), m, method="tabu", iterations=1000, rng=np.random.default_rng(7)
        )
        assert got.weight == pytest.approx(least_of_all(-distances, m), rel=1e-6), name


@pytest.mark.parametrize(
    "name",
    ["SOM-b_4_n100_m40", "SOM-b_5_n200_m20", "GKD-c_1_n500_m50", "MDG-a_1_n500_m50", "MDG-b_1_n500_m50"],
)
def test_best_known_values_of_the_library_are_reached(shared_data: Path, name: str) -> None:
    distances, m, best = instance(shared_data, name)
    assert best is not None
    got = tabu(-distances, m, seed=1, iterations=200_000)
    assert -got.weight >= best * (1 - 1e-6)
    assert got.bound is not None
    assert 1.4 * got.weight <= got.bound <= got.weight


@pytest.mark.parametrize("k", [2, 7, 30, 58])
def test_tabu_is_never_heavier_than_the_walks_that_it_begins_with(k: int) -> None:
    matrix = symmetric(60, k) ** 2
    starts = [3, 14, 15, 9, 26]
    begun = lightest_subset(Dense(matrix), k, starts=starts)
    for iterations in (1, 30, 3000):
        rng = np.random.default_rng(5)
        got = lightest_subset(Dense(matrix), k, method="tabu", starts=starts, iterations=iterations, rng=rng)
        assert got.weight <= begun.weight + 1e-9
        assert got.trace.starts == 5
        assert got.trace.iterations == iterations


def test_tabu_without_named_starts_begins_with_all_of_them() -> None:
    matrix = symmetric(90, 6, 0, 1 << 12) ** 3
    got = tabu(matrix, 12, iterations=1)
    assert got.trace.starts == 90
    assert got.weight <= lightest_subset(Dense(matrix), 12).weight


def test_the_generator_and_the_number_of_moves_decide_the_answer() -> None:
    matrix = symmetric(150, 3)
    one, again = tabu(matrix, 20, 4, 50_000), tabu(matrix, 20, 4, 50_000)
    assert one.indices.tolist() == again.indices.tolist()
    assert one.weight == again.weight
    assert one.trace == again.trace
    assert one.trace.start is None
    other = tabu(matrix, 20, 5, 50_000)
    assert other.weight == pytest.approx(one.weight, rel=0.01)


def test_a_time_limit_ends_the_search() -> None:
    rng = np.random.default_rng(0)
    short = lightest_subset(Dense(symmetric(100, 1)), 40, method="tabu", seconds=1e-9, rng=rng)
    assert short.trace.iterations == 0
    assert short.weight <= lightest_subset(Dense(symmetric(100, 1)), 40, method="greedy", starts=[0]).weight
    timed = lightest_subset(Dense(symmetric(100, 1)), 40, method="tabu", seconds=1.0, rng=rng)
    assert timed.trace.iterations > 0
    assert timed.weight <= short.weight
    both = lightest_subset(Dense(symmetric(100, 1)), 40, method="tabu", seconds=1e9, iterations=500, rng=rng)
    assert both.trace.iterations == 500


def test_k_of_one_and_k_of_n_are_answered() -> None:
    matrix = symmetric(8, 0)
    one = tabu(matrix, 1)
    assert (one.indices.tolist(), one.weight, one.bound) == ([0], 0.0, 0.0)
    every = tabu(matrix, 8)
    assert every.indices.tolist() == list(range(8))
    assert every.weight == pytest.approx(weight(matrix, np.arange(8)))
    assert tabu(np.ones((1, 1)), 1).indices.tolist() == [0]


def test_a_matrix_of_equal_weights_is_searched_without_a_choice_between_them() -> None:
    got = tabu(np.full((40, 40), 0.1), 10)
    assert got.weight == pytest.approx(45 * np.float32(0.1))
    assert got.bound == pytest.approx(got.weight)


def test_the_diagonal_is_ignored() -> None:
    matrix = symmetric(50, 2)
    filled = matrix.copy()
    np.fill_diagonal(filled, np.nan)
    rng = np.random.default_rng(0)
    got = lightest_subset(Unchecked(filled), 6, method="tabu", iterations=5000, rng=rng)
    assert got.indices.tolist() == tabu(matrix, 6, 0, 5000).indices.tolist()


def test_progress_is_told_in_moves_or_in_seconds() -> None:
    similarity, rng = Dense(symmetric(80, 0)), np.random.default_rng(0)
    moves: list[float] = []
    lightest_subset(
        similarity,
        9,
        method="tabu",
        iterations=3000,
        rng=rng,
        progress=moves.append,
    )
    assert moves[-1] == 1.0
    seconds: list[float] = []
    lightest_subset(
        similarity,
        9,
        method="tabu",
        seconds=1.0,
        rng=rng,
        progress=seconds.append,
    )
    assert seconds
    assert all(0 <= share <= 1 for share in seconds)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "rng is None"),
        ({"rng": np.random.default_rng(0), "iterations": 0}, "iterations is 0"),
        ({"rng": np.random.default_rng(0), "starts": [12]}, "starts holds"),
        ({"method": "paper", "iterations": 5}, "iterations is 5 with method 'paper'"),
    ],
)
def test_arguments_that_cannot_be_met_are_refused_by_name(options: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        lightest_subset(Dense(symmetric(12, 0)), 3, **{"method": "tabu", **options})  # type: ignore[arg-type]


def test_nan_and_missing_symmetry_are_refused() -> None:
    rng = np.random.default_rng(0)
    holed = symmetric(30, 0)
    holed[4, 9] = holed[9, 4] = np.nan
    with pytest.raises(InvalidInput, match="NaN or infinity in the row of point 4"):
        lightest_subset(Unchecked(holed), 3, method="tabu", rng=rng)
    with pytest.raises(InvalidInput, match="not symmetric"):
        lightest_subset(Unchecked(rng.random((30, 30))), 3, method="tabu", rng=rng)


def test_a_similarity_whose_matrix_would_not_fit_is_refused() -> None:
    class Huge(Unchecked):
        @property
        def n(self) -> int:
            return 60_000

    with pytest.raises(InvalidInput, match=r"13\.4 GiB"):
        lightest_subset(Huge(np.ones((2, 2))), 3, method="tabu", rng=np.random.default_rng(0))
