"""What holds for every registered strategy, and then for each of them."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
import types
import typing
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from sklearn.metrics import mutual_info_score

from copycost._types import AnyArray, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.networks import Classifier
from copycost.oracle import Answers
from copycost.similarity import Dense, luminance, mutual_information
from copycost.strategies import STRATEGIES, Knowledge, Memo, Queries, Strategy, parse
from copycost.strategies._coverage import Coverage
from copycost.strategies._drmi import DRMI
from copycost.strategies._random import Random
from copycost.subsets import lightest_subset

SIZES = (12, 8, 4)
LABELS: IntArray = np.random.default_rng(2).permutation(np.repeat(np.arange(3), SIZES)).astype(np.int64)
SHAPE = (8, 8, 3)
COMBINED = ("dfal + k-center", "uncertainty + drmi rho=24", "random group=label redistribute=yes + coverage rho=30")


def linear() -> Classifier:
    """A copy that sees every pixel."""
    layer = torch.nn.Linear(8 * 8 * 3, 3)
    weights = np.random.default_rng(5).normal(0, 1, (3, 8 * 8 * 3)).astype(np.float32)
    layer.load_state_dict({"weight": torch.from_numpy(weights), "bias": torch.zeros(3)})
    return Classifier(torch.nn.Sequential(torch.nn.Flatten(), layer))


SUBSTITUTE = linear()


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def colour(n: int = len(LABELS), *, seed: int = 0) -> Images:
    """Images of a few levels in blocks, so that they share much or little information."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 6, (n, 4, 4, 3), dtype=np.uint8) * rng.integers(1, 40, (n, 1, 1, 3), dtype=np.uint8)
    return Images(blocks.repeat(2, axis=1).repeat(2, axis=2))


def knowing(
    pool: Images | None = None, *, asked: Iterable[int] = (), labels: IntArray | None = LABELS, memo: Memo | None = None
) -> Knowledge:
    """Everything a strategy may declare, over the pool given; two inputs that are none of its members were asked."""
    indices = np.array(list(asked), dtype=np.int64)
    pool = colour() if pool is None else pool
    rng = np.random.default_rng(11)
    inputs = Images(rng.integers(0, 256, (2, *pool.shape), dtype=np.uint8)).concat(Images(pool.array[indices]))
    return Knowledge(
        pool,
        3,
        asked=indices,
        answers=Answers(indices % 3, np.eye(3, dtype=np.float32)[indices % 3]),
        labels=labels,
        substitute=SUBSTITUTE,
        inputs=inputs,
        input_answers=Answers(np.arange(len(inputs)) % 3),
        target_probabilities=rng.dirichlet([0.5] * 3, len(pool)).astype(np.float32),
        target_traces=rng.integers(0, 256, (len(pool), 5), dtype=np.uint8),
        target_layers=(24, 16),
        memo=memo or Memo(),
    )


def choice(strategy: Strategy, knowledge: Knowledge, k: int, seed: int = 0) -> list[int]:
    indices = strategy.select(knowledge, k, rng=np.random.default_rng(seed)).pool_index
    return [int(index) for index in indices]


def sent(strategy: Strategy, knowledge: Knowledge, k: int, seed: int = 0) -> list[bytes]:
    return strategy.select(knowledge, k, rng=np.random.default_rng(seed)).inputs.digests()


def other_values(default: object, hint: object) -> list[object]:
    """Some values other than the default that a parameter of this type can take; a strategy may refuse some."""
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    values: list[object] = []
    for option in options:
        if typing.get_origin(option) is typing.Literal:
            values += typing.get_args(option)
        elif option is bool:
            values += [True, False]
        elif option is int:
            values += [1, 3]
        elif option is float:
            values += [0.4, 1.0, 3.7]
    return [value for value in values if value != default]


def accepted(kind: type[Strategy], name: str, value: object) -> bool:
    try:
        kind(**{name: value})
    except InvalidInput:
        return False
    return True


