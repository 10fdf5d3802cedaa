"""Measures against scikit-learn, SciPy and brute force."""

from collections.abc import Callable
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, top_k_accuracy_score

from copycost import measures
from copycost._types import FloatArray, IntArray
from copycost.errors import InvalidInput

LABEL_LISTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def labels(n: int, classes: int, seed: int) -> IntArray:
    return rng(seed).integers(0, classes, n)


@settings(max_examples=60, deadline=None)
@given(LABEL_LISTS)
def test_accuracy_f1_and_confusion_equal_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    predicted, true = np.array(pairs).T
    assert measures.accuracy(predicted, true) == pytest.approx(accuracy_score(true, predicted))
    assert measures.agreement(predicted, true) == measures.accuracy(true, predicted)
    f1 = f1_score(true, predicted, labels=range(5), average="macro", zero_division=0)
    assert measures.macro_f1(predicted, true, classes=5) == pytest.approx(f1)
    counts = measures.confusion(true, predicted, classes=5)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, confusion_matrix(true, predicted, labels=range(5)))


def test_macro_f1_keeps_a_class_that_never_occurs_in_the_mean() -> None:
    assert measures.macro_f1([0, 1], [0, 1], classes=2) == 1.0
    assert measures.macro_f1([0, 1], [0, 1], classes=4) == 0.5


def test_a_single_class_and_a_single_input_are_allowed() -> None:
    assert measures.accuracy([3], [3]) == 1.0
    assert measures.macro_f1([0], [0], classes=1) == 1.0
    assert measures.confusion([0], [0], classes=1).tolist() == [[1]]


def test_labels_of_small_dtypes_do_not_overflow_the_confusion() -> None:
    high = np.full(3, 254, np.uint8)
    assert measures.confusion(high, high, classes=255)[254, 254] == 3


def test_per_class_agreement_is_the_share_within_each_class_of_the_target() -> None:
    target, substitute = labels(200, 6, 1), labels(200, 6, 2)
    target[target == 4] = 3
    found = measures.per_class_agreement(target, substitute, classes=6)
    for label in range(6):
        members = target == label
        if label == 4:
            assert np.isnan(found[label])
        else:
            assert found[label] == pytest.approx(accuracy_score(target[members], substitute[members]))


def test_cross_entropy_equals_scikit_learn() -> None:
    table = rng().dirichlet(np.ones(7), size=300)
    true = labels(300, 7, 3)
    assert measures.cross_entropy(table, true) == pytest.approx(log_loss(true, table, labels=range(7)))
    narrow = measures.cross_entropy(table.astype(np.float32), true)
    assert narrow == pytest.approx(log_loss(true, table, labels=range(7)), rel=1e-5)


@pytest.mark.parametrize("k", [1, 2, 5, 7])
def test_top_k_accuracy_equals_scikit_learn_where_nothing_ties(k: int) -> None:
    table, true = rng(3).dirichlet(np.ones(7), 200), labels(200, 7, 4)
    expected = 1.0 if k == 7 else top_k_accuracy_score(true, table, k=k, labels=range(7))
    assert measures.top_k_accuracy(table, true, k) == pytest.approx(expected)
    assert measures.top_k_accuracy(table.astype(np.float32), true, k) == pytest.approx(expected)
    assert measures.top_k_accuracy(np.log(table), true, k) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=4, max_size=4), st.integers(0, 3)), min_size=1, max_size=9)
)
def test_of_equal_probabilities_the_lowest_label_comes_first(rows: list[tuple[list[int], int]]) -> None:
    for k in (1, 2, 3, 4):
        hits = [true in sorted(range(4), key=lambda label: (-row[label], label))[:k] for row, true in rows]
        table = np.array([row for row, _ in rows], dtype=np.float64)
        assert measures.top_k_accuracy(table, [true for _, true in rows], k) == pytest.approx(np.mean(hits))
        if k == 1:
            assert measures.accuracy(table.argmax(axis=1), [true for _, true in rows]) == pytest.approx(np.mean(hits))


