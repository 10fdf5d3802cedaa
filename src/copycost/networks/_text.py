"""A network over words together with how texts become its input."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import nn

from copycost._types import AnyArray, Float32Array, IntArray
from copycost.inputs import Inputs, Texts
from copycost.networks._classifier import row_probabilities
from copycost.networks._device import device_of
from copycost.networks._kim import PADDING, SHORTEST
from copycost.networks._vectors import Vectors
from copycost.networks._vocabulary import SPECIAL, Int32Array, Vocabulary

__all__ = ["TextClassifier", "word_table"]

_DIMENSIONS = 50
_RANGE = 0.25


class TextClassifier:
    """A network over the words of texts.

    Texts are put in lower case and cut into words and punctuation marks; what lies behind the first
    ``vocabulary.length`` of these is not looked at.

    Parameters
    ----------
    network : module from word numbers (n, columns), int64 and padded with 0 behind, to logits (n, classes)
    vocabulary : the words it knows
    """

    def __init__(self, network: nn.Module, vocabulary: Vocabulary) -> None:
        self.network = network
        self.vocabulary = vocabulary

    def __call__(self, words: torch.Tensor) -> torch.Tensor:
        """Return logits (n, classes) of int64 word numbers (n, columns)."""
        logits: torch.Tensor = self.network(words)
        return logits

    def encode(self, inputs: Inputs) -> Int32Array:
        """Return word numbers (n, columns), padded with 0 behind; columns for the longest text, 5 at least."""
        return self.vocabulary.encode(cast(Texts, inputs))

    def tensor(self, rows: AnyArray) -> torch.Tensor:
        """Return int64 word numbers, without the columns that only pad."""
        used = np.flatnonzero((rows != PADDING).any(axis=0))
        words = rows[:, : max(SHORTEST, used[-1] + 1 if len(used) else 0)].astype(np.int64)
        return torch.from_numpy(words).to(device_of(self.network))

    def probabilities(self, inputs: Inputs) -> Float32Array:
        """Return softmax probabilities (n, classes), in evaluation mode and without gradients."""
        return row_probabilities(self, self.encode(inputs))

    def labels(self, inputs: Inputs) -> IntArray:
        """Return the most probable class of each text (n,)."""
        labels: IntArray = self.probabilities(inputs).argmax(axis=1)
        return labels


def word_table(vocabulary: Vocabulary, vectors: Vectors | None, rng: np.random.Generator) -> Float32Array:
    """Return the initial vector of each word (words + 2, dimensions), padding and unknown included.

    A word without a vector, and every word where there are none, gets a random one: uniform, with the variance that the
    vectors have (Kim, section 3.2), or from -0.25 to 0.25.
    """
    own = {} if vectors is None else vectors.rows
    found = [(row, own[word]) for row, word in enumerate(vocabulary.words, SPECIAL) if word in own]
    rows, at = np.array(found, np.int64).reshape(-1, 2).T
    known = np.zeros((0, _DIMENSIONS), np.float32) if vectors is None else vectors.array[at]
    limit = np.sqrt(3) * known.std() if len(known) else _RANGE
    table = rng.uniform(-limit, limit, (len(vocabulary.words) + SPECIAL, known.shape[1])).astype(np.float32)
    table[rows] = known
    table[PADDING] = 0
    return table
