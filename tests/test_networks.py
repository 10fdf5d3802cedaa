import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from copycost import Images
from copycost.errors import InvalidInput
from copycost.inputs import Texts
from copycost.networks import (
    ARCHITECTURES,
    Classifier,
    architecture,
    build,
    check_architecture,
    load_classifier,
    load_weights,
    new_classifier,
    save_classifier,
    save_weights,
    seeded,
)
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


def _slim(name: str) -> str:
    width = ARCHITECTURES[name].parameters.get("width")
    return name if width is None else f"{name} width={4 if isinstance(width.default, int) else 0.05}"


@pytest.mark.parametrize("name", [_slim(name) for name, entry in ARCHITECTURES.items() if entry.medium == "image"])
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


def test_the_weights_of_drmis_networks_are_drawn_layer_by_layer_and_nothing_else_is() -> None:
    with seeded(np.random.default_rng(6)):
        lenet5 = [nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)]
    with seeded(np.random.default_rng(6)):
        c3f2 = [nn.Conv2d(1, 16, 5), nn.Conv2d(16, 32, 5), nn.Conv2d(32, 64, 5), nn.Linear(576, 100)]
    with seeded(np.random.default_rng(6)):
        dnn5 = [nn.Linear(784, 512), nn.Linear(512, 256), nn.Linear(256, 128), nn.Linear(128, 64), nn.Linear(64, 10)]
    for name, layers in (("lenet5", lenet5), ("c3f2", c3f2), ("dnn5", dnn5)):
        ours = list(build(name, (28, 28, 1), 10, rng=np.random.default_rng(6)).parameters())
        for one, two in zip([weight for layer in layers for weight in layer.parameters()], ours, strict=False):
            assert torch.equal(one, two)


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
    floats = to_float(array, torch.device("cpu"))
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


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("lenet5", "lenet5"),
        ("  activethief-bc  dropout=0.20   width=8", "activethief-bc width=8 dropout=0.2"),
        ("activethief-bc width=32 dropout=0.1", "activethief-bc"),
        ("vgg16 width=0.25", "vgg16 width=0.25"),
        ("vgg16 width=1", "vgg16"),
        ("kim tuned=yes words=500 filters=10", "kim filters=10 words=500 tuned=yes"),
        ("kim tuned=no length=200", "kim"),
        ("torchvision:resnet18", "torchvision:resnet18"),
    ],
)
def test_an_architecture_has_one_way_of_being_written(written: str, canonical: str) -> None:
    assert architecture(written) == canonical == architecture(canonical)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "known are lenet5"),
        ("vgg11", r"did you mean 'vgg1[69]'"),
        ("activethief-bc widht=8", "did you mean 'width'"),
        ("lenet5 width=8", "it takes none"),
        ("torchvision:resnet18 width=8", "it takes none"),
        ("activethief-bc width", "such as width=32"),
        ("activethief-bc width=8 width=8", "each parameter once"),
        ("activethief-bc width=8.5", "a whole number from 1 to 1024"),
        ("activethief-bc width=0", "a whole number from 1 to 1024"),
        ("activethief-bc dropout=nan", "a number from 0 to 0.95"),
        ("activethief-bc dropout=1", "a number from 0 to 0.95"),
        ("vgg16 width=inf", "a number from 0.01 to 4"),
        ("kim tuned=true", "yes or no"),
        ("kim length=4", "from 5"),
    ],
)
def test_architectures_that_make_no_sense_are_refused_with_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        architecture(text)


def test_an_architecture_of_another_medium_is_refused_with_those_that_fit() -> None:
    check_architecture("kim", medium="text")
    with pytest.raises(InvalidInput, match=r"takes images, but the inputs are texts; for these there are kim"):
        check_architecture("lenet5", medium="text")
    with pytest.raises(InvalidInput, match="takes images"):
        check_architecture("torchvision:resnet18", medium="text")
    with pytest.raises(InvalidInput, match="takes texts"):
        check_architecture("kim")
    with pytest.raises(InvalidInput, match="takes texts"):
        build("kim", (28, 28, 1), 10, rng=np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="takes texts"):
        new_classifier("kim", _digits(), 10, rng=np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="takes images"):
        new_classifier("lenet5", Texts(["one"]), 10, rng=np.random.default_rng(0))


def test_a_new_classifier_has_the_weights_that_build_draws() -> None:
    classifier = new_classifier("lenet5", _digits(), 10, rng=np.random.default_rng(2))
    plain = Classifier(build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(2)))
    np.testing.assert_array_equal(classifier.probabilities(_digits()), plain.probabilities(_digits()))


@pytest.mark.parametrize("text", ["lenet5", "activethief-lc width=4", "resnet50 width=0.05"])
def test_an_image_classifier_comes_back_from_its_file_to_the_bit(tmp_path: Path, text: str) -> None:
    classifier = new_classifier(text, _digits(), 10, rng=np.random.default_rng(0))
    with torch.no_grad():
        classifier(classifier.tensor(classifier.encode(_digits())))  # moves batch norm's running values
    save_classifier(classifier, tmp_path / "model.safetensors")
    loaded = load_classifier(tmp_path / "model.safetensors", text, shape=(28, 28, 1), classes=10)
    assert not loaded.network.training
    np.testing.assert_array_equal(loaded.probabilities(_digits()), classifier.probabilities(_digits()))


def test_a_loaded_classifier_normalises_as_it_is_told(tmp_path: Path) -> None:
    classifier = new_classifier("lenet5", _digits(), 10, rng=np.random.default_rng(0))
    save_classifier(classifier, tmp_path / "model.safetensors")
    options = {"mean": (0.4,), "deviation": (0.3,)}
    loaded = load_classifier(tmp_path / "model.safetensors", "lenet5", shape=(28, 28, 1), classes=10, **options)
    same = Classifier(classifier.network, **options)
    np.testing.assert_array_equal(loaded.probabilities(_digits()), same.probabilities(_digits()))