def test_cross_entropy_of_a_confident_error_is_the_floor_and_of_a_confident_hit_zero() -> None:
    table = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert measures.cross_entropy(table, [0, 0]) == 0.0
    assert measures.cross_entropy(table, [1, 0]) == pytest.approx(-np.log(1e-12) / 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: measures.accuracy([], []), "predicted has shape"),
        (lambda: measures.accuracy([1, 2], [1]), "lengths differ"),
        (lambda: measures.agreement([[1]], [1]), "a has shape"),
        (lambda: measures.accuracy([1.0, np.nan], [1, 2]), "NaN"),
        (lambda: measures.accuracy([1.0, 2.0], [1, 2]), "dtype float64"),
        (lambda: measures.macro_f1([0, 3], [0, 1], classes=3), "between 0 and 2"),
        (lambda: measures.confusion([-1], [0], classes=3), "labels from -1"),
        (lambda: measures.confusion([0], [0], classes=0), "classes is 0"),
        (lambda: measures.per_class_agreement([0], [0, 1], classes=3), "lengths differ"),
        (lambda: measures.top_k_accuracy([[0.5, 0.5]], [0], 0), "k is 0; a whole number from 1 to 2"),
        (lambda: measures.top_k_accuracy([[0.5, 0.5]], [0], 3), "k is 3; a whole number from 1 to 2"),
        (lambda: measures.top_k_accuracy([[0.5, 0.5]], [2], 1), "labels"),
        (lambda: measures.top_k_accuracy([[0.5, 0.5]], [0, 1], 1), "lengths differ"),
        (lambda: measures.top_k_accuracy([[np.nan, 1.0]], [0], 1), "NaN"),
        (lambda: measures.top_k_accuracy(np.zeros((0, 3)), [], 1), "shape"),
        (lambda: measures.cross_entropy([[0.5, 0.5]], [0, 1]), "lengths differ"),
        (lambda: measures.cross_entropy([[3.0, -2.0]], [0]), "softmax"),
        (lambda: measures.cross_entropy([[0.4, 0.4]], [0]), "softmax"),
        (lambda: measures.cross_entropy([[np.nan, 1.0]], [0]), "NaN"),
        (lambda: measures.cross_entropy([0.5, 0.5], [0, 1]), "shape"),
        (lambda: measures.cross_entropy([[0.5, 0.5]], [2]), "between 0 and 1"),
    ],
)
def test_arrays_that_cannot_be_measured_are_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        call()


def test_targeted_rates_equal_a_count_by_hand() -> None:
    wanted, clean, true, answered = (labels(500, 4, seed) for seed in (1, 2, 3, 4))
    fooled = rng(5).random(500) < 0.6
    found = measures.transfer_rates(clean=clean, answered=answered, fooled=fooled, classes=4, wanted=wanted, true=true)
    chosen = [i for i in range(500) if fooled[i]]
    assert (found.made, found.fooled) == (500, len(chosen))
    for rates, members in ((found.among_made, range(500)), (found.among_fooled, chosen)):
        assert rates.wanted == pytest.approx(sum(answered[i] == wanted[i] for i in members) / len(members))
        assert rates.left_clean == pytest.approx(sum(answered[i] != clean[i] for i in members) / len(members))
        assert rates.off_diagonal == pytest.approx(sum(answered[i] != true[i] for i in members) / len(members))
    np.testing.assert_array_equal(found.confusion, confusion_matrix(true[fooled], answered[fooled], labels=range(4)))


def test_the_off_diagonal_rate_is_what_the_confusion_matrix_shows() -> None:
    clean, true, answered = (labels(300, 5, seed) for seed in (1, 2, 3))
    fooled = rng(4).random(300) < 0.5
    found = measures.transfer_rates(clean=clean, answered=answered, fooled=fooled, classes=5, true=true)
    off = 1 - np.trace(found.confusion) / found.confusion.sum()
    assert found.among_fooled.off_diagonal == pytest.approx(off)


def test_untargeted_examples_without_true_labels_have_one_rate_and_a_confusion_over_clean_labels() -> None:
    found = measures.transfer_rates(clean=[0, 1, 2], answered=[1, 1, 0], fooled=[True, True, False], classes=3)
    assert found.among_made == measures.Rates(None, 2 / 3, None)
    assert found.among_fooled == measures.Rates(None, 0.5, None)
    assert found.confusion.tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_a_target_that_errs_on_the_clean_image_is_off_the_diagonal_without_leaving_its_label() -> None:
    found = measures.transfer_rates(clean=[1], answered=[1], fooled=[True], classes=3, wanted=[2], true=[0])
    assert found.among_fooled == measures.Rates(wanted=0.0, left_clean=0.0, off_diagonal=1.0)


