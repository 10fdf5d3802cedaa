"""The oracle: what is charged, what is sent, what a crash or a failing target leaves."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from copycost._types import AnyArray, Float32Array
from copycost.errors import InvalidInput, LedgerError, TargetError
from copycost.inputs import Images, Inputs
from copycost.oracle import AnswerKind, Answers, BudgetSpent, Counts, Ledger, Oracle
from copycost.oracle._oracle import CHUNK
from copycost.oracle.targets import Target

CLASSES = 3
TABLE: Float32Array = np.random.default_rng(5).dirichlet(np.ones(CLASSES), 1 << 16).astype(np.float32)


def numbers(*values: int) -> Images:
    """Images of one row of two pixels, each naming a number below 65536."""
    array = np.array(values, dtype="<u2").view(np.uint8)
    return Images(array.reshape(len(values), 1, 2, 1))


class Counting(Target):
    """Answers each number by its row of a table, and keeps a list of what it saw."""

    name = "counting"
    classes = CLASSES

    def __init__(self, *, gives_probabilities: bool = True, deterministic: bool = True) -> None:
        self.gives_probabilities = gives_probabilities
        self.deterministic = deterministic
        self.seen: list[int] = []
        self.spoil: Callable[[Float32Array], AnyArray] = lambda rows: rows

    def reply(self, inputs: Inputs) -> AnyArray:
        assert isinstance(inputs, Images)
        values = np.frombuffer(inputs.array.tobytes(), "<u2").tolist()
        self.seen += values
        rows = self.spoil(TABLE[values])
        return rows if self.gives_probabilities else rows.argmax(axis=1)


def boom(rows: Float32Array) -> AnyArray:
    raise RuntimeError("out of order")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger(path) as ledger:
        yield ledger


def right(answers: Answers, values: Sequence[int]) -> bool:
    assert answers.probabilities is not None
    wanted = TABLE[list(values)]
    return bool((answers.probabilities == wanted).all() and (answers.labels == wanted.argmax(axis=1)).all())


def test_answers_come_in_the_order_asked(ledger: Ledger) -> None:
    target = Counting()
    values = [9, 3, 3, 700, 9, 0]
    assert right(Oracle(target, ledger, account="copy").ask(numbers(*values)), values)


def test_duplicates_within_one_ask_are_charged_and_sent_once(ledger: Ledger) -> None:
    target = Counting()
    oracle = Oracle(target, ledger, account="copy")
    oracle.ask(numbers(4, 4, 5, 4))
    assert target.seen == [4, 5]
    assert oracle.counts == Counts(charged=2, sent=2, outstanding=0)


def test_an_input_is_free_once_this_account_has_paid(ledger: Ledger) -> None:
    target = Counting()
    oracle = Oracle(target, ledger, account="copy", budget=2)
    oracle.ask(numbers(1, 2))
    assert right(oracle.ask(numbers(2, 1, 2)), [2, 1, 2])
    assert target.seen == [1, 2]
    assert (oracle.counts.charged, oracle.remaining) == (2, 0)


def test_another_accounts_answer_is_reused_but_charged(ledger: Ledger) -> None:
    target = Counting()
    Oracle(target, ledger, account="other").ask(numbers(1, 2))
    oracle = Oracle(target, ledger, account="copy", budget=3)
    assert right(oracle.ask(numbers(1, 2, 3)), [1, 2, 3])
    assert target.seen == [1, 2, 3]
    assert oracle.counts == Counts(charged=3, sent=1, outstanding=0)
    with pytest.raises(BudgetSpent):
        oracle.ask(numbers(4))


def test_an_outstanding_query_takes_an_answer_that_another_account_got_meanwhile(ledger: Ledger) -> None:
    target = Counting()
    oracle = Oracle(target, ledger, account="copy", budget=2)
    target.spoil = boom
    with pytest.raises(TargetError):
        oracle.ask(numbers(1, 2))
    target.spoil = lambda rows: rows
    Oracle(target, ledger, account="other").ask(numbers(1, 2))
    assert right(oracle.ask(numbers(1, 2)), [1, 2])
    assert target.seen == [1, 2, 1, 2]
    assert oracle.counts == Counts(charged=2, sent=2, outstanding=0)


def test_a_target_that_is_not_deterministic_is_asked_for_each_account(ledger: Ledger) -> None:
    target = Counting(deterministic=False)
    for account in ("a", "b", "b"):
        Oracle(target, ledger, account=account).ask(numbers(1))
    assert target.seen == [1, 1]


def test_the_longest_affordable_prefix_is_answered_when_the_budget_ends(ledger: Ledger) -> None:
    target = Counting()
    oracle = Oracle(target, ledger, account="copy", budget=3)
    oracle.ask(numbers(1))
    with pytest.raises(BudgetSpent, match="budget of 3 queries ended after 5 of the 7 inputs") as spent:
        oracle.ask(numbers(2, 1, 2, 3, 1, 4, 1))
    assert right(spent.value.answers, [2, 1, 2, 3, 1])
    assert target.seen == [1, 2, 3]
    assert oracle.counts == Counts(charged=3, sent=3, outstanding=0)


def test_inputs_paid_for_stay_free_after_the_budgets_end(ledger: Ledger) -> None:
    oracle = Oracle(Counting(), ledger, account="copy", budget=2)
    with pytest.raises(BudgetSpent):
        oracle.ask(numbers(1, 2, 3))
    assert right(oracle.ask(numbers(2, 2, 1)), [2, 2, 1])
    with pytest.raises(BudgetSpent) as spent:
        oracle.ask(numbers(2, 3, 1))
    assert right(spent.value.answers, [2])


def test_a_budget_of_none_at_all_answers_nothing(ledger: Ledger) -> None:
    target = Counting()
    with pytest.raises(BudgetSpent) as spent:
        Oracle(target, ledger, account="copy", budget=0).ask(numbers(1))
    assert len(spent.value.answers) == 0
    assert target.seen == []


def test_a_budget_lowered_below_what_was_charged_allows_nothing_new(ledger: Ledger) -> None:
    Oracle(Counting(), ledger, account="copy", budget=5).ask(numbers(1, 2, 3))
    oracle = Oracle(Counting(), ledger, account="copy", budget=1)
    assert oracle.remaining == 0
    assert right(oracle.ask(numbers(3)), [3])
    with pytest.raises(BudgetSpent):
        oracle.ask(numbers(4))


def test_a_negative_budget_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InvalidInput, match="budget is -1"):
        Oracle(Counting(), ledger, account="copy", budget=-1)


def test_asking_nothing_costs_nothing(ledger: Ledger) -> None:
    target = Counting()
    oracle = Oracle(target, ledger, account="copy", budget=0)
    answers = oracle.ask(numbers())
    assert answers.probabilities is not None
    assert answers.probabilities.shape == (0, CLASSES)
    assert target.seen == []


def test_the_outcome_of_a_spent_budget_travels_between_processes() -> None:
    sent = BudgetSpent(Answers(np.array([1, 2])), 5, 2)
    received = pickle.loads(pickle.dumps(sent))
    assert str(received) == str(sent)
    assert received.answers.labels.tolist() == [1, 2]


def test_the_kind_of_answer_is_applied_to_what_is_given_and_not_to_what_is_kept(ledger: Ledger) -> None:
    target = Counting()
    first = Oracle(target, ledger, account="copy", kind=AnswerKind.parse("top1")).ask(numbers(7))
    assert first.probabilities is None
    assert first.labels.tolist() == [TABLE[7].argmax()]
    rounded = Oracle(target, ledger, account="copy", kind=AnswerKind.parse("rounded:1")).ask(numbers(7))
    assert rounded.probabilities is not None
    assert rounded.probabilities.tolist() == [np.round(TABLE[7], 1).tolist()]
    assert target.seen == [7]


def test_a_target_of_labels_gives_labels(ledger: Ledger) -> None:
    oracle = Oracle(Counting(gives_probabilities=False), ledger, account="copy")
    answers = oracle.ask(numbers(1, 2))
    assert answers.probabilities is None
    assert answers.labels.tolist() == TABLE[[1, 2]].argmax(axis=1).tolist()


@pytest.mark.parametrize("kind", ["probabilities", "topk:1", "rounded:2"])
def test_a_kind_the_target_cannot_give_is_refused_before_anything_is_charged(ledger: Ledger, kind: str) -> None:
    with pytest.raises(InvalidInput, match="labels alone"):
        Oracle(Counting(gives_probabilities=False), ledger, account="copy", kind=AnswerKind.parse(kind))
    with pytest.raises(InvalidInput, match="topk:4, but the target has 3 classes"):
        Oracle(Counting(), ledger, account="copy", kind=AnswerKind("topk", 4))


def test_inputs_the_target_does_not_take_are_refused_before_anything_is_charged(ledger: Ledger) -> None:
    target = Counting()
    target.shape = (1, 2, 1)
    oracle = Oracle(target, ledger, account="copy")
    with pytest.raises(InvalidInput, match=r"shape \(2, 2, 1\).*takes \(1, 2, 1\)"):
        oracle.ask(Images(np.zeros((1, 2, 2), np.uint8)))
    target.medium = "text"
    with pytest.raises(InvalidInput, match="medium 'image'; the target counting takes 'text'"):
        oracle.ask(numbers(1))
    assert oracle.counts == Counts(0, 0, 0)
    assert target.seen == []


def leave(rows: Float32Array) -> AnyArray:
    raise SystemExit(3)


SPOILERS: dict[str, tuple[Callable[[Float32Array], AnyArray], str]] = {
    "raises": (boom, "raised RuntimeError: out of order"),
    "exits": (leave, "raised SystemExit"),
    "too few rows": (lambda rows: rows[:-1], "one row an input"),
    "too many rows": (lambda rows: np.concatenate([rows, rows]), "one row an input"),
    "ragged rows": (lambda rows: np.array([[1.0], [0.5, 0.5], [1.0]]), "raised ValueError"),
    "nothing": (lambda rows: np.array(None), "a single value"),
    "NaN": (lambda rows: np.where(rows == rows.max(), np.nan, rows), "NaN or infinite"),
    "negative": (lambda rows: rows - 0.5, "negative probability"),
    "unnormalised": (lambda rows: rows * 3, "sum to 3"),
    "more classes": (lambda rows: np.full((len(rows), 4), 0.25), "4 columns; 3 classes"),
    "labels instead": (lambda rows: rows.argmax(axis=1), "labels alone where probabilities are expected"),
    "regression": (lambda rows: rows[:, 0], "labels alone where probabilities are expected"),
    "multi-label": (lambda rows: np.ones_like(rows), "multi-label"),
}


@pytest.mark.parametrize("fault", SPOILERS)
def test_after_a_faulty_reply_asking_again_costs_nothing(ledger: Ledger, fault: str) -> None:
    target = Counting()
    oracle = Oracle(target, ledger, account="copy", budget=4)
    oracle.ask(numbers(1))
    target.spoil, message = SPOILERS[fault]
    with pytest.raises(TargetError, match=message):
        oracle.ask(numbers(1, 2, 3, 4))
    assert oracle.counts == Counts(charged=4, sent=4, outstanding=3)
    target.spoil = lambda rows: rows
    assert right(oracle.ask(numbers(1, 2, 3, 4)), [1, 2, 3, 4])
    assert oracle.counts == Counts(charged=4, sent=7, outstanding=0)
    assert target.seen == [1, 2, 3, 4, 2, 3, 4]


@pytest.mark.parametrize(
    ("reply", "message"),
    [([0.25, 1.5], "regression"), ([0, 3], "from 0 to 3; 0 to 2"), ([-1, 0], "from -1 to 0")],
)
def test_faulty_labels_are_named_and_cost_nothing_more(ledger: Ledger, reply: list[float], message: str) -> None:
    class Faulty(Counting):
        def reply(self, inputs: Inputs) -> AnyArray:
            return np.array(reply)

    with pytest.raises(TargetError, match=message):
        Oracle(Faulty(gives_probabilities=False), ledger, account="copy", budget=2).ask(numbers(1, 2))
    oracle = Oracle(Counting(gives_probabilities=False), ledger, account="copy", budget=2)
    assert len(oracle.ask(numbers(1, 2))) == 2
    assert oracle.counts.charged == 2


def test_what_was_answered_before_a_later_request_fails_is_kept(ledger: Ledger) -> None:
    target = Counting()
    replies = iter([lambda rows: rows, boom])
    target.spoil = lambda rows: next(replies)(rows)
    oracle = Oracle(target, ledger, account="copy")
    values = list(range(2 * CHUNK))
    with pytest.raises(TargetError, match="out of order"):
        oracle.ask(numbers(*values))
    assert oracle.counts == Counts(charged=2 * CHUNK, sent=2 * CHUNK, outstanding=CHUNK)
    target.spoil = lambda rows: rows
    assert right(oracle.ask(numbers(*values)), values)
    assert target.seen == values + values[CHUNK:]


def test_a_ledger_of_answers_in_another_form_is_refused_before_anything_is_charged(ledger: Ledger) -> None:
    Oracle(Counting(gives_probabilities=False), ledger, account="other").ask(numbers(1))
    oracle = Oracle(Counting(), ledger, account="copy")
    with pytest.raises(LedgerError, match="holds labels alone, but the target counting gives probabilities of 3"):
        oracle.ask(numbers(1, 2))
    assert oracle.counts == Counts(0, 0, 0)


def test_a_ledger_of_answers_of_other_classes_is_refused(ledger: Ledger) -> None:
    Oracle(Counting(), ledger, account="other").ask(numbers(1))
    more = Counting()
    more.classes = 4
    for ask in (Oracle(more, ledger, account="copy").ask, Oracle(more, ledger, account="copy").verify):
        with pytest.raises(LedgerError, match=r"probabilities of 3 classes, .* probabilities of 4 classes"):
            ask(numbers(1, 2))
    assert more.seen == []


def test_verifying_asks_five_known_inputs_again_on_an_account_of_its_own(ledger: Ledger) -> None:
    target = Counting()
    oracle = Oracle(target, ledger, account="copy", budget=7)
    oracle.ask(numbers(*range(7)))
    assert oracle.verify(numbers(99, *range(7))) == 5
    assert target.seen == [*range(7), *range(5)]
    assert oracle.counts == Counts(charged=7, sent=7, outstanding=0)
    assert ledger.counts("fingerprint") == Counts(charged=5, sent=5, outstanding=0)
    assert oracle.verify(numbers(6)) == 1


def test_with_no_known_input_nothing_is_verified_or_sent(ledger: Ledger) -> None:
    target = Counting()
    assert Oracle(target, ledger, account="copy").verify(numbers(1, 2)) == 0
    assert target.seen == []


@pytest.mark.parametrize("gives_probabilities", [True, False])
def test_a_changed_target_is_found_each_time_it_is_looked_for(ledger: Ledger, gives_probabilities: bool) -> None:
    target = Counting(gives_probabilities=gives_probabilities)
    oracle = Oracle(target, ledger, account="held-out")
    oracle.ask(numbers(*range(8)))
    target.spoil = lambda rows: np.roll(rows, 1, axis=1)
    for _ in range(3):
        with pytest.raises(TargetError, match="another target, has changed, or is random"):
            oracle.verify(numbers(*range(8)))
    target.spoil = lambda rows: rows
    assert oracle.verify(numbers(*range(8))) == 5
    sent = ledger.counts("held-out").sent + ledger.counts("fingerprint").sent
    assert sent == len(target.seen)


def test_a_small_change_of_probabilities_under_the_same_labels_is_found(ledger: Ledger) -> None:
    target = Counting()
    oracle = Oracle(target, ledger, account="held-out")
    oracle.ask(numbers(1, 2))
    target.spoil = lambda rows: 0.998 * rows + 0.002 / CLASSES
    with pytest.raises(TargetError, match="answers differently"):
        oracle.verify(numbers(1, 2))


def test_a_random_target_is_found(ledger: Ledger) -> None:
    target = Counting(gives_probabilities=False)
    rng = np.random.default_rng(0)
    target.spoil = lambda rows: rng.permuted(rows, axis=1)
    oracle = Oracle(target, ledger, account="held-out")
    oracle.ask(numbers(*range(5)))
    with pytest.raises(TargetError, match="random"):
        oracle.verify(numbers(*range(5)))


def test_the_last_digits_of_a_network_may_differ(ledger: Ledger) -> None:
    target = Counting()
    even = np.full((5, CLASSES), 1 / CLASSES, np.float32)
    target.spoil = lambda rows: even
    oracle = Oracle(target, ledger, account="held-out")
    oracle.ask(numbers(*range(5)))
    target.spoil = lambda rows: even + np.array([-1e-6, 0, 1e-6], np.float32)
    assert oracle.verify(numbers(*range(5))) == 5


class Accounts(RuleBasedStateMachine):
    """Two accounts of one ledger against sets and lists, with a target that fails at times and runs that stop."""

    universe = st.lists(st.integers(0, 5), max_size=6)

    @initialize(first=st.integers(0, 6), second=st.none() | st.integers(0, 6))
    def begin(self, first: int, second: int | None) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.target = Counting()
        self.broken = False
        self.budgets = {"a": first, "b": second}
        self.paid: dict[str, set[int]] = {"a": set(), "b": set()}
        self.held: dict[str, set[int]] = {"a": set(), "b": set()}
        self.ledger = Ledger(Path(self.folder.name) / "ledger.sqlite")

    @rule(account=st.sampled_from(["a", "b"]), values=universe)
    def ask(self, account: str, values: list[int]) -> None:
        budget, paid, held = self.budgets[account], self.paid[account], self.held[account]
        prefix = max(
            n
            for n in range(len(values) + 1)
            if budget is None or n == 0 or len(paid | set(values[:n])) <= budget or set(values[:n]) <= paid
        )
        known = self.held["a"] | self.held["b"]
        send = set(values[:prefix]) - held - known
        before = len(self.target.seen)
        oracle = Oracle(self.target, self.ledger, account=account, budget=budget)
        paid |= set(values[:prefix])
        try:
            answers, spent = oracle.ask(numbers(*values)), False
        except BudgetSpent as error:
            answers, spent = error.answers, True
        except TargetError:
            assert self.broken
            assert send
            held |= set(values[:prefix]) & known
            return
        finally:
            assert sorted(self.target.seen[before:]) == sorted(send)
        held |= set(values[:prefix])
        assert not (self.broken and send)
        assert spent == (prefix < len(values))
        assert right(answers, values[:prefix])

    @rule(broken=st.booleans())
    def mend_or_break(self, broken: bool) -> None:
        self.broken = broken
        self.target.spoil = boom if broken else lambda rows: rows

    @rule()
    def stop_and_resume(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(Path(self.folder.name) / "ledger.sqlite")

    @invariant()
    def charged_is_what_was_paid_for(self) -> None:
        for account, paid in self.paid.items():
            counts = self.ledger.counts(account)
            assert counts.charged == len(paid)
            assert counts.outstanding == len(paid - self.held[account])
            budget = self.budgets[account]
            assert budget is None or counts.charged <= budget

    @invariant()
    def every_request_is_written_down(self) -> None:
        assert sum(self.ledger.counts(account).sent for account in self.paid) == len(self.target.seen)

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
            self.folder.cleanup()


TestAccounts = Accounts.TestCase
TestAccounts.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


BEFORE, AGAIN = [0, 1, 2, 3], [2, 3, 4, 5, 6, 7]
POINTS = {
    "before charging": (4, 0, 4),
    "while committing the charge": (4, 0, 4),
    "before sending": (8, 3, 7),
    "after sending": (8, 3, 7),
    "while committing the answers": (8, 3, 7),
    "after completing": (8, 0, 7),
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is left of one child for each point, each killed there by SIGKILL."""
    folder = tmp_path_factory.mktemp("killed")
    run = subprocess.run([sys.executable, __file__, str(folder)], stdout=subprocess.PIPE, text=True, check=True)
    ended = json.loads(run.stdout)
    assert ended == dict.fromkeys([*POINTS, "at random"], -signal.SIGKILL)
    return folder


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_nothing_is_charged_twice_or_sent_unwritten(killed: Path, point: str) -> None:
    charged, outstanding, sent = POINTS[point]
    seen_before = logged(killed / f"{point}.log")
    with Ledger(killed / f"{point}.sqlite", patience=0) as ledger:
        assert ledger.counts("copy") == Counts(charged, sent, outstanding)
        assert ledger.counts("other") == Counts(1, 1, 0)
        assert sent + 1 >= len(seen_before)
        target = Counting()
        oracle = Oracle(target, ledger, account="copy", budget=8)
        assert right(oracle.ask(numbers(*AGAIN)), AGAIN)
        unanswered = [] if point == "after completing" else [4, 5, 6]
        assert target.seen == unanswered
        assert oracle.counts == Counts(8, sent + len(unanswered), 0)
        with pytest.raises(BudgetSpent):
            oracle.ask(numbers(8))


