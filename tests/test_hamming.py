"""Hamming distances against unpacked bits, and activation traces against networks worked out by hand."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from copycost._types import ByteArray
from copycost.errors import InvalidInput
from copycost.inputs import Images, Texts
from copycost.networks import Classifier, new_classifier
from copycost.networks._traces import activation_traces, pass_sizes, relu_layers, relu_sizes
from copycost.similarity import Hamming
from copycost.subsets import lightest_subset


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def bits(n: int, width: int, seed: int = 0) -> ByteArray:
    return np.random.default_rng(seed).integers(0, 256, (n, width), dtype=np.uint8)


def plain(rows: ByteArray) -> list[list[float]]:
    states = np.unpackbits(rows, axis=1).astype(np.int64)
    return [[float((a != b).sum()) for b in states] for a in states]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 5))
def test_distances_are_the_bits_that_differ(n: int, width: int, seed: int) -> None:
    rows = bits(n, width, seed)
    assert Hamming(rows).dense().matrix.tolist() == plain(rows)


def test_blocks_and_views_hold_what_the_whole_matrix_holds() -> None:
    rows = bits(50, 9)
    whole = np.array(plain(rows))
    distances = Hamming(rows)
    assert distances.n == 50
    assert distances.block([7, 7, 0], [49, 3]).tolist() == whole[np.ix_([7, 7, 0], [49, 3])].tolist()
    assert distances.negate().restrict([4, 30]).block([0]).tolist() == [[0.0, -whole[4, 30]]]
    assert distances.block([]).shape == (0, 50)


def test_rows_that_are_equal_and_opposite_lie_at_the_ends() -> None:
    rows = np.array([[0] * 17, [0] * 17, [255] * 17], np.uint8)
    assert Hamming(rows).dense().matrix.tolist() == [[0, 0, 136], [0, 0, 136], [136, 136, 0]]


def test_bits_may_lie_anywhere_in_memory() -> None:
    wide = bits(20, 30)
    assert Hamming(wide[::2, 3:14]).dense().matrix.tolist() == plain(wide[::2, 3:14].copy())


@pytest.mark.parametrize(
    "rows", [np.zeros((0, 3), np.uint8), np.zeros((3, 0), np.uint8), np.zeros(3, np.uint8), np.zeros((3, 3), bool)]
)
def test_what_is_not_packed_bits_is_refused(rows: ByteArray) -> None:
    with pytest.raises(InvalidInput, match=r"uint8 of shape \(n, bytes\) is needed.*numpy.packbits"):
        Hamming(rows)


def test_solvers_take_distances_and_their_negation() -> None:
    rows = np.repeat(np.array([[0], [255], [15]], np.uint8), 4, axis=0)
    alike = lightest_subset(Hamming(rows), 4)
    assert alike.weight == 0
    assert len({int(rows[index, 0]) for index in alike.indices}) == 1
    apart = lightest_subset(Hamming(rows).negate(), 2)
    assert apart.weight == -8


def by_hand() -> Classifier:
    """Two ReLU layers of three and two neurons over images of two pixels."""
    first, second = nn.Linear(2, 3), nn.Linear(3, 2)
    first.load_state_dict({"weight": torch.tensor([[1.0, 0], [0, 1], [-1, -1]]), "bias": torch.tensor([0, -0.5, 0.5])})
    second.load_state_dict({"weight": torch.tensor([[1.0, 0, 0], [0, -1, 0]]), "bias": torch.zeros(2)})
    return Classifier(nn.Sequential(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU(inplace=True), nn.Linear(2, 2)))


def test_a_neuron_is_activated_where_its_relu_gives_more_than_nothing() -> None:
    images = Images(np.array([[0, 0], [255, 0], [0, 255]], np.uint8).reshape(3, 1, 2))
    states = np.unpackbits(activation_traces(by_hand(), images), axis=1)
    assert states.tolist() == [
        [0, 0, 1, 0, 0, 0, 0, 0],
        [1, 0, 0, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0],
    ]
    second = np.unpackbits(activation_traces(by_hand(), images, layers=["4"]), axis=1)
    assert second[:, :2].tolist() == [[0, 0], [1, 0], [0, 0]]
    assert not second[:, 2:].any()


def test_layers_are_named_and_counted_in_the_order_in_which_they_are_passed() -> None:
    digits = Images(np.zeros((3, 28, 28), np.uint8))
    lenet = new_classifier("lenet5", digits, 10, rng=np.random.default_rng(0))
    assert list(relu_sizes(lenet, digits)) == list(relu_layers(lenet.network))
    assert list(relu_sizes(lenet, digits).values()) == [6 * 28 * 28, 16 * 10 * 10, 120, 84]
    last = relu_layers(lenet.network)[-2:]
    assert list(relu_sizes(lenet, digits, last).values()) == [120, 84]
    assert activation_traces(lenet, digits, last).shape == (3, 26)


def test_a_trace_does_not_depend_on_the_images_beside_it() -> None:
    digits = Images(np.random.default_rng(0).integers(0, 256, (300, 28, 28), dtype=np.uint8))
    dnn = new_classifier("dnn5", digits, 10, rng=np.random.default_rng(0))
    whole = activation_traces(dnn, digits)
    assert whole.dtype == np.uint8
    assert whole.shape == (300, (512 + 256 + 128 + 64) // 8)
    for part in (range(3), range(255, 258)):
        ours, theirs = np.unpackbits(activation_traces(dnn, digits.take(part))), np.unpackbits(whole[list(part)])
        assert (ours != theirs).mean() < 1e-3  # a sum that is zero within rounding may fall on either side


class Twice(nn.Module):
    """One ReLU passed twice, whose result is then overwritten in place."""

    def __init__(self) -> None:
        super().__init__()
        self.relu, self.unused = nn.ReLU(), nn.ReLU()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        flat = images.flatten(1)
        first = self.relu(flat - 0.5)
        second = self.relu(0.5 - flat)
        first -= 1
        return torch.cat([first, second], dim=1)


def test_a_layer_that_is_passed_twice_counts_twice_and_is_seen_before_it_is_overwritten() -> None:
    twice = Classifier(Twice())
    images = Images(np.array([[0, 255], [255, 255]], np.uint8).reshape(2, 1, 2))
    assert relu_layers(twice.network) == ("relu", "unused")
    assert relu_sizes(twice, images) == {"relu": 4}
    assert np.unpackbits(activation_traces(twice, images), axis=1)[:, :4].tolist() == [[0, 1, 1, 0], [1, 1, 0, 0]]
    with pytest.raises(InvalidInput, match="no input passes the layers unused"):
        activation_traces(twice, images, ["unused"])


def test_the_network_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2))
    classifier = Classifier(network.train())
    network[2].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = Images(np.random.default_rng(0).integers(0, 256, (5, 2, 2), dtype=np.uint8))
    first = activation_traces(classifier, images)
    assert (activation_traces(classifier, images) == first).all()
    assert network[4].training
    assert not network[2].training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network[3]._forward_hooks


def test_texts_leave_traces_as_images_do() -> None:
    texts = Texts(["a fine film", "a dull one", "a film"])
    classifier = new_classifier("kim", texts, 2, rng=np.random.default_rng(0))
    if relu_layers(classifier.network):
        assert len(activation_traces(classifier, texts)) == 3
    else:
        with pytest.raises(InvalidInput, match="has no ReLU layer"):
            activation_traces(classifier, texts)


def test_no_input_leaves_no_trace() -> None:
    nothing = Images(np.zeros((0, 1, 2), np.uint8))
    assert activation_traces(by_hand(), nothing).shape == (0, 0)
    with pytest.raises(InvalidInput, match="one input is needed"):
        relu_sizes(by_hand(), nothing)


def wide() -> Classifier:
    layers = [nn.Flatten(), nn.Linear(4, 2043), nn.ReLU(), nn.Linear(2043, 6), nn.ReLU(), nn.Linear(6, 2)]
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(*layers)
    with torch.no_grad():
        for weights in network.parameters():
            weights.normal_(generator=generator)
    return Classifier(network)


def test_traces_of_many_inputs_are_those_of_their_batches_and_take_no_more_room_than_they_must() -> None:
    images = Images(np.random.default_rng(0).integers(0, 256, (3000, 2, 2), dtype=np.uint8))
    batches = [range(start, min(start + 256, 3000)) for start in range(0, 3000, 256)]
    wanted = np.concatenate([activation_traces(wide(), images.take(batch)) for batch in batches])
    classifier = wide()
    tracemalloc.start()
    try:
        found = activation_traces(classifier, images)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.shape == (3000, 257)
    assert (found == wanted).all()
    assert peak < 1.5 * found.nbytes


def test_traces_above_the_limit_are_refused_after_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    images = Images(np.random.default_rng(0).integers(0, 256, (600, 2, 2), dtype=np.uint8))
    monkeypatch.setattr("copycost.networks._traces.TRACES_LIMIT", 600 * 257)
    assert len(activation_traces(wide(), images)) == 600
    monkeypatch.setattr("copycost.networks._traces.TRACES_LIMIT", 599 * 257)
    passes: list[int] = []
    classifier = wide()
    classifier.network.register_forward_pre_hook(lambda module, arguments: passes.append(len(arguments[0])))
    with pytest.raises(InvalidInput, match=r"traces of 2049 neurons for 600 inputs take .*those of 599 inputs. Take a"):
        activation_traces(classifier, images)
    assert passes == [256]
    assert activation_traces(classifier, images, ["4"]).shape == (600, 1)


def test_a_network_that_passes_its_layers_more_often_for_some_inputs_is_refused() -> None:
    class Moody(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.relu(images.flatten(1))
            return found if images.max() < 1 else torch.cat([found, self.relu(-found)], dim=1)

    array = np.zeros((300, 1, 2), np.uint8)
    array[270] = 255
    with pytest.raises(InvalidInput, match="network Moody passes its ReLU layers another number of times for some"):
        activation_traces(Classifier(Moody()), Images(array))


def test_a_relu_that_is_called_as_a_function_is_passed_over() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.relu(images.flatten(1) - 0.5)
            return nn.functional.relu(found - 0.25)

    mixed = Classifier(Mixed())
    images = Images(np.array([[0, 180], [255, 255]], np.uint8).reshape(2, 1, 2))
    assert relu_layers(mixed.network) == ("relu",)
    assert np.unpackbits(activation_traces(mixed, images), axis=1)[:, :2].tolist() == [[0, 1], [1, 1]]


def test_layers_that_are_not_there_are_refused() -> None:
    images = Images(np.zeros((1, 1, 2), np.uint8))
    for layers in ([], ["1"], ["2", "2"], "2"):
        with pytest.raises(InvalidInput, match="different names out of 2, 4 are needed"):
            activation_traces(by_hand(), images, layers)
    plain_network = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(2, 2)))
    with pytest.raises(InvalidInput, match="the network Sequential has no ReLU layer"):
        activation_traces(plain_network, images)


def test_the_passes_of_layers_are_counted_in_the_order_in_which_an_input_takes_them() -> None:
    class Crossed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act, self.mid = nn.ReLU(), nn.ReLU()
            self.first, self.second, self.third = nn.Linear(12, 3), nn.Linear(3, 8), nn.Linear(8, 2)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            hidden = self.mid(self.second(self.act(self.first(images.flatten(1)))))
            result: torch.Tensor = self.act(self.third(hidden))
            return result

    images = Images(np.random.default_rng(0).integers(0, 256, (4, 3, 4, 1), dtype=np.uint8))
    crossed = Classifier(Crossed())
    assert pass_sizes(crossed, images) == (3, 8, 2)
    bits = np.unpackbits(activation_traces(crossed, images), axis=1)[:, 11:13]
    with torch.no_grad():
        assert (bits == (crossed(crossed.tensor(images.array)) > 0).numpy()).all()
