"""The oracle: asks, charges, remembers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from copycost._types import AnyArray
from copycost.errors import CopycostError, InvalidInput, LedgerError, TargetError
from copycost.inputs import Inputs
from copycost.oracle._answers import AnswerKind, Answers, checked_reply
from copycost.oracle._ledger import Counts, Ledger
from copycost.oracle.targets import Target

__all__ = ["BudgetSpent", "Oracle"]

CHUNK = 256  # inputs in one transaction: what a crash can at most make the target see twice
_PROBES = 5
_CLOSE = 1e-4


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
        self._made_of = (answers, asked, budget)

    def __reduce__(self) -> tuple[type[BudgetSpent], tuple[Answers, int, int]]:
        # exceptions travel between worker processes by this; the inherited one hands on the text alone
        return type(self), self._made_of


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

    Raises
    ------
    InvalidInput
        If the budget is negative or the target cannot give answers of this kind.
    """

    def __init__(
        self,
        target: Target,
        ledger: Ledger,
        *,
        account: str,
        budget: int | None = None,
        kind: AnswerKind | None = None,
    ) -> None:
        if budget is not None and budget < 0:
            raise InvalidInput(f"budget is {budget}; a number of queries of 0 or more is needed.")
        self.target = target
        self.ledger = ledger
        self.account = account
        self.budget = budget
        self.kind = kind or AnswerKind("probabilities" if target.gives_probabilities else "top1")
        self.kind.check(target.classes, target.gives_probabilities)

    @property
    def counts(self) -> Counts:
        """Queries charged, requests sent and answers outstanding on this account."""
        return self.ledger.counts(self.account)

    @property
    def remaining(self) -> int | None:
        """Queries the account can still pay for, or None where there is no limit."""
        return None if self.budget is None else max(0, self.budget - self.counts.charged)

    def ask(self, inputs: Inputs) -> Answers:
        """Return the answer to each input, charging the account for those it has not paid for.

        Raises
        ------
        InvalidInput
            If the inputs are not what the target takes; nothing is charged then.
        BudgetSpent
            If the budget ends first; it carries the answers to the longest affordable prefix.
        TargetError
            If the target raises or its reply is not an answer. What was charged stays charged, and asking
            again sends it again without charging.
        LedgerError
            If the ledger holds answers that this target does not give, or cannot be read or written.
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
        for answer in (*answers.values(), *reuse.values()):
            self._check_stored(answer)
        send = sorted((digest for digest in first if digest not in reuse), key=first.__getitem__)
        if send or reuse:
            self.ledger.charge(self.account, send, reuse)
        if send:
            reply = self._send(inputs.take(np.array([first[digest] for digest in send])))
            self.ledger.complete(self.account, send, reply)
            answers |= {digest: reply.take(np.array([row])) for row, digest in enumerate(send)}
        return answers | reuse

    def _send(self, inputs: Inputs) -> Answers:
        reply = _call(self.target, inputs)
        return checked_reply(reply, len(inputs), self.target.classes, self.target.gives_probabilities)

    def _check_stored(self, answer: Answers) -> None:
        stored = None if answer.probabilities is None else answer.probabilities.shape[1]
        wanted = self.target.classes if self.target.gives_probabilities else None
        if stored != wanted:
            forms = [
                "labels alone" if classes is None else f"probabilities of {classes} classes"
                for classes in (stored, wanted)
            ]
            raise LedgerError(
                f"the ledger {self.ledger.path} holds {forms[0]}, but the target {self.target.name} gives "
                f"{forms[1]}: it was written for another target. Use another output folder."
            )

    def _assemble(self, rows: list[Answers]) -> Answers:
        labels = np.array([row.labels[0] for row in rows], dtype=np.int64)
        if not self.target.gives_probabilities:
            return Answers(labels)
        parts = [row.probabilities for row in rows if row.probabilities is not None]
        return Answers(labels, np.concatenate([np.zeros((0, self.target.classes), np.float32), *parts]))

    def verify(self, inputs: Inputs) -> int:
        """Send again up to five inputs that the ledger answers, compare, and return how many were compared.

        They go on an account of their own, ``fingerprint``. Probabilities are the same to within 1e-4, as a
        network's last digits depend on how many inputs go through it at once.

        Raises
        ------
        TargetError
            If an answer differs: the target is another one, has changed, or does not answer the same twice.
        """
        self.target.check(inputs)
        digests = inputs.digests()
        held = self.ledger.known(digests)
        rows = [row for row, digest in enumerate(digests) if digest in held][:_PROBES]
        if not rows:
            return 0
        before = [held[digests[row]] for row in rows]
        for answer in before:
            self._check_stored(answer)
        stored = self._assemble(before)
        self.ledger.charge("fingerprint", [digests[row] for row in rows], {})
        if not _same(stored, self._send(inputs.take(np.array(rows)))):
            raise TargetError(
                f"the target {self.target.name} answers differently than the ledger {self.ledger.path.name} "
                "says. It is another target, has changed, or is random; an audit needs one that answers the "
                "same twice."
            )
        # only what was found the same is kept, and as it was: a changed target must not become what is known
        self.ledger.complete("fingerprint", [digests[row] for row in rows], stored)
        return len(rows)


def _same(stored: Answers, again: Answers) -> bool:
    if stored.probabilities is None or again.probabilities is None:
        return bool((stored.labels == again.labels).all())
    return bool(np.allclose(stored.probabilities, again.probabilities, rtol=0, atol=_CLOSE))


def _call(target: Target, inputs: Inputs) -> AnyArray:
    try:
        return np.asarray(target.reply(inputs))
    except CopycostError:
        raise
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"the target {target.name} raised {type(error).__name__}: {error}. The queries already charged "
            "stay paid for: run again once it is mended."
        ) from error
