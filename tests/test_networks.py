import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from copycost import Images
from copycost.errors import InvalidInput
from copycost.networks import ARCHITECTURES, Classifier, build, load_weights, save_weights, seeded
from copycost.networks._classifier import to_float


def _digits() -> Images:
    return Images(
        np.repeat(np.repeat(load_digits().images[:40] * 15, 4, axis=1), 4, axis=2)[:, :28, :28].astype(np.uint8)
    )


def _sizes(network: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for name, weight in network.named_parameters() if name.endswith("weight")]


def test_c3f2_has_the_sizes_of_table_1() -> None:
    network = build("c3f2", (28, 28, 1), 10, rng=np.random.default_rng(0))
    assert _sizes(network) == [(16, 1, 5, 5), (32, 16, 5, 5), (64, 32, 5, 5), (100, 576), (10, 100)]


def test_dnn5_has_the_sizes_of_table_2() -> None:
    network = build("dnn5", (28, 28, 1), 10, rng=np.random.default_rng(0))
    assert _sizes(network) == [(512, 784), (256, 512), (128, 256), (64, 128), (10, 64)]


def test_lenet5_has_two_convolutions_two_poolings_and_three_layers() -> None:
    network = build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0))
    assert _sizes(network) == [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]
    assert sum(isinstance(module, nn.MaxPool2d) for module in network.modules()) == 2


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (24, 40, 1)])
def test_every_architecture_takes_other_shapes_and_class_counts(name: str, shape: tuple[int, int, int]) -> None:
    classifier = Classifier(build(name, shape, 7, rng=np.random.default_rng(0)))
    images = Images(np.random.default_rng(1).integers(0, 256, (3, *shape), dtype=np.uint8))
    rows = classifier.probabilities(images)
    assert rows.shape == (3, 7)
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)


def test_initial_weights_come_from_the_generator_alone() -> None:
    def weights(seed: int) -> str:
        state = build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(seed)).state_dict()
        return hashlib.sha256(b"".join(value.numpy().tobytes() for value in state.values())).hexdigest()

    torch.rand(3)
    assert weights(4) == weights(4) != weights(5)


def test_seeded_draws_leave_torchs_own_generator_where_it_was() -> None:
    before = torch.get_rng_state()
    with seeded(np.random.default_rng(0)):
        first = torch.rand(4)
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(np.random.default_rng(0)):
        assert torch.equal(torch.rand(4), first)


def test_bytes_become_floats_from_0_to_1_channels_first() -> None:
    array = np.zeros((2, 2, 3, 3), np.uint8)
    array[1, 0, 2] = (255, 51, 0)
    floats = to_float(array)
    assert floats.shape == (2, 3, 2, 3)
    torch.testing.assert_close(floats[1, :, 0, 2], torch.tensor([1.0, 0.2, 0.0]))


def test_mean_and_deviation_are_applied_by_channel() -> None:
    classifier = Classifier(nn.Flatten(), mean=(0.5, 0.0, 1.0), deviation=(0.5, 1.0, 2.0))
    logits = classifier(torch.ones(1, 3, 1, 1))
    torch.testing.assert_close(logits, torch.tensor([[1.0, 1.0, 0.0]]))
    with pytest.raises(InvalidInput, match="deviation"):
        Classifier(nn.Flatten(), deviation=(0.0,))


def test_probabilities_do_not_depend_on_how_many_images_are_asked_at_once() -> None:
    classifier = Classifier(build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0)))
    images = _digits()
    alone = np.concatenate([classifier.probabilities(images.take([row])) for row in range(len(images))])
    np.testing.assert_allclose(classifier.probabilities(images), alone, atol=1e-6)
    assert classifier.probabilities(images.take([])).shape == (0, 10)


def test_weights_come_back_from_a_file(tmp_path: Path) -> None:
    one, two = (build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(seed)) for seed in (0, 1))
    save_weights(one, tmp_path / "weights.safetensors")
    load_weights(two, tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(Classifier(one).probabilities(_digits()), Classifier(two).probabilities(_digits()))
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_a_pickle_a_foreign_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    network = build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0))
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    with pytest.raises(InvalidInput, match="can carry code"):
        load_weights(network, tmp_path / "weights.pt")
    (tmp_path / "empty.safetensors").touch()
    with pytest.raises(InvalidInput, match="not a safetensors file"):
        load_weights(network, tmp_path / "empty.safetensors")
    with pytest.raises(InvalidInput, match="there is no file"):
        load_weights(network, tmp_path / "none.safetensors")


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    save_weights(build("dnn5", (28, 28, 1), 10, rng=np.random.default_rng(0)), tmp_path / "dnn5.safetensors")
    with pytest.raises(InvalidInput, match="do not fit the architecture"):
        load_weights(build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0)), tmp_path / "dnn5.safetensors")


def test_an_unknown_architecture_and_too_small_images_are_refused() -> None:
    with pytest.raises(InvalidInput, match="known are lenet5, c3f2, dnn5"):
        build("lenet", (28, 28, 1), 10, rng=np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="too small for c3f2"):
        build("c3f2", (8, 8, 1), 10, rng=np.random.default_rng(0))
