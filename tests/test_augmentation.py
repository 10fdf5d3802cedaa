"""Inputs made out of those asked: sign steps against autograd and foolbox, JbDA and PRADA in rounds."""

from __future__ import annotations

import dataclasses
import importlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian

from copycost._types import AnyArray, ByteArray, IntArray
from copycost.adversarial import fgsm, pgd
from copycost.adversarial._synthetic import shift_channels, sign_steps
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.networks import Classifier, seeded
from copycost.oracle import Answers
from copycost.strategies import Knowledge, Queries, Strategy, parse
from copycost.strategies._jbda import JbDA
from copycost.strategies._prada import PRADA

METHODS = ("t-rnd-fgsm", "t-rnd-i-fgsm", "n-fgsm", "color", "jb-topk", "jb-self")
EACH = ["jbda", *(f"prada method={method}" for method in METHODS)]
SHAPE = (6, 5, 2)
CLASSES = 4


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def smooth() -> Classifier:
    """A small network with batch norm and dropout, differentiable everywhere."""
    with seeded(np.random.default_rng(0)):
        layers = [nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6), nn.Tanh(), nn.Dropout(0.5), nn.Flatten()]
        return Classifier(nn.Sequential(*layers, nn.Linear(72, CLASSES)).eval())


COPY = smooth()


def pictures(n: int, seed: int = 0, low: int = 100, high: int = 156) -> Images:
    """Images whose pixels can move by 64 levels without leaving their range."""
    return Images(np.random.default_rng(seed).integers(low, high, (n, *SHAPE), dtype=np.uint8))


POOL = pictures(30)


def knowing(asked: Any = range(8), new: Images | None = None, **changes: Any) -> Knowledge:
    """A pool of which some members were asked, and new inputs after them."""
    index = np.array(list(asked), dtype=np.int64)
    inputs = POOL.take(index)
    inputs = inputs if new is None else inputs.concat(new)
    answers: IntArray = np.arange(len(inputs), dtype=np.int64) % CLASSES
    known: dict[str, Any] = {"substitute": COPY, "inputs": inputs, "input_answers": Answers(answers)}
    return Knowledge(
        POOL, CLASSES, asked=index, answers=Answers(answers[: len(index)]), budget=100, **{**known, **changes}
    )


def select(strategy: str | Strategy, knowledge: Knowledge, k: int, seed: int = 0) -> Queries:
    chosen = parse(strategy) if isinstance(strategy, str) else strategy
    return chosen.select(knowledge, k, rng=np.random.default_rng(seed))


def made(queries: Queries) -> ByteArray:
    assert isinstance(queries.inputs, Images)
    return queries.inputs.array


def floats(images: Images) -> torch.Tensor:
    return COPY.tensor(images.array)


def changes(strategy: str | Strategy, knowledge: Knowledge, k: int, seed: int = 0) -> tuple[AnyArray, IntArray]:
    """Return the change of each new input, int (k, ...), and the seed's position, found by its pool index."""
    queries = select(strategy, knowledge, k, seed)
    seeds = np.array([np.flatnonzero(knowledge.asked == index)[0] for index in queries.parent])
    return made(queries).astype(int) - POOL.array[queries.parent].astype(int), seeds


# Steps


def test_a_step_follows_the_sign_of_the_jacobian_of_the_probabilities() -> None:
    images, labels = floats(pictures(5)), torch.tensor([0, 3, 2, 1, 1])
    moved = sign_steps(COPY, images, labels, step=0.1)
    for row in range(5):
        of_all = jacobian(lambda x: torch.softmax(COPY(x), dim=1)[0], images[row : row + 1])  # type: ignore[no-untyped-call]
        wanted = (images[row] + 0.1 * of_all[labels[row], 0].sign()).clamp(0, 1)
        assert torch.equal(moved[row], wanted)
    back = sign_steps(COPY, images, labels, step=0.1, away=True)
    torch.testing.assert_close(images - back, moved - images)