def test_rates_among_the_fooled_are_undefined_where_nothing_fooled_the_substitute() -> None:
    found = measures.transfer_rates(
        clean=[0, 1], answered=[1, 1], fooled=[False, False], classes=2, wanted=[1, 0], true=[0, 1]
    )
    assert found.fooled == 0
    assert found.among_fooled == measures.Rates(None, None, None)
    assert found.among_made == measures.Rates(0.5, 0.5, 0.5)
    assert found.confusion.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"clean": []}, "clean has shape"),
        ({"answered": [0]}, "lengths differ"),
        ({"fooled": [1, 0]}, "fooled has shape .* dtype int64"),
        ({"fooled": [True]}, "lengths differ"),
        ({"wanted": [0]}, "wanted has 1"),
        ({"true": [0, 9]}, "true has labels"),
        ({"answered": [0.0, float("nan")]}, "NaN"),
    ],
)
def test_transfer_arrays_that_do_not_match_are_refused(changed: dict[str, list[float]], words: str) -> None:
    arguments: dict[str, list[float]] = {"clean": [0, 1], "answered": [1, 1], "fooled": [True, False]}
    with pytest.raises(InvalidInput, match=words):
        measures.transfer_rates(**{**arguments, **changed}, classes=3)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
@pytest.mark.parametrize("n", [2, 5, 30])
def test_the_student_interval_equals_scipy(n: int, level: float) -> None:
    values = rng(n).normal(0.9, 0.02, n)
    found = measures.student_interval(values, level)
    low, high = stats.t.interval(level, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert (found.low, found.high) == near(low, high)
    assert found.mean == pytest.approx(values.mean())
    assert (found.n, found.values) == (n, tuple(values))


def test_one_value_has_a_mean_and_no_interval() -> None:
    assert measures.student_interval([0.5]) == measures.Interval(0.5, None, None, 1, (0.5,))


def test_equal_values_have_an_interval_of_exactly_zero_width() -> None:
    found = measures.student_interval([0.1, 0.1, 0.1])
    assert (found.low, found.mean, found.high) == (0.1, 0.1, 0.1)


@pytest.mark.parametrize("shift", [0.0, 0.008, 0.02])
def test_a_difference_is_supported_exactly_when_the_paired_t_test_rejects(shift: float) -> None:
    for seed in range(20):
        a, b = rng(seed).normal(0.9, 0.01, (2, 8))
        found = measures.paired_interval(a + shift, b)
        low, high = stats.ttest_rel(a + shift, b).confidence_interval(0.95)
        assert (found.low, found.high) == near(low, high)
        assert measures.difference_supported(found) == (stats.ttest_rel(a + shift, b).pvalue < 0.05)


def test_a_difference_is_not_supported_by_one_seed_nor_by_equal_values() -> None:
    assert not measures.difference_supported(measures.paired_interval([0.9], [0.1]))
    assert not measures.difference_supported(measures.paired_interval([0.9, 0.8], [0.9, 0.8]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: measures.student_interval([]), "values has shape"),
        (lambda: measures.student_interval([0.5, np.nan]), "NaN"),
        (lambda: measures.student_interval([0.5, np.inf]), "infinity"),
        (lambda: measures.student_interval(["a"]), "dtype"),
        (lambda: measures.student_interval([0.5, 0.6], level=95), "level is 95"),
        (lambda: measures.paired_interval([0.5, 0.6], [0.5]), "a has 2 values and b has 1"),
    ],
)
def test_values_without_an_interval_are_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        call()


BUDGETS = [50, 150, 300, 600]


def needed(curves: list[list[float]] | FloatArray, seed: int = 0, resamples: int = 2000) -> measures.QueriesNeeded:
    return measures.queries_needed(BUDGETS, curves, 0.9, rng=rng(seed), resamples=resamples)


def near(*values: float) -> object:
    return pytest.approx(values)


