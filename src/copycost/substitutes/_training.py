"""The one training loop."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Inputs
from copycost.measures import accuracy, cross_entropy, macro_f1
from copycost.networks import AnyClassifier, device_of, seeded
from copycost.networks._classifier import row_probabilities
from copycost.oracle import Answers
from copycost.substitutes._augment import affine
from copycost.substitutes._batches import Batches
from copycost.substitutes._schedule import Schedule

__all__ = ["History", "Labelled", "fit"]

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Labelled:
    """Inputs (n) and the answers to them; trained on probabilities where the answers carry them."""

    inputs: Inputs
    answers: Answers

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.answers):
            raise InvalidInput(
                f"{len(self.inputs)} inputs have {len(self.answers)} answers; one answer an input is needed."
            )

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.answers)

    def take(self, indices: IntArray) -> Labelled:
        """Return the examples at ``indices``, in that order."""
        return Labelled(self.inputs.take(indices), self.answers.take(indices))

    def targets(self) -> torch.Tensor:
        """Return what cross entropy compares to: int64 labels (n,) or float32 distributions (n, classes)."""
        if self.answers.probabilities is None:
            return torch.tensor(self.answers.labels)
        rows = self.answers.probabilities
        sums = rows.sum(axis=1, keepdims=True)
        sure = np.eye(rows.shape[1], dtype=np.float32)[self.answers.labels]
        return torch.from_numpy(np.where(sums > 0, rows / np.where(sums > 0, sums, 1), sure))


@dataclass
class History:
    """What happened: updates made, mean training loss (nats) in each tenth of them, validation macro F1 an epoch.

    ``epochs`` is there where examples were watched: for each epoch the mean loss and the share of right answers while
    it trained, and both on the watched examples after it.
    """

    updates: int = 0
    losses: list[float] = field(default_factory=list)
    validation_f1: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    epochs: list[dict[str, float]] = field(default_factory=list)


def fit(
    classifier: AnyClassifier,
    labelled: Labelled,
    unlabelled: Inputs | None = None,
    *,
    validation: Labelled | None = None,
    watched: Labelled | None = None,
    schedule: Schedule,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> History:
    """Train a classifier in place on answers, by Adam on (soft) cross entropy.

    Parameters
    ----------
    classifier : starts from the weights it has
    labelled : examples and answers
    unlabelled : inputs without answers, for schedules that use them; none does yet, so it must be None
    validation : examples that are never trained on and decide which epoch early stopping keeps (the earliest of the
        best); without them it sets a share of ``labelled`` aside
    watched : examples that decide nothing; loss and accuracy on them are kept for each epoch of an ``epochs`` schedule
    schedule : when to stop
    rng : source of the order of examples and of dropout
    progress : called with the share of updates done

    Raises
    ------
    InvalidInput
        If there are no examples, too few to set a validation share aside, or a single one an update for a network with
        batch norm; if the schedule has no use for ``unlabelled``, ``validation`` or ``watched``.
    """
    _check(labelled, unlabelled, validation, schedule)
    if watched is not None and schedule.kind != "epochs":
        raise InvalidInput(
            f"watched examples were given, and the schedule '{schedule}' counts no epochs; use epochs:N."
        )
    with seeded(rng, device_of(classifier.network)):
        classifier.network.train()
        if schedule.kind == "early-stopping":
            if validation is None:
                labelled, validation = _set_aside(labelled, schedule.validation, rng)
            history = _until_no_better(classifier, labelled, validation, schedule, rng, progress)
        else:
            history = _for_length(classifier, labelled, watched, schedule, rng, progress)
        classifier.network.eval()
    return history


def _check(labelled: Labelled, unlabelled: Inputs | None, validation: Labelled | None, schedule: Schedule) -> None:
    if not len(labelled):
        raise InvalidInput("there are no answered queries to train on; ask at least one.")
    if schedule.augment != "none" and labelled.inputs.medium != "image":
        raise InvalidInput(f"the schedule '{schedule}' augments images, and these are texts; leave augment out.")
    if unlabelled is not None:
        raise InvalidInput("unlabelled inputs were given, but no schedule uses them; leave them out.")
    if validation is None:
        return
    if schedule.kind != "early-stopping":
        raise InvalidInput(
            f"validation examples were given, but the schedule '{schedule}' does not use them; choose "
            "early-stopping:N or leave them out."
        )
    if not len(validation):
        raise InvalidInput("validation holds no examples; give at least one, or None to set a share aside.")


def _for_length(
    classifier: AnyClassifier,
    labelled: Labelled,
    watched: Labelled | None,
    schedule: Schedule,
    rng: np.random.Generator,
    progress: Progress | None,
) -> History:
    batches = Batches(classifier.network, len(labelled), schedule.batch)
    total = schedule.length if schedule.kind == "steps" else schedule.length * batches.an_epoch
    step = _Step(classifier, labelled, schedule)
    every = max(1, total // 10)
    history, running = History(), 0.0
    orders = batches.endless(rng)
    watch = None if watched is None else _Watch(classifier, watched, batches.an_epoch)
    for update in range(1, total + 1):
        loss = step(next(orders))
        running += loss
        if watch is not None:
            watch.saw(loss, step.right)
        if update % every == 0:
            history.losses.append(running / every)
            running = 0.0
            if progress is not None:
                progress(update / total)
    history.updates = total
    history.epochs = [] if watch is None else watch.epochs
    return history


class _Watch:
    """Loss and accuracy of each epoch, while it trains and on watched examples after it."""

    def __init__(self, classifier: AnyClassifier, watched: Labelled, updates: int) -> None:
        self._classifier, self._updates = classifier, updates
        self._rows, self._true = classifier.encode(watched.inputs), watched.answers.labels
        self._losses: list[float] = []
        self._right: list[float] = []
        self.epochs: list[dict[str, float]] = []

    def saw(self, loss: float, right: float) -> None:
        """Take one update in, and measure at the end of an epoch."""
        self._losses.append(loss)
        self._right.append(right)
        if len(self._losses) < self._updates:
            return
        rows = row_probabilities(self._classifier, self._rows)
        self.epochs.append(
            {
                "loss": float(np.mean(self._losses)),
                "accuracy": float(np.mean(self._right)),
                "watched_loss": cross_entropy(rows, self._true),
                "watched_accuracy": accuracy(rows.argmax(axis=1), self._true),
            }
        )
        self._losses, self._right = [], []


def _until_no_better(
    classifier: AnyClassifier,
    training: Labelled,
    validation: Labelled,
    schedule: Schedule,
    rng: np.random.Generator,
    progress: Progress | None,
) -> History:
    batches = Batches(classifier.network, len(training), schedule.batch)
    step, measure = _Step(classifier, training, schedule), _Score(classifier, validation)
    history, best, best_state = History(), -1.0, None
    for epoch in range(schedule.length):
        for batch in batches.epoch(rng):
            step(batch)
            history.updates += 1
        score = measure()
        history.validation_f1.append(score)
        if score > best:
            best, best_state, history.best_epoch = score, copy.deepcopy(classifier.network.state_dict()), epoch
        if progress is not None:
            progress((epoch + 1) / schedule.length)
        if epoch - (history.best_epoch or 0) >= schedule.patience:
            break
    if best_state is not None:
        classifier.network.load_state_dict(best_state)
    return history


def _set_aside(labelled: Labelled, share: float, rng: np.random.Generator) -> tuple[Labelled, Labelled]:
    count = round(share * len(labelled))
    if not 0 < count < len(labelled):
        raise InvalidInput(
            f"a validation share of {share:g} of {len(labelled)} answers is {count} inputs; "
            "raise the budget or the share so that both parts have at least one."
        )
    order = rng.permutation(len(labelled))
    return labelled.take(np.sort(order[count:])), labelled.take(np.sort(order[:count]))


class _Step:
    """One update of Adam on one batch; inputs stay as they are encoded until they are needed."""

    def __init__(self, classifier: AnyClassifier, labelled: Labelled, schedule: Schedule) -> None:
        self._classifier = classifier
        self._rows = classifier.encode(labelled.inputs)
        self._device = device_of(classifier.network)
        self._targets = labelled.targets().to(self._device)
        self._labels = torch.from_numpy(np.array(labelled.answers.labels)).to(self._device)
        self._augment = affine if schedule.augment == "affine" else None
        self._last: tuple[torch.Tensor, torch.Tensor] | None = None
        self._adam = torch.optim.Adam(
            classifier.network.parameters(),
            lr=schedule.learning_rate,
            weight_decay=2 * schedule.weight_decay,
            fused=True,
        )

    def __call__(self, rows: IntArray) -> float:
        batch = self._classifier.tensor(self._rows[rows])
        logits = self._classifier(batch if self._augment is None else self._augment(batch))
        places = torch.from_numpy(rows).to(self._device)
        self._last = logits.detach(), places
        loss = functional.cross_entropy(logits, self._targets[places])
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._adam.step()
        return loss.item()

    @property
    def right(self) -> float:
        """Share of the last batch that got its label, before the update that it made."""
        assert self._last is not None
        logits, rows = self._last
        return float((logits.argmax(dim=1) == self._labels[rows]).float().mean())


class _Score:
    """Macro F1 over all classes that the network knows, on examples that are encoded once."""

    def __init__(self, classifier: AnyClassifier, examples: Labelled) -> None:
        self._classifier = classifier
        self._rows = classifier.encode(examples.inputs)
        self._true = examples.answers.labels

    def __call__(self) -> float:
        rows = row_probabilities(self._classifier, self._rows)
        return macro_f1(rows.argmax(axis=1), self._true, rows.shape[1])
