"""Where networks live: chosen once, the same weights everywhere, and everything they are given goes there too."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from copycost.adversarial import deepfool, fgsm, pgd
from copycost.adversarial._classifier import images_at_once
from copycost.audit import build_spec, run_audit
from copycost.errors import InvalidInput
from copycost.inputs import Images, Texts
from copycost.networks import check_device, device_of, load_classifier, new_classifier, on_device, save_classifier
from copycost.networks._classifier import to_float
from copycost.networks._device import current_device, device_name
from copycost.oracle import Answers
from copycost.substitutes import Labelled, Schedule, fit
from copycost.substitutes._augment import affine

refused: Callable[..., str] = runpy.run_path(str(Path(__file__).parent / "_cli.py"))["refused"]

ELSEWHERE = torch.device("meta")  # shapes without numbers: what meets it from the processor is refused by torch
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device on this machine")


def digits(n: int = 6) -> Images:
    return Images(np.random.default_rng(0).integers(0, 256, (n, 28, 28, 1), dtype=np.uint8))


def texts() -> Texts:
    return Texts(("a fine film", "dull from the first scene to the last", "fine"))


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cuda:x", "", "CPU", "cuda:-1", "cuda:1000"])
def test_a_device_of_another_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="cpu, cuda, cuda:N or auto is allowed"):
        check_device(text)


def test_a_device_that_is_not_there_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"'cuda:99'.* does not find that CUDA device \(it finds "):
        check_device("cuda:99")
    for command in (["audit"], ["reproduce", "thesis-table6"]):
        said = refused(*command, "--device=cuda:99", "--out=nowhere", cwd=tmp_path)
        assert "does not find that CUDA device" in said
    assert not [*tmp_path.iterdir()]


def test_without_an_accelerator_auto_is_the_processor() -> None:
    assert check_device("auto") == ("cuda:0" if torch.cuda.is_available() else "cpu")
    assert (str(current_device()), device_name(), check_device("cpu")) == ("cpu", "cpu", "cpu")
    with on_device("auto"):
        assert str(current_device()) == check_device("auto")
    assert str(current_device()) == "cpu"


@pytest.mark.parametrize("architecture", ["lenet5", "activethief-bc width=4", "kim"])
def test_what_a_network_is_given_goes_where_it_is(architecture: str) -> None:
    inputs: Any = texts() if architecture == "kim" else digits()
    classifier = new_classifier(architecture, inputs, 3, rng=np.random.default_rng(0))
    rows = classifier.encode(inputs)
    here = classifier.tensor(rows)
    classifier.network.to(ELSEWHERE)
    assert device_of(classifier.network) == ELSEWHERE
    there = classifier.tensor(rows)
    assert (there.device, there.shape, there.dtype) == (ELSEWHERE, here.shape, here.dtype)
    if architecture == "kim":  # its windows are chosen by the words, which have no values there
        return
    loss = functional.cross_entropy(classifier(there), torch.zeros(len(rows), dtype=torch.int64, device=ELSEWHERE))
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(one.grad is None or one.grad.device == ELSEWHERE for one in classifier.network.parameters())


def test_augmentation_draws_on_the_processor_and_changes_images_where_they_are() -> None:
    assert affine(torch.zeros((3, 1, 8, 8), device=ELSEWHERE)).device == ELSEWHERE


def test_bytes_become_floats_in_one_layout_on_every_device() -> None:
    there = to_float(digits().array, ELSEWHERE)
    assert (there.shape, there.dtype, there.is_contiguous()) == ((6, 1, 28, 28), torch.float32, True)


@needs_cuda
def test_bytes_become_the_same_floats_on_cuda() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert torch.equal(to_float(levels, torch.device("cuda")).cpu(), to_float(levels, torch.device("cpu")))


@pytest.mark.parametrize(
    ("side", "size", "device", "expected"),
    [
        (28, None, "cpu", 64),
        (28, None, "meta", 1024),
        (299, None, "meta", 64),
        (64, None, "meta", 325),
        (28, 7, "meta", 7),
    ],
)
def test_an_attack_takes_as_many_images_at_once_as_suit_the_device(
    side: int, size: int | None, device: str, expected: int
) -> None:
    assert images_at_once(size, torch.empty((2, 3, side, side), device=device)) == expected


@needs_cuda
@pytest.mark.parametrize("architecture", ["lenet5", "vgg16 width=0.1", "resnet18 width=0.1", "kim"])
def test_initial_weights_are_equal_on_cuda_and_answers_nearly(architecture: str, tmp_path: Path) -> None:
    inputs: Any = texts() if architecture == "kim" else digits()
    here = new_classifier(architecture, inputs, 3, rng=np.random.default_rng(1))
    with on_device("cuda"):
        there = new_classifier(architecture, inputs, 3, rng=np.random.default_rng(1))
        assert device_of(there.network).type == "cuda"
        save_classifier(there, tmp_path / "there.safetensors")
        shape = None if architecture == "kim" else (28, 28, 1)
        again = load_classifier(tmp_path / "there.safetensors", architecture, shape=shape, classes=3)
        assert device_of(again.network).type == "cuda"
    for mine, other in zip(here.network.parameters(), there.network.parameters(), strict=True):
        assert torch.equal(mine, other.cpu())
    np.testing.assert_allclose(there.probabilities(inputs), here.probabilities(inputs), atol=1e-4)
    np.testing.assert_array_equal(again.probabilities(inputs), there.probabilities(inputs))


@needs_cuda
@pytest.mark.parametrize("schedule", ["steps:60", "early-stopping:6 batch=8", "epochs:3 batch=8 augment=affine"])
def test_training_on_cuda_lowers_the_loss_and_repeats(schedule: str) -> None:
    inputs, answers = digits(40), Answers(np.arange(40) % 3)
    found = []
    for _ in range(2):
        with on_device("cuda"):
            copy = new_classifier("activethief-bc width=4", inputs, 3, rng=np.random.default_rng(1))
            labelled = Labelled(inputs, answers)
            fit(copy, labelled, schedule=Schedule.parse(schedule), rng=np.random.default_rng(2))
        found.append(copy.probabilities(inputs))
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


@needs_cuda
def test_attacks_on_cuda_do_what_they_do_on_the_processor() -> None:
    inputs = digits(20)
    here = new_classifier("lenet5", inputs, 3, rng=np.random.default_rng(1))
    with on_device("cuda"):
        there = new_classifier("lenet5", inputs, 3, rng=np.random.default_rng(1))
    made = []
    for classifier in (here, there):
        classifier.network.eval()
        floats = classifier.tensor(inputs.array)
        labels = torch.arange(20) % 3
        found = deepfool(classifier, floats)
        assert found.fooled.any()
        steps = pgd(classifier, floats, labels, epsilon=0.3, generator=torch.Generator().manual_seed(0))
        made.append((found.distances.cpu(), fgsm(classifier, floats, labels, epsilon=0.1).cpu(), steps.cpu()))
    torch.testing.assert_close(made[0][0], made[1][0], rtol=1e-2, atol=1e-3)
    assert ((made[0][1] - made[1][1]).abs() > 1e-3).float().mean() < 0.01
    assert (made[0][2] - made[1][2]).abs().mean() < 0.02


@needs_cuda
def test_a_whole_audit_runs_on_cuda_and_its_record_says_so(tmp_path: Path) -> None:
    spec = build_spec(
        {
            "target": "lenet5@embedded:train",
            "pool": "embedded:pool",
            "test": "embedded:test",
            "budgets": [60],
            "strategies": ["random", "dfal + k-center", "trace layers=last", "jbda"],
            "schedule": "early-stopping:6 batch=16",
            "validation_share": 0.2,
            "rounds": 4,
            "seeds": 1,
            "target_schedule": "epochs:2 batch=16",
            "transfer": {"images": 10},
            "robustness": 5,
        }
    )
    result = run_audit(spec, tmp_path / "out", workers=1, device="cuda")
    assert {cell["run"]["machine"]["device"] for cell in result.cells} == {torch.cuda.get_device_name(0)}
    assert all(cell["result"]["measures"]["agreement"] > 0.1 for cell in result.cells)