def test_one_step_is_fgsm_and_several_are_projected_descent_without_a_start() -> None:
    images, labels = floats(pictures(7, seed=3, low=0, high=256)), torch.arange(7) % CLASSES
    towards = fgsm(COPY, images, labels, epsilon=0.2, targeted=True)
    torch.testing.assert_close(sign_steps(COPY, images, labels, step=0.2), towards)
    leaving = fgsm(COPY, images, labels, epsilon=0.2)
    torch.testing.assert_close(sign_steps(COPY, images, labels, step=0.2, away=True), leaving)
    iterated = pgd(
        COPY,
        images,
        labels,
        epsilon=0.2,
        steps=11,
        step_size=0.2 / 11,
        random_start=False,
        targeted=True,
        generator=torch.Generator(),
    )
    torch.testing.assert_close(sign_steps(COPY, images, labels, step=0.2, iterations=11), iterated)


def test_steps_are_those_of_foolbox() -> None:
    images, labels = floats(pictures(6, seed=5, low=0, high=256)), torch.arange(6) % CLASSES
    state = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        foolbox: Any = importlib.import_module("foolbox")
        model = foolbox.PyTorchModel(COPY.network, bounds=(0, 1), device="cpu")
        attack = foolbox.attacks.LinfBasicIterativeAttack(abs_stepsize=0.05, steps=4)
        _, wanted, _ = attack(model, images, foolbox.criteria.TargetedMisclassification(labels), epsilons=0.2)
    torch.set_rng_state(state)
    torch.testing.assert_close(sign_steps(COPY, images, labels, step=0.2, iterations=4), wanted)


def test_steps_do_not_depend_on_the_batch_and_stay_in_range() -> None:
    images, labels = floats(pictures(9, seed=4, low=0, high=256)), torch.arange(9) % CLASSES
    whole = sign_steps(COPY, images, labels, step=0.5, iterations=3)
    assert torch.equal(sign_steps(COPY, images, labels, step=0.5, iterations=3, batch_size=2), whole)
    assert 0 <= float(whole.min()) < float(whole.max()) <= 1
    assert float((whole - images).abs().max()) <= 0.5 + 1e-6
    assert torch.equal(sign_steps(COPY, images, labels, step=0.0), images)
    assert sign_steps(COPY, images[:0], labels[:0], step=0.1).shape == images[:0].shape


def test_a_model_that_is_sure_beyond_float32_still_shows_the_way() -> None:
    weights = torch.tensor([[400.0, -400.0], [-800.0, 800.0]])
    images, labels = torch.tensor([[[[0.9, 0.1]]]]), torch.tensor([0])

    def sure(batch: torch.Tensor) -> torch.Tensor:
        return batch.flatten(1) @ weights

    assert torch.equal(fgsm(sure, images, labels, epsilon=0.1), images)
    torch.testing.assert_close(sign_steps(sure, images, labels, step=0.1, away=True), torch.tensor([[[[0.8, 0.2]]]]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": -0.1}, "step is -0.1"),
        ({"step": float("nan")}, "step is nan"),
        ({"step": 0.1, "iterations": 0}, "iterations is 0"),
        ({"step": 0.1, "batch_size": 0}, "batch_size is 0"),
    ],
)
def test_steps_that_are_none_are_refused(arguments: dict[str, Any], message: str) -> None:
    images = floats(pictures(2))
    with pytest.raises(InvalidInput, match=message):
        sign_steps(COPY, images, torch.tensor([0, 1]), **arguments)
    with pytest.raises(InvalidInput, match="labels run from 0 to 4"):
        sign_steps(COPY, images, torch.tensor([0, 4]), step=0.1)
    with pytest.raises(InvalidInput, match="float32"):
        sign_steps(COPY, images.double(), torch.tensor([0, 1]), step=0.1)


def test_channels_are_shifted_as_a_whole_and_each_way_equally_often() -> None:
    images = torch.full((400, 3, 4, 4), 0.5)
    shifted = shift_channels(images, step=0.25, rng=np.random.default_rng(0)) - images
    flat = shifted.flatten(2)
    assert torch.equal(flat.amin(dim=2), flat.amax(dim=2))
    assert set(flat.flatten().tolist()) == {-0.25, 0.25}
    assert 540 < int((flat[:, :, 0] > 0).sum()) < 660
    assert float(shift_channels(images, step=0.9, rng=np.random.default_rng(0)).max()) == 1
    with pytest.raises(InvalidInput, match="step is -1"):
        shift_channels(images, step=-1, rng=np.random.default_rng(0))


