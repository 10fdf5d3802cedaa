"""What an oracle returns, and the kinds of answer a target's owner may choose to give."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from copycost._types import AnyArray, BoolArray, Float32Array, IntArray
from copycost.errors import InvalidInput, TargetError

__all__ = ["AnswerKind", "Answers", "checked_reply"]

_SUM_SLACK = 1e-3  # what float16 arithmetic leaves of a sum of one
_STEPS = (
    0.1,
    0.01,
    1e-3,
    1e-4,
    1 / 255,
    1 / 256,
)  # decimals a service may round to, and the steps of 8-bit networks


@dataclass(frozen=True)
class Answers:
    """Answers to n queries.

    Attributes
    ----------
    labels : int64 array (n,)
    probabilities : float32 array (n, classes) or None
        None where the target gives labels alone.
    """

    labels: IntArray
    probabilities: Float32Array | None = None

    def __len__(self) -> int:
        """Return the number of answered queries."""
        return len(self.labels)

    def take(self, indices: IntArray) -> Answers:
        """Return the answers at ``indices``, in that order."""
        rows = None if self.probabilities is None else self.probabilities[indices]
        return Answers(self.labels[indices], rows)

    def concat(self, other: Answers) -> Answers:
        """Return these answers followed by ``other``, which must be of the same kind."""
        labels = np.concatenate([self.labels, other.labels])
        if self.probabilities is None or other.probabilities is None:
            if (self.probabilities is None) != (other.probabilities is None) and len(self) and len(other):
                raise InvalidInput("answers with probabilities cannot be joined to answers without")
            return Answers(labels)
        return Answers(labels, np.concatenate([self.probabilities, other.probabilities]))


@dataclass(frozen=True)
class AnswerKind:
    """How much of its output a target gives away.

    ``top1`` is the label alone; ``probabilities`` all of them; ``topk:K`` the K largest, where a copier
    spreads what is left evenly over the other classes; ``rounded:D`` all of them to D decimals, where the
    label is the largest rounded one, as a copier sees it (the lowest class wins a tie).

    Examples
    --------
    >>> kind = AnswerKind.parse("rounded:1")
    >>> kind.apply(Answers(np.array([2]), np.array([[0.31, 0.34, 0.35]], np.float32))).labels
    array([2])
    >>> certain = Answers(np.array([2]), np.eye(3, dtype=np.float32)[[2]])
    >>> AnswerKind.parse("top1").apply(certain).probabilities is None
    True
    """

    name: str
    amount: int = 0

    @classmethod
    def parse(cls, text: str) -> AnswerKind:
        """Read ``top1``, ``probabilities``, ``topk:K`` (K >= 1) or ``rounded:D`` (0 <= D <= 7)."""
        if text in ("top1", "probabilities"):
            return cls(text)
        match = re.fullmatch(r"(topk|rounded):([0-9]{1,4})", text)
        if match is None:
            raise InvalidInput(
                f"answers is {text!r}; write top1, probabilities, topk:K (such as topk:3) "
                "or rounded:D (such as rounded:2)."
            )
        return cls(match[1], int(match[2]))

    def __post_init__(self) -> None:
        if self.name not in ("top1", "probabilities", "topk", "rounded"):
            raise InvalidInput(
                f"answers is {self.name!r}; top1, probabilities, topk and rounded are the kinds there are."
            )
        if self.name == "topk" and self.amount < 1:
            raise InvalidInput(f"answers is '{self}'; topk needs at least one class, such as topk:3.")
        if self.name == "rounded" and not 0 <= self.amount <= 7:
            raise InvalidInput(f"answers is '{self}'; rounded takes 0 to 7 decimals, as answers are float32.")

    def __str__(self) -> str:
        return self.name if self.name in ("top1", "probabilities") else f"{self.name}:{self.amount}"

    @property
    def gives_probabilities(self) -> bool:
        """Whether the copier receives more than a label."""
        return self.name != "top1"

    def check(self, classes: int, gives_probabilities: bool) -> None:
        """Raise `InvalidInput` if a target of so many classes cannot give this kind of answer."""
        if self.gives_probabilities and not gives_probabilities:
            raise InvalidInput(f"answers is {self}, but the target gives labels alone; use --answers top1.")
        if self.name == "topk" and self.amount > classes:
            raise InvalidInput(f"answers is {self}, but the target has {classes} classes; ask for at most that many.")

    def apply(self, raw: Answers) -> Answers:
        """Return what the copier receives when the target says ``raw``.

        Raises
        ------
        InvalidInput
            If probabilities are to be given and the target has none, or fewer classes than ``topk`` asks for.
        """
        if self.name == "top1":
            return Answers(raw.labels)
        self.check(0 if raw.probabilities is None else raw.probabilities.shape[1], raw.probabilities is not None)
        assert raw.probabilities is not None
        if self.name == "probabilities":
            return raw
        if self.name == "rounded":
            rows = np.round(raw.probabilities, self.amount)
            return Answers(rows.argmax(axis=1).astype(np.int64), rows)
        return Answers(raw.labels, self._largest(raw.probabilities))

    def _largest(self, rows: Float32Array) -> Float32Array:
        classes = rows.shape[1]
        kept = np.argsort(-rows, axis=1, kind="stable")[:, : self.amount]
        shown = np.zeros_like(rows)
        np.put_along_axis(shown, kept, np.take_along_axis(rows, kept, axis=1), axis=1)
        if self.amount < classes:
            rest = np.maximum(1 - shown.sum(axis=1, keepdims=True), 0) / (classes - self.amount)
            hidden = np.ones(rows.shape, bool)
            np.put_along_axis(hidden, kept, False, axis=1)
            shown = np.where(hidden, rest, shown).astype(np.float32)
        return shown


def checked_reply(reply: AnyArray, count: int, classes: int | None, gives_probabilities: bool | None = None) -> Answers:
    """Turn what a target returned for ``count`` inputs into `Answers`, or say what is wrong with it.

    Parameters
    ----------
    reply : array (count,) of labels, or (count, classes) of probabilities
    count : number of inputs sent
    classes : number of classes, or None where not known yet
    gives_probabilities : which of the two is expected, or None where not known yet

    Raises
    ------
    TargetError
        For a wrong number of rows or columns, labels where probabilities are expected or the reverse, labels
        that are not whole numbers in range, and probabilities that are not finite, negative, or do not sum to
        one. Rounding is allowed for: where all values lie on a grid, such as two decimals, a sum may miss one
        by half a step for each class.
    """
    if reply.shape[:1] != (count,):
        found = f"{len(reply)} rows" if reply.ndim else "a single value"
        raise TargetError(f"the target answered {found} to {count} inputs; one row an input is needed.")
    if reply.dtype.kind not in "iufb":
        raise TargetError(
            f"the target answered with values of type {reply.dtype}; labels (integers) or probabilities "
            "(floats) are needed."
        )
    if reply.ndim not in (1, 2):
        raise TargetError(
            f"the target answered an array of shape {reply.shape}; (n,) labels or (n, classes) probabilities "
            "are needed."
        )
    if gives_probabilities is not None and gives_probabilities != (reply.ndim == 2):
        forms = ("labels alone", "probabilities")
        raise TargetError(
            f"the target answered {forms[reply.ndim - 1]} where {forms[gives_probabilities]} are expected "
            "of it; it must answer in one form throughout."
        )
    return Answers(_labels(reply, classes)) if reply.ndim == 1 else _probabilities(reply, classes)


def _labels(reply: AnyArray, classes: int | None) -> IntArray:
    if reply.dtype.kind == "f" and not (np.isfinite(reply) & (reply == np.floor(reply))).all():
        raise TargetError(
            "the target answered one number an input that is not a whole class number. If these are scores "
            "of a binary classifier, return two columns of probabilities; regression is not supported."
        )
    limit = 2**31 if classes is None else classes
    if len(reply) and (reply.min() < 0 or reply.max() >= limit):
        allowed = "0 or more" if classes is None else f"0 to {classes - 1}"
        raise TargetError(f"the target answered labels from {reply.min():g} to {reply.max():g}; {allowed} is allowed.")
    return reply.astype(np.int64)


def _probabilities(reply: AnyArray, classes: int | None) -> Answers:
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(reply, dtype=np.float32)
    if rows.shape[1] < 2 or (classes is not None and rows.shape[1] != classes):
        wanted = "at least 2" if classes is None else str(classes)
        raise TargetError(f"the target answered {rows.shape[1]} columns; {wanted} classes are expected.")
    if not np.isfinite(rows).all():
        raise TargetError("the target answered NaN or infinite probabilities; check its input scaling.")
    if rows.size and rows.min() < 0:
        raise TargetError(
            f"the target answered a negative probability ({rows.min():.4g}); if these are logits, apply softmax first."
        )
    beyond = _beyond_rounding(rows)
    if beyond.any():
        raise TargetError(
            f"the target answered probabilities that sum to {rows[beyond.argmax()].sum():.4g}; one is needed "
            "(rounding is allowed for). If these are logits, apply softmax; if classes are independent "
            "(multi-label), this is not supported."
        )
    return Answers(rows.argmax(axis=1).astype(np.int64), rows)


def _beyond_rounding(rows: Float32Array) -> BoolArray:
    """Tell which rows miss a sum of one by more than rounding explains."""
    exact = rows.astype(np.float64)
    miss = exact.sum(axis=1) - 1
    bad: BoolArray = np.abs(miss) > _SUM_SLACK
    for step in _STEPS if bad.any() else ():
        steps = exact / step
        on_grid = np.abs(steps - np.rint(steps)).max(axis=1) < 1e-3
        # rounding down can take from every class, rounding up can only have given to those above zero
        low, high = rows.shape[1] * step / 2, np.count_nonzero(rows, axis=1) * step / 2
        bad &= ~(on_grid & (miss > -low - _SUM_SLACK) & (miss < high + _SUM_SLACK))
    return bad
