"""ResNet-18 (He et al. 2016) in the form that is usual for small images, as DRMI's Table 4 needs it."""

from __future__ import annotations

from torch import nn

from copycost.networks._thesis import Residual, normed, scaled, start

__all__ = ["resnet18"]

_BLOCKS = 2  # in each of four stages


def resnet18(shape: tuple[int, int, int], classes: int, *, width: float) -> nn.Module:
    """ResNet of two basic blocks in each of four stages, whose first convolution is 3 x 3 and followed by no pooling.

    The published stem for 224 x 224 pixels, 7 x 7 with stride 2 and a pooling, would leave a single pixel of 32 x 32;
    this one leaves 4 x 4. With 3 channels and 10 classes these are 11,173,962 parameters.

    Parameters
    ----------
    shape : height, width and channels of the images
    classes : number of classes
    width : factor of the filters of all stages (64, 128, 256, 512)
    """
    filters = scaled((64, 128, 256, 512), width)
    layers = [*normed(nn.Conv2d(shape[2], filters[0], 3, padding=1, bias=False)), nn.ReLU()]
    channels = filters[0]
    for stage, count in enumerate(filters):
        for block in range(_BLOCKS):
            layers.append(_Basic(channels, count, stride=2 if stage and not block else 1))
            channels = count
    return start(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)))


class _Basic(Residual):
    """Two 3 x 3 convolutions beside a short cut, the stride in the first (He et al. 2016, Figure 5, left)."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        body = nn.Sequential(
            *normed(nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)),
            nn.ReLU(),
            *normed(nn.Conv2d(filters, filters, 3, padding=1, bias=False)),
        )
        super().__init__(body, channels, filters, stride)