# What both strategies have in common


@pytest.mark.parametrize("text", EACH)
def test_new_inputs_are_made_of_those_asked_and_are_like_nothing_asked(text: str) -> None:
    knowledge = knowing(new=pictures(3, seed=9))
    found = select(text, knowledge, 11)
    assert len(found) == 11
    assert (found.pool_index == -1).all()
    assert found.facts["seeds"] == 11
    assert set(found.parent.tolist()) <= {-1, *range(8)}
    assert len(set(found.inputs.digests())) == 11
    assert knowledge.inputs is not None
    assert not set(found.inputs.digests()) & set(knowledge.inputs.digests())
    assert found.inputs.digests() == select(text, knowledge, 11).inputs.digests()
    assert parse(text).iterative
    assert not parse(text).from_pool
    assert parse(text).media == {"image"}


@pytest.mark.parametrize("text", EACH)
def test_each_seed_gives_one_input_where_as_many_are_wanted(text: str) -> None:
    if "topk" in text:
        text += " topk=1"
    found = select(text, knowing(), 8)
    assert sorted(found.parent.tolist()) == list(range(8))
    fewer = select(text, knowing(), 5)
    assert len(set(fewer.parent.tolist())) == 5


def test_seeds_are_drawn_without_preference() -> None:
    rng, counts, strategy = np.random.default_rng(0), np.zeros(8, int), JbDA()
    for _ in range(400):
        counts[strategy.select(knowing(), 2, rng=rng).parent] += 1
    assert counts.sum() == 800
    assert 65 < counts.min() <= counts.max() < 135


def test_a_new_input_is_seed_of_the_next_round_and_has_no_parent_in_the_pool() -> None:
    knowledge = knowing(asked=[], new=pictures(4, seed=9))
    found = select("jbda", knowledge, 4)
    assert found.parent.tolist() == [-1] * 4
    assert knowledge.inputs is not None
    moved = np.abs(made(found).astype(int)[:, None] - pictures(4, seed=9).array.astype(int)[None]).max(axis=(2, 3, 4))
    assert sorted(moved.argmin(axis=1).tolist()) == [0, 1, 2, 3]
    assert moved.min(axis=1).max() <= 26


@pytest.mark.parametrize("text", EACH)
def test_more_than_the_seeds_can_give_is_made_by_going_further(text: str) -> None:
    found = select(text, knowing(), 40)
    assert len(found) + found.dropped == 40
    assert len(found) > 12
    counts = np.bincount(found.parent, minlength=8)
    assert counts.max() - counts.min() <= counts.max() // 2 + 3


def test_what_was_asked_before_is_replaced_by_the_next_seed() -> None:
    first = select("jbda", knowing(), 8)
    assert isinstance(first.inputs, Images)
    half = first.inputs.take([0, 1, 2, 3])
    again = knowing(new=half)
    found = select("jbda", again, 8)
    assert len(found) == 8
    assert again.inputs is not None
    assert not set(found.inputs.digests()) & set(again.inputs.digests())
    everything = select("jbda", again, 12)
    assert everything.facts["duplicates"] >= 4
    assert len(everything) == 12


def test_what_cannot_be_made_counts_as_dropped() -> None:
    flat = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(60, CLASSES)))
    nn.init.zeros_(flat.network[1].weight)  # type: ignore[index]
    found = select("jbda", knowing(substitute=flat), 8)
    assert len(found) == 0
    assert found.dropped == 8
    assert found.facts["duplicates"] == 8 * 8
    corners = Images(np.array([0, 255], np.uint8).repeat(60).reshape(2, *SHAPE))
    black_and_white = dataclasses.replace(knowing(), inputs=corners, input_answers=Answers(np.array([0, 1])))
    recoloured = select("prada method=color step=1", black_and_white, 8)
    assert len(recoloured) + recoloured.dropped == 8
    assert 0 < len(recoloured) <= 2