def test_killed_at_random_instants_again_and_again_the_account_is_right_in_the_end(killed: Path) -> None:
    seen = logged(killed / "at random.log")
    with Ledger(killed / "at random.sqlite", patience=0) as ledger:
        counts = ledger.counts("copy")
        assert counts.sent >= len(seen)
        assert counts.charged <= ROUNDS * STEP
        values = list(range(ROUNDS * STEP))
        target = Counting()
        assert right(Oracle(target, ledger, account="copy", budget=len(values)).ask(numbers(*values)), values)
        assert ledger.counts("copy").charged == len(values)
        assert set(target.seen) | set(seen) == set(values)


def logged(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


ROUNDS, STEP, KILLS = 2500, 3, 8


class Logging(Counting):
    """Writes each number to a file as it sees it, and may be told to die before or after."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self.log = log
        self.die = ""

    def reply(self, inputs: Inputs) -> AnyArray:
        if self.die == "before sending":
            die()
        rows = super().reply(inputs)
        with open(self.log, "a") as file:
            file.write("".join(f"{value}\n" for value in self.seen))
        self.seen = []
        if self.die == "after sending":
            die()
        return rows


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(Ledger):
    """A ledger whose process dies before a charge, after a completion, or at a COMMIT."""

    die = ""
    commits = 0

    def charge(self, account: str, send: Sequence[bytes], reuse: dict[bytes, Answers]) -> None:
        if self.die == "before charging":
            die()
        super().charge(account, send, reuse)

    def complete(self, account: str, digests: Sequence[bytes], answers: Answers) -> None:
        super().complete(account, digests, answers)
        if self.die == "after completing":
            die()

    def watch(self, statement: str) -> None:
        self.commits += statement == "COMMIT"
        if self.commits == {"while committing the charge": 1, "while committing the answers": 2}.get(self.die):
            die()


def ask_until_killed(folder: Path, point: str) -> None:
    target = Logging(folder / f"{point}.log")
    ledger = Dying(folder / f"{point}.sqlite")
    Oracle(target, ledger, account="other").ask(numbers(7))
    oracle = Oracle(target, ledger, account="copy", budget=8)
    oracle.ask(numbers(*BEFORE))
    target.die = ledger.die = point
    ledger._base.set_trace_callback(ledger.watch)
    oracle.ask(numbers(*AGAIN))


def ask_in_small_steps(folder: Path) -> None:
    target = Logging(folder / "at random.log")
    oracle = Oracle(target, Ledger(folder / "at random.sqlite"), account="copy", budget=ROUNDS * STEP)
    for start in range(0, ROUNDS * STEP, STEP):
        oracle.ask(numbers(*range(start, start + STEP)))
    signal.pause()


def forked(run: Callable[[], None], after: float | None = None) -> int:
    """Run in a forked child, killed ``after`` seconds if given; return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            run()
        finally:
            os._exit(1)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_children(folder: Path) -> None:
    ended = {point: forked(lambda point=point: ask_until_killed(folder, point)) for point in POINTS}  # type: ignore[misc]
    instants = random.Random(11)
    for _ in range(KILLS):
        ended["at random"] = forked(lambda: ask_in_small_steps(folder), after=instants.uniform(0.02, 0.25))
    print(json.dumps(ended))


if __name__ == "__main__":
    kill_children(Path(sys.argv[1]))
