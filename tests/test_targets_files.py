"""How a TARGET text is taken, which files are refused unread, torchvision's architectures, and the guide's snippets."""

import functools
import os
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from sklearn.linear_model import LogisticRegression
from torch import nn

from copycost import Images
from copycost._types import AnyArray
from copycost.audit import build_spec
from copycost.datasets import images_of, load
from copycost.errors import CopycostError, InvalidInput
from copycost.networks import Classifier, build, check_architecture, save_weights
from copycost.oracle.targets import FILES, FORMS, FileSettings, NetworkTarget, form_of, open_file

GREY, COLOUR = (28, 28, 1), (32, 32, 3)
GUIDE = Path(__file__).resolve().parents[1] / "docs" / "guide" / "targets.md"
REFUSED = (".pt", ".pth", ".pt2", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib", ".h5", ".hdf5", ".keras")


def noise(n: int, shape: tuple[int, int, int] = GREY) -> Images:
    return Images(np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("labels", "labels"),
        ("mine:classify", "function"),
        ("package.module:classify", "function"),
        ("lenet5@mnist:train", "trained"),
        ("lenet5@digits.npz", "trained"),
        ("model.onnx", "file"),
        ("MODEL.ONNX", "file"),
        ("a@b/model.onnx", "file"),
        ("C:/models/model.skops", "file"),
        ("weights.safetensors", "file"),
    ],
)
def test_a_target_is_known_by_the_form_of_its_text(text: str, form: str) -> None:
    assert form_of(text) == form
    assert form in FORMS


@pytest.mark.parametrize("text", ["", "model", "model.npz", "weights.tflite", "folder/", "."])
def test_a_text_of_no_form_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"module:function, FILE\.onnx, FILE\.skops, .* exported to ONNX"):
        form_of(text)


@pytest.mark.parametrize("suffix", [*REFUSED, ".PTH"])
def test_a_file_that_can_carry_code_is_refused_with_the_way_to_onnx(suffix: str) -> None:
    with pytest.raises(InvalidInput, match="can carry code") as caught:
        form_of(f"folder/model{suffix}")
    assert "ONNX" in str(caught.value)
    with pytest.raises(InvalidInput, match="can carry code"):
        build_spec({"target": f"model{suffix}", "pool": "embedded:pool", "test": "embedded:test"})


