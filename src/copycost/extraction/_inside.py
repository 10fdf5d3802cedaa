"""What only the target's owner can look up: uncharged, counted, and declared by the strategy that needs it."""

from __future__ import annotations

from typing import Any

import numpy as np

from copycost._types import AnyArray
from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs
from copycost.networks import activation_traces, pass_sizes
from copycost.oracle.targets import NetworkTarget, Target
from copycost.strategies import Memo

__all__ = ["Inside"]

_PART = 1024  # inputs that the target is shown at once


class Inside:
    """Looks inside a target, once for each need and member of the pool.

    Parameters
    ----------
    target, pool : whom to look into, and for which inputs
    memo : keeps what was seen for the other cells of an audit

    """

    def __init__(self, target: Target, pool: Inputs, memo: Memo) -> None:
        self._target, self._pool, self._memo = target, pool, memo
        self._found: dict[str, Any] = {}

    def find(self, needs: frozenset[str]) -> dict[str, Any]:
        """Return what the strategy's needs name, for every member of the pool.

        Raises
        ------
        InvalidInput
            If this target cannot be looked into so.
        """
        makers = {"target_probabilities": self._probabilities, "target_traces": self._traces}
        for need in sorted(needs & makers.keys()):
            if need not in self._found:
                fingerprint = self._target.fingerprint()
                memo = Memo() if fingerprint is None else self._memo
                self._found[need] = memo.array((f"{need}/1", fingerprint, self._pool.digest()), makers[need])
                if need == "target_traces":
                    self._found["target_layers"] = self._layers()
        return dict(self._found)

    def _probabilities(self) -> AnyArray:
        if not self._target.gives_probabilities:
            raise InvalidInput(
                f"a strategy needs the target's own probabilities, and {self._target.name} gives labels alone; choose "
                "another strategy."
            )
        starts = range(0, len(self._pool), _PART)
        parts = [range(start, min(start + _PART, len(self._pool))) for start in starts]
        return np.concatenate([np.asarray(self._target.reply(self._pool.take(part)), np.float32) for part in parts])

    def _traces(self) -> AnyArray:
        if not isinstance(self._target, NetworkTarget) or not isinstance(self._pool, Images):
            raise InvalidInput(
                f"a strategy needs to see which neurons the target activates, and {self._target.name} is no network "
                "over images held here; choose another strategy, or a target from weights or trained here."
            )
        return activation_traces(self._target.classifier, self._pool)

    def _layers(self) -> tuple[int, ...]:
        assert isinstance(self._target, NetworkTarget)  # _traces has refused all others, whoever looked first
        return pass_sizes(self._target.classifier, self._pool)