def crossing_by_search(curve: list[float], level: float) -> float:
    """The first crossing found by walking along the interpolated curve in steps of a hundredth of a query."""
    grid = np.linspace(50, 600, 55_001)
    return float(grid[np.argmax(np.interp(grid, BUDGETS, curve) >= level - 1e-12)])


def test_the_estimate_is_the_median_of_the_interpolated_crossings() -> None:
    curves = [[0.6, 0.8, 0.92, 0.95], [0.5, 0.89, 0.91, 0.9], [0.7, 0.85, 0.88, 0.93], [0.4, 0.5, 0.7, 0.99]]
    crossings = [crossing_by_search(curve, 0.9) for curve in curves]
    found = needed(curves)
    assert found.state == "reached"
    assert found.queries == pytest.approx(median(crossings), abs=0.02)
    assert needed(curves[:3]).queries == pytest.approx(median(crossings[:3]), abs=0.02)


def test_the_first_crossing_counts_when_a_curve_dips_again() -> None:
    assert needed([[0.8, 1.0, 0.7, 0.95]]).queries == pytest.approx(100)


def test_a_seed_that_meets_the_level_exactly_at_a_budget_needs_that_budget() -> None:
    assert needed([[0.5, 0.9, 0.9, 0.9]]).queries == 150
    last = needed([[0.5, 0.6, 0.7, 0.9]])
    assert (last.queries, last.state) == (600, "reached")


def test_seeds_there_at_the_smallest_budget_give_an_upper_limit_only() -> None:
    found = needed([[0.95, 0.96, 0.97, 0.98]] * 3)
    assert (found.state, found.queries, found.low, found.high) == ("at most", 50, 0, 50)
    assert found.words == "at most 50 queries (95 % interval at most 50)"


def test_an_even_median_that_touches_a_seed_already_there_is_an_upper_limit_too() -> None:
    found = needed([[0.95, 0.96, 0.97, 0.98], [0.8, 1.0, 1.0, 1.0]])
    assert (found.state, found.queries) == ("at most", 75)
    assert found.low == 0
    assert found.words == "at most 75 queries (95 % interval at most 50 to 100)"


def test_a_minority_already_there_leaves_the_estimate_and_opens_the_lower_end() -> None:
    found = needed([[0.95, 0.95, 0.95, 0.95], [0.8, 1.0, 1.0, 1.0], [0.7, 0.9, 1.0, 1.0]])
    assert found.state == "reached"
    assert (found.queries, found.low, found.high) == near(100, 0, 150)
    assert found.words == "about 100 queries (95 % interval at most 50 to 150)"


def test_a_minority_that_never_arrives_opens_the_upper_end() -> None:
    found = needed([[0.8, 1.0, 1.0, 1.0], [0.7, 0.9, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5]])
    assert (found.state, found.queries, found.high, found.reached) == ("reached", 150, None, 2)
    assert found.words == "about 150 queries (95 % interval 100 to more than 600; reached by 2 of 3 seeds)"


@pytest.mark.parametrize(("arrive", "seeds"), [(0, 1), (1, 2), (2, 4), (2, 5), (0, 5)])
def test_it_is_not_reached_when_half_of_the_seeds_or_more_never_arrive(arrive: int, seeds: int) -> None:
    found = needed([[0.8, 1.0, 1.0, 1.0]] * arrive + [[0.5, 0.6, 0.7, 0.8]] * (seeds - arrive))
    assert (found.state, found.queries, found.reached, found.seeds) == ("not reached", None, arrive, seeds)
    assert found.high is None
    plural = "s" if seeds > 1 else ""
    assert found.words == f"more than 600 queries (reached by {arrive} of {seeds} seed{plural})"


def test_an_interval_of_seeds_that_never_arrive_starts_at_the_largest_budget() -> None:
    found = needed([[0.5, 0.6, 0.7, 0.8]] * 5)
    assert (found.low, found.high) == (600, None)


def test_half_already_there_and_half_never_is_not_reached() -> None:
    found = needed([[0.95] * 4, [0.5] * 4])
    assert (found.state, found.queries, found.low, found.high) == ("not reached", None, 0, None)


def test_one_seed_has_an_estimate_and_no_interval() -> None:
    found = needed([[0.8, 1.0, 1.0, 1.0]])
    assert (found.low, found.high) == (None, None)
    assert found.words == "about 100 queries (one seed, no interval)"


