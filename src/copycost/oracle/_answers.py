"""What an oracle returns, and the kinds of answer a target's owner may choose to give."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from copycost._types import AnyArray, Float32Array, IntArray
from copycost.errors import InvalidInput, TargetError

__all__ = ["AnswerKind", "Answers", "checked_reply"]

_ROUNDING_SLACK = 0.006  # a reply rounded to two digits may miss a sum of one by half a unit for each class


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

    ``top1`` is the label alone; ``probabilities`` all of them; ``topk:K`` the K largest, where a copier spreads
    what is left evenly over the other classes; ``rounded:D`` all of them to D decimals, where the label is the
    largest rounded one, as a copier sees it (the lowest class wins a tie).

    Examples
    --------
    >>> kind = AnswerKind.parse("rounded:1")
    >>> kind.apply(Answers(np.array([2]), np.array([[0.31, 0.34, 0.35]], np.float32))).labels
    array([2])
    >>> AnswerKind.parse("top1").apply(Answers(np.array([2]), np.eye(3, dtype=np.float32)[[2]])).probabilities is None
    True
    """

    name: str
    amount: int = 0

    @classmethod
    def parse(cls, text: str) -> AnswerKind:
        """Read ``top1``, ``probabilities``, ``topk:K`` (K >= 1) or ``rounded:D`` (0 <= D <= 7)."""
        if text in ("top1", "probabilities"):
            return cls(text)
        match = re.fullmatch(r"(topk|rounded):(\d{1,4})", text)
        if match is None:
            raise InvalidInput(
                f"answers is {text!r}; write top1, probabilities, topk:K (such as topk:3) or rounded:D (such as rounded:2)."
            )
        name, amount = match[1], int(match[2])
        if name == "topk" and amount < 1:
            raise InvalidInput(f"answers is {text!r}; topk needs at least one class, such as topk:3.")
        if name == "rounded" and amount > 7:
            raise InvalidInput(f"answers is {text!r}; rounded takes 0 to 7 decimals, as answers are float32.")
        return cls(name, amount)

    def __str__(self) -> str:
        return self.name if self.name in ("top1", "probabilities") else f"{self.name}:{self.amount}"

    @property
    def gives_probabilities(self) -> bool:
        """Whether the copier receives more than a label."""
        return self.name != "top1"

    def apply(self, raw: Answers) -> Answers:
        """Return what the copier receives when the target says ``raw``.

        Raises
        ------
        InvalidInput
            If probabilities are to be given and the target has none, or fewer classes than ``topk`` asks for.
        """
        if self.name == "top1":
            return Answers(raw.labels)
        if raw.probabilities is None:
            raise InvalidInput(f"answers is {self}, but the target gives labels alone; use --answers top1.")
        if self.name == "probabilities":
            return raw
        if self.name == "rounded":
            rows = np.round(raw.probabilities, self.amount)
            return Answers(rows.argmax(axis=1).astype(np.int64), rows)
        return Answers(raw.labels, self._largest(raw.probabilities))

    def _largest(self, rows: Float32Array) -> Float32Array:
        classes = rows.shape[1]
        if self.amount > classes:
            raise InvalidInput(f"answers is {self}, but the target has {classes} classes; ask for at most that many.")
        kept = np.argsort(-rows, axis=1, kind="stable")[:, : self.amount]
        shown = np.zeros_like(rows)
        np.put_along_axis(shown, kept, np.take_along_axis(rows, kept, axis=1), axis=1)
        if self.amount < classes:
            rest = np.maximum(1 - shown.sum(axis=1, keepdims=True), 0) / (classes - self.amount)
            hidden = np.ones(rows.shape, bool)
            np.put_along_axis(hidden, kept, False, axis=1)
            shown = np.where(hidden, rest, shown).astype(np.float32)
        return shown


def checked_reply(reply: AnyArray, count: int, classes: int | None) -> Answers:
    """Turn what a target returned for ``count`` inputs into `Answers`, or say what is wrong with it.

    Parameters
    ----------
    reply : array (count,) of labels, or (count, classes) of probabilities
    count : number of inputs sent
    classes : number of classes, or None where not known yet

    Raises
    ------
    TargetError
        For a wrong number of rows or columns, labels that are not whole numbers in range, and probabilities that
        are not finite, negative, or do not sum to one (rounding allowed for).
    """
    if reply.shape[:1] != (count,):
        raise TargetError(f"the target answered {reply.shape[:1] or 'a scalar'} rows to {count} inputs; one row an input is needed.")
    if reply.dtype == object or reply.dtype.kind not in "iufb":
        raise TargetError(f"the target answered with values of type {reply.dtype}; labels (integers) or probabilities (floats) are needed.")
    if reply.ndim == 1:
        return Answers(_labels(reply, classes))
    if reply.ndim != 2:
        raise TargetError(f"the target answered an array of shape {reply.shape}; (n,) labels or (n, classes) probabilities are needed.")
    return _probabilities(reply, classes)


def _labels(reply: AnyArray, classes: int | None) -> IntArray:
    if not np.isfinite(reply).all() or (reply != np.floor(reply)).any():
        raise TargetError(
            "the target answered one number an input that is not a whole class number. If these are scores of a "
            "binary classifier, return two columns of probabilities; regression is not supported."
        )
    labels = reply.astype(np.int64)
    if len(labels) and (labels.min() < 0 or (classes is not None and labels.max() >= classes)):
        allowed = "0 or more" if classes is None else f"0 to {classes - 1}"
        raise TargetError(f"the target answered labels from {labels.min()} to {labels.max()}; {allowed} is allowed.")
    return labels


def _probabilities(reply: AnyArray, classes: int | None) -> Answers:
    rows = np.ascontiguousarray(reply, dtype=np.float32)
    if rows.shape[1] < 2 or (classes is not None and rows.shape[1] != classes):
        wanted = "at least 2" if classes is None else str(classes)
        raise TargetError(f"the target answered {rows.shape[1]} columns; {wanted} classes are expected.")
    if not np.isfinite(rows).all():
        raise TargetError("the target answered NaN or infinite probabilities; check its input scaling.")
    if rows.size and rows.min() < 0:
        raise TargetError(f"the target answered a negative probability ({rows.min():.4g}); if these are logits, apply softmax first.")
    sums = rows.sum(axis=1)
    slack = 1e-3 + _ROUNDING_SLACK * rows.shape[1]
    if len(rows) and np.abs(sums - 1).max() > slack:
        worst = sums[np.abs(sums - 1).argmax()]
        raise TargetError(
            f"the target answered probabilities that sum to {worst:.4g}; one is needed (rounding is allowed for). "
            "If these are logits, apply softmax; if classes are independent (multi-label), this is not supported."
        )
    return Answers(rows.argmax(axis=1).astype(np.int64), rows)
