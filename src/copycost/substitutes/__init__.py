"""The copy that is trained on the answers: one training loop for every substitute and every target trained here."""

from copycost.substitutes._schedule import Schedule
from copycost.substitutes._training import History, Labelled, fit

__all__ = ["History", "Labelled", "Schedule", "fit"]