def every_setting() -> list[Strategy]:
    """Each strategy as it is, with each parameter changed alone, and with all of them changed."""
    made: list[Strategy] = []
    for kind in STRATEGIES.values():
        hints = typing.get_type_hints(kind)
        others = {
            field.name: [
                value for value in other_values(field.default, hints[field.name]) if accepted(kind, field.name, value)
            ]
            for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        }
        changes = [{}, *({name: value} for name, values in others.items() for value in values)]
        changes.append({name: values[-1] for name, values in others.items() if values})
        for change in changes:
            strategy = kind(**change)
            if strategy not in made:
                made.append(strategy)
    return made + [parse(text) for text in COMBINED]


SETTINGS = every_setting()
each = pytest.mark.parametrize("strategy", SETTINGS, ids=str)
each_of_the_pool = pytest.mark.parametrize("strategy", [one for one in SETTINGS if one.from_pool], ids=str)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_is_registered_under_its_own_name_and_names_its_source(name: str) -> None:
    strategy = STRATEGIES[name]()
    assert strategy.name == name
    assert strategy.source
    assert strategy.media
    assert STRATEGIES[name].__doc__


@each
def test_a_strategy_is_a_value(strategy: Strategy) -> None:
    assert hash(strategy) == hash(dataclasses.replace(strategy))  # type: ignore[type-var]
    with pytest.raises(dataclasses.FrozenInstanceError):
        strategy.name = "another"  # type: ignore[misc]


@each
def test_a_strategy_survives_being_written_and_read(strategy: Strategy) -> None:
    assert parse(str(strategy)) == strategy
    assert str(parse(str(strategy))) == str(strategy)


