"""The oracle: asks, charges, remembers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from copycost._types import AnyArray
from copycost.errors import CopycostError, InvalidInput, TargetError
from copycost.inputs import Inputs
from copycost.oracle._answers import AnswerKind, Answers, checked_reply
from copycost.oracle._ledger import Counts, Ledger
from copycost.oracle.targets import Target

__all__ = ["BudgetSpent", "Oracle"]

CHUNK = 1024  # inputs in one transaction: what a crash can at most make the target see twice
_PROBES = 5


class BudgetSpent(CopycostError):
    """The account could not pay for all inputs asked.

    Attributes
    ----------
    answers : Answers
        To the longest prefix of the inputs that the account could pay for.
    """

    def __init__(self, answers: Answers, asked: int, budget: int) -> None:
        super().__init__(f"the budget of {budget} queries ended after {len(answers)} of the {asked} inputs asked.")
        self.answers = answers


class Oracle:
    """The only handle on a target.

    An input is free only if this account has paid for it already. An answer that another account of the same
    ledger holds is reused without touching a deterministic target, but is charged.

    Parameters
    ----------
    target : Target
    ledger : Ledger
    account : name of the account that pays
    budget : queries the account may be charged, or None for no limit
    kind : how much of the target's output is given
    """

    def __init__(
        self, target: Target, ledger: Ledger, *, account: str, budget: int | None = None, kind: AnswerKind | None = None
    ) -> None:
        if budget is not None and budget < 0:
            raise InvalidInput(f"budget is {budget}; a number of queries of 0 or more is needed.")
        self.target = target
        self.ledger = ledger
        self.account = account
        self.budget = budget
        self.kind = kind or AnswerKind("probabilities" if target.gives_probabilities else "top1")

    @property
    def counts(self) -> Counts:
        """Queries charged, requests sent and answers outstanding on this account."""
        return self.ledger.counts(self.account)

    @property
    def remaining(self) -> int | None:
        """Queries the account can still pay for, or None where there is no limit."""
        return None if self.budget is None else self.budget - self.counts.charged

    def ask(self, inputs: Inputs) -> Answers:
        """Return the answer to each input, charging the account for those it has not paid for.

        Raises
        ------
        BudgetSpent
            If the budget ends first; it carries the answers to the longest affordable prefix.
        TargetError
            If the target raises or its reply is not an answer. What was charged stays charged, and asking again
            sends it again without charging.
        """
        self.target.check(inputs)
        digests = inputs.digests()
        affordable = self._affordable(digests)
        raw: dict[bytes, Answers] = {}
        for start in range(0, affordable, CHUNK):
            rows = np.arange(start, min(start + CHUNK, affordable))
            raw |= self._settle(inputs.take(rows), digests[start : start + len(rows)])
        answers = self.kind.apply(self._assemble([raw[digest] for digest in digests[:affordable]]))
        if affordable < len(digests):
            raise BudgetSpent(answers, len(digests), self.budget or 0)
        return answers

    def _affordable(self, digests: Sequence[bytes]) -> int:
        if self.budget is None:
            return len(digests)
        paid = set(self.ledger.answered(self.account, digests))
        left = self.budget - self.counts.charged
        for position, digest in enumerate(digests):
            if digest not in paid:
                if left <= 0:
                    return position
                left -= 1
                paid.add(digest)
        return len(digests)

    def _settle(self, inputs: Inputs, digests: list[bytes]) -> dict[bytes, Answers]:
        """Charge, send and complete one chunk; return the raw answer to every digest in it."""
        held = self.ledger.answered(self.account, digests)
        answers = {digest: answer for digest, answer in held.items() if answer is not None}
        first = {digest: row for row, digest in reversed(list(enumerate(digests))) if digest not in answers}
        reuse = self.ledger.known(list(first)) if self.target.deterministic else {}
        send = sorted((digest for digest in first if digest not in reuse), key=first.__getitem__)
        if send or reuse:
            self.ledger.charge(self.account, send, reuse)
        if send:
            reply = self._send(inputs.take(np.array([first[digest] for digest in send])))
            self.ledger.complete(self.account, send, reply)
            answers |= {digest: reply.take(np.array([row])) for row, digest in enumerate(send)}
        return answers | reuse

    def _send(self, inputs: Inputs) -> Answers:
        return checked_reply(_call(self.target, inputs), len(inputs), self.target.classes)

    def _assemble(self, rows: list[Answers]) -> Answers:
        labels = np.array([row.labels[0] for row in rows], dtype=np.int64)
        if not self.target.gives_probabilities:
            return Answers(labels)
        parts = [row.probabilities for row in rows if row.probabilities is not None]
        empty = np.zeros((0, self.target.classes), np.float32)
        return Answers(labels, np.concatenate(parts) if parts else empty)

    def verify(self, inputs: Inputs) -> int:
        """Send again up to five inputs whose answers the ledger holds, and compare; return how many were compared.

        Raises
        ------
        TargetError
            If an answer differs: the target is another one, has changed, or does not answer the same way twice.
        """
        digests = inputs.digests()
        held = self.ledger.known(digests)
        rows = [row for row, digest in enumerate(digests) if digest in held][:_PROBES]
        if not rows:
            return 0
        self.ledger.charge("fingerprint", [digests[row] for row in rows], {})
        again = self._send(inputs.take(np.array(rows)))
        self.ledger.complete("fingerprint", [digests[row] for row in rows], again)
        before = self._assemble([held[digests[row]] for row in rows])
        same = bool((before.labels == again.labels).all())
        if before.probabilities is not None and again.probabilities is not None:
            same = same and bool(np.allclose(before.probabilities, again.probabilities, atol=1e-4))
        if not same:
            raise TargetError(
                f"the target {self.target.name} answers differently than the ledger {self.ledger.path.name} says. "
                "It is another target, has changed, or is random; an audit needs one that answers the same twice."
            )
        return len(rows)


def _call(target: Target, inputs: Inputs) -> AnyArray:
    try:
        reply = target.reply(inputs)
        return np.asarray(reply)
    except CopycostError:
        raise
    except Exception as error:
        raise TargetError(
            f"the target {target.name} raised {type(error).__name__}: {error}. The queries already charged stay "
            "paid for: run again once it is mended."
        ) from error
