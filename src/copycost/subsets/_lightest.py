"""The lightest k-subset of a similarity: the paper's Algorithms 1 to 3, and the tabu search beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from copycost._types import AnyArray
from copycost.errors import InvalidInput
from copycost.similarity import Similarity
from copycost.subsets._bound import lower_bound
from copycost.subsets._checks import (
    Init,
    Starts,
    check_choice,
    check_k,
    check_members,
    probe_symmetry,
    resolve_starts,
)
from copycost.subsets._clock import Clock, Progress
from copycost.subsets._memetic import memetic_search
from copycost.subsets._multistart import DENSE_BYTES, Plan, lightest_walk, walk_all, weigh, whole_matrix
from copycost.subsets._subset import Subset, Trace, sorted_indices
from copycost.subsets._walks import replacement_walk, run_walks

__all__ = ["lightest_subset", "replacement"]

Method = Literal["greedy", "paper", "tabu"]


def lightest_subset(
    similarity: Similarity,
    k: int,
    *,
    method: Method = "paper",
    init: Init = "min-sum",
    starts: Starts = None,
    seconds: float | None = None,
    rng: np.random.Generator | None = None,
    iterations: int | None = None,
    progress: Progress | None = None,
) -> Subset:
    """Choose ``k`` points whose pairs weigh least together.

    Parameters
    ----------
    similarity : Similarity
        Symmetric, its diagonal ignored. With a few starts only the rows of points that are picked are read;
        with many, and always for ``tabu``, the whole matrix is (`Similarity.dense`).
    k : int
        From 1 to n.
    method : "greedy", "paper" or "tabu"
        The paper's Algorithm 2 from each start; its Algorithm 1, which improves each by Algorithm 3; or a
        memetic tabu search, which begins with Algorithm 1 and ends no heavier.
    init : "min-sum" or "min-max"
        What greedy choice keeps small: the sum or the maximum of similarities to the points chosen so far.
    starts : None, int or integer array
        All points, a count drawn by ``rng`` without repeats, or these points.
    seconds : float, optional
        Stop soon after this many seconds with the best so far; the first starts are always finished. ``tabu``
        gives at most a quarter of them to its starts.
    rng : numpy.random.Generator, optional
        Needed to draw starts and by ``tabu``.
    iterations : int, optional
        Moves that ``tabu`` may make; 200,000 where neither this nor ``seconds`` is given. With ``iterations``
        and without ``seconds`` the answer depends on the generator alone.
    progress : callable, optional
        Called with the share done: of starts, or for ``tabu`` of moves, or of seconds if only time is limited.

    Returns
    -------
    Subset
        The lowest index and the earliest start win every tie.

    Raises
    ------
    InvalidInput
        If an argument is out of range, ``rng`` is needed and missing, or the similarity holds NaN or infinity
        or is not symmetric. A matrix not read whole is probed: in the rows read, at 32 points spread over it,
        and in the block of the answer.

    Notes
    -----
    DRMI (USENIX Security 2021), section 4, Algorithms 1 to 3, Equations 3 and 7 to 10. The cost is O(k n) for
    a start. ``tabu`` follows Wu and Hao (2013), "A hybrid metaheuristic method for the maximum diversity
    problem"; pass ``similarity.negate()`` to maximise a sum of distances.

    Examples
    --------
    >>> from copycost.similarity import Dense
    >>> apart = Dense(np.array([[0, 5, 1, 1], [5, 0, 1, 4], [1, 1, 0, 1], [1, 4, 1, 0.0]]))
    >>> chosen = lightest_subset(apart, 3)
    >>> chosen.indices.tolist(), chosen.weight
    ([0, 2, 3], 3.0)
    """
    check_choice("method", method, get_args(Method))
    check_choice("init", init, get_args(Init))
    k = check_k(k, similarity.n)
    plan = Plan(k, init == "min-max", method != "greedy", Clock(seconds), progress)
    if method == "tabu":
        return _by_tabu(similarity, plan, starts, iterations, rng)
    if iterations is not None:
        raise InvalidInput(f"iterations is {iterations} with method {method!r}; only 'tabu' takes it. Leave it out.")
    chosen = resolve_starts(starts, similarity.n, rng)
    matrix = whole_matrix(similarity, rows=3 * k * chosen.size // 2)
    walks = walk_all(similarity, matrix, chosen, plan)
    best, weight = lightest_walk(similarity, walks)
    swaps = walks.swaps
    trace = Trace(method, int(chosen[best]), len(swaps), int(swaps[best]), int(swaps.max()))
    bound = None if matrix is None else lower_bound(matrix, k, weight)
    return Subset(sorted_indices(walks.members[best]), weight, trace, bound)


def replacement(similarity: Similarity, subset: Subset | AnyArray | Sequence[int]) -> Subset:
    """Exchange points of a subset for lighter ones until no exchange of the heaviest helps.

    Parameters
    ----------
    similarity : Similarity
        Only the rows of points that are or become chosen are read.
    subset : Subset or integer array (k,)
        Where to begin.

    Returns
    -------
    Subset
        ``trace.iterations`` counts the exchanges.

    Raises
    ------
    InvalidInput
        If ``subset`` repeats a point or names one that does not exist, or a row holds NaN.

    Notes
    -----
    Algorithm 3 of the DRMI paper (USENIX Security 2021, section 4.3.2): the point that enters is the one with
    the least ``Out[q] - I[p][q]``. The paper's prose names the least ``Out[q]``; the algorithm is followed.
    """
    members = np.asarray(subset.indices if isinstance(subset, Subset) else subset)
    check_members(members, similarity.n)
    probe_symmetry(similarity)
    (walked,) = run_walks(similarity, [replacement_walk(members.astype(np.int64), similarity.n)])
    indices = sorted_indices(walked.members)
    trace = Trace("replacement", None, 1, walked.swaps, walked.swaps)
    return Subset(indices, weigh(similarity, indices), trace)


def _by_tabu(
    similarity: Similarity,
    plan: Plan,
    starts: Starts,
    iterations: int | None,
    rng: np.random.Generator | None,
) -> Subset:
    if rng is None:
        raise InvalidInput(
            "rng is None with method 'tabu', which draws from a generator. Pass rng=numpy.random.default_rng(seed)."
        )
    if iterations is not None and not iterations >= 1:
        raise InvalidInput(f"iterations is {iterations}; at least 1 is needed. Pass None for the default.")
    n = similarity.n
    drawn = resolve_starts(starts, n, rng)
    matrix = whole_matrix(similarity, rows=n)
    if matrix is None:
        raise InvalidInput(
            f"similarity has {n} points, whose matrix takes {4 * n * n / 2**30:.1f} GiB; method 'tabu' needs "
            f"it whole, up to {DENSE_BYTES >> 30} GiB. Use method 'paper' with a few starts, or restrict()."
        )
    seconds = plan.clock.seconds
    opening = Clock(None if seconds is None else seconds / 4)
    walks = walk_all(similarity, matrix, drawn, replace(plan, clock=opening, progress=None))
    order = np.argsort(walks.weights, kind="stable")
    found, moves = memetic_search(matrix, walks.members[order], plan.clock, iterations, rng, plan.progress)
    indices = sorted_indices(found)
    weight = weigh(similarity, indices)
    bound = lower_bound(matrix, plan.k, weight)
    trace = Trace("tabu", None, len(walks.swaps), moves, int(walks.swaps.max()))
    return Subset(indices, weight, trace, bound)