@each
@pytest.mark.parametrize("k", [3, 7, 12])
def test_as_many_different_free_members_are_chosen_as_were_asked(strategy: Strategy, k: int) -> None:
    asked = [int(index) for label in range(3) for index in np.flatnonzero(label == LABELS)[: SIZES[label] // 2]]
    for before in ([], asked):
        knowledge = knowing(asked=before)
        queries = strategy.select(knowledge, k, rng=np.random.default_rng(0))
        members = queries.pool_index[queries.pool_index >= 0]
        assert len(queries) + queries.dropped == k
        assert len(set(members.tolist())) == len(members)
        assert not set(members.tolist()) & set(before)
        assert queries.inputs.take(np.flatnonzero(queries.pool_index >= 0)).digests() == (
            knowledge.pool.take(members).digests()
        )


@each
def test_the_same_generator_gives_the_same_choice(strategy: Strategy) -> None:
    assert sent(strategy, knowing(), 6, seed=4) == sent(strategy, knowing(), 6, seed=4)


@each
def test_no_global_generator_is_read_or_moved(strategy: Strategy) -> None:
    before = np.random.get_state(legacy=False)
    torch_before = torch.random.get_rng_state()
    first = sent(strategy, knowing(), 6)
    assert str(np.random.get_state(legacy=False)) == str(before)
    assert torch.equal(torch.random.get_rng_state(), torch_before)
    with torch.random.fork_rng():
        torch.rand(3)
        assert sent(strategy, knowing(), 6) == first


@each
def test_labels_that_were_not_declared_make_no_difference(strategy: Strategy) -> None:
    if "labels" in strategy.needs:
        with pytest.raises(InvalidInput, match="needs labels, and none are given"):
            choice(strategy, knowing(labels=None), 6)
    else:
        assert choice(strategy, knowing(), 6) == choice(strategy, knowing(labels=None), 6)
        assert choice(strategy, knowing(), 6) == choice(strategy, knowing(labels=LABELS[::-1].copy()), 6)


@each
def test_a_pool_of_another_medium_is_refused(strategy: Strategy) -> None:
    class Sounds(Images):
        medium = "sound"

    pool = Sounds(colour().array)
    with pytest.raises(InvalidInput, match=f"strategy {re.escape(strategy.name)} handles .*; the pool holds sound"):
        choice(strategy, knowing(pool), 6)


@each_of_the_pool
def test_one_query_can_be_chosen(strategy: Strategy) -> None:
    one_label = np.zeros(len(LABELS), np.int64)
    assert len(choice(strategy, knowing(labels=one_label), 1)) == 1
    assert choice(strategy, knowing(colour(1), labels=one_label[:1]), 1) == [0]


@each_of_the_pool
def test_all_that_is_free_can_be_chosen(strategy: Strategy) -> None:
    assert sorted(choice(strategy, knowing(), len(LABELS))) == list(range(len(LABELS)))
    asked = [int(index) for label in range(3) for index in np.flatnonzero(label == LABELS)[: SIZES[label] // 2]]
    rest = choice(strategy, knowing(asked=asked), 12)
    assert sorted(rest + asked) == list(range(len(LABELS)))


@each_of_the_pool
@pytest.mark.parametrize(("asked", "k"), [(0, 25), (5, 20), (24, 1), (0, 0), (0, -1)])
def test_more_than_is_free_or_less_than_one_is_refused(strategy: Strategy, asked: int, k: int) -> None:
    with pytest.raises(InvalidInput, match=f"asked for {k} queries; the pool has {24 - asked} left"):
        choice(strategy, knowing(asked=range(asked)), k)


@each_of_the_pool
def test_identical_images_are_still_different_members(strategy: Strategy) -> None:
    constant = Images(np.full((24, *SHAPE), 7, np.uint8))
    repeated = colour(3).take(np.arange(24) % 3)
    for pool in (constant, repeated):
        assert len(set(choice(strategy, knowing(pool), 9))) == 9


@each_of_the_pool
def test_only_candidates_are_chosen(strategy: Strategy) -> None:
    candidates = np.concatenate([np.flatnonzero(label == LABELS)[1:] for label in range(3)])
    knowledge = dataclasses.replace(knowing(asked=candidates[:2]), candidates=np.sort(candidates))
    chosen = choice(strategy, knowledge, 7)
    assert len(set(chosen)) == 7
    assert set(chosen) <= set(candidates[2:].tolist())
    with pytest.raises(InvalidInput, match=f"the pool has {24 - 3 - 2} left"):
        choice(strategy, knowledge, 20)


@each
def test_a_plan_can_ask_for_the_time_before_there_is_a_copy(strategy: Strategy) -> None:
    planned = dataclasses.replace(knowing(), substitute=None, budget=20)
    assert strategy.seconds(planned, 6) >= 0


@each
def test_progress_is_told_as_a_share(strategy: Strategy) -> None:
    told: list[tuple[str, float]] = []
    knowledge = dataclasses.replace(knowing(), report=lambda what, share: told.append((what, share)))
    choice(strategy, knowledge, 6)
    assert all(what and 0 <= share <= 1 for what, share in told)


@each
def test_what_depends_on_the_pool_alone_may_be_kept(strategy: Strategy, tmp_path: Path) -> None:
    plain = choice(strategy, knowing(), 6, seed=1)
    for _ in range(2):
        assert choice(strategy, knowing(memo=Memo(tmp_path)), 6, seed=1) == plain
    other = colour(seed=1)
    assert choice(strategy, knowing(other, memo=Memo(tmp_path)), 6) == choice(strategy, knowing(other), 6)


def test_settings_do_not_share_what_is_kept(tmp_path: Path) -> None:
    for strategy in SETTINGS:
        for k in (5, 6):
            assert choice(strategy, knowing(memo=Memo(tmp_path)), k) == choice(strategy, knowing(), k)


grouped = pytest.mark.parametrize("text", ["random group=label", "drmi group=label", "drmi group=label starts=2"])


@grouped
@pytest.mark.parametrize(
    ("k", "shares"), [(3, (2, 1, 0)), (6, (3, 2, 1)), (7, (4, 2, 1)), (8, (4, 3, 1)), (23, (11, 8, 4))]
)
def test_groups_get_shares_by_the_largest_remainder(text: str, k: int, shares: tuple[int, ...]) -> None:
    chosen = choice(parse(text), knowing(), k)
    assert tuple(np.bincount(LABELS[chosen], minlength=3)) == shares


@grouped
def test_fewer_queries_than_groups_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="budget of 2 queries is below the number of groups, 3"):
        choice(parse(text), knowing(), 2)


@grouped
def test_a_group_that_is_short_is_refused_or_made_up_for(text: str) -> None:
    asked = np.flatnonzero(LABELS == 2)[:3].tolist() + np.flatnonzero(LABELS == 1)[:1].tolist()
    with pytest.raises(InvalidInput, match="group of label 2 has 1 images left and its share is 2"):
        choice(parse(text), knowing(asked=asked), 12)
    chosen = choice(parse(f"{text} redistribute=yes"), knowing(asked=asked), 12)
    assert not set(chosen) & set(asked)
    assert tuple(np.bincount(LABELS[chosen], minlength=3)) == (7, 4, 1)
    everything = choice(parse(f"{text} redistribute=yes"), knowing(asked=asked), 20)
    assert sorted(everything + asked) == list(range(24))


@grouped
def test_a_class_that_the_pool_lacks_is_no_group(text: str) -> None:
    labels = np.where(LABELS == 1, 2, LABELS)
    chosen = choice(parse(text), knowing(labels=labels), 2)
    assert sorted(labels[chosen].tolist()) == [0, 2]


def test_labels_that_do_not_fit_the_pool_are_refused() -> None:
    for labels in (LABELS[:5], LABELS - 1):
        with pytest.raises(InvalidInput, match="one label of 0 or more for each of 24 inputs"):
            choice(parse("random group=label"), knowing(labels=labels), 6)


@pytest.mark.parametrize(
    ("field", "index", "message"),
    [
        ("candidates", [0, 24], "candidates go from 0 to 24; 0 to 23 is allowed"),
        ("candidates", [-1, 4], "candidates go from -1 to 4"),
        ("candidates", [3, 3, 4], "candidates are 3 indices of 2 pool members"),
        ("candidates", [True] * 24, "candidates have shape .24,. and dtype bool; .* numpy.flatnonzero"),
        ("asked", [-1, 4], "asked go from -1 to 4; .* Leave new inputs out"),
        ("asked", [4, 4], "asked are 2 indices of 1 pool members"),
    ],
)
def test_indices_that_are_not_of_the_pool_are_refused(field: str, index: list[int], message: str) -> None:
    changed: dict[str, Any] = {field: np.array(index)}
    knowledge = dataclasses.replace(knowing(), **changed)
    with pytest.raises(InvalidInput, match=message):
        choice(Random(), knowledge, 1)


def test_random_draws_every_subset_equally_often() -> None:
    pool = Images(np.arange(6, dtype=np.uint8).reshape(6, 1, 1))
    rng = np.random.default_rng(7)
    knowledge = Knowledge(pool, 2)
    drawn = Counter(tuple(Random().select(knowledge, 3, rng=rng).pool_index.tolist()) for _ in range(4000))
    assert len(drawn) == 20
    assert chisquare(list(drawn.values())).pvalue > 0.001


def test_random_within_groups_draws_every_member_of_a_group_equally_often() -> None:
    labels = np.array([0, 1, 0, 0, 1, 0])
    knowledge = Knowledge(Images(np.arange(6, dtype=np.uint8).reshape(6, 1, 1)), 2, labels=labels)
    rng = np.random.default_rng(8)
    strategy = Random(group="label")
    drawn = Counter(index for _ in range(3000) for index in strategy.select(knowledge, 3, rng=rng).pool_index.tolist())
    for label, share in ((0, 2 / 4), (1, 1 / 2)):
        counts = [drawn[int(index)] for index in np.flatnonzero(labels == label)]
        assert sum(counts) == 3000 * share * len(counts)
        assert chisquare(counts).pvalue > 0.001


def information(pool: Images) -> FloatArray:
    """Mutual information of all pairs by scikit-learn, in float64."""
    pixels = pool.array.reshape(len(pool), -1)
    return np.array([[mutual_info_score(a, b) for b in pixels] for a in pixels])


def weight(matrix: FloatArray, members: Iterable[int]) -> float:
    return float(sum(matrix[a, b] for a, b in itertools.combinations(sorted(members), 2)))


@pytest.mark.parametrize("seed", range(4))
def test_drmi_finds_the_lightest_subset_of_a_tiny_pool(seed: int) -> None:
    pool = colour(9, seed=seed)
    matrix = information(pool) ** 2
    for k in (2, 3, 8):
        best = min(weight(matrix, members) for members in itertools.combinations(range(9), k))
        found = choice(DRMI(), knowing(pool, labels=None), k)
        assert weight(matrix, found) == pytest.approx(best, rel=1e-5)


def noise() -> Images:
    """A pool on which each setting of DRMI chooses differently."""
    return Images(np.random.default_rng(0).integers(0, 4, (40, 6, 6), dtype=np.uint8))


def test_drmi_chooses_what_the_solver_chooses(tmp_path: Path) -> None:
    matrix = Dense(mutual_information(noise().array))
    inits: tuple[typing.Literal["min-sum", "min-max"], ...] = ("min-sum", "min-max")
    found = set()
    for alpha, init in itertools.product((1.0, 4.0), inits):
        wanted = lightest_subset(matrix.power(alpha), 10, method="paper", init=init).indices.tolist()
        knowledge = Knowledge(noise(), 3, memo=Memo(tmp_path))
        assert choice(DRMI(alpha=alpha, init=init), knowledge, 10) == wanted
        found.add(tuple(wanted))
    assert len(found) == 4


def test_drmi_counts_members_of_the_pool_and_not_of_what_is_free() -> None:
    asked = [0, 1, 5, 20]
    free = np.setdiff1d(np.arange(24), asked)
    inner = choice(DRMI(), knowing(colour().take(free), labels=None), 7)
    assert choice(DRMI(), knowing(asked=asked), 7) == free[inner].tolist()


def test_drmi_with_all_starts_depends_on_the_pool_alone() -> None:
    assert len({tuple(choice(DRMI(), knowing(), 7, seed)) for seed in range(5)}) == 1
    assert choice(DRMI(starts=24), knowing(), 7) == choice(DRMI(), knowing(), 7)
    assert choice(DRMI(starts=1000), knowing(), 7) == choice(DRMI(), knowing(), 7)
    ties = knowing(colour(3).take(np.arange(24) % 3))
    assert len({tuple(choice(DRMI(starts=24), ties, 7, seed)) for seed in range(5)}) == 1
    assert len({tuple(choice(DRMI(starts=23), ties, 7, seed)) for seed in range(5)}) > 1


def test_drmi_with_one_start_depends_on_the_generator() -> None:
    knowledge = Knowledge(noise(), 3)
    assert len({tuple(choice(DRMI(starts=1), knowledge, 10, seed)) for seed in range(6)}) > 1


def test_drmi_within_groups_is_drmi_of_each_group() -> None:
    chosen = choice(DRMI(group="label"), knowing(), 12)
    for label, share in enumerate((6, 4, 2)):
        members = np.flatnonzero(label == LABELS)
        inner = choice(DRMI(), knowing(colour().take(members), labels=None), share)
        assert [index for index in chosen if LABELS[index] == label] == members[inner].tolist()


def test_drmi_of_luminance_is_drmi_of_grey_images() -> None:
    pool = colour()
    grey = Images(luminance(pool.array))
    assert choice(DRMI(luminance=True), knowing(pool), 7) == choice(DRMI(), knowing(grey), 7)


def test_drmi_of_a_pool_too_large_for_a_matrix_needs_a_number_of_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = choice(DRMI(starts=3), knowing(), 7, seed=2)
    monkeypatch.setattr("copycost.similarity._cost.MATRIX_LIMIT", 100)
    assert choice(DRMI(starts=3), knowing(), 7, seed=2) == whole
    with pytest.raises(InvalidInput, match=r"all starts over 24 images needs a matrix .* such as starts=8"):
        choice(DRMI(), knowing(), 7)


def test_coverage_takes_the_best_gain_at_every_step() -> None:
    pool = colour(12, seed=3)
    matrix = information(pool)
    roots = np.sqrt(np.diagonal(matrix))
    matrix = matrix / np.outer(roots, roots)
    found = choice(Coverage(), knowing(pool, labels=None), 5)
    cover = np.zeros(12)
    for index in found:
        gains = np.maximum(matrix - cover, 0).sum(axis=1)
        assert gains[index] == pytest.approx(gains.max(), rel=1e-5)
        cover = np.maximum(cover, matrix[index])


def test_coverage_without_a_sample_depends_on_the_pool_alone_and_smaller_choices_begin_larger_ones() -> None:
    assert len({tuple(choice(Coverage(), knowing(), 7, seed)) for seed in range(4)}) == 1
    assert choice(Coverage(reference=24), knowing(), 7) == choice(Coverage(), knowing(), 7)
    assert choice(Coverage(), knowing(), 12)[:7] == choice(Coverage(), knowing(), 7)


def test_coverage_of_a_sample_depends_on_the_generator() -> None:
    chosen = {tuple(choice(Coverage(reference=3), Knowledge(noise(), 3), 10, seed)) for seed in range(6)}
    assert len(chosen) > 1


def test_coverage_within_groups_is_coverage_of_each_group() -> None:
    chosen = choice(Coverage(group="label"), knowing(), 12)
    for label, share in enumerate((6, 4, 2)):
        members = np.flatnonzero(label == LABELS)
        inner = choice(Coverage(), knowing(colour().take(members), labels=None), share)
        assert [index for index in chosen if LABELS[index] == label] == members[inner].tolist()


def test_coverage_and_drmi_share_one_matrix(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    choice(DRMI(), knowing(memo=memo), 5)
    kept = set(tmp_path.glob("*.npy"))
    choice(Coverage(), knowing(memo=memo), 5)
    (fresh,) = set(tmp_path.glob("*.npy")) - kept
    assert np.load(fresh).shape == (6,)  # the choice and how many exchanges it took


def test_drmi_tells_how_many_exchanges_it_took(tmp_path: Path) -> None:
    from copycost.similarity import Dense, mutual_information
    from copycost.subsets import lightest_subset

    knowledge = knowing(memo=Memo(tmp_path))
    assert isinstance(knowledge.pool, Images)
    trace = lightest_subset(Dense(mutual_information(knowledge.pool.array)).power(2), 5, method="paper").trace
    assert trace.most_iterations > 0
    for _ in range(2):
        queries = DRMI().select(knowledge, 5, rng=np.random.default_rng(0))
        assert queries.facts["exchanges_of_k"] == trace.most_iterations / 5


def test_coverage_of_a_pool_too_large_for_a_matrix_needs_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = choice(Coverage(reference=9), knowing(), 7, seed=2)
    monkeypatch.setattr("copycost.similarity._cost.MATRIX_LIMIT", 100)
    assert choice(Coverage(reference=9), knowing(), 7, seed=2) == whole
    with pytest.raises(InvalidInput, match=r"coverage of all of 24 images needs a matrix .* such as reference=4000"):
        choice(Coverage(), knowing(), 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "strategy '' is not known; known are random, drmi"),
        ("dmri alpha=2", "'dmri' is not known .did you mean 'drmi'"),
        ("drmi alhpa=2", "no parameter 'alhpa' .did you mean 'alpha'"),
        ("random alpha=2", "no parameter 'alpha'.*; it takes group, redistribute"),
        ("drmi alpha", "write each parameter once, as name=value; 'alpha' is not"),
        ("drmi alpha=2 alpha=3", "write each parameter once"),
        ("drmi alpha=two", "drmi alpha is 'two'; a number is needed"),
        ("drmi alpha=0", "alpha is 0; a number above 0"),
        ("drmi alpha=nan", "alpha is nan"),
        ("drmi alpha=inf", "alpha is inf"),
        ("drmi alpha=", "drmi alpha is ''"),
        ("drmi starts=1.5", "drmi starts is '1.5'; a whole number or all is needed"),
        ("drmi starts=0", "starts is 0; 1 or more is needed"),
        ("coverage reference=0", "reference is 0; 1 or more is needed"),
        ("coverage reference=few", "coverage reference is 'few'; a whole number or all is needed"),
        ("drmi group=class", "drmi group is 'class'; allowed are none, label"),
        ("drmi luminance=true", "drmi luminance is 'true'; yes or no is needed"),
        ("drmi =3", "no parameter ''"),
        ("uncertainty measure=margin", "measure is 'margin'; allowed are entropy, least-confidence"),
        ("dfal steps=0", "dfal steps is 0; 1 or more"),
        ("dfal overshoot=-1", "dfal overshoot is -1; a finite number of 0 or more"),
        ("dfal overshoot=inf", "dfal overshoot is inf"),
        ("dfal candidates=0", "dfal candidates is 0; 1 or more is needed, or 'all'"),
        ("dfal+k-center", "put spaces around the ."),
        ("dfal + ", "strategy '' is not known"),
        ("+", "strategy '' is not known"),
        ("dfal + k-centre", "'k-centre' is not known .did you mean 'k-center'"),
        ("dfal + k-center + drmi", "combines more than two"),
        ("dfal rho=9 + k-center", "dfal has no parameter 'rho'.*; rho stands at the end of a combination"),
        ("k-center rho=9", "rho stands at the end of a combination"),
        ("dfal + k-center rho=9 rho=9", "write rho once"),
        ("dfal + k-center rho=", "rho is ''; a whole number is needed"),
        ("dfal + k-center rho=all", "rho is 'all'; a whole number is needed"),
        ("dfal + k-center rho=0", "rho is 0 in 'dfal . k-center rho=0'; 1 or more"),
        ("random + noise", "combines strategy noise, which makes inputs"),
        ("noise + random", "combines strategy noise, which makes inputs"),
    ],
)
def test_a_text_that_is_no_strategy_is_refused_with_the_nearest_named(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse(text)


def test_parameters_are_read_in_any_order_and_written_where_they_differ_from_the_default() -> None:
    assert parse("  drmi group=label   alpha=4 ") == DRMI(alpha=4.0, group="label")
    assert str(parse("drmi group=label alpha=4 starts=all luminance=yes")) == "drmi alpha=4 group=label luminance=yes"
    assert str(parse("drmi alpha=2.0 group=none")) == "drmi"


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 64, exclude_min=True))
def test_any_exponent_survives_being_written_and_read(alpha: float) -> None:
    assert parse(str(DRMI(alpha=alpha))) == DRMI(alpha=alpha)


@dataclasses.dataclass(frozen=True)
class Scripted(Strategy):
    """Returns what the test says, and keeps what it was shown."""

    name: ClassVar[str] = "scripted"
    source: ClassVar[str] = "this test"
    declared: frozenset[str] = frozenset()
    result: Queries | None = None
    shown: list[Knowledge] = dataclasses.field(default_factory=list)

    @property
    def needs(self) -> frozenset[str]:
        return self.declared

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        self.shown.append(knowledge)
        return self.result or Queries.members(knowledge.pool, np.arange(k))


def test_a_strategy_is_shown_only_what_it_declares() -> None:
    for declared in (frozenset[str](), frozenset({"labels"}), frozenset({"substitute"})):
        strategy = Scripted(declared)
        choice(strategy, knowing(), 2)
        (shown,) = strategy.shown
        assert (shown.labels is not None) == ("labels" in declared)
        assert (shown.substitute is not None) == ("substitute" in declared)


@pytest.mark.parametrize("need", ["labels", "substitute", "activations"])
def test_a_need_that_is_not_met_is_refused(need: str) -> None:
    with pytest.raises(InvalidInput, match=f"needs {need}, and none are given"):
        choice(Scripted(frozenset({need})), Knowledge(colour(), 3), 2)


def queries(index: list[int], *, parent: list[int] | None = None, inputs: Images | None = None) -> Queries:
    pool = colour().concat(colour(1, seed=9))
    made = pool.take([i if i in range(24) else 24 for i in index]) if inputs is None else inputs
    return Queries(made, np.array(index), np.full(len(index), -1) if parent is None else np.array(parent))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (queries([1]), "returned 1 queries where 2 were asked"),
        (queries([1, 2, 3]), "returned 3 queries where 2 were asked"),
        (queries([1, 1]), "a pool member twice"),
        (queries([1, 0]), "a pool member twice"),
        (queries([1, 24]), "beyond the pool"),
        (queries([1, -2]), "beyond the pool"),
        (queries([1, -1], parent=[-1, 24]), "beyond the pool"),
        (queries([1, 2], inputs=colour().take([1])), "parts of different lengths"),
        (queries([1, -1], parent=[-1]), "parts of different lengths"),
        (queries([1, 2], inputs=colour().take([2, 1])), "not those of their pool index"),
    ],
)
def test_a_strategy_that_breaks_its_contract_is_found_out(result: Queries, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"strategy scripted returned .*{message}|{message}"):
        choice(Scripted(result=result), knowing(asked=[0]), 2)


