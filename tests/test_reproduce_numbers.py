"""Numbers of the text that cells make together: gaps, shares of what was to improve, shares off the diagonal."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from copycost.measures import student_interval
from copycost.reproduce import library
from copycost.reproduce._judgements import Cells, divide
from copycost.reproduce._measured import Measured
from copycost.reproduce._numbers import combine, reading
from copycost.reproduce._schema import Ratio
from copycost.reproduce._slots import slots_of
from copycost.reproduce._words import why_missing

NOTHING = Measured(None, None, (), 10, None)


def _found(*values: float) -> Measured:
    interval = student_interval(list(values))
    return Measured(interval, interval.mean, tuple(range(len(values))), len(values), None)


def _cells(name: str, values: dict[tuple[str, str, str], Measured]) -> Cells:
    slots = slots_of(library().tables[name], "small", library())
    return {place: (slot, values.get(place, NOTHING)) for place, slot in slots.items()}


def test_a_path_alone_is_read_as_a_number() -> None:
    path, read = reading("measures.accuracy")
    assert (path, read(0.5)) == ("measures.accuracy", 0.5)


def test_a_complement_is_one_less_the_number() -> None:
    path, read = reading("1 - measures.transfer.among_made.wanted")
    assert (path, read(0.25)) == ("measures.transfer.among_made.wanted", 0.75)


def test_the_share_off_the_diagonal_leaves_out_the_own_column() -> None:
    path, read = reading("off-diagonal measures.transfer.confusion.2")
    assert path == "measures.transfer.confusion.2"
    assert read([10, 20, 50, 20]) == 0.5
    assert read([0, 0, 0, 0]) is None


@pytest.mark.parametrize(
    ("form", "numbers", "expected"),
    [
        ("ratio", (0.9, 0.3), 3.0),
        ("ratio", (0.9, 0.0), None),
        ("gap", (0.9641, 0.9191), 4.5),
        ("gap", (0.90, 0.92), -2.0),
        ("share", (0.9641, 0.9191, 0.9917), 61.98),
        ("share", (0.91, 0.92, 0.92), None),
    ],
)
def test_numbers_are_combined_by_their_form(form: Any, numbers: tuple[float, ...], expected: float | None) -> None:
    found = combine(form, *numbers)
    assert found is None if expected is None else math.isclose(found or 0, expected, abs_tol=0.01)


def test_the_share_of_the_improvable_space_is_of_the_best_row_and_of_each_seeds_own_target() -> None:
    panel = "To convergence, top-1 answers"
    values = {
        (panel, "DRMI (min-sum), alpha 4", "600"): _found(0.95, 0.96),
        (panel, "DRMI (min-max), alpha 4", "600"): _found(0.96, 0.97),
        (panel, "baseline", "600"): _found(0.92, 0.94),
        ("The target", "LeNet-5", "accuracy"): _found(0.98, 0.99),
    }
    found = {
        (one.ratio.name, one.ratio.above.panels): one.interval
        for one in divide(library().tables["drmi-table3"], _cells("drmi-table3", values))
    }
    share = found["Share of the improvable space at 600 queries", (panel,)]
    gap = found["Above the baseline at 600 queries", (panel,)]
    assert share is not None
    assert gap is not None
    assert share.values == pytest.approx((100 * 4 / 6, 100 * 3 / 5))
    assert gap.values == pytest.approx((4, 3))
    assert found["Share of the improvable space at 300 queries", (panel,)] is None


def test_a_gap_may_be_negative() -> None:
    panel = "Above 1,000, top-1 answers"
    values = {(panel, "DRMI", "20,000"): _found(0.97, 0.98), (panel, "baseline", "20,000"): _found(0.98, 0.98)}
    found = {
        one.ratio.name: one.interval
        for one in divide(library().tables["drmi-figure3"], _cells("drmi-figure3", values))
        if one.ratio.above.panels == (panel,)
    }
    interval = found["DRMI above baseline at 20,000 queries"]
    assert interval is not None
    assert interval.values == pytest.approx((-1, 0))


def test_a_share_needs_a_limit_and_nothing_else_takes_one() -> None:
    side = {"panels": ["A"], "rows": ["r"], "column": "c"}
    plain = {"name": "n", "above": side, "below": side, "published": "1"}
    for wrong in ({"of": "share"}, {"of": "gap", "limit": side}, {"limit": side}):
        with pytest.raises(ValidationError, match="limit"):
            Ratio.model_validate(plain | wrong)


def test_what_is_measured_at_no_scale_is_called_quoted() -> None:
    slots = slots_of(library().tables["drmi-table9"], "small", library())
    none = Measured(None, None, (), 0, None)
    words = {row: why_missing(slot, none if slot.quoted else NOTHING) for (_, row, _), slot in slots.items()}
    assert words["Gradient Estimation"] == "quoted"
    assert words["DRMI on C3F2"] == "not yet measured"
    elsewhere = slots_of(library().tables["activethief-table3"], "small", library())
    assert why_missing(elsewhere["CIFAR-10", "Random", "10K"], none) == "not at this scale"


def test_answers_are_counted_for_every_class() -> None:
    from copycost.reproduce._curves import _counts

    assert _counts([1, 1, 3], 5) == [0, 2, 0, 1, 0]
