"""Kim's convolutional network for sentences (EMNLP 2014), as ActiveThief uses it (section 5.2)."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["PADDING", "SHORTEST", "Kim"]

PADDING = 0  # the word that stands behind the end of a text
_WIDTHS = (3, 4, 5)
SHORTEST = max(_WIDTHS)  # columns that the widest filter needs


class Kim(nn.Module):
    """Filters of 3, 4 and 5 words over word vectors, ReLU, maximum over time, dropout, one fully connected layer.

    A text's maximum is over the windows that lie within it, so that its logits do not depend on how far it is padded;
    one shorter than a filter has a single window, filled up with zeros.

    Parameters
    ----------
    table : float32 (words, dimensions), the vector of each word; that of word 0, the padding, is zero and stays it
    classes : number of classes
    filters : of each of the three widths
    dropout : share of the values behind the maximum that is dropped
    """

    def __init__(self, table: torch.Tensor, classes: int, *, filters: int, dropout: float) -> None:
        super().__init__()
        words, dimensions = table.shape
        self.embedding = nn.Embedding(words, dimensions, padding_idx=PADDING, _weight=table)
        self.filters = nn.ModuleList(nn.Linear(width * dimensions, filters) for width in _WIDTHS)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(filters * len(_WIDTHS), classes)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        """Return logits (n, classes) of int64 words (n, columns), padded behind to 5 columns or more."""
        lengths = (words != PADDING).sum(dim=1, keepdim=True)
        largest = [self._largest(words, lengths, *pair) for pair in zip(_WIDTHS, self.filters, strict=True)]
        logits: torch.Tensor = self.output(self.dropout(torch.relu(torch.cat(largest, dim=1))))
        return logits

    def _largest(self, words: torch.Tensor, lengths: torch.Tensor, width: int, filters: nn.Module) -> torch.Tensor:
        """Return the largest value of each filter (n, filters); windows of padding alone are never computed."""
        windows = words.unfold(1, width, 1)
        inside = torch.arange(windows.shape[1], device=words.device) <= (lengths - width).clamp(min=0)
        values: torch.Tensor = filters(self.embedding(windows[inside]).flatten(1))
        spread = values.new_full((*inside.shape, values.shape[1]), -torch.inf)
        spread[inside] = values
        return spread.max(dim=1).values