def test_new_inputs_that_repeat_another_query_are_dropped_and_counted() -> None:
    pool = colour()
    fresh = colour(1, seed=9)
    inputs = pool.take([3]).concat(fresh).concat(pool.take([3, 4])).concat(fresh)
    result = Queries(inputs, np.array([-1, -1, 3, 4, -1]), np.array([5, 6, -1, -1, 7]), dropped=1)
    found = Scripted(result=result).select(knowing(), 6, rng=np.random.default_rng(0))
    assert found.pool_index.tolist() == [-1, 3, 4]
    assert found.parent.tolist() == [6, -1, -1]
    assert found.dropped == 3
    assert found.inputs.digests() == fresh.digests() + pool.take([3, 4]).digests()


def test_without_a_folder_nothing_is_kept() -> None:
    calls: list[int] = []

    def compute() -> AnyArray:
        calls.append(1)
        return np.arange(3)

    for _ in range(2):
        assert Memo().array(("key",), compute).tolist() == [0, 1, 2]
    assert len(calls) == 2


def test_an_array_is_kept_under_its_key_with_its_type(tmp_path: Path) -> None:
    wanted = np.random.default_rng(0).random((5, 4)).astype(np.float32)
    first = Memo(tmp_path / "a" / "b").array(("key", 1), lambda: wanted)
    again = Memo(tmp_path / "a" / "b").array(("key", 1), lambda: np.zeros(1))
    other = Memo(tmp_path / "a" / "b").array(("key", 2), lambda: np.zeros(1))
    for found in (first, again):
        assert found.dtype == np.float32
        assert (found == wanted).all()
    assert other.tolist() == [0.0]


