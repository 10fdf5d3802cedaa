"""What a cell is given and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from copycost._types import Float32Array, IntArray
from copycost.extraction._shares import Shares, Sizes
from copycost.inputs import Images, Inputs
from copycost.networks import AnyClassifier, Vectors
from copycost.oracle import AnswerKind
from copycost.oracle.targets import Target
from copycost.strategies import Strategy
from copycost.substitutes import Schedule
from copycost.transfer import TransferPlan

__all__ = ["Cell", "Extraction", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """What a cell copies and what it is measured on.

    Attributes
    ----------
    target : Target
    pool : Inputs
        What may be asked, with ``pool_labels`` (n,) or None.
    test : Inputs
        Held-out inputs, with ``test_labels`` (m,) or None.
    test_answers : int64 array (m,)
        The target's labels of the held-out inputs, asked on an account of their own.
    classes : tuple of str
        Names of the classes.
    target_architecture : str or None
        Where it is known.
    pool_overlaps_training : bool or None
        Whether the pool holds inputs the target was trained on; None where nobody knows.
    vectors : Vectors or None
        Word vectors that a substitute for texts starts from; they are the copier's own.
    compared : Images or None
        The images of the pool as strategies compare them, where that is not as they are asked.
    numbering : int64 array or None
        The pool index of every input of the pool as it was loaded, where some that repeat an earlier one were left out.
    target_probabilities : float32 array (n, classes) or None
        What the target says of the pool, where that was asked already; None to ask it, where a strategy needs it, on
        the account ``insider`` of the cell's own ledger.
    """

    target: Target
    pool: Inputs
    pool_labels: IntArray | None
    test: Inputs
    test_labels: IntArray | None
    test_answers: IntArray
    classes: tuple[str, ...]
    target_architecture: str | None = None
    pool_overlaps_training: bool | None = None
    vectors: Vectors | None = None
    compared: Images | None = None
    numbering: IntArray | None = None
    target_probabilities: Float32Array | None = None


@dataclass(frozen=True)
class Cell:
    """One extraction: strategy x answers x budget x seed, with how the substitute is trained and measured."""

    strategy: Strategy
    answers: AnswerKind
    budget: int
    seed: int
    substitute: str
    schedule: Schedule
    transfer: TransferPlan = field(default_factory=TransferPlan)
    uniform: int = 1000
    shares: Shares = field(default_factory=Shares)
    robustness: int = 0

    def sizes(self) -> Sizes:
        """Return how the budget is shared out."""
        return self.shares.sizes(self.strategy, self.budget)


@dataclass(frozen=True)
class Extraction:
    """What a cell leaves: numbers equal to the bit on the same machine, and apart from them how the run went."""

    result: dict[str, Any]
    run: dict[str, Any]
    substitute: AnyClassifier