class Malicious:
    """A pickle of it opens a file for writing when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return open, ("ran", "w")


def test_a_pickle_is_not_opened_by_an_audit_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.pkl").write_bytes(pickle.dumps(Malicious()))
    torch.save({"weights": Malicious()}, "model.pth")
    for source in ("model.pkl", "model.pth"):
        content = Path(source).read_bytes()
        for suffix in FILES:
            Path(f"copy{suffix}").write_bytes(content)
            with pytest.raises(CopycostError, match="is not a"):
                open_file(f"copy{suffix}", FileSettings(GREY, classes=10, architecture="lenet5"))
    assert not Path("ran").exists()


def test_the_command_line_refuses_a_pickle_without_running_it(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Malicious()))
    command = [sys.executable, "-m", "copycost", "audit", "model.pkl", "--pool", "embedded:pool"]
    command += ["--test", "embedded:test"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, timeout=300, env=os.environ | {"COLUMNS": "200"}
    )
    assert done.returncode == 2
    assert ".pkl files can carry code" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.pkl"]


@pytest.mark.parametrize(
    ("target", "setting", "message"),
    [
        (
            "mine:f",
            {"target_mean": 0.5},
            "target_mean and target_deviation are for safetensors targets and onnx targets",
        ),
        ("model.skops", {"target_deviation": 0.5}, "are for safetensors targets"),
        ("model.skops", {"target_output": "logits"}, "target_output is for onnx targets; leave it out"),
        ("w.safetensors", {"target_arch": "lenet5", "target_scale": "bytes"}, "for onnx targets and skops targets"),
        ("labels", {"target_scale": "bytes"}, "for onnx targets and skops targets"),
        ("model.onnx", {"target_output": "scores"}, "target_output is 'scores'"),
        ("model.onnx", {"target_scale": "inches"}, "target_scale is 'inches'"),
        ("model.onnx", {"target_deviation": 0}, "above 0"),
        ("w.safetensors", {}, "--target-arch"),
        ("w.safetensors", {"target_arch": "torchvision:resnt18"}, "torchvision:resnet18"),
        ("w.safetensors", {"target_arch": "resnet34"}, r"known are lenet5.*torchvision:resnet18"),
    ],
)
def test_settings_that_do_not_go_with_the_kind_of_target_are_refused(
    target: str, setting: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        build_spec({"target": target, "pool": "embedded:pool", "test": "embedded:test"} | setting)


def test_settings_of_the_kind_are_part_of_the_cell() -> None:
    base = {"target": "model.onnx", "pool": "embedded:pool", "test": "embedded:test"}
    specs = [build_spec(base | more) for more in ({}, {"target_output": "logits"}, {"target_scale": "bytes"})]
    assert len({spec.cells()[0].key for spec in specs}) == 3
    assert (specs[1].cells()[0].target_output, specs[2].cells()[0].target_scale) == ("logits", "bytes")
    assert not specs[0].trains_target


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "vit_b_32", "squeezenet1_1", "googlenet"])
def test_weights_for_an_architecture_of_torchvision_answer_as_the_network(tmp_path: Path, name: str) -> None:
    options: dict[str, Any] = {"image_size": 64} if name == "vit_b_32" else {}
    if name == "googlenet":
        options["init_weights"] = False
    network = torchvision.models.get_model(name, weights=None, num_classes=7, **options).eval()
    save_weights(network, tmp_path / "w.safetensors")
    shape = (64, 64, 3)
    settings = FileSettings(shape, named_classes=7, architecture=f"torchvision:{name}", mean=(0.4, 0.5, 0.6))
    target = open_file(str(tmp_path / "w.safetensors"), settings)
    images = noise(3, shape)
    expected = Classifier(network, mean=(0.4, 0.5, 0.6)).probabilities(images)
    np.testing.assert_allclose(target.reply(images), expected, atol=1e-6)
    assert target.classes == 7


def test_weights_for_another_number_of_classes_are_refused(tmp_path: Path) -> None:
    network = torchvision.models.get_model("squeezenet1_1", weights=None, num_classes=7)
    save_weights(network, tmp_path / "w.safetensors")
    settings = FileSettings(COLOUR, named_classes=10, architecture="torchvision:squeezenet1_1")
    with pytest.raises(InvalidInput, match="do not fit the architecture"):
        open_file(str(tmp_path / "w.safetensors"), settings)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("torchvision:resnet18", GREY, "takes 3 channels. Convert"),
        ("torchvision:alexnet", (16, 16, 3), "of a size that torchvision:alexnet does not take"),
        ("torchvision:vit_b_32", (33, 33, 3), "of a size that torchvision:vit_b_32 does not take"),
        ("torchvision:vit_b_32", (64, 32, 3), "of a size that torchvision:vit_b_32 does not take"),
        ("torchvision:resnet", COLOUR, "near it are torchvision:resnet"),
        ("torchvision:", COLOUR, "near it are torchvision:resnet18"),
        ("torchvision:fasterrcnn_resnet50_fpn", COLOUR, "not among its classifiers"),
        ("torchvision:fcn_resnet50", COLOUR, "not among its classifiers"),
    ],
)
def test_what_torchvision_does_not_have_or_take_is_refused(
    name: str, shape: tuple[int, int, int], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        build(name, shape, 5, rng=np.random.default_rng(0))


def test_a_network_of_torchvision_starts_from_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second, other = (
        build("torchvision:squeezenet1_1", COLOUR, 5, rng=np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    pairs = list(zip(first.parameters(), second.parameters(), strict=True))
    assert all(torch.equal(one, two) for one, two in pairs)
    assert not torch.equal(next(first.parameters()), next(other.parameters()))
    assert torch.equal(torch.get_rng_state(), before)
    assert first.training


def test_every_classifier_of_torchvision_is_known() -> None:
    for name in torchvision.models.list_models(module=torchvision.models):
        check_architecture(f"torchvision:{name}")


def test_large_images_go_through_a_network_in_small_batches() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sizes: list[int] = []

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.sizes.append(len(images))
            return images.mean(dim=(2, 3))

    network = Counting()
    shape = (512, 512, 3)
    target = NetworkTarget(Classifier(network), shape, 3, name="counting")
    images = noise(12, shape)
    answers = target.reply(images)
    assert network.sizes == [5, 5, 2]
    np.testing.assert_allclose(answers, Classifier(Counting()).probabilities(images), atol=1e-6)


@pytest.mark.parametrize("suffix", FILES)
def test_a_file_that_is_not_there_is_named(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(CopycostError, match=f"missing{suffix}"):
        open_file(str(tmp_path / f"missing{suffix}"), FileSettings(GREY, classes=10, architecture="lenet5"))


def test_weights_need_an_architecture_and_the_number_of_classes() -> None:
    with pytest.raises(InvalidInput, match="name its architecture"):
        open_file("w.safetensors", FileSettings(GREY))
    with pytest.raises(InvalidInput, match="give their number with --classes"):
        open_file("w.safetensors", FileSettings(GREY, architecture="lenet5"))


def snippet(heading: str) -> str:
    """Return the code under a heading of the guide."""
    found = re.search(rf"^##+ {heading}\n.*?```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.M)
    assert found is not None
    return found[1]


def run(heading: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **names: Any) -> None:
    monkeypatch.chdir(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(snippet(heading), heading, "exec"), names)


@functools.cache
def regression() -> tuple[LogisticRegression, Images, AnyArray]:
    whole = load("embedded")
    assert whole.labels is not None
    images = images_of(whole).take(range(0, 5000, 25))
    rows = images.array.reshape(len(images), -1) / 255
    return LogisticRegression(max_iter=50, tol=1e-2).fit(rows, whole.labels[::25]), images, rows


def test_the_guides_export_from_torch_can_be_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript", reason="torch's exporter to ONNX needs onnxscript, which is not installed")
    network = build("lenet5", GREY, 10, rng=np.random.default_rng(0))
    run("Export from torch", tmp_path, monkeypatch, model=network)
    images = noise(9)
    target = open_file("model.onnx", FileSettings(GREY, output="logits", probe=lambda: images))
    np.testing.assert_allclose(target.reply(images), Classifier(network).probabilities(images), atol=1e-5)


def test_the_guides_export_from_scikit_learn_can_be_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skl2onnx", reason="scikit-learn's converter to ONNX is not installed")
    model, images, rows = regression()
    run("Export from scikit-learn", tmp_path, monkeypatch, model=model, images=rows)
    target = open_file("model.onnx", FileSettings(GREY, probe=lambda: images.take([0, 1, 2])))
    np.testing.assert_allclose(target.reply(images), model.predict_proba(rows), atol=1e-5)


def test_the_guides_skops_file_can_be_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, images, rows = regression()
    run("scikit-learn", tmp_path, monkeypatch, model=model)
    np.testing.assert_allclose(
        open_file("model.skops", FileSettings(GREY)).reply(images), model.predict_proba(rows), rtol=1e-9
    )


def test_the_guides_conversion_of_pickled_weights_can_be_audited_and_refuses_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = build("lenet5", GREY, 10, rng=np.random.default_rng(0))
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    run("Convert pickled weights", tmp_path, monkeypatch)
    target = open_file("weights.safetensors", FileSettings(GREY, classes=10, architecture="lenet5"))
    np.testing.assert_array_equal(target.reply(noise(3)), Classifier(network).probabilities(noise(3)))
    torch.save({"weights": Malicious()}, tmp_path / "weights.pth")
    with pytest.raises(pickle.UnpicklingError):
        run("Convert pickled weights", tmp_path, monkeypatch)
    assert not (tmp_path / "ran").exists()


def test_the_guide_names_every_kind_of_file() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert [suffix for suffix in (*FILES, *REFUSED) if suffix not in text] == []


def test_an_optional_part_that_is_missing_is_named_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, suffix, extra in (("onnxruntime", "onnx", "onnx"), ("skops.io", "skops", "sklearn")):
        (tmp_path / f"model.{suffix}").write_bytes(b"any")
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(CopycostError, match=rf"pip install 'copycost\[{extra}\]'"):
            open_file(str(tmp_path / f"model.{suffix}"), FileSettings(GREY))
