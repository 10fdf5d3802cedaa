"""Kinds of answer against values worked out by hand, and what counts as an answer at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from copycost.errors import InvalidInput, TargetError
from copycost.oracle import AnswerKind, Answers
from copycost.oracle._answers import checked_reply


def raw(*rows: list[float]) -> Answers:
    array = np.array(rows, np.float32)
    return Answers(array.argmax(axis=1).astype(np.int64), array)


def given_by(kind: str, *rows: list[float]) -> tuple[list[int], list[list[float]]]:
    answers = AnswerKind.parse(kind).apply(raw(*rows))
    assert answers.probabilities is not None
    assert answers.probabilities.dtype == np.float32
    assert answers.labels.dtype == np.int64
    return answers.labels.tolist(), [[round(float(p), 6) for p in row] for row in answers.probabilities]


def test_top1_gives_labels_and_nothing_else() -> None:
    answers = AnswerKind.parse("top1").apply(raw([0.2, 0.8], [0.6, 0.4]))
    assert answers.labels.tolist() == [1, 0]
    assert answers.probabilities is None


def test_probabilities_are_handed_on_untouched() -> None:
    whole = raw([0.123456, 0.876544])
    assert AnswerKind.parse("probabilities").apply(whole) is whole


def test_rounding_shows_the_rounded_values() -> None:
    labels, rows = given_by("rounded:2", [0.123, 0.456, 0.421], [0.0, 0.004, 0.996])
    assert rows == [[0.12, 0.46, 0.42], [0.0, 0.0, 1.0]]
    assert labels == [1, 2]


def test_after_rounding_the_lowest_class_wins_a_tie() -> None:
    labels, rows = given_by("rounded:1", [0.26, 0.34, 0.31, 0.09], [0.2, 0.38, 0.42, 0.0])
    assert rows == [[0.3, 0.3, 0.3, 0.1], [0.2, 0.4, 0.4, 0.0]]
    assert labels == [0, 1]


def test_rounding_to_no_decimals_can_leave_nothing() -> None:
    assert given_by("rounded:0", [0.4, 0.3, 0.3], [0.1, 0.9, 0.0]) == ([0, 1], [[0, 0, 0], [0, 1, 0]])


def test_topk_spreads_what_is_left_over_the_others() -> None:
    labels, rows = given_by("topk:2", [0.1, 0.5, 0.04, 0.3, 0.06])
    assert labels == [1]
    assert rows[0] == pytest.approx([0.2 / 3, 0.5, 0.2 / 3, 0.3, 0.2 / 3], abs=1e-6)


def test_topk_keeps_the_lowest_class_of_a_tie() -> None:
    labels, rows = given_by("topk:1", [0.25, 0.25, 0.25, 0.25])
    assert labels == [0]
    assert rows[0] == pytest.approx([0.25] * 4)
    labels, rows = given_by("topk:1", [0.1, 0.4, 0.4, 0.1])
    assert labels == [1]
    assert rows[0] == pytest.approx([0.2, 0.4, 0.2, 0.2])


def test_topk_of_all_classes_is_everything() -> None:
    labels, rows = given_by("topk:3", [0.2, 0.5, 0.3])
    assert (labels, rows) == ([1], [[0.2, 0.5, 0.3]])


def test_topk_never_shows_a_negative_rest() -> None:
    _, rows = given_by("topk:2", [0.6, 0.45, 0.0])
    assert rows[0] == pytest.approx([0.6, 0.45, 0.0])


def test_topk_beyond_the_classes_is_refused() -> None:
    with pytest.raises(InvalidInput, match="topk:4, but the target has 3 classes"):
        AnswerKind.parse("topk:4").apply(raw([0.2, 0.5, 0.3]))


@pytest.mark.parametrize("kind", ["probabilities", "topk:1", "rounded:2"])
def test_probabilities_cannot_be_made_of_labels(kind: str) -> None:
    with pytest.raises(InvalidInput, match="labels alone; use --answers top1"):
        AnswerKind.parse(kind).apply(Answers(np.array([1, 0])))


@pytest.mark.parametrize("kind", ["top1", "probabilities", "topk:2", "rounded:2"])
def test_no_inputs_have_no_answers(kind: str) -> None:
    none = AnswerKind.parse(kind).apply(Answers(np.zeros(0, np.int64), np.zeros((0, 3), np.float32)))
    assert len(none) == 0


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_topk_agrees_with_a_plain_sort(classes: int, k: int, seed: int) -> None:
    k = min(k, classes)
    row = np.random.default_rng(seed).dirichlet(np.ones(classes)).astype(np.float32)
    shown = AnswerKind("topk", k).apply(Answers(np.array([row.argmax()]), row[np.newaxis])).probabilities
    assert shown is not None
    kept = sorted(range(classes), key=lambda label: (-row[label], label))[:k]
    rest = 1 - sum(float(row[label]) for label in kept)
    wanted = [float(row[c]) if c in kept else rest / (classes - k) for c in range(classes)]
    assert shown[0] == pytest.approx(wanted, abs=1e-6)
    assert shown.argmax() == row.argmax()


@pytest.mark.parametrize("text", ["top1", "probabilities", "topk:1", "topk:17", "rounded:0", "rounded:7"])
def test_a_kind_survives_being_written_and_read(text: str) -> None:
    assert str(AnswerKind.parse(text)) == text
    assert AnswerKind.parse(str(AnswerKind.parse(text))) == AnswerKind.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "top2",
        "topk",
        "topk:",
        "topk:0",
        "topk:-1",
        "topk:1.5",
        "rounded:8",
        "rounded:x",
        "labels",
        "topk:٣",
    ],
)
def test_other_kinds_are_refused_with_the_text_named(text: str) -> None:
    with pytest.raises(InvalidInput, match="answers is"):
        AnswerKind.parse(text)


def test_a_kind_made_directly_is_checked_too() -> None:
    with pytest.raises(InvalidInput, match="answers is 'hidden'"):
        AnswerKind("hidden")
    with pytest.raises(InvalidInput, match="at least one class"):
        AnswerKind("topk", 0)


def test_answers_are_taken_and_joined_in_order() -> None:
    some = raw([0.9, 0.1], [0.2, 0.8], [0.3, 0.7])
    picked = some.take(np.array([2, 0]))
    assert picked.labels.tolist() == [1, 0]
    both = picked.concat(some)
    assert both.labels.tolist() == [1, 0, 0, 1, 1]
    assert both.probabilities is not None
    assert both.probabilities[:, 0].tolist() == pytest.approx([0.3, 0.9, 0.9, 0.2, 0.3])


def test_answers_of_two_forms_cannot_be_joined() -> None:
    with pytest.raises(InvalidInput, match="cannot be joined"):
        raw([0.5, 0.5]).concat(Answers(np.array([1])))
    assert len(Answers(np.zeros(0, np.int64)).concat(raw([0.5, 0.5]))) == 1


def softmaxes(n: int, classes: int, scale: float = 1.0) -> npt.NDArray[np.float64]:
    rows: npt.NDArray[np.float64] = softmax(np.random.default_rng(0).normal(0, scale, (n, classes)), axis=1)
    return rows


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_a_softmax_is_an_answer_in_any_float_type(dtype: type, classes: int) -> None:
    rows: npt.NDArray[np.floating] = softmaxes(50, classes, 3.0).astype(dtype)
    answers = checked_reply(rows, 50, classes)
    assert (answers.labels == rows.astype(np.float32).argmax(axis=1)).all()


@pytest.mark.parametrize("classes", [10, 1000])
@pytest.mark.parametrize("scale", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("decimals", [1, 2, 3, 4])
def test_rounded_probabilities_are_answers_even_where_little_is_left(classes: int, scale: float, decimals: int) -> None:
    rows = np.round(softmaxes(50, classes, scale), decimals)
    answers = checked_reply(rows, 50, classes)
    assert answers.probabilities is not None
    assert answers.probabilities == pytest.approx(rows, abs=1e-6)


def test_probabilities_of_an_eight_bit_network_are_answers() -> None:
    rows = np.round(softmaxes(50, 100) * 256) / 256
    assert len(checked_reply(rows, 50, 100)) == 50


@pytest.mark.parametrize("classes", [10, 1000])
def test_independent_scores_are_not_answers(classes: int) -> None:
    scores = 1 / (1 + np.exp(-np.random.default_rng(1).normal(-1, 1, (20, classes))))
    for reply in (scores, np.round(scores, 2), (scores > 0.3).astype(np.float32)):
        with pytest.raises(TargetError, match=r"sum to .* one is needed .*multi-label"):
            checked_reply(reply, 20, classes)


def test_one_bad_row_among_good_ones_is_found() -> None:
    rows = softmaxes(30, 10)
    rows[17] *= 1.01
    with pytest.raises(TargetError, match=r"sum to 1\.01;"):
        checked_reply(rows, 30, 10)


def test_two_labels_at_once_are_not_an_answer_of_a_thousand_classes() -> None:
    row = np.zeros((1, 1000))
    row[0, [3, 5]] = 1
    with pytest.raises(TargetError, match="sum to 2;"):
        checked_reply(row, 1, 1000)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (np.array(3), "a single value to 2 inputs"),
        (np.array([1]), "1 rows to 2 inputs"),
        (np.array([1, 2, 0]), "3 rows to 2 inputs"),
        (np.zeros((0, 3)), "0 rows to 2 inputs"),
        (np.zeros((2, 3, 1)), r"shape \(2, 3, 1\)"),
        (np.array(["a", "b"]), "values of type"),
        (np.array([None, 1]), "values of type object"),
        (np.array([1j, 0]), "values of type complex"),
        (np.array([0.5, 1.0]), "regression is not supported"),
        (np.array([np.nan, 1.0]), "not a whole class number"),
        (np.array([np.inf, 1.0]), "not a whole class number"),
        (np.array([0, 3]), "from 0 to 3; 0 to 2 is allowed"),
        (np.array([-1, 2]), "from -1 to 2; 0 to 2 is allowed"),
        (np.array([0, 1e30]), "0 to 2 is allowed"),
        (np.array([0, 2**64 - 1], np.uint64), "0 to 2 is allowed"),
        (np.full((2, 4), 0.25), "4 columns; 3 classes"),
        (np.ones((2, 1)), "1 columns; 3 classes"),
        (np.array([[0.5, 0.5, np.nan], [1, 0, 0]]), "NaN or infinite"),
        (np.array([[1e300, 0, 0], [1, 0, 0]]), "NaN or infinite"),
        (np.array([[-0.5, 1, 0.5], [1, 0, 0]]), r"negative probability \(-0.5\); if these are logits"),
        (np.array([[3.0, 2, 1], [1, 0, 0]]), "sum to 6;"),
        (np.array([[0.0, 0, 0], [1, 0, 0]]), "sum to 0;"),
    ],
)
def test_what_is_not_an_answer_is_named(reply: npt.NDArray[np.float64], message: str) -> None:
    with pytest.raises(TargetError, match=message):
        checked_reply(reply, 2, 3)


def test_whole_numbers_of_any_type_are_labels() -> None:
    for dtype in (np.int8, np.uint8, np.int64, np.uint64, np.float32, np.float64):
        answers = checked_reply(np.array([1, 0], dtype), 2, 2)
        assert answers.labels.tolist() == [1, 0]
        assert answers.labels.dtype == np.int64
    assert checked_reply(np.array([True, False]), 2, 2).labels.tolist() == [1, 0]


def test_before_the_classes_are_known_any_whole_number_of_zero_or_more_is_a_label() -> None:
    assert checked_reply(np.array([0, 7]), 2, None).labels.tolist() == [0, 7]
    with pytest.raises(TargetError, match="0 or more is allowed"):
        checked_reply(np.array([-1, 7]), 2, None)
    with pytest.raises(TargetError, match="at least 2 classes"):
        checked_reply(np.ones((2, 1)), 2, None)


def test_an_answer_in_the_other_form_is_named() -> None:
    with pytest.raises(TargetError, match="labels alone where probabilities are expected"):
        checked_reply(np.array([0, 1]), 2, 2, gives_probabilities=True)
    with pytest.raises(TargetError, match="probabilities where labels alone are expected"):
        checked_reply(np.eye(2), 2, 2, gives_probabilities=False)


def test_of_equal_probabilities_the_lowest_class_is_the_label() -> None:
    assert checked_reply(np.array([[0.2, 0.4, 0.4]]), 1, 3).labels.tolist() == [1]


def test_a_reply_to_no_inputs_is_an_answer() -> None:
    assert len(checked_reply(np.zeros((0, 3)), 0, 3)) == 0
    assert len(checked_reply(np.zeros(0), 0, 3)) == 0
