"""ActiveThief's image networks (Pal et al. 2019, sections 5.2 and 6.2): one definition, three complexities."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["activethief"]

_UNITS = 2  # a block; section 6.2 says 3 of the base network, but section 1 counts its convolutions: 12


def activethief(shape: tuple[int, int, int], classes: int, *, blocks: int, width: int, dropout: float) -> nn.Module:
    """Blocks of two units, then one fully connected layer that gives the logits.

    A unit is two convolutions (3 x 3, stride 1), each followed by ReLU and batch norm, one pooling (2 x 2, stride 2)
    and dropout. Convolutions are padded and poolings round up, so that six poolings fit 28 x 28 or 32 x 32 pixels.

    Parameters
    ----------
    shape : height, width and channels of the images; 8 x 8 and more
    classes : number of classes
    blocks : 2 for lower, 3 for base and 4 for higher complexity; each has twice the filters of the one before
    width : filters of the first block (the paper's: 32)
    dropout : share of values that is dropped (the paper's: 0.1, and 0.2 on CIFAR-10)
    """
    height, across, channels = shape
    layers: list[nn.Module] = []
    for block in range(blocks):
        filters = width * 2**block
        for _ in range(_UNITS):
            layers += [*_convolution(channels, filters), *_convolution(filters, filters)]
            layers += [nn.MaxPool2d(2, ceil_mode=True), nn.Dropout(dropout)]
            channels, height, across = filters, -(-height // 2), -(-across // 2)
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * across, classes))
    return network.to(memory_format=torch.channels_last)  # a fifth to two fifths faster on a CPU


def _convolution(channels: int, filters: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(filters)]
