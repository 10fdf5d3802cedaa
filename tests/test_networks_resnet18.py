"""ResNet-18 for small images, against torchvision's blocks and its known number of parameters."""

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from copycost.errors import InvalidInput
from copycost.networks import build


def _build(text: str = "resnet18", shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10) -> nn.Module:
    return build(text, shape, classes, rng=np.random.default_rng(0))


def _parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def _convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]


def test_resnet18_has_the_parameters_that_are_usual_at_32_by_32() -> None:
    assert _parameters(_build()) == 11_173_962


def test_the_stem_is_3_by_3_and_nothing_pools_but_the_mean_before_the_last_layer() -> None:
    network = _build()
    stem = _convolutions(network)[0]
    assert (stem.kernel_size, stem.stride, stem.padding) == ((3, 3), (1, 1), (1, 1))
    assert not any(isinstance(layer, nn.MaxPool2d | nn.AvgPool2d) for layer in network.modules())
    assert isinstance(network, nn.Sequential)
    assert network[:-3](torch.zeros(2, 3, 32, 32)).shape == (2, 512, 4, 4)


def test_resnet18_computes_what_torchvisions_does_with_such_a_stem() -> None:
    theirs = torchvision.models.resnet18(weights=None, num_classes=10)
    theirs.conv1, theirs.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    theirs.eval()
    ours = _build().eval()
    own, other = ours.state_dict(), theirs.state_dict()
    assert [value.shape for value in own.values()] == [value.shape for value in other.values()]
    ours.load_state_dict(dict(zip(own, other.values(), strict=True)))
    images = torch.tensor(np.random.default_rng(0).random((2, 3, 32, 32)))
    with torch.no_grad():
        torch.testing.assert_close(ours.double()(images), theirs.double()(images))


def test_width_scales_the_filters_of_every_stage() -> None:
    network = _build("resnet18 width=0.125")
    assert {layer.out_channels for layer in _convolutions(network)} == {8, 16, 32, 64}
    half, quarter = (_parameters(_build(f"resnet18 width={width}")) for width in (0.5, 0.25))
    assert 3.8 < half / quarter < 4.1
    with pytest.raises(InvalidInput, match=r"resnet18 width is '0'; a number from 0\.01 to 4"):
        _build("resnet18 width=0")


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 1), (64, 40, 3), (1, 1, 1)])
def test_resnet18_takes_grey_images_and_other_sizes(shape: tuple[int, int, int]) -> None:
    network = _build("resnet18 width=0.05", shape, 7)
    assert network(torch.zeros(2, shape[2], *shape[:2])).shape == (2, 7)


def test_its_convolutions_start_with_variance_two_by_fan_out() -> None:
    for layer in _convolutions(_build())[1:]:
        fan_out = layer.out_channels * layer.kernel_size[0] ** 2
        assert float(layer.weight.detach().std()) == pytest.approx((2 / fan_out) ** 0.5, rel=0.03)


def test_initial_weights_come_from_the_generator_alone() -> None:
    def weights(seed: int) -> torch.Tensor:
        network = build("resnet18 width=0.1", (32, 32, 3), 10, rng=np.random.default_rng(seed))
        return torch.cat([weight.flatten() for weight in network.parameters()])

    torch.rand(2)
    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))
