"""Kinds of target: what they take, what they answer, how they are named and refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch

from copycost._types import AnyArray, ByteArray
from copycost.errors import InvalidInput, TargetError
from copycost.inputs import Images
from copycost.networks import Classifier, build, save_weights
from copycost.oracle import AnswerKind, Counts, Ledger, Oracle
from copycost.oracle.targets import FunctionTarget, LabelTarget, NetworkTarget, Target

SHAPE = (28, 28, 1)


def images(n: int, *, seed: int = 0) -> Images:
    return Images(np.random.default_rng(seed).integers(0, 256, (n, *SHAPE), dtype=np.uint8))


def brightness(array: ByteArray) -> AnyArray:
    """Probabilities of bright and dark."""
    bright = array.reshape(len(array), -1).mean(axis=1) / 255
    return np.stack([bright, 1 - bright], axis=1)


class Spy:
    """A callable that keeps what it was given."""

    def __init__(self, function: Callable[[ByteArray], AnyArray] = brightness) -> None:
        self.function = function
        self.given: list[ByteArray] = []

    def __call__(self, array: AnyArray) -> AnyArray:
        self.given.append(array)
        return self.function(array)


def test_a_function_is_given_uint8_images_and_learned_from_a_probe() -> None:
    spy = Spy()
    target = FunctionTarget(spy, images(4), classes=None, name="bright")
    assert (target.gives_probabilities, target.classes, target.name) == (True, 2, "bright")
    assert spy.given[0].dtype == np.uint8
    assert spy.given[0].shape == (4, *SHAPE)
    assert target.fingerprint() is None


def test_a_function_of_labels_needs_the_number_of_classes() -> None:
    def labels(array: AnyArray) -> AnyArray:
        return np.asarray(brightness(array).argmax(axis=1))

    target = FunctionTarget(labels, images(4), classes=2, name="labels")
    assert (target.gives_probabilities, target.classes) == (False, 2)
    with pytest.raises(TargetError, match="number of classes must be given"):
        FunctionTarget(labels, images(4), classes=None, name="labels")


def test_a_function_whose_form_is_known_is_not_probed() -> None:
    spy = Spy()
    target = FunctionTarget(spy, None, classes=2, name="bright", gives_probabilities=True)
    assert (target.gives_probabilities, target.classes, spy.given) == (True, 2, [])
    with pytest.raises(InvalidInput, match="give a few inputs to send"):
        FunctionTarget(spy, None, classes=2, name="bright")


def test_a_function_may_change_what_it_is_given() -> None:
    def greedy(array: AnyArray) -> AnyArray:
        rows = brightness(array)
        array[:] = 0
        return rows

    some = images(3)
    before = some.digest()
    target = FunctionTarget(greedy, some, classes=None, name="greedy")
    target.reply(some)
    assert some.digest() == before


def test_a_function_may_return_a_tensor_or_a_list() -> None:
    def listed(array: AnyArray) -> AnyArray:
        return cast(AnyArray, brightness(array).tolist())

    def tensor(array: AnyArray) -> AnyArray:
        return cast(AnyArray, torch.from_numpy(brightness(array)))

    for function in (listed, tensor):
        target = FunctionTarget(function, images(3), classes=2, name="f")
        assert target.reply(images(3)) == pytest.approx(brightness(images(3).array))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda array: 1 / 0, "raised ZeroDivisionError on 4 inputs"),
        (lambda array: sys.exit("usage"), "raised SystemExit on 4 inputs: usage"),
        (lambda array: brightness(array)[:3], "3 rows to 4 inputs"),
        (lambda array: brightness(array) * 7, "sum to 7"),
        (lambda array: np.full((4, 3), 1 / 3), "3 columns; 2 classes"),
        (lambda array: array.reshape(4, -1).mean(axis=1), "regression is not supported"),
    ],
)
def test_a_function_that_does_not_answer_is_refused_at_the_probe(
    function: Callable[[AnyArray], AnyArray], message: str
) -> None:
    with pytest.raises(TargetError, match=message):
        FunctionTarget(function, images(4), classes=2, name="f")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, whose modules can be imported and are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("mine_here", "broken_module"):
        sys.modules.pop(name, None)


def test_a_function_is_loaded_from_the_working_directory(workplace: Path) -> None:
    (workplace / "mine_here.py").write_text(
        "import numpy as np\ndef classify(x):\n    return np.eye(3)[x[:, 0, 0, 0] % 3]\n"
    )
    some = images(6)
    target = FunctionTarget.load("mine_here:classify", some, classes=3)
    assert target.name == "mine_here:classify"
    assert target.reply(some).argmax(axis=1).tolist() == (some.array[:, 0, 0, 0] % 3).tolist()


@pytest.mark.parametrize("text", ["module", "module:", ":function", "", ":"])
def test_a_text_that_names_no_function_is_refused_before_anything_is_imported(text: str) -> None:
    with pytest.raises(TargetError, match="write module:function"):
        FunctionTarget.load(text, images(1), classes=2)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nothing_of_this_name", "could not be imported: ModuleNotFoundError"),
        ("def f(:", "could not be imported: SyntaxError"),
        ("raise RuntimeError('no licence')", "could not be imported: RuntimeError: no licence"),
        ("import sys; sys.exit('usage: f')", "could not be imported: SystemExit: usage: f"),
        ("def classify(x): ...\n_hidden = print", "has no function 'f'; it has: classify"),
        ("f = 3", "has no function 'f'; it has: none"),
    ],
)
def test_a_module_that_does_not_give_the_function_is_named_with_the_cause(
    workplace: Path, source: str, message: str
) -> None:
    (workplace / "broken_module.py").write_text(source)
    with pytest.raises(TargetError, match=message):
        FunctionTarget.load("broken_module:f", images(1), classes=2)


@pytest.mark.parametrize("module", ["not_to_be_found", ".relative", "a b", "no.such.package"])
def test_a_module_that_is_not_there_is_named(workplace: Path, module: str) -> None:
    with pytest.raises(TargetError, match=f"target {module}:f could not be imported"):
        FunctionTarget.load(f"{module}:f", images(1), classes=2)


def test_known_labels_are_answered_in_the_order_asked() -> None:
    some = images(4)
    target = LabelTarget(some, np.array([2, 0, 1, 2]), 3)
    assert target.reply(some.take([3, 1, 1])).tolist() == [2, 0, 0]
    assert (target.gives_probabilities, target.answers_new, target.classes) == (False, False, 3)


def test_of_two_labels_for_one_input_the_first_counts() -> None:
    twice = images(1).concat(images(1))
    assert LabelTarget(twice, np.array([2, 0]), 3).reply(twice).tolist() == [2, 2]


def test_an_input_whose_label_is_not_known_is_refused_before_anything_is_charged(tmp_path: Path) -> None:
    some = images(4)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        oracle = Oracle(LabelTarget(some, np.zeros(4, np.int64), 2), ledger, account="copy")
        with pytest.raises(InvalidInput, match="2 of the 3 inputs are new"):
            oracle.ask(images(1).concat(images(2, seed=9)))
        assert oracle.counts == Counts(0, 0, 0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0, 1, 3], "from 0 to 3"), ([0, -1, 2], "from -1 to 2"), ([0, 1], r"shape \(2,\) for 3 inputs")],
)
def test_labels_that_do_not_fit_are_refused(labels: list[int], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        LabelTarget(images(3), np.array(labels), 3)


def test_the_fingerprint_of_labels_changes_with_them_and_not_with_their_order() -> None:
    some, labels = images(3), np.array([0, 1, 2])
    one = LabelTarget(some, labels, 3).fingerprint()
    assert one == LabelTarget(some.take([2, 0, 1]), labels[[2, 0, 1]], 3).fingerprint()
    assert one != LabelTarget(some, labels[::-1].copy(), 3).fingerprint()
    assert one != LabelTarget(some.take([0, 1]), labels[:2], 3).fingerprint()


def network_file(path: Path, seed: int) -> Classifier:
    network = build("lenet5", SHAPE, 10, rng=np.random.default_rng(seed))
    save_weights(network, path)
    return Classifier(network)


def test_a_network_from_a_file_answers_as_the_one_that_was_saved(tmp_path: Path) -> None:
    saved = network_file(tmp_path / "m.safetensors", seed=3)
    target = NetworkTarget.load(tmp_path / "m.safetensors", "lenet5", SHAPE, 10)
    with Ledger(tmp_path / "ledger.sqlite", target=target.fingerprint()) as ledger:
        answers = Oracle(target, ledger, account="copy", kind=AnswerKind("probabilities")).ask(images(7))
    assert answers.probabilities is not None
    assert (answers.probabilities == saved.probabilities(images(7))).all()


def test_the_fingerprint_of_a_network_changes_with_its_weights_alone(tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate([3, 3, 4]):
        network_file(tmp_path / f"{number}.safetensors", seed)
        found.append(NetworkTarget.load(tmp_path / f"{number}.safetensors", "lenet5", SHAPE, 10).fingerprint())
    assert found[0] == found[1] != found[2]


def test_a_network_refuses_images_of_another_shape(tmp_path: Path) -> None:
    target: Target = NetworkTarget(network_file(tmp_path / "m.safetensors", 0), SHAPE, 10, name="net")
    with pytest.raises(InvalidInput, match=r"shape \(8, 8, 3\).*the target net takes \(28, 28, 1\)"):
        target.check(Images(np.zeros((2, 8, 8, 3), np.uint8)))


def test_a_file_that_is_missing_or_not_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        NetworkTarget.load(tmp_path / "missing.safetensors", "lenet5", SHAPE, 10)
    (tmp_path / "p.safetensors").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InvalidInput, match="not a safetensors file"):
        NetworkTarget.load(tmp_path / "p.safetensors", "lenet5", SHAPE, 10)


def test_weights_that_are_not_finite_give_an_error_and_no_answer(tmp_path: Path) -> None:
    network = build("lenet5", SHAPE, 10, rng=np.random.default_rng(0))
    with torch.no_grad():
        for value in network.parameters():
            value.fill_(float("nan"))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        oracle = Oracle(NetworkTarget(Classifier(network), SHAPE, 10, name="nan"), ledger, account="copy")
        with pytest.raises(TargetError, match="NaN"):
            oracle.ask(images(1))
