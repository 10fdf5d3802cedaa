"""What only the target's owner can look up: declared by the strategy that needs it, and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from copycost._types import AnyArray, Float32Array
from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs
from copycost.networks import activation_traces, pass_sizes
from copycost.networks._traces import check_room
from copycost.oracle import Ledger, Oracle
from copycost.oracle.targets import NetworkTarget, Target
from copycost.strategies import Memo, Strategy

__all__ = ["Inside", "check_looks", "pool_probabilities", "refuse_looks"]

_PART = 1024  # inputs between two words of progress: a multiple of what an oracle sends at once


def refuse_looks(strategy: Strategy, name: str, *, probabilities: bool, neurons: bool) -> None:
    """Refuse a strategy that needs a look which a target of this name does not allow.

    Raises
    ------
    InvalidInput
        If it needs probabilities, or neurons to see, where there are none.
    """
    looks = strategy.looks_inside
    if "target_probabilities" in looks and not probabilities:
        raise InvalidInput(
            f"strategy '{strategy}' needs the target's own probabilities, and {name} gives labels alone; choose "
            "another strategy."
        )
    if "target_traces" in looks and not neurons:
        raise InvalidInput(
            f"strategy '{strategy}' needs to see which neurons the target activates, and {name} is no network "
            "over images held here; choose another strategy, or a target from weights or trained here."
        )


def check_looks(strategy: Strategy, target: Target, pool: Inputs) -> None:
    """Refuse a strategy that needs to look inside a target where it cannot, before anything is charged.

    Raises
    ------
    InvalidInput
        If the target gives no probabilities or has no neurons to see, or traces of the whole pool would take more than
        2 GiB.
    """
    refuse_looks(
        strategy,
        target.name,
        probabilities=target.gives_probabilities,
        neurons=isinstance(target, NetworkTarget) and isinstance(pool, Images),
    )
    if "target_traces" not in strategy.looks_inside:
        return
    assert isinstance(target, NetworkTarget)
    assert isinstance(pool, Images)
    neurons = sum(pass_sizes(target.classifier, pool))  # which refuses a network without such neurons
    check_room(len(pool), neurons, f"Take a smaller pool, or leave strategy '{strategy}' out.")


def pool_probabilities(
    target: Target, pool: Inputs, ledger: Ledger, report: Callable[[str, float], None]
) -> Float32Array:
    """Return what a target says of every member of the pool, charged to the account ``insider`` of a ledger.

    Parameters
    ----------
    target : one that gives probabilities
    pool : n inputs
    ledger : what it holds is not asked again
    report : takes (what runs, share done)

    Returns
    -------
    float32 array (n, classes)

    Raises
    ------
    InvalidInput, TargetError, LedgerError
        As `Oracle.ask`.
    """
    oracle = Oracle(target, ledger, account="insider")
    parts = [np.zeros((0, target.classes), np.float32)]
    for start in range(0, len(pool), _PART):
        report("looking inside the target", start / len(pool))
        rows = oracle.ask(pool.take(range(start, min(start + _PART, len(pool))))).probabilities
        assert rows is not None  # an oracle gives all that a target tells unless it is told otherwise
        parts.append(rows)
    return np.concatenate(parts)


class Inside:
    """Looks inside a target, once for each need and member of the pool.

    Parameters
    ----------
    target, pool : whom to look into, and for which inputs
    memo : keeps traces for the other cells of an audit
    probabilities : returns the target's probabilities of the pool (n, classes), when they are needed
    """

    def __init__(self, target: Target, pool: Inputs, memo: Memo, probabilities: Callable[[], AnyArray]) -> None:
        self._target, self._pool, self._memo, self._probabilities = target, pool, memo, probabilities
        self._found: dict[str, Any] = {}

    def find(self, needs: frozenset[str]) -> dict[str, Any]:
        """Return what the strategy's needs name, for every member of the pool; `check_looks` has let them pass."""
        if "target_probabilities" in needs and "target_probabilities" not in self._found:
            self._found["target_probabilities"] = self._probabilities()
        if "target_traces" in needs and "target_traces" not in self._found:
            assert isinstance(self._target, NetworkTarget)
            classifier, fingerprint = self._target.classifier, self._target.fingerprint()
            memo = Memo() if fingerprint is None else self._memo
            key = ("target_traces/2", fingerprint, self._pool.digest())
            self._found["target_traces"] = memo.array(key, lambda: activation_traces(classifier, self._pool))
            self._found["target_layers"] = pass_sizes(classifier, self._pool)
        return dict(self._found)
