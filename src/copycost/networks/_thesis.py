"""The networks of Schmidl's thesis (2021, appendix B): known trunks for 32 x 32 images, each with a small head.

Table 4 counts their parameters, which fixes the head: a layer of 64 and one of as many values as there are classes. The
trunks have torchvision's layers and initial weights; ``width`` scales the number of filters for slim versions.
"""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["Residual", "alexnet", "normed", "resnet", "scaled", "start", "vgg"]

Shape = tuple[int, int, int]

_HEAD = 64


def vgg(shape: Shape, classes: int, *, convolutions: tuple[int, ...], width: float) -> nn.Module:
    """VGG: blocks of 3 x 3 convolutions and a pooling; (2, 2, 3, 3, 3) convolutions are VGG-16, (2, 2, 4, 4, 4) VGG-19.

    With 10 classes these are 14,748,170 and 20,057,866 parameters, as in the thesis.
    """
    layers: list[nn.Module] = []
    channels = shape[2]
    for count, filters in zip(convolutions, scaled((64, 128, 256, 512, 512), width), strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return start(nn.Sequential(*layers, *_head(channels, classes)))


def resnet(shape: Shape, classes: int, *, blocks: tuple[int, ...], width: float) -> nn.Module:
    """ResNet of bottlenecks; (3, 4, 6, 3) of them are ResNet-50, (3, 4, 23, 3) ResNet-101.

    With 10 classes these are 23,639,818 and 42,631,946 parameters. Keras, which the thesis used, has a bias in every
    convolution as well and reports 23,666,378 and 42,684,618 trainable ones.
    """
    first = scaled((64,), width)[0]
    layers: list[nn.Module] = [
        *normed(nn.Conv2d(shape[2], first, 7, stride=2, padding=3, bias=False)),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
    ]
    channels = first
    for stage, (count, filters) in enumerate(zip(blocks, scaled((64, 128, 256, 512), width), strict=True)):
        for block in range(count):
            layers.append(_Bottleneck(channels, filters, stride=2 if stage and not block else 1))
            channels = _Bottleneck.expansion * filters
    return start(nn.Sequential(*layers, *_head(channels, classes)))


def alexnet(shape: Shape, classes: int, *, width: float, dropout: float) -> nn.Module:
    """AlexNet at 32 x 32: 5 convolutions and 4 fully connected layers, batch norm after all nine, the last included.

    With 3 channels and 10 classes these are 25,709,350 trainable parameters; Keras counts batch norm's 21,156 running
    means and variances as well, so the thesis says 25,730,506. Sizes are halved rounding up, as Keras' "same" does.
    """
    height, across, channels = shape
    filters = scaled((96, 256, 384, 384, 256), width)
    layers: list[nn.Module] = [nn.ZeroPad2d((*_same(across, 11, 4), *_same(height, 11, 4)))]
    height, across = -(-height // 4), -(-across // 4)
    for number, (kernel, count) in enumerate(zip((11, 5, 3, 3, 3), filters, strict=True)):
        plain = nn.Conv2d(channels, count, kernel, padding=kernel // 2) if number else nn.Conv2d(channels, count, 11, 4)
        layers += [*normed(plain), nn.ReLU()]
        channels = count
        if number in (0, 1, 4):
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
            height, across = -(-height // 2), -(-across // 2)
    layers.append(nn.Flatten())
    size = channels * height * across
    for hidden in scaled((4096, 4096, 1000), width):
        layers += [nn.Linear(size, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(dropout)]
        size = hidden
    network = nn.Sequential(*layers, nn.Linear(size, classes), nn.BatchNorm1d(classes))
    return network.to(memory_format=torch.channels_last)


class Residual(nn.Module):
    """A body and, beside it, a short cut, which is a convolution where the two differ in shape (He et al. 2016)."""

    def __init__(self, body: nn.Sequential, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = body
        self.short: nn.Module = nn.Identity()
        if stride != 1 or channels != out:
            self.short = nn.Sequential(*normed(nn.Conv2d(channels, out, 1, stride=stride, bias=False)))
        self.relu = nn.ReLU()  # a module, so that traces see it

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        active: torch.Tensor = self.relu(self.body(values) + self.short(values))
        return active


class _Bottleneck(Residual):
    """1 x 1, 3 x 3 and 1 x 1 convolutions beside a short cut (He et al. 2016), the stride in the 3 x 3."""

    expansion = 4

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        out = self.expansion * filters
        body = nn.Sequential(
            *normed(nn.Conv2d(channels, filters, 1, bias=False)),
            nn.ReLU(),
            *normed(nn.Conv2d(filters, filters, 3, stride=stride, padding=1, bias=False)),
            nn.ReLU(),
            *normed(nn.Conv2d(filters, out, 1, bias=False)),
        )
        super().__init__(body, channels, out, stride)


def scaled(filters: tuple[int, ...], width: float) -> list[int]:
    """Return numbers of filters times a factor, each rounded and at least 1."""
    return [max(1, round(count * width)) for count in filters]


def normed(convolution: nn.Conv2d) -> list[nn.Module]:
    """Return a convolution and the batch norm that follows it."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels)]


def _head(channels: int, classes: int) -> list[nn.Module]:
    pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return [*pooled, nn.Linear(channels, _HEAD), nn.ReLU(), nn.Linear(_HEAD, classes)]


def start(network: nn.Module) -> nn.Module:
    """Return a network with the initial weights that torchvision draws for convolutions.

    torch's own fade with depth where there is no batch norm.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network.to(memory_format=torch.channels_last)  # faster on a CPU


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return how many zeros go before and behind, so that a convolution gives size / stride values, rounded up."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