@pytest.mark.parametrize("seeds", [5, 9, 40])
def test_the_interval_equals_the_percentile_bootstrap_of_scipy(seeds: int) -> None:
    start = rng(seeds).uniform(0.6, 0.85, seeds)
    curves = np.stack([start, start + 0.04, start + 0.1, start + 0.35], axis=1).clip(max=1)
    crossings = [crossing_by_search(curve, 0.9) for curve in curves.tolist()]
    found = needed(curves, seed=7, resamples=4000)
    reference = stats.bootstrap(
        (crossings,), np.median, n_resamples=4000, method="percentile", vectorized=True, rng=rng(7)
    ).confidence_interval
    spread = reference.high - reference.low
    assert found.low == pytest.approx(reference.low, abs=0.02 + 0.02 * spread)
    assert found.high == pytest.approx(reference.high, abs=0.02 + 0.02 * spread)
    assert found.low is not None
    assert found.low <= reference.low + 0.02


def test_the_interval_narrows_with_less_confidence_and_repeats_with_the_same_generator() -> None:
    curves = np.stack([rng(1).uniform(0.5, 0.85, 20), np.full(20, 0.95)], axis=1)
    ask = [measures.queries_needed([100, 200], curves, rng=rng(3), confidence=share) for share in (0.5, 0.95, 0.95)]
    assert ask[1] == ask[2]
    assert ask[1].low is not None
    assert ask[0].low is not None
    assert ask[1].low < ask[0].low


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 7).flatmap(
        lambda n: st.lists(
            st.lists(st.sampled_from([0.5, 0.85, 0.9, 0.95, 1.0]), min_size=4, max_size=4),
            min_size=n,
            max_size=n,
        )
    ),
    st.integers(0, 3),
)
def test_the_interval_holds_the_estimate_and_the_words_can_always_be_written(
    curves: list[list[float]], seed: int
) -> None:
    found = needed(curves, seed=seed, resamples=400)
    assert "queries" in found.words
    assert found.reached == sum(max(curve) >= 0.9 for curve in curves)
    if found.queries is not None and found.low is not None:
        assert found.low <= found.queries
        assert found.high is None or found.queries <= found.high


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"budgets": []}, "budgets has shape"),
        ({"budgets": [150, 50]}, "strictly increasing"),
        ({"budgets": [50, 50]}, "strictly increasing"),
        ({"budgets": [0, 50]}, "positive"),
        ({"budgets": [50, float("nan")]}, "NaN"),
        ({"agreement": []}, "agreement has shape"),
        ({"agreement": [[0.5, 0.6, 0.7]]}, r"\(seeds, 2\)"),
        ({"agreement": [[0.5, float("nan")]]}, "NaN"),
        ({"agreement": [[50.0, 90.0]]}, "not percentages"),
        ({"level": 90}, "level is 90"),
        ({"resamples": 0}, "resamples is 0"),
        ({"confidence": 1.0}, "confidence is 1.0"),
    ],
)
def test_curves_and_settings_without_an_answer_are_refused(changed: dict[str, object], words: str) -> None:
    arguments: dict[str, object] = {"budgets": [50, 150], "agreement": [[0.5, 0.95]], "rng": rng()}
    with pytest.raises(InvalidInput, match=words):
        measures.queries_needed(**{**arguments, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize("sizes", [(5, 5), (3, 9), (2, 2)])
def test_an_unpaired_interval_is_welchs(sizes: tuple[int, int]) -> None:
    drawn = rng(sum(sizes))
    a, b = drawn.normal(0.9, 0.05, sizes[0]), drawn.normal(0.8, 0.01, sizes[1])
    ours = measures.unpaired_interval(a, b)
    theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert ours.mean == pytest.approx(a.mean() - b.mean())
    assert ours.low == pytest.approx(theirs.low)
    assert ours.high == pytest.approx(theirs.high)


def test_an_unpaired_interval_of_single_or_constant_values_claims_nothing_it_cannot() -> None:
    assert measures.unpaired_interval([0.9], [0.8, 0.7]).low is None
    constant = measures.unpaired_interval([0.9, 0.9], [0.8, 0.8])
    assert constant.low == constant.high == pytest.approx(0.1)
