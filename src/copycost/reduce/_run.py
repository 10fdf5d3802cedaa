"""One reduction from a pool to files: read, estimate, choose, write, record."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from copycost.reduce._choice import Chooser, check_size, nearest_chosen
from copycost.reduce._curve import Point, curve, parse_sizes
from copycost.reduce._duplicates import check_threshold, find_duplicates
from copycost.reduce._estimate import estimate
from copycost.reduce._keep import read_keep
from copycost.reduce._lessons import can_train, held_out_count, test_set, with_accuracy
from copycost.reduce._output import Output
from copycost.reduce._pool import Pool, load_pool, place_of
from copycost.reduce._request import Found, Plan, Request
from copycost.reduce._result import make_record, tell, write_all
from copycost.reduce._shares import class_shares
from copycost.reduce._write import check_kind
from copycost.similarity import Dense, OnDemand, Similarity, mutual_information
from copycost.similarity._cost import matrix_fits

__all__ = ["reduce"]

_SAMPLE = 4096  # images to be covered, where there are too many for a matrix

Report = Callable[[str, float], None]
Say = Callable[[str], None]


def _nothing(what: str, share: float) -> None:
    """Report nothing."""


def reduce(request: Request, *, say: Say, report: Report = _nothing, plan_only: bool = False) -> dict[str, Any]:
    """Choose a smaller set that stands for a pool, and write it.

    Parameters
    ----------
    request : Request
    say : callable
        Takes lines for the user: the estimate first, then what was found.
    report : callable
        Takes (what runs, share done).
    plan_only : bool
        Stop after the estimate; nothing is written.

    Returns
    -------
    dict
        The record, as written beside the output; empty for a plan.

    Raises
    ------
    CopycostError
        If the request and the pool do not fit together, before anything is written.
    """
    start = time.perf_counter()
    plan = _plan(request, say)
    if plan_only:
        return {}
    found = _find(plan, say, report)
    record = make_record(plan, found, time.perf_counter() - start)
    write_all(plan, found, record)
    tell(plan, found, say)
    return record


def _plan(request: Request, say: Say) -> Plan:
    check_threshold(request.duplicates)
    output = Output.parse(request.out)
    named = [request.pool, *([request.test] if request.test is not None else [])]
    output.require_free(request.overwrite, [place for text in named if (place := place_of(text)) is not None])
    pool = load_pool(request.pool, transform=request.transform, skip_bad=request.skip_bad, data_dir=request.data_dir)
    check_kind(output.kind, pool, request.link)
    keep = read_keep(request.keep, pool) if request.keep else np.zeros(0, np.int64)
    sizes = parse_sizes(request.sizes, len(pool), len(keep)) if request.sizes is not None else []
    size = request.size if request.size is not None else sizes[-1]
    check_size(size, len(pool), len(keep))
    groups = pool.group_sizes(request.by_label)
    if request.by_label:
        class_shares(min([size, *sizes]), groups, np.zeros(len(groups), np.int64))
    test = None if request.test is None else test_set(pool, request.test, request.data_dir)
    if sizes and request.accuracy and test is None and can_train(pool):
        held_out_count(pool, len(keep), sizes[-1])
    reference = _reference(request, int(groups.max()))
    expected = estimate(pool.compared, request.strategy, max([size, *sizes]), groups.tolist(), reference)
    plan = Plan(request, output, pool, size, sizes, keep, reference, expected, test)
    _announce(plan, say)
    return plan


def _reference(request: Request, largest: int) -> int | None:
    """Return how many images of a group are to be covered: what is asked, or a sample where no matrix is kept."""
    if request.reference is not None:
        return request.reference if request.reference < largest else None
    return None if request.strategy != "coverage" or matrix_fits(largest) else _SAMPLE


def _announce(plan: Plan, say: Say) -> None:
    pool = plan.pool
    say(f"{len(pool):,} images of {plan.request.pool}, {pool.comparison()}")
    for note, count in pool.data.notes.items():
        say(f"    {count:,}: {note}")
    if constant := pool.constant():
        say(f"    {constant:,}: of one level alone, so without information; similar to no image, and drmi prefers them")
    for place in plan.output.unfinished():
        say(f"left by a run that was killed, if none is running: {place}; what it was to replace may be in it")
    say(str(plan.estimate))
    if plan.reference is not None:
        of = " of each class" if plan.request.by_label else ""
        say(f"coverage is chosen on a sample of {plan.reference:,} images{of}, drawn with seed {plan.request.seed}")


def _find(plan: Plan, say: Say, report: Report) -> Found:
    request, pool = plan.request, plan.pool
    similarity = _similarity(pool, report)
    chooser = Chooser(
        similarity,
        request.strategy,
        labels=pool.data.labels if request.by_label else None,
        keep=plan.keep,
        reference=plan.reference,
        seed=request.seed,
        report=report,
    )
    choice = chooser.explained(plan.size)
    chosen = choice.indices
    (nearest,) = nearest_chosen(similarity, chosen, [plan.size])
    duplicates = find_duplicates(
        pool.compared, chosen, request.duplicates, lambda share: report("looking for near-duplicates", share)
    )
    return Found(similarity, chosen, choice.sampled, nearest, duplicates, _points(plan, chooser, say))


def _similarity(pool: Pool, report: Report) -> Similarity:
    pixels = pool.compared.array
    if not matrix_fits(len(pool)):
        return OnDemand(pixels)
    return Dense.of_trusted(mutual_information(pixels, progress=lambda share: report("comparing", share)))


def _points(plan: Plan, chooser: Chooser, say: Say) -> list[Point]:
    if not plan.sizes:
        return []
    points = curve(chooser, plan.sizes)
    if not plan.request.accuracy:
        return points
    if can_train(plan.pool):
        return with_accuracy(points, chooser, plan.pool, plan.sizes, test=plan.test, say=say)
    if plan.pool.data.labels is not None:
        say("accuracy by size needs torch: pip install 'copycost[audit]'; the curve is of the objective alone")
    return points
