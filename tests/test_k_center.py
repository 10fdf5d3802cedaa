"""Greedy k-center against a plain loop in float64, and its radius against every set of centres there is."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copycost._types import AnyArray, FloatArray
from copycost.errors import InvalidInput
from copycost.subsets import k_center


def squares(points: AnyArray, centre: AnyArray) -> FloatArray:
    gaps = points.astype(np.float64) - centre.astype(np.float64)
    found: FloatArray = (gaps * gaps).sum(axis=1)
    return found


def plain(points: AnyArray, k: int, centres: list[int]) -> tuple[list[int], FloatArray]:
    """The chosen, and the distance of every point to its nearest centre in the end."""
    nearest = np.full(len(points), np.inf)
    for centre in centres:
        nearest = np.minimum(nearest, squares(points, points[centre]))
    chosen: list[int] = []
    while len(chosen) < k:
        aims = nearest if centres or chosen else squares(points, points.mean(axis=0, dtype=np.float64))
        rest = [i for i in range(len(points)) if i not in centres and i not in chosen]
        chosen.append(max(rest, key=lambda i: (aims[i], -i)))
        nearest = np.minimum(nearest, squares(points, points[chosen[-1]]))
    return chosen, np.sqrt(nearest)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "k", "already"), [(1, 1, 1, 0), (2, 3, 1, 1), (60, 10, 60, 0), (80, 43, 30, 7)])
def test_each_choice_is_the_farthest_from_all_centres_so_far(n: int, d: int, k: int, already: int, kind: type) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        points: AnyArray = rng.dirichlet(np.full(d, 0.3), n).astype(kind)
        centres = rng.permutation(n)[:already].tolist()
        found = k_center(points, k, centres=centres)
        chosen, nearest = plain(points, k, centres)
        assert found.indices.tolist() == chosen
        assert found.radius == pytest.approx(nearest.max(), abs=1e-12)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 4), st.integers(0, 1000))
def test_the_lowest_index_wins_ties_and_no_point_is_chosen_twice(n: int, d: int, already: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 2, (n, d)).astype(np.float32)
    centres = rng.permutation(n)[: min(already, n - 1)].tolist()
    k = int(rng.integers(1, n - len(centres) + 1))
    found = k_center(points, k, centres=centres)
    assert found.indices.tolist() == plain(points, k, centres)[0]
    assert len({*found.indices.tolist(), *centres}) == k + len(centres)


def test_points_that_are_all_the_same_are_chosen_in_order() -> None:
    found = k_center(np.full((9, 4), 0.25), 5, centres=[2])
    assert found.indices.tolist() == [0, 1, 3, 4, 5]
    assert found.distances.tolist() == [0.0] * 5
    assert found.radius == 0.0
    assert k_center(np.full((9, 4), 0.1), 9).indices.tolist() == list(range(9))


@pytest.mark.parametrize("seed", range(5))
def test_without_alreadycentres_the_radius_is_at_most_twice_the_smallest(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(11, 2))
    apart = np.sqrt(np.array([squares(points, point) for point in points]))
    for k in (1, 2, 3):
        best = min(apart[list(some)].min(axis=0).max() for some in itertools.combinations(range(11), k))
        assert best - 1e-12 <= k_center(points, k).radius <= 2 * best + 1e-12


def test_the_first_choices_are_the_answer_for_fewer_and_their_distances_never_grow() -> None:
    points = np.random.default_rng(0).random((200, 5), dtype=np.float32)
    whole = k_center(points, 50)
    assert whole.distances[0] == np.inf
    assert (np.diff(whole.distances[1:]) <= 0).all()
    for k in (1, 20):
        fewer = k_center(points, k)
        assert fewer.indices.tolist() == whole.indices[:k].tolist()
        assert fewer.radius == whole.distances[k]
    assert k_center(points, 30, centres=whole.indices[:20]).indices.tolist() == whole.indices[20:].tolist()


def test_the_points_are_left_as_they_were_however_they_lie_in_memory() -> None:
    points = np.random.default_rng(1).random((5, 40)).T
    before = points.copy()
    assert k_center(points, 7).indices.tolist() == k_center(before, 7).indices.tolist()
    points.flags.writeable = False
    assert (points == before).all()
    assert k_center(points, 7).indices.tolist() == k_center(before, 7).indices.tolist()
    assert not k_center(points, 7).indices.flags.writeable


def test_progress_ends_at_one_and_never_falls() -> None:
    told: list[float] = []
    k_center(np.random.default_rng(2).random((1000, 2)), 600, centres=[1, 2], progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 1


GOOD = np.zeros((4, 2))


@pytest.mark.parametrize(
    ("points", "k", "centres", "message"),
    [
        (np.zeros((0, 2)), 1, None, r"points have shape \(0, 2\)"),
        (np.zeros((4, 0)), 1, None, r"points have shape \(4, 0\)"),
        (np.zeros(4), 1, None, r"points have shape \(4,\)"),
        (np.zeros((4, 2), np.int64), 1, None, "dtype int64; float32 or float64"),
        (np.array([[0.0], [np.nan]]), 1, None, "point 1 holds NaN or infinity"),
        (np.array([[np.inf], [0.0]]), 1, None, "point 0 holds NaN or infinity"),
        (GOOD, 0, None, "k is 0, .* from 1 to 4"),
        (GOOD, 5, None, "k is 5, .* from 1 to 4"),
        (GOOD, 3, [0, 1], "k is 3, and 2 of 4 points are no centres yet"),
        (GOOD, 1, [4], "centres hold points from 4 to 4.*from 0 to 3"),
        (GOOD, 1, [-1], "centres hold points from -1"),
        (GOOD, 1, [1, 1], "1 distinct of 2"),
        (GOOD, 1, np.array([True, False]), "dtype bool; .* numpy.flatnonzero"),
        (GOOD, 1, [[1]], r"centres have shape \(1, 1\)"),
    ],
)
def test_what_cannot_be_answered_is_refused(points: AnyArray, k: int, centres: list[int] | None, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        k_center(points, k, centres=centres)