def test_an_error_while_computing_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        Memo(tmp_path).array(("key",), lambda: np.array(1 // 0))
    assert Memo(tmp_path).array(("key",), lambda: np.ones(2)).tolist() == [1, 1]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="file/memo, where arrays are kept, cannot be written to"):
        Memo(tmp_path / "file" / "memo").array(("key",), lambda: np.ones(2))


def test_of_several_processes_one_computes_even_after_one_was_killed_doing_it(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, __file__, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True)
    assert json.loads(run.stdout) == [-signal.SIGKILL, 0, 0, 0, 0]
    assert (tmp_path / "computed").read_text() == "begun\nbegun\ndone\n"


def compute_slowly(folder: Path, *, die: bool) -> None:
    def told(word: str) -> None:
        with open(folder / "computed", "a") as file:
            file.write(f"{word}\n")

    def compute() -> AnyArray:
        told("begun")
        if die:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.2)
        told("done")
        return np.arange(1000)

    found = Memo(folder / "memo").array(("key",), compute)
    os._exit(0 if (found == np.arange(1000)).all() else 1)


def forked(folder: Path, *, die: bool) -> int:
    child = os.fork()
    if child == 0:
        try:
            compute_slowly(folder, die=die)
        finally:
            os._exit(2)
    return child


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    place = Path(sys.argv[1])
    first = ended(forked(place, die=True))
    print(json.dumps([first, *map(ended, [forked(place, die=False) for _ in range(4)])]))