@pytest.mark.parametrize("text", EACH)
def test_the_copy_is_in_evaluation_mode_and_is_left_as_it_was(text: str) -> None:
    COPY.network.zero_grad()
    wanted = select(text, knowing(), 8).inputs.digests()
    before = {name: value.clone() for name, value in COPY.network.state_dict().items()}
    COPY.network.train()
    try:
        assert select(text, knowing(), 8).inputs.digests() == wanted
        assert COPY.network.training
    finally:
        COPY.network.eval()
    assert all(torch.equal(value, before[name]) for name, value in COPY.network.state_dict().items())
    assert all(parameter.grad is None for parameter in COPY.network.parameters())


@pytest.mark.parametrize("text", EACH)
def test_without_anything_asked_or_without_a_copy_nothing_can_be_made(text: str) -> None:
    for knowledge in (knowing(inputs=None), knowing(asked=[]), knowing(input_answers=Answers(np.zeros(3, np.int64)))):
        with pytest.raises(InvalidInput, match="makes new inputs of those asked before"):
            select(text, knowledge, 3)
    with pytest.raises(InvalidInput, match="needs substitute, and none are given"):
        select(text, knowing(substitute=None), 3)
    with pytest.raises(InvalidInput, match="1 or more is allowed"):
        select(text, knowing(), 0)
    assert parse(text).seconds(knowing(substitute=None, inputs=None), 10) > 0


@pytest.mark.parametrize(
    ("total", "rounds", "start", "sizes"),
    [
        (540, 10, 60, (60, 120, 240, 120)),
        (45, 4, 5, (5, 10, 20, 10)),
        (450, 10, 150, (150, 300)),
        (7, 3, 1, (1, 2, 4)),
        (3, 1, 10, (3,)),
        (540, 10, None, (1, 2, 4, 8, 16, 32, 64, 128, 256, 29)),
        (540, 3, None, (78, 156, 306)),
        (1, 10, None, (1,)),
    ],
)
def test_rounds_double_what_was_asked_and_are_cut_to_the_budget(
    total: int, rounds: int, start: int | None, sizes: tuple[int, ...]
) -> None:
    for text in ("jbda", "prada"):
        assert parse(text).round_sizes(total, rounds, start) == sizes


def test_rounds_that_do_not_reach_the_budget_are_refused() -> None:
    with pytest.raises(InvalidInput, match="540 queries after a start of 60 take 4 rounds; rounds is 3: raise it to 4"):
        JbDA().round_sizes(540, 3, 60)
    with pytest.raises(InvalidInput, match="at least one for each is needed"):
        JbDA().round_sizes(540, 3, 0)
    assert parse("k-center").round_sizes(20, 3, 7) == (7, 7, 6)


def test_a_combination_takes_members_of_the_pool_alone() -> None:
    with pytest.raises(InvalidInput, match="combines strategy jbda, which makes inputs"):
        parse("jbda + k-center")


# Each of them


def test_jbda_moves_each_seed_towards_what_the_target_answered() -> None:
    knowledge = knowing()
    found = select("jbda step=0.2", knowledge, 8)
    labels = knowledge.input_answers.labels[found.parent]
    images = floats(POOL.take(found.parent))
    wanted = fgsm(COPY, images, torch.from_numpy(labels), epsilon=0.2, targeted=True)
    rounded = (wanted * 255).round().numpy().astype(np.uint8).transpose(0, 2, 3, 1)
    assert (made(found) == rounded).all()


def test_the_step_of_practical_attacks_is_a_tenth() -> None:
    moved, _ = changes("jbda", knowing(), 8)
    assert set(np.abs(moved).ravel().tolist()) <= {25, 26}


def test_t_rnd_goes_towards_classes_that_were_not_answered() -> None:
    knowledge = knowing()
    seen: dict[int, set[int]] = {seed: set() for seed in range(8)}
    for draw in range(25):
        moved, seeds = changes("prada method=t-rnd-fgsm", knowledge, 8, draw)
        for change, seed in zip(moved, seeds.tolist(), strict=True):
            images = floats(POOL.take([seed]))
            targets = [
                sign_steps(COPY, images, torch.tensor([label]), step=64 / 255)[0].numpy().transpose(1, 2, 0)
                for label in range(CLASSES)
            ]
            start = images[0].numpy().transpose(1, 2, 0)
            (hit,) = [label for label, to in enumerate(targets) if (np.rint((to - start) * 255) == change).all()]
            seen[seed].add(hit)
    for seed, classes in seen.items():
        assert classes == set(range(CLASSES)) - {int(knowledge.input_answers.labels[seed])}


