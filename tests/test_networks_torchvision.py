"""torchvision's classifiers as copies: fresh weights from a seed, training, and coming back from a file."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from copycost import Images
from copycost.audit import build_spec
from copycost.errors import InvalidInput, MissingExtra
from copycost.extraction._checkpoints import Checkpoints
from copycost.networks import (
    Classifier,
    architecture,
    build,
    load_classifier,
    new_classifier,
    save_classifier,
    save_weights,
)
from copycost.networks._torchvision import has_auxiliary
from copycost.oracle import Answers
from copycost.substitutes import Labelled, Schedule, fit

torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed")

SPEC = {"target": "labels", "pool": "a.npz", "test": "b.npz", "budgets": [5]}
AUXILIARY = {"googlenet": (32, 32, 3), "inception_v3": (75, 75, 3)}


def _noise(count: int, shape: tuple[int, int, int] = (32, 32, 3)) -> Images:
    return Images(np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8))


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _trained(name: str, count: int, batch: int = 4) -> Classifier:
    images = _noise(count, AUXILIARY.get(name, (32, 32, 3)))
    classifier = new_classifier(f"torchvision:{name}", images, 7, rng=_rng())
    answers = Answers(np.arange(count, dtype=np.int64) % 7)
    fit(classifier, Labelled(images, answers), schedule=Schedule("epochs", 1, batch=batch), rng=_rng(1))
    assert isinstance(classifier, Classifier)
    return classifier


def test_a_copy_and_a_target_trained_here_may_be_of_torchvision() -> None:
    spec = build_spec({**SPEC, "target": "torchvision:resnet18@c.npz", "substitute": " torchvision:inception_v3"})
    assert spec.substitute == "torchvision:inception_v3"
    assert spec.trains_target
    with pytest.raises(InvalidInput, match="torchvision:resnet152"):
        build_spec({**SPEC, "substitute": "torchvision:resnet153"})
    with pytest.raises(InvalidInput, match="it takes none"):
        build_spec({**SPEC, "target": "torchvision:resnet18 width=2@c.npz"})


@pytest.mark.parametrize("name", AUXILIARY)
def test_a_network_with_auxiliary_heads_trains_without_them_and_comes_back(name: str, tmp_path: Path) -> None:
    classifier = _trained(name, 6, batch=3)
    assert not has_auxiliary(name, classifier.network.state_dict())
    images = _noise(3, AUXILIARY[name])
    save_classifier(classifier, tmp_path / "copy.safetensors")
    loaded = load_classifier(tmp_path / "copy.safetensors", f"torchvision:{name}", shape=AUXILIARY[name], classes=7)
    np.testing.assert_array_equal(loaded.probabilities(images), classifier.probabilities(images))


@pytest.mark.parametrize("name", AUXILIARY)
def test_a_file_as_torchvision_writes_it_keeps_its_auxiliary_heads(name: str, tmp_path: Path) -> None:
    network = torchvision.models.get_model(name, weights=None, num_classes=7, init_weights=True).eval()
    save_weights(network, tmp_path / "weights.safetensors")
    shape = AUXILIARY[name]
    loaded = load_classifier(tmp_path / "weights.safetensors", f"torchvision:{name}", shape=shape, classes=7)
    assert has_auxiliary(name, loaded.network.state_dict())
    np.testing.assert_array_equal(
        loaded.probabilities(_noise(3, shape)), Classifier(network).probabilities(_noise(3, shape))
    )


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5"])
def test_a_trained_copy_comes_back_from_its_file_to_the_bit(name: str, tmp_path: Path) -> None:
    classifier = _trained(name, 6)
    save_classifier(classifier, tmp_path / "copy.safetensors")
    loaded = load_classifier(tmp_path / "copy.safetensors", f"torchvision:{name}", shape=(32, 32, 3), classes=7)
    np.testing.assert_array_equal(loaded.probabilities(_noise(3)), classifier.probabilities(_noise(3)))


def test_a_checkpoint_of_a_round_comes_back(tmp_path: Path) -> None:
    classifier = _trained("resnet18", 6)
    fresh = new_classifier("torchvision:resnet18", _noise(1), 7, rng=_rng(5))
    Checkpoints(tmp_path).save_copy(classifier, 0)
    assert Checkpoints(tmp_path).load_copy(fresh, 0)
    np.testing.assert_array_equal(fresh.probabilities(_noise(3)), classifier.probabilities(_noise(3)))


@pytest.mark.parametrize("name", ["resnet18", *AUXILIARY])
def test_fresh_weights_come_from_the_generator_alone(name: str) -> None:
    def weights(seed: int) -> torch.Tensor:
        network = build(f"torchvision:{name}", AUXILIARY.get(name, (32, 32, 3)), 7, rng=_rng(seed))
        return torch.cat([weight.flatten() for weight in network.parameters()])

    torch.rand(2)
    first = weights(1)
    assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))
    assert bool(first.isfinite().all())


def test_training_is_the_same_to_the_bit_a_second_time() -> None:
    one, two = _trained("mobilenet_v3_small", 6), _trained("mobilenet_v3_small", 6)
    np.testing.assert_array_equal(one.probabilities(_noise(3)), two.probabilities(_noise(3)))


def test_a_last_batch_of_one_joins_the_batch_before_and_a_single_example_is_refused() -> None:
    _trained("resnet18", 5, batch=4)
    with pytest.raises(InvalidInput, match="batch norm"):
        _trained("resnet18", 1)


def test_without_torchvision_the_package_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from copycost.networks import _torchvision

    _torchvision._known.cache_clear()
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(MissingExtra, match=r"pip install 'copycost\[audit\]'"):
        architecture("torchvision:resnet18")
    with pytest.raises(MissingExtra, match="torchvision"):
        build_spec({**SPEC, "substitute": "torchvision:resnet18"})
    assert build_spec({**SPEC, "substitute": "resnet18"}).substitute == "resnet18"
