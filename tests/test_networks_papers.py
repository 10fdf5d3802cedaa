"""The networks of ActiveThief and of the thesis."""

import functools

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from copycost.errors import InvalidInput
from copycost.networks import build


def _build(text: str, shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10) -> nn.Module:
    return build(text, shape, classes, rng=np.random.default_rng(0))


def _parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@functools.cache
def _counts(name: str) -> tuple[int, int, int]:
    """Return the parameters, the running means and variances, and the filters of a network."""
    network = _build(name)
    running = sum(values.numel() for key, values in network.named_buffers() if "running" in key)
    return _parameters(network), running, sum(_filters(network))


def _filters(network: nn.Module) -> list[int]:
    return [layer.out_channels for layer in network.modules() if isinstance(layer, nn.Conv2d)]


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("activethief-lc", [32] * 4 + [64] * 4),
        ("activethief-bc", [32] * 4 + [64] * 4 + [128] * 4),
        ("activethief-hc", [32] * 4 + [64] * 4 + [128] * 4 + [256] * 4),
    ],
)
def test_activethiefs_networks_have_two_units_of_two_convolutions_a_block(name: str, filters: list[int]) -> None:
    network = _build(name)
    assert _filters(network) == filters
    kinds = [type(layer).__name__ for layer in network.children()]
    unit = ["Conv2d", "ReLU", "BatchNorm2d"] * 2 + ["MaxPool2d", "Dropout"]
    assert kinds == unit * (len(filters) // 2) + ["Flatten", "Linear"]
    assert {layer.kernel_size for layer in network.modules() if isinstance(layer, nn.Conv2d)} == {(3, 3)}
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.1}


def test_the_base_network_on_32_pixels_ends_in_one_pixel_of_128_filters() -> None:
    layers = [layer for layer in _build("activethief-bc").modules() if isinstance(layer, nn.Linear)]
    assert [tuple(layer.weight.shape) for layer in layers] == [(10, 128)]


def test_width_and_dropout_of_activethiefs_networks_can_be_set() -> None:
    network = _build("activethief-bc width=6 dropout=0.2")
    assert _filters(network) == [6] * 4 + [12] * 4 + [24] * 4
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.2}


@pytest.mark.parametrize("name", ["activethief-lc", "activethief-bc", "activethief-hc"])
@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 8, 3), (17, 30, 1), (64, 64, 3)])
def test_activethiefs_networks_take_any_size_from_8_by_8(name: str, shape: tuple[int, int, int]) -> None:
    network = _build(f"{name} width=2", shape, 5)
    assert network(torch.zeros(2, shape[2], *shape[:2])).shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("vgg16", 14_748_170),
        ("vgg19", 20_057_866),
        ("alexnet", 25_709_350),
        ("resnet50", 23_639_818),
        ("resnet101", 42_631_946),
    ],
)
def test_the_thesis_networks_have_the_parameters_of_its_table_4(name: str, count: int) -> None:
    parameters, running, _ = _counts(name)
    assert parameters == count
    if name == "alexnet":
        assert count + running == 25_730_506


def test_what_the_resnets_lack_of_keras_is_a_bias_in_every_convolution() -> None:
    for name, trainable, total in (("resnet50", 23_666_378, 23_719_498), ("resnet101", 42_684_618, 42_789_962)):
        parameters, running, filters = _counts(name)
        assert parameters + filters == trainable
        assert trainable + running == total


def test_alexnet_norms_all_nine_layers_the_last_included() -> None:
    network = _build("alexnet")
    sizes = [layer.num_features for layer in network.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert sizes == [96, 256, 384, 384, 256, 4096, 4096, 1000, 10]
    assert _filters(network) == sizes[:5]


def test_alexnets_first_convolution_sees_an_image_as_keras_same_padding_shows_it() -> None:
    network = _build("alexnet width=0.05", (32, 32, 1))
    first = network[:2] if isinstance(network, nn.Sequential) else network
    corner = torch.zeros(1, 1, 32, 32)
    corner[0, 0, 0, 0] = 1
    responses = first(corner) - first(torch.zeros(1, 1, 32, 32))
    kernel = next(iter(first.parameters()))
    assert responses.shape[2:] == (8, 8)
    torch.testing.assert_close(responses[0, :, 0, 0], kernel[:, 0, 3, 3])  # 3 zeros before, 4 behind


def test_vggs_trunks_compute_what_torchvisions_do() -> None:
    for name, letter in (("vgg16", "D"), ("vgg19", "E")):
        theirs = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs[letter])
        _same_trunk(_build(name), theirs, _images())


@pytest.mark.parametrize("name", ["resnet50", "resnet101"])
def test_resnets_trunks_compute_what_torchvisions_do(name: str) -> None:
    theirs = getattr(torchvision.models, name)(weights=None)
    theirs.fc = nn.Identity()
    _same_trunk(_build(name), theirs.eval(), _images())


def _images() -> torch.Tensor:
    return torch.tensor(np.random.default_rng(0).random((2, 3, 32, 32)))


def _same_trunk(ours: nn.Module, theirs: nn.Module, images: torch.Tensor) -> None:
    assert isinstance(ours, nn.Sequential)
    trunk = ours[:-3].eval()
    own, other = trunk.state_dict(), theirs.state_dict()
    assert [value.shape for value in own.values()] == [value.shape for value in other.values()]
    trunk.load_state_dict(dict(zip(own, other.values(), strict=True)))
    with torch.no_grad():
        torch.testing.assert_close(trunk.double()(images), theirs.double()(images).flatten(1))


def test_thesis_convolutions_start_with_variance_two_by_fan_out() -> None:
    for text in ("vgg16", "resnet50"):
        layers = [layer for layer in _build(text).modules() if isinstance(layer, nn.Conv2d)]
        for layer in layers[3:]:
            fan_out = layer.out_channels * layer.kernel_size[0] ** 2
            assert float(layer.weight.detach().std()) == pytest.approx((2 / fan_out) ** 0.5, rel=0.03)


@pytest.mark.parametrize("name", ["vgg16", "vgg19", "alexnet", "resnet50", "resnet101"])
def test_slim_thesis_networks_scale_with_the_square_of_their_width(name: str) -> None:
    half, quarter = (_parameters(_build(f"{name} width={width}")) for width in (0.5, 0.25))
    assert 3.5 < half / quarter < 4.1


@pytest.mark.parametrize("name", ["vgg16", "vgg19", "alexnet", "resnet50", "resnet101"])
def test_thesis_networks_take_grey_images_and_other_sizes(name: str) -> None:
    network = _build(f"{name} width=0.05", (28, 36, 1), 43)
    assert network(torch.zeros(2, 1, 28, 36)).shape == (2, 43)


@pytest.mark.parametrize(
    "text", ["activethief-bc width=4", "vgg16 width=0.1", "alexnet width=0.1", "resnet50 width=0.1"]
)
def test_initial_weights_of_papers_networks_come_from_the_generator_alone(text: str) -> None:
    def weights(seed: int) -> torch.Tensor:
        network = build(text, (32, 32, 3), 10, rng=np.random.default_rng(seed))
        return torch.cat([weight.flatten() for weight in network.parameters()])

    torch.rand(2)
    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_a_width_beyond_what_is_allowed_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"vgg16 width is '0'; a number from 0\.01 to 4"):
        _build("vgg16 width=0")