def test_iterated_steps_stay_within_the_step_and_reach_further_towards_the_class() -> None:
    moved, _ = changes("prada", knowing(), 8)
    assert np.abs(moved).max() <= 64
    assert len(np.unique(np.abs(moved))) > 2
    once, _ = changes("prada iterations=1", knowing(), 8)
    assert (once == changes("prada method=t-rnd-fgsm", knowing(), 8)[0]).all()


def test_n_fgsm_leaves_what_the_target_answered_and_jb_self_what_the_copy_says() -> None:
    knowledge = knowing()
    own = COPY.labels(POOL)
    for method, labels in (("n-fgsm", knowledge.input_answers.labels), ("jb-self", own)):
        moved, seeds = changes(f"prada method={method}", knowledge, 8)
        images = floats(POOL.take(seeds))
        left = fgsm(COPY, images, torch.from_numpy(labels[seeds]), epsilon=64 / 255)
        assert (np.rint(((left - images) * 255).numpy()).transpose(0, 2, 3, 1) == moved).all()
    assert (own[:8] != knowledge.input_answers.labels[:8]).any()


def test_jb_topk_goes_towards_the_nearest_classes_of_each_seed() -> None:
    knowledge = knowing()
    moved, seeds = changes("prada method=jb-topk topk=2 iterations=3", knowledge, 16)
    assert np.bincount(seeds).tolist() == [2] * 8
    for seed in range(8):
        logits = COPY(floats(POOL.take([seed]))).detach().numpy()[0]
        others = [label for label in np.argsort(-logits).tolist() if label != knowledge.input_answers.labels[seed]]
        images = floats(POOL.take([seed]))
        wanted = {
            np.rint(
                ((sign_steps(COPY, images, torch.tensor([label]), step=64 / 255, iterations=3) - images) * 255).numpy()
            )
            .transpose(0, 2, 3, 1)
            .tobytes()
            for label in others[:2]
        }
        assert {change[None].astype(np.float32).tobytes() for change in moved[seeds == seed]} == wanted


def test_topk_beyond_the_classes_gives_each_once() -> None:
    found = select("prada method=jb-topk topk=9", knowing(), 24)
    assert len(found) == 24
    assert np.bincount(found.parent).max() >= 3


@pytest.mark.parametrize("topk", [CLASSES - 1, CLASSES, 10**15])
def test_as_many_classes_as_there_are_others_are_all_that_topk_can_ask_for(topk: int) -> None:
    strategy = f"prada method=jb-topk iterations=2 topk={topk}"
    wanted = select(f"prada method=jb-topk iterations=2 topk={CLASSES - 1}", knowing(), 20)
    found = select(strategy, knowing(), 20)
    assert found.inputs.digests() == wanted.inputs.digests()
    assert dict(found.facts) == dict(wanted.facts)


def test_color_shifts_whole_channels() -> None:
    moved, _ = changes("prada method=color", knowing(), 8)
    assert (moved == moved[:, :1, :1, :]).all()
    assert set(np.abs(moved).ravel().tolist()) == {64}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jbda step=0", "jbda step is 0; a number above 0 and at most 1"),
        ("jbda step=1.5", "jbda step is 1.5"),
        ("prada step=0", "prada step is 0; a number above 0 and at most 1"),
        ("prada iterations=0", "prada iterations is 0; 1 or more"),
        ("prada topk=0", "prada topk is 0; 1 or more"),
        ("prada method=fgsm", "prada method is 'fgsm'; allowed are t-rnd-fgsm, t-rnd-i-fgsm"),
    ],
)
def test_settings_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse(text)


def test_settings_are_written_in_one_way() -> None:
    assert str(parse("prada method=t-rnd-i-fgsm topk=3")) == "prada"
    assert str(parse("prada step=0.25")) == "prada step=0.25"
    assert parse(str(PRADA(step=25 / 255))) == PRADA(step=25 / 255)
    assert str(parse("jbda step=0.10")) == "jbda"
