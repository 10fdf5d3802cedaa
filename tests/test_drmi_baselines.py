"""The strategies that DRMI is compared with, each against brute force or scikit-learn, and lists chosen by hand."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans as ReferenceKMeans
from sklearn.decomposition import PCA

from copycost._types import AnyArray, ByteArray, Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images, Texts
from copycost.strategies import Combination, Knowledge, Memo, Queries, Strategy, parse
from copycost.strategies._cmal import CMAL
from copycost.strategies._hcp import HCP
from copycost.strategies._k_means import KMeans
from copycost.strategies._lcp import LCP
from copycost.strategies._list import Listed
from copycost.strategies._mixture import Mixture
from copycost.strategies._random import Random
from copycost.strategies._trace import Trace
from copycost.subsets._correlation import correlation_matching
from copycost.subsets._k_means import nearest_to_means, principal_components

N = 48
LABELS: IntArray = np.random.default_rng(2).permutation(np.repeat(np.arange(3), (24, 16, 8))).astype(np.int64)
INSIDERS = ("hcp", "lcp", "mixture", "k-means", "k-means pca=0.95", "trace")


def pictures(n: int = N, seed: int = 0) -> Images:
    return Images(np.random.default_rng(seed).integers(0, 256, (n, 3, 4), dtype=np.uint8))


def softmax_rows(n: int = N, seed: int = 1) -> Float32Array:
    rng = np.random.default_rng(seed)
    rows: Float32Array = rng.dirichlet([0.4] * 3, n).astype(np.float32)
    return rows


ROWS = softmax_rows()
BITS: ByteArray = np.random.default_rng(3).integers(0, 256, (N, 5), dtype=np.uint8)


def knowing(asked: Any = (), **changes: Any) -> Knowledge:
    """All that an insider may be shown, over forty-eight images of three classes."""
    given: dict[str, Any] = {"labels": LABELS, "target_probabilities": ROWS, "target_traces": BITS}
    indices = np.array(list(asked), dtype=np.int64)
    return Knowledge(pictures(), 3, asked=indices, **{**given, **changes})


def select(text: str | Strategy, knowledge: Knowledge, k: int, seed: int = 0) -> Queries:
    strategy = parse(text) if isinstance(text, str) else text
    return strategy.select(knowledge, k, rng=np.random.default_rng(seed))


def choice(text: str | Strategy, knowledge: Knowledge, k: int, seed: int = 0) -> list[int]:
    return [int(index) for index in select(text, knowledge, k, seed).pool_index]


# What looks inside the target


@pytest.mark.parametrize("text", INSIDERS)
def test_what_looks_inside_the_target_declares_it_and_is_refused_without(text: str) -> None:
    strategy = parse(text)
    (need,) = strategy.looks_inside
    assert need == ("target_traces" if text == "trace" else "target_probabilities")
    assert not strategy.iterative
    with pytest.raises(InvalidInput, match=f"needs {need}, and none are given; choose another strategy, or a target"):
        select(strategy, knowing(**{need: None}), 6)


def test_who_does_not_declare_a_look_inside_is_shown_none() -> None:
    shown: list[Knowledge] = []

    class Watching(Random):
        def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
            shown.append(knowledge)
            return super().choose(knowledge, k, rng=rng)

    for strategy in (Watching(), Combination(HCP(), Watching(), 9), Combination(Trace(), Watching(), 9)):
        select(strategy, knowing(target_layers=(40,)), 4)
    assert [(one.target_probabilities, one.target_traces, one.target_layers) for one in shown] == [(None, None, ())] * 3
    assert parse("hcp + trace").looks_inside == {"target_probabilities", "target_traces"}
    assert not parse("cmal").looks_inside


@pytest.mark.parametrize("rows", [ROWS[:-1], ROWS[:, :2], np.full((N, 3), np.nan, np.float32)])
def test_probabilities_that_are_not_one_finite_row_for_each_member_are_refused(rows: Float32Array) -> None:
    with pytest.raises(InvalidInput, match="a finite row of 3 for each of 48 inputs is needed"):
        select("hcp", knowing(target_probabilities=rows), 4)


@pytest.mark.parametrize("bits", [BITS[:-1], BITS[:, 0], BITS[:, :0], BITS.astype(np.int64)])
def test_traces_that_are_not_packed_bits_for_each_member_are_refused(bits: AnyArray) -> None:
    with pytest.raises(InvalidInput, match=r"uint8 of shape \(48, bytes\) is needed"):
        select("trace", knowing(target_traces=bits), 4)


@pytest.mark.parametrize("text", ["cmal", *INSIDERS])
@pytest.mark.parametrize("group", ["", " group=label"])
def test_groups_get_their_shares_and_only_free_members_are_chosen(text: str, group: str) -> None:
    asked = [int(np.flatnonzero(label == LABELS)[0]) for label in range(3)]
    candidates = np.setdiff1d(np.arange(N), [int(np.flatnonzero(label == LABELS)[-1]) for label in range(3)])
    knowledge = knowing(asked, candidates=candidates)
    found = choice(text + group, knowledge, 12)
    assert len(set(found)) == 12
    assert set(found) <= set(candidates.tolist()) - set(asked)
    if group:
        assert np.bincount(LABELS[found]).tolist() == [6, 4, 2]
    assert choice(text + group, knowledge, 12) == found


@pytest.mark.parametrize("text", ["cmal", *INSIDERS])
def test_one_can_be_chosen_and_all(text: str) -> None:
    assert len(choice(text, knowing(), 1)) == 1
    assert sorted(choice(text, knowing(), N)) == list(range(N))
    assert sorted(choice(f"{text} group=label", knowing(), N)) == list(range(N))


@pytest.mark.parametrize("text", ["cmal", *INSIDERS])
def test_a_group_that_is_short_is_refused_or_made_up_for(text: str) -> None:
    asked = np.flatnonzero(LABELS == 2)[:7].tolist()
    with pytest.raises(InvalidInput, match="group of label 2 has 1 images left and its share is 4"):
        choice(f"{text} group=label", knowing(asked), 24)
    found = choice(f"{text} group=label redistribute=yes", knowing(asked), 24)
    assert np.bincount(LABELS[found])[2] == 1


@pytest.mark.parametrize("text", ["cmal", *INSIDERS])
def test_the_plan_knows_the_time_before_anything_is_looked_up(text: str) -> None:
    planned = knowing(target_probabilities=None, target_traces=None)
    assert parse(text).seconds(planned, 6) >= 0


def test_texts_are_chosen_by_what_the_target_says_of_them_but_leave_no_trace() -> None:
    texts = dataclasses.replace(knowing(), pool=Texts([f"text {number}" for number in range(N)]))
    for text in ("hcp", "lcp group=label", "mixture", "k-means pca=0.95 group=label"):
        assert choice(text, texts, 9) == choice(text, knowing(), 9)
    for text in ("trace", "cmal"):
        with pytest.raises(InvalidInput, match="handles image; the pool holds text"):
            select(text, texts, 9)


# CMAL


def correlation(rows: FloatArray) -> FloatArray:
    return rows.T @ rows / len(rows)


def plain_cmal(points: ByteArray, k: int) -> tuple[list[int], float]:
    """Greedy choice that builds the whole matrix for every candidate."""
    pixels = points.astype(np.float64) / 255
    target, chosen = correlation(pixels), list[int]()

    def distance(members: list[int]) -> float:
        return float(np.linalg.norm(correlation(pixels[members]) - target))

    for _ in range(k):
        rest = [index for index in range(len(points)) if index not in chosen]
        chosen.append(min(rest, key=lambda index: (round(distance([*chosen, index]), 12), index)))
    return chosen, distance(chosen)


@given(st.integers(1, 14), st.integers(1, 9), st.integers(0, 20))
def test_correlation_matching_takes_what_the_whole_matrices_say(n: int, pixels: int, seed: int) -> None:
    points = np.random.default_rng(seed).integers(0, 256, (n, pixels), dtype=np.uint8)
    for k in {1, (n + 1) // 2, n}:
        found = correlation_matching(points, k)
        chosen, distance = plain_cmal(points, k)
        assert found.indices.tolist() == chosen
        assert found.distance == pytest.approx(distance, abs=1e-7)


def test_many_points_of_few_pixels_are_summed_by_pixels() -> None:
    points = np.random.default_rng(0).integers(0, 256, (9000, 6), dtype=np.uint8)
    pixels = points.astype(np.float64) / 255
    found = correlation_matching(points, 5)
    rest = correlation(pixels)
    chosen: list[int] = []
    for _ in range(5):
        sums = sum((np.outer(pixels[i], pixels[i]) for i in chosen), np.zeros((6, 6)))
        outer = (sums + pixels[:, :, None] * pixels[:, None, :]) / (len(chosen) + 1) - rest
        squares = (outer**2).sum(axis=(1, 2))
        squares[chosen] = np.inf
        chosen.append(int(squares.argmin()))
    assert found.indices.tolist() == chosen


def test_equal_points_are_taken_from_the_lowest_index() -> None:
    points = np.tile(np.random.default_rng(1).integers(0, 256, (1, 40), dtype=np.uint8), (30, 1))
    assert correlation_matching(points, 30).indices.tolist() == list(range(30))
    assert correlation_matching(points, 3).distance == pytest.approx(0, abs=1e-6)
    assert correlation_matching(np.zeros((4, 2), np.uint8), 4).indices.tolist() == [0, 1, 2, 3]


def test_the_first_choices_are_the_answer_for_fewer() -> None:
    points = pictures().array.reshape(N, -1)
    assert correlation_matching(points, 20).indices[:7].tolist() == correlation_matching(points, 7).indices.tolist()


@pytest.mark.parametrize("k", [0, 5, True])
def test_correlation_matching_refuses_what_cannot_be_had(k: int) -> None:
    with pytest.raises(InvalidInput, match="there are 4 points; a whole number from 1 to 4"):
        correlation_matching(np.zeros((4, 2), np.uint8), k)
    for points in (np.zeros((0, 2), np.uint8), np.zeros((4, 0), np.uint8), np.zeros((4, 2)), np.zeros(4, np.uint8)):
        with pytest.raises(InvalidInput, match=r"uint8 of shape \(n, d\) is needed"):
            correlation_matching(cast(ByteArray, points), 1)


def test_cmal_matches_the_free_images_of_each_group() -> None:
    asked = [0, 5, 9]
    free = np.setdiff1d(np.arange(N), asked)
    points = pictures().array.reshape(N, -1)
    assert choice(CMAL(), knowing(asked), 8) == free[plain_cmal(points[free], 8)[0]].tolist()
    wanted: list[int] = []
    for label, share in ((0, 6), (1, 4), (2, 2)):
        members = np.flatnonzero(label == LABELS)
        wanted += members[plain_cmal(points[members], share)[0]].tolist()
    assert choice(CMAL(group="label"), knowing(), 12) == wanted


# HCP, LCP and their mixture with random


def test_hcp_takes_the_surest_of_the_correct_class_first() -> None:
    sure = ROWS[np.arange(N), LABELS]
    order = np.argsort(-sure, kind="stable").tolist()
    found = select(HCP(), knowing(), 10)
    assert found.pool_index.tolist() == order[:10]
    assert found.facts["highest"] == sure.max()
    assert found.facts["lowest"] == sure[order[9]]
    assert choice(HCP(), knowing(order[:3]), 5) == order[3:8]


def test_lcp_takes_the_least_sure_of_those_that_are_correct() -> None:
    sure, right = ROWS[np.arange(N), LABELS], ROWS.argmax(axis=1) == LABELS
    correct = [index for index in np.argsort(sure, kind="stable").tolist() if right[index]]
    wrong = [index for index in np.argsort(-sure, kind="stable").tolist() if not right[index]]
    assert min(len(correct), len(wrong)) > 5
    found = select(LCP(), knowing(), 5)
    assert found.pool_index.tolist() == correct[:5]
    assert found.facts["misclassified"] == 0
    more = select(LCP(), knowing(), len(correct) + 3)
    assert more.pool_index.tolist() == correct + wrong[:3]
    assert more.facts["misclassified"] == 3


@pytest.mark.parametrize("text", ["hcp", "lcp"])
def test_where_the_target_is_equally_sure_the_lowest_indices_win(text: str) -> None:
    certain = np.eye(3, dtype=np.float32)[LABELS]
    assert choice(text, knowing([2], target_probabilities=certain), 4) == [0, 1, 3, 4]


def test_a_label_that_the_target_does_not_know_is_never_correct() -> None:
    labels = LABELS.copy()
    labels[[3, 7]] = 5
    assert set(choice(HCP(), knowing(labels=labels), N)[-2:]) == {3, 7}
    found = select(LCP(), knowing(labels=labels), N)
    assert found.facts["lowest"] == 0
    assert found.facts["misclassified"] == int((ROWS.argmax(axis=1) != labels).sum())


def test_confidence_needs_to_know_what_is_correct() -> None:
    for text in ("hcp", "lcp", "mixture"):
        with pytest.raises(InvalidInput, match=f"strategy '{text}' needs labels, and none are given"):
            select(text, knowing(labels=None), 4)


@pytest.mark.parametrize("group", ["none", "label"])
def test_a_mixture_of_nothing_is_random_and_of_all_is_hcp(group: Any) -> None:
    for seed in range(3):
        assert choice(Mixture(0.0, group), knowing(), 12, seed) == choice(Random(group), knowing(), 12, seed)
        assert choice(Mixture(1.0, group), knowing(), 12, seed) == choice(HCP(group), knowing(), 12, seed)


@pytest.mark.parametrize(("share", "replaced"), [(0.1, 2), (0.3, 6), (0.5, 10), (0.125, 3), (0.97, 19)])
def test_a_mixture_replaces_its_share_of_what_random_drew(share: float, replaced: int) -> None:
    order = choice(HCP(), knowing(), N)
    for seed in range(4):
        found = choice(Mixture(share), knowing(), 20, seed)
        drawn = choice(Random(), knowing(), 20, seed)
        kept, new = found[: 20 - replaced], found[20 - replaced :]
        assert set(kept) <= set(drawn)
        assert new == [index for index in order if index not in kept][:replaced]


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(InvalidInput, match="a number from 0 to 1 is needed"):
        Mixture(share)


# k-means


def test_k_means_takes_the_nearest_to_each_mean_as_scikit_learn_finds_them() -> None:
    for seed, k in itertools.product(range(3), (2, 7, 20)):
        found = nearest_to_means(ROWS, k, rng=np.random.default_rng(seed))
        state = int(np.random.default_rng(seed).integers(2**31))
        reference = ReferenceKMeans(k, n_init=10, random_state=state).fit(ROWS.astype(np.float64))
        nearest = [
            min(
                np.flatnonzero(reference.labels_ == cluster).tolist(),
                key=lambda index: (float(np.linalg.norm(ROWS[index] - reference.cluster_centers_[cluster])), index),
            )
            for cluster in range(k)
        ]
        assert found.indices.tolist() == sorted(nearest)
        assert found.empty == 0
        assert found.inertia == pytest.approx(reference.inertia_)


def test_clusters_that_stand_apart_each_give_their_middle() -> None:
    middles = np.array([[0.0, 0], [100, 0], [0, 100]])
    points = np.concatenate([middle + np.array([[0, 3], [0, 0], [0, -3]]) for middle in middles])
    assert nearest_to_means(points, 3, rng=np.random.default_rng(0)).indices.tolist() == [1, 4, 7]


def test_the_largest_cluster_makes_up_for_empty_ones() -> None:
    points = np.array([[0.0, 1]] * 6 + [[1.0, 0]] * 2)
    found = nearest_to_means(points, 5, rng=np.random.default_rng(0))
    assert found.empty == 3
    assert found.indices.tolist() == [0, 1, 2, 3, 6]
    assert nearest_to_means(points, 8, rng=np.random.default_rng(0)).indices.tolist() == list(range(8))
    same = nearest_to_means(np.zeros((5, 2)), 3, rng=np.random.default_rng(0))
    assert same.indices.tolist() == [0, 1, 2]
    assert same.empty == 2


def test_one_cluster_gives_the_point_nearest_to_the_mean_of_all() -> None:
    found = nearest_to_means(ROWS, 1, rng=np.random.default_rng(0))
    assert found.indices.tolist() == [int(np.linalg.norm(ROWS - ROWS.mean(axis=0), axis=1).argmin())]


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95, 1.0])
def test_principal_components_are_those_of_scikit_learn(share: float) -> None:
    points = np.random.default_rng(0).normal(size=(60, 5)) * [5, 3, 2, 1, 0.2]
    ours = principal_components(points, share)
    reference = PCA(None if share == 1 else share, svd_solver="full").fit_transform(points)
    assert ours.shape == reference.shape
    np.testing.assert_allclose(np.abs(ours), np.abs(reference), atol=1e-9)


def test_points_without_variance_keep_one_component() -> None:
    assert principal_components(np.ones((4, 3)), 0.95).shape == (4, 1)
    assert principal_components(ROWS[:1], 0.95).shape == (1, 1)
    assert principal_components(ROWS, 1.0).shape[1] in (2, 3)


@pytest.mark.parametrize("k", [0, N + 1, True])
def test_k_means_refuses_what_cannot_be_had(k: int) -> None:
    with pytest.raises(InvalidInput, match="a whole number from 1 to 48 is needed"):
        nearest_to_means(ROWS, k, rng=np.random.default_rng(0))
    for points in (np.zeros((0, 2)), np.zeros(3), np.array([[np.nan]]), np.array([["a"]])):
        with pytest.raises(InvalidInput, match="finite numbers of shape"):
            nearest_to_means(points, 1, rng=np.random.default_rng(0))
    for share in (0.0, 1.5):
        with pytest.raises(InvalidInput, match="above 0 and at most 1"):
            principal_components(ROWS, share)


def test_k_means_clusters_the_free_members_of_each_group() -> None:
    rng = np.random.default_rng(0)
    wanted: list[int] = []
    for label, share in ((0, 6), (1, 4), (2, 2)):
        members = np.flatnonzero(label == LABELS)
        wanted += members[nearest_to_means(ROWS[members], share, rng=rng).indices].tolist()
    found = select(KMeans(group="label"), knowing(), 12)
    assert found.pool_index.tolist() == wanted
    assert dict(found.facts) == {"empty": 0}


def test_k_means_after_components_says_how_many_were_kept() -> None:
    found = select("k-means pca=0.6 group=label", knowing(), 12)
    assert found.facts["components_fewest"] <= found.facts["components_most"] <= 3
    assert found.pool_index.tolist() != choice("k-means group=label", knowing(), 12)
    everything = select("k-means pca=0.95", knowing(), 7)
    rows = principal_components(ROWS, 0.95)
    assert everything.facts["components_most"] == rows.shape[1]
    assert everything.pool_index.tolist() == nearest_to_means(rows, 7, rng=np.random.default_rng(0)).indices.tolist()


def test_k_means_counts_clusters_that_a_sure_target_leaves_empty() -> None:
    certain = np.eye(3, dtype=np.float32)[LABELS]
    found = select("k-means", knowing(target_probabilities=certain), 9)
    assert found.facts["empty"] == 6
    assert set(LABELS[found.pool_index].tolist()) == {0, 1, 2}


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_a_share_of_variance_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(InvalidInput, match="a share above 0 and at most 1 is needed"):
        KMeans(pca=share)


def test_k_means_does_not_look_at_labels_that_it_does_not_group_by() -> None:
    assert parse("k-means").needs == {"target_probabilities"}
    assert choice("k-means", knowing(labels=None), 6) == choice("k-means", knowing(), 6)


# TRACE


def traces_apart(members: Iterable[int]) -> int:
    states = np.unpackbits(BITS, axis=1).astype(np.int64)
    return sum(int((states[a] != states[b]).sum()) for a, b in itertools.combinations(sorted(members), 2))


@pytest.mark.parametrize("init", ["min-sum", "min-max"])
def test_trace_finds_the_sets_that_are_most_alike_and_most_apart(init: str) -> None:
    candidates = np.arange(0, N, 5)
    knowledge = knowing(candidates=candidates)
    sums = [traces_apart(members) for members in itertools.combinations(candidates.tolist(), 4)]
    assert traces_apart(choice(f"trace direction=min init={init}", knowledge, 4)) == min(sums)
    assert traces_apart(choice(f"trace direction=max init={init}", knowledge, 4)) == max(sums)


def test_each_setting_of_trace_chooses_its_own_set_and_keeps_it_apart(tmp_path: Path) -> None:
    texts = [f"trace direction={way} init={init}" for way in ("min", "max") for init in ("min-sum", "min-max")]
    plain = [tuple(choice(text, knowing(), 14)) for text in texts]
    assert len(set(plain)) >= 3
    kept = knowing(memo=Memo(tmp_path))
    for _ in range(2):
        assert [tuple(choice(text, kept, 14)) for text in texts] == plain
    assert len(list(tmp_path.glob("*.npy"))) == 4
    other = np.random.default_rng(9).integers(0, 256, BITS.shape, dtype=np.uint8)
    changed = knowing(memo=Memo(tmp_path), target_traces=other)
    assert choice(texts[0], changed, 14) == choice(texts[0], knowing(target_traces=other), 14)


def test_trace_with_all_starts_draws_nothing_and_with_fewer_does() -> None:
    assert len({tuple(choice("trace", knowing(), 14, seed)) for seed in range(4)}) == 1
    assert choice("trace starts=48", knowing(), 14) == choice("trace", knowing(), 14)
    assert len({tuple(choice("trace starts=1", knowing(), 14, seed)) for seed in range(6)}) > 1
    with pytest.raises(InvalidInput, match="trace starts is 0; 1 or more is needed"):
        parse("trace starts=0")


@pytest.mark.parametrize("sizes", [(24, 11), (21, 16), (3, 4, 33), (40,)])
def test_traces_of_the_last_layer_are_the_bits_of_its_neurons_alone(sizes: tuple[int, ...]) -> None:
    states = np.random.default_rng(4).random((N, sum(sizes))) < np.linspace(0.1, 0.9, N)[:, None]
    knowledge = knowing(target_traces=np.packbits(states, axis=1), target_layers=sizes)
    alone = knowing(target_traces=np.packbits(states[:, -sizes[-1] :], axis=1), target_layers=sizes[-1:])
    assert choice("trace layers=last", knowledge, 9) == choice("trace", alone, 9)
    for text, part in (("trace", states), ("trace layers=last", states[:, -sizes[-1] :])):
        facts = select(text, knowledge, 9).facts
        assert facts["active_median"] == pytest.approx(np.median(part.mean(axis=1)))
        assert facts["active_lower_quartile"] == pytest.approx(np.quantile(part.mean(axis=1), 0.25))


@pytest.mark.parametrize(("layers", "most"), [("all", 12), ("last", 9)])
def test_traces_are_counted_hashed_and_cut_without_copies_of_the_whole(layers: str, most: int) -> None:
    bits = np.random.default_rng(7).integers(0, 256, (128, 40 * 1024), dtype=np.uint8)
    knowledge = Knowledge(pictures(128), 3, target_traces=bits, target_layers=(8 * 24576 + 3, 8 * 16384 - 3))
    strategy = parse(f"trace layers={layers}")
    select(strategy, knowledge, 2)  # compiles
    tracemalloc.start()
    try:
        select(strategy, knowledge, 2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most * 2**20  # distances hold what counts twice: 5 MiB, or 2 of the last layer


def test_the_hash_that_names_a_choice_is_that_of_the_shape_and_the_bits(tmp_path: Path) -> None:
    found = choice("trace", knowing(memo=Memo(tmp_path)), 6)
    digest = hashlib.sha256(repr(BITS.shape).encode() + BITS.tobytes()).hexdigest()
    kept = Memo(tmp_path).array(("trace/1", digest, 6, "max", "min-sum"), lambda: np.zeros(0))
    assert sorted(kept.tolist()) == sorted(found)


def test_the_last_layer_needs_the_sizes_of_all_and_sizes_must_fit_the_bits() -> None:
    with pytest.raises(InvalidInput, match="how many neurons each layer has is not known; give target_layers"):
        select("trace layers=last", knowing(), 4)
    with pytest.raises(InvalidInput, match="target_layers have 48 neurons and target_traces 5 bytes; 6 are needed"):
        select("trace", knowing(target_layers=(40, 8)), 4)


def test_traces_that_are_all_alike_give_the_lowest_indices() -> None:
    assert choice("trace", knowing(target_traces=np.zeros((N, 2), np.uint8)), 4) == [0, 1, 2, 3]


# Lists chosen by hand


def written(folder: Path, text: str, name: str = "manual.txt") -> str:
    (folder / name).write_bytes(text.encode())
    return f"list:{folder / name}"


def test_a_list_gives_its_first_members_in_its_order(tmp_path: Path) -> None:
    text = written(tmp_path, "7\n3\n\n  40 \n0\n")
    assert choice(text, knowing(), 4) == [7, 3, 40, 0]
    found = select(text, knowing(), 2)
    assert found.pool_index.tolist() == [7, 3]
    assert dict(found.facts) == {"passed_over": 0}
    assert not parse(text).needs
    assert parse(text).from_pool
    assert parse(text).media == {"image", "text"}


@pytest.mark.parametrize(
    "content",
    [
        "index\n7\n3\n",
        'why,index,label\nround,7,1\n"thin, slanted",3,2\n',
        '\ufeff"index"\r\n"7"\r\n"3"\r\n',
        "index , why\n 7 , round\n 3\n",
        "key,position,pool_index,use\na1,0,7,train\na1,1,3,train\n",
        "pool_index,index\n1,7\n2,3\n",
    ],
)
def test_a_csv_file_gives_its_column_of_indices(tmp_path: Path, content: str) -> None:
    assert choice(written(tmp_path, content, "manual.csv"), knowing(), 2) == [7, 3]


def test_the_content_of_a_list_is_part_of_how_it_is_written(tmp_path: Path) -> None:
    text = written(tmp_path, "7\n3\n")
    strategy = parse(text)
    digest = hashlib.sha256(b"7\n3\n").hexdigest()[:16]
    assert str(strategy) == f"{text} sha256={digest}"
    assert parse(str(strategy)) == strategy
    assert hash(parse(str(strategy))) == hash(strategy)
    assert str(parse(written(tmp_path, "7\n4\n"))) != str(strategy)


def test_a_list_that_was_changed_or_lost_can_be_named_but_not_used(tmp_path: Path) -> None:
    strategy = parse(written(tmp_path, "7\n3\n"))
    written(tmp_path, "7\n4\n")
    kept = parse(str(strategy))
    with pytest.raises(InvalidInput, match="was changed since it was named"):
        kept.check_count(1, N)
    with pytest.raises(InvalidInput, match="was changed since it was named"):
        select(kept, knowing(), 1)
    (tmp_path / "manual.txt").unlink()
    assert parse(str(strategy)) == strategy
    with pytest.raises(InvalidInput, match="cannot be read"):
        select(kept, knowing(), 1)


def test_a_list_is_asked_for_no_more_than_it_holds(tmp_path: Path) -> None:
    strategy = parse(written(tmp_path, "7\n3\n"))
    with pytest.raises(InvalidInput, match="holds 2 indices and 3 queries are to be chosen from it; ask for fewer"):
        strategy.check_count(3, N)
    strategy.check_count(2, N)
    with pytest.raises(InvalidInput, match="asked for 2 queries; the pool has 1 left"):
        strategy.check_count(2, 1)


def test_listed_members_that_are_not_free_are_passed_over(tmp_path: Path) -> None:
    text = written(tmp_path, "7\n3\n40\n0\n9\n")
    found = select(text, knowing([3]), 3)
    assert found.pool_index.tolist() == [7, 40, 0]
    assert dict(found.facts) == {"passed_over": 1}
    with pytest.raises(InvalidInput, match=r"of the 5 indices in the list .* 3 are free, and 4 queries"):
        select(text, knowing([3, 9]), 4)


def test_a_list_counts_the_pool_as_it_was_loaded(tmp_path: Path) -> None:
    """Of fifty inputs loaded the second repeats the first and the last the fourth; forty-eight are left."""
    numbering = np.array([0, 0, *range(1, N), 2])
    text = written(tmp_path, "2\n1\n0\n49\n3\n48\n", "loaded.txt")
    found = select(text, knowing(numbering=numbering), 4)
    assert found.pool_index.tolist() == [1, 0, 2, 47]
    assert dict(found.facts) == {"passed_over": 2}
    assert parse(text).most(knowing(numbering=numbering)) == 4
    assert parse(text).most(knowing([0, 47], numbering=numbering)) == 2
    assert select(text, knowing([0], numbering=numbering), 2).pool_index.tolist() == [1, 2]
    for beyond in (parse(text).most, lambda shown: select(text, shown, 1)):
        with pytest.raises(InvalidInput, match="holds the index 49, and the pool has 48 inputs, 0 to 47"):
            beyond(knowing())


def test_a_list_may_be_the_half_of_a_combination(tmp_path: Path) -> None:
    text = written(tmp_path, "7 \n3\n40\n0\n9") + " + cmal rho=5"
    assert set(choice(text, knowing(), 3)) <= {7, 3, 40, 0, 9}
    assert str(parse(str(parse(text)))) == str(parse(text))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("7\nseven\n", "line 2 of the list .* holds 'seven'; a pool index is needed"),
        ("7\n-1\n", "line 2 of the list .* holds '-1'"),
        ("7\n3.0\n", "line 2 .* holds '3.0'"),
        ("7\n\n7\n", "line 3 of the list .* repeats the index 7"),
        ("", "holds no index; one pool index a line is needed"),
        ("index\n\n", "holds no index"),
        ("7,1\n3,2\n", "has 2 columns and none is headed index"),
        ("why,index\nround\n", "line 2 .* holds ''"),
        ("9" * 30, "line 1 .* a whole number of 0 or more"),
        ("index\n7\n" + "9" * 200_000, "line 3 of the list .* cannot be read as CSV .*field larger than field limit"),
    ],
)
def test_a_list_that_is_none_is_refused_when_it_is_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse(written(tmp_path, content))


def test_a_list_beyond_the_pool_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"holds the index 48, and the pool has 48 inputs, 0 to 47; leave it out"):
        select(written(tmp_path, "3\n48\n"), knowing(), 1)


def test_a_file_that_is_not_there_or_no_file_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=re.escape("none.txt cannot be read (No such file or directory)")):
        parse(f"list:{tmp_path}/none.txt")
    with pytest.raises(InvalidInput, match="cannot be read"):
        parse(f"list:{tmp_path}")
    for path in ("", "a b.txt", " a"):
        with pytest.raises(InvalidInput, match="a path without white space is needed"):
            Listed(path)
    with pytest.raises(InvalidInput, match="16 hexadecimal digits are needed"):
        Listed("a.txt", "XYZ")


def test_a_list_is_written_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"strategy 'list' is not known.* list:FILE"):
        parse("list")
    with pytest.raises(InvalidInput, match="strategy list has no parameter 'k'; it takes sha256"):
        parse(f"{written(tmp_path, '7')} k=3")
    with pytest.raises(InvalidInput, match="strategy 'lists:a' is not known"):
        parse("lists:a")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("k-means pca=0.950 group=label", "k-means pca=0.95 group=label"),
        ("k-means pca=none", "k-means"),
        ("mixture share=.3", "mixture"),
        ("mixture share=0.10", "mixture share=0.1"),
        ("trace init=min-max direction=max", "trace init=min-max"),
        ("cmal group=label redistribute=yes", "cmal group=label redistribute=yes"),
    ],
)
def test_settings_are_written_in_one_way(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)
    assert dataclasses.replace(parse(text)) == parse(text)  # type: ignore[type-var]
