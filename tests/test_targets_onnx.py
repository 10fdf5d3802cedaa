"""ONNX files as targets: what they take, what they answer, and what is refused."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression

from copycost import Images
from copycost._types import AnyArray
from copycost.datasets import images_of, load
from copycost.errors import InvalidInput, TargetError
from copycost.networks import Classifier, build
from copycost.oracle import Ledger, Oracle
from copycost.oracle.targets import FileSettings, OnnxTarget

GREY, COLOUR = (28, 28, 1), (6, 5, 3)
FLOAT, BYTES = TensorProto.FLOAT, TensorProto.UINT8

ENDS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "logits": [],
    "probabilities": [("Softmax", {"axis": 1})],
    "labels": [("ArgMax", {"axis": 1, "keepdims": 0})],
    "column of labels": [("ArgMax", {"axis": 1, "keepdims": 1})],
    "sigmoid": [("Sigmoid", {})],
}


def linear(
    weights: AnyArray,
    bias: AnyArray,
    *,
    end: str = "probabilities",
    dims: tuple[Any, ...] = ("n", 1, 28, 28),
    dtype: int = FLOAT,
    last: bool = False,
) -> onnx.ModelProto:
    """Return scores = pixels @ weights + bias for pixels in the order (height, width, channels).

    ``dims`` are those of the input; ``last`` says that its channels come last.
    """
    names = iter(f"t{number}" for number in range(20))
    nodes, at = [], "images"

    def add(kind: str, *more: str, **attributes: Any) -> None:
        nonlocal at
        after = next(names)
        nodes.append(helper.make_node(kind, [at, *more], [after], **attributes))
        at = after

    if dtype != FLOAT:
        add("Cast", to=FLOAT)
    if dtype == BYTES:
        add("Div", "hundred")
    if len(dims) == 4 and not last:
        add("Transpose", perm=[0, 2, 3, 1])
    add("Flatten", axis=1)
    add("MatMul", "weights")
    add("Add", "bias")
    for kind, attributes in ENDS[end]:
        add(kind, **attributes)
    whole = end in ("labels", "column of labels")
    count = dims[0] if isinstance(dims[0], int) else "n"
    shape = {"labels": [count], "column of labels": [count, 1]}.get(end, [count, len(bias)])
    numbers = {"weights": weights, "bias": bias, "hundred": np.array(255.0)}
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("images", dtype, list(dims))],
        [helper.make_tensor_value_info(at, TensorProto.INT64 if whole else FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in numbers.items()],
    )
    return model_of(graph)


def model_of(graph: onnx.GraphProto) -> onnx.ModelProto:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


def write(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def digits() -> tuple[Images, AnyArray]:
    whole = load("embedded")
    assert whole.labels is not None
    return images_of(whole).take(range(0, 5000, 12)), whole.labels[::12]


@pytest.fixture(scope="module")
def trained(digits: tuple[Images, AnyArray]) -> LogisticRegression:
    images, labels = digits
    return LogisticRegression(max_iter=300).fit(flat(images), labels)


def flat(images: Images) -> AnyArray:
    return images.array.reshape(len(images), int(np.prod(images.shape))) / 255


def settings(shape: tuple[int, int, int] = GREY, **more: Any) -> FileSettings:
    """What a loader would say, with three images as the probe."""
    return FileSettings(shape, **({"probe": lambda: noise(3, shape)} | more))


def noise(n: int, shape: tuple[int, int, int] = GREY, seed: int = 0) -> Images:
    return Images(np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8))


def random_linear(shape: tuple[int, int, int], classes: int = 4) -> tuple[AnyArray, AnyArray]:
    rng = np.random.default_rng(5)
    return rng.normal(size=(int(np.prod(shape)), classes)) / 5, rng.normal(size=classes)


def softmax(images: Images, weights: AnyArray, bias: AnyArray) -> AnyArray:
    scores = flat(images) @ weights + bias
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("dims", "last"),
    [
        (("n", 1, 28, 28), False),
        (("n", 28, 28, 1), True),
        ((None, 1, 28, 28), False),
        ((7, 1, 28, 28), False),
        ((1, 28, 28, 1), True),
        (("n", 28, 28), True),
        (("n", 784), True),
        (("n", 1, "h", "w"), False),
        (("n", "h", "w", 1), True),
    ],
)
def test_a_trained_model_answers_as_its_source_whatever_its_layout_and_batch(
    tmp_path: Path,
    digits: tuple[Images, AnyArray],
    trained: LogisticRegression,
    dims: tuple[Any, ...],
    last: bool,
) -> None:
    path = write(linear(trained.coef_.T, trained.intercept_, dims=dims, last=last), tmp_path / "m.onnx")
    target = OnnxTarget(path, settings())
    assert (target.classes, target.gives_probabilities, target.shape, target.name) == (10, True, GREY, "m.onnx")
    images = digits[0].take(range(23))
    np.testing.assert_allclose(target.reply(images), trained.predict_proba(flat(images)), atol=1e-5)


@pytest.mark.parametrize(("dims", "last"), [(("n", 3, 6, 5), False), (("n", 6, 5, 3), True), ((4, 6, 5, 3), True)])
def test_colour_is_given_in_the_order_of_the_model(tmp_path: Path, dims: tuple[Any, ...], last: bool) -> None:
    weights, bias = random_linear(COLOUR)
    path = write(linear(weights, bias, dims=dims, last=last), tmp_path / "m.onnx")
    images = noise(9, COLOUR)
    target = OnnxTarget(path, settings(COLOUR))
    np.testing.assert_allclose(target.reply(images), softmax(images, weights, bias), atol=1e-5)


@pytest.mark.parametrize("dtype", [BYTES, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16])
def test_bytes_go_in_as_they_are_and_floats_from_0_to_1(tmp_path: Path, dtype: int) -> None:
    weights, bias = random_linear(GREY)
    path = write(linear(weights, bias, dtype=dtype), tmp_path / "m.onnx")
    images = noise(5)
    answers = OnnxTarget(path, settings()).reply(images)
    slack = 0.02 if dtype == TensorProto.FLOAT16 else 1e-5
    np.testing.assert_allclose(answers, softmax(images, weights, bias), atol=slack)


def test_a_model_of_floats_from_0_to_255_is_fed_so_when_that_is_said(tmp_path: Path) -> None:
    weights, bias = random_linear(GREY)
    path = write(linear(weights / 255, bias), tmp_path / "m.onnx")
    images = noise(5)
    target = OnnxTarget(path, settings(scale="bytes"))
    np.testing.assert_allclose(target.reply(images), softmax(images, weights, bias), atol=1e-5)
    assert target.fingerprint() != OnnxTarget(path, settings()).fingerprint()


def test_mean_and_deviation_are_applied_by_channel(tmp_path: Path) -> None:
    weights, bias = random_linear(COLOUR)
    path = write(linear(weights, bias, dims=("n", 3, 6, 5)), tmp_path / "m.onnx")
    images = noise(4, COLOUR)
    mean, deviation = (0.1, 0.5, 0.9), (0.5, 1.0, 2.0)
    scores = ((images.array / 255 - mean) / deviation).reshape(4, -1) @ weights + bias
    answers = OnnxTarget(path, settings(COLOUR, mean=mean, deviation=deviation)).reply(images)
    np.testing.assert_array_equal(answers.argmax(axis=1), scores.argmax(axis=1))
    np.testing.assert_allclose(np.log(answers[:, 1:] / answers[:, :1]), scores[:, 1:] - scores[:, :1], atol=1e-3)


@pytest.mark.parametrize("batch", ["n", 1, 4, 5, 64])
@pytest.mark.parametrize("count", [0, 1, 4, 5, 11])
def test_padding_is_dropped_and_the_order_kept(tmp_path: Path, batch: Any, count: int) -> None:
    weights, bias = random_linear(GREY)
    target = OnnxTarget(write(linear(weights, bias, dims=(batch, 1, 28, 28)), tmp_path / "m.onnx"), settings())
    images = noise(count, seed=3)
    answers = target.reply(images)
    assert answers.shape == (count, 4)
    np.testing.assert_allclose(answers, softmax(images, weights, bias), atol=1e-5)


def test_logits_must_be_said_and_become_probabilities(tmp_path: Path) -> None:
    weights, bias = random_linear(GREY)
    path = write(linear(weights, bias, end="logits"), tmp_path / "m.onnx")
    with pytest.raises(TargetError, match="target_output: logits"):
        OnnxTarget(path, settings())
    target = OnnxTarget(path, settings(output="logits"))
    images = noise(6)
    np.testing.assert_allclose(target.reply(images), softmax(images, weights, bias), atol=1e-5)
    assert target.reply(images.take([])).shape == (0, 4)


def test_logits_that_would_overflow_become_probabilities(tmp_path: Path) -> None:
    weights, bias = random_linear(GREY)
    path = write(linear(weights * 1e4, bias, end="logits"), tmp_path / "m.onnx")
    answers = OnnxTarget(path, settings(output="logits")).reply(noise(6))
    np.testing.assert_allclose(answers.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("end", "said", "message"),
    [
        ("probabilities", "logits", "sums to one already"),
        ("logits", "probabilities", "logits, apply softmax|sum to"),
        ("probabilities", "labels", r"target_output is labels, but .* shape \(3, 4\)"),
        ("labels", "probabilities", r"target_output is probabilities, but .* shape \(3,\)"),
        ("labels", "logits", r"target_output is logits, but .* shape \(3,\)"),
        ("sigmoid", None, "multi-label"),
    ],
)
def test_what_is_said_of_the_output_is_checked(tmp_path: Path, end: str, said: str | None, message: str) -> None:
    path = write(linear(*random_linear(GREY), end=end), tmp_path / "m.onnx")
    with pytest.raises(TargetError, match=message):
        OnnxTarget(path, settings(output=said))


@pytest.mark.parametrize("end", ["labels", "column of labels"])
def test_labels_are_found_out_and_need_the_number_of_classes(tmp_path: Path, end: str) -> None:
    weights, bias = random_linear(GREY)
    path = write(linear(weights, bias, end=end), tmp_path / "m.onnx")
    with pytest.raises(TargetError, match="number of classes must be given"):
        OnnxTarget(path, settings())
    for said in (None, "labels"):
        target = OnnxTarget(path, settings(named_classes=4, output=said))
        assert (target.gives_probabilities, target.classes) == (False, 4)
        images = noise(9)
        assert target.reply(images).tolist() == softmax(images, weights, bias).argmax(axis=1).tolist()
    with pytest.raises(TargetError, match="labels from"):
        OnnxTarget(path, settings(classes=2, probe=lambda: noise(200)))


@pytest.mark.parametrize("end", ["logits", "sigmoid"])
def test_one_score_an_image_is_refused(tmp_path: Path, end: str) -> None:
    path = write(linear(*random_linear(GREY, classes=1), end=end), tmp_path / "m.onnx")
    with pytest.raises(TargetError, match="regression is not supported, and a binary classifier needs two columns"):
        OnnxTarget(path, settings())


def test_another_number_of_classes_than_was_said_is_refused(tmp_path: Path) -> None:
    path = write(linear(*random_linear(GREY)), tmp_path / "m.onnx")
    with pytest.raises(TargetError, match="4 columns; 7 classes"):
        OnnxTarget(path, settings(classes=7))


@pytest.mark.parametrize(
    ("dims", "shape", "message"),
    [
        (("n", 3, 28, 28), GREY, r"takes \[any, 3, 28, 28\] with channels first. It wants 3 channels \(colour\)"),
        (("n", 28, 28, 1), (28, 28, 3), r"with channels last. It wants 1 channels \(grey\)"),
        (("n", 1, 32, 32), GREY, r"takes \[any, 1, 32, 32\].* Resize the images"),
        (("n", 100), GREY, r"takes \[any, 100\]. Resize"),
        (("n", "a", "b", "c"), GREY, "both with channels first and with channels last"),
        (("n", 3, 3, 3), (3, 3, 3), "both with channels first and with channels last"),
        (("n", 2352), (28, 28, 3), "does not say how 3 channels lie in a row"),
    ],
)
def test_a_shape_that_does_not_fit_or_cannot_be_told_is_refused_with_what_to_do(
    tmp_path: Path, dims: tuple[Any, ...], shape: tuple[int, int, int], message: str
) -> None:
    fixed = [dim for dim in dims if isinstance(dim, int)]
    pixels = np.zeros((int(np.prod(fixed if len(fixed) == len(dims) - 1 else shape)), 4))
    path = write(linear(pixels, np.zeros(4), dims=dims, last=True), tmp_path / "m.onnx")
    with pytest.raises(InvalidInput, match=message):
        OnnxTarget(path, settings(shape))


@pytest.mark.parametrize("dims", [(784,), ("n", 1, 1, 28, 28), ()])
def test_a_model_of_too_few_or_many_axes_is_refused(tmp_path: Path, dims: tuple[Any, ...]) -> None:
    path = write(identity(list(dims), TensorProto.FLOAT), tmp_path / "m.onnx")
    with pytest.raises(TargetError, match=r"\[batch, channels, height, width\]"):
        OnnxTarget(path, settings())


def identity(dims: list[Any], dtype: int, inputs: int = 1, outputs: int = 1) -> Any:
    names = [(f"in{number}", f"out{number}") for number in range(max(inputs, outputs))]
    nodes = [
        helper.make_node("Identity", [start if number < inputs else "in0"], [end])
        for number, (start, end) in enumerate(names)
    ]
    taken = [helper.make_tensor_value_info(start, dtype, dims) for start, _ in names[:inputs]]
    given = [helper.make_tensor_value_info(end, dtype, dims) for _, end in names[:outputs]]
    return model_of(helper.make_graph(nodes, "identity", taken, given))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (identity(["n", 1, 28, 28], TensorProto.INT32), r"takes tensor\(int32\)"),
        (identity(["n", 1, 28, 28], TensorProto.FLOAT, inputs=2), r"2 inputs \(in0, in1\)"),
        (identity(["n", 1, 28, 28], TensorProto.FLOAT, outputs=3), r"has 3 outputs \(out0 tensor\(float\)"),
        (identity(["n", 1, 28, 28], TensorProto.FLOAT, outputs=2), "has 2 outputs"),
        (identity(["n", 1, 28, 28], TensorProto.FLOAT), r"shape \(3, 1, 28, 28\)"),
    ],
)
def test_a_model_of_another_kind_is_refused(tmp_path: Path, model: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        OnnxTarget(write(model, tmp_path / "m.onnx"), settings())


def test_settings_that_do_not_go_with_the_model_are_refused(tmp_path: Path) -> None:
    weights, bias = random_linear(GREY)
    floats = write(linear(weights, bias), tmp_path / "f.onnx")
    whole = write(linear(weights, bias, dtype=BYTES), tmp_path / "b.onnx")
    for path, more, message in (
        (whole, {"mean": (0.5,)}, "takes uint8 pixels as they are"),
        (floats, {"mean": (0.5,), "scale": "bytes"}, "leave one of the two out"),
        (floats, {"mean": (0.5, 0.5)}, "one for each of 1 channels"),
        (floats, {"deviation": (0.0,)}, "above 0"),
        (floats, {"output": "scores"}, "probabilities, logits, labels are known"),
        (floats, {"scale": "inches"}, "unit for pixels"),
        (floats, {"probe": None}, "probe is None"),
    ):
        with pytest.raises(InvalidInput, match=message):
            OnnxTarget(path, settings(**more))


def test_what_a_probe_has_shown_is_not_asked_again(tmp_path: Path) -> None:
    path = write(linear(*random_linear(GREY)), tmp_path / "m.onnx")
    asked: list[int] = []

    def probe() -> Images:
        asked.append(1)
        return noise(3)

    assert OnnxTarget(path, settings(probe=probe)).probed is not None
    known = OnnxTarget(path, settings(probe=probe, known=(True, 4)))
    assert (known.probed, known.classes, known.gives_probabilities, len(asked)) == (None, 4, True, 1)


def test_nothing_is_charged_for_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    def charge() -> Images:
        raise AssertionError

    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    small = write(linear(*random_linear((8, 8, 1)), dims=("n", 1, 8, 8)), tmp_path / "small.onnx")
    for path in (tmp_path / "missing.onnx", tmp_path / "bad.onnx", tmp_path, small):
        with pytest.raises((TargetError, InvalidInput)):
            OnnxTarget(path, settings(probe=charge))


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"ORTM" * 40, os.urandom(300), b"\x08\x08"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(TargetError, match="is not an ONNX model"):
        OnnxTarget(tmp_path / "m.onnx", settings())


def test_an_operator_of_ones_own_is_refused_and_nothing_else_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = linear(*random_linear(GREY))
    model.graph.node[0].op_type, model.graph.node[0].domain = "Mine", "my.own"
    model.opset_import.append(helper.make_opsetid("my.own", 1))
    with pytest.raises(TargetError, match="Custom operators are not supported"):
        OnnxTarget(write(model, tmp_path / "m.onnx"), settings())
    assert capfd.readouterr() == ("", "")


def point_outside(tensor: Any, location: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def of_initializer(model: Any, location: str) -> None:
    point_outside(model.graph.initializer[0], location)


def of_constant(model: Any, location: str) -> None:
    tensor = numpy_helper.from_array(np.zeros(1, np.float32), "c")
    node = helper.make_node("Constant", [], ["c"], value=tensor)
    point_outside(node.attribute[0].t, location)
    model.graph.node.insert(0, node)


def of_branch(model: Any, location: str) -> None:
    inner = linear(*random_linear(GREY)).graph
    point_outside(inner.initializer[0], location)
    model.graph.node.append(helper.make_node("If", ["bias"], ["z"], then_branch=inner, else_branch=inner))


def of_sparse(model: Any, location: str) -> None:
    values = numpy_helper.from_array(np.zeros(1, np.float32), "sparse")
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "i")
    point_outside(values, location)
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))


def of_function(model: Any, location: str) -> None:
    tensor = numpy_helper.from_array(np.zeros(1, np.float32), "c")
    node = helper.make_node("Constant", [], ["c"], value=tensor)
    point_outside(node.attribute[0].t, location)
    opset = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "f", [], ["c"], [node], opset))


@pytest.mark.parametrize("location", ["weights.bin", "../secret", "/etc/passwd", "*/_ORT_MEM_ADDR_/*"])
@pytest.mark.parametrize("place", [of_initializer, of_constant, of_branch, of_sparse, of_function])
def test_a_tensor_in_another_file_is_refused_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Callable[[Any, str], None], location: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.bin").write_bytes(bytes(784 * 4 * 4))
    model = linear(*random_linear(GREY))
    place(model, location)
    with pytest.raises(TargetError, match="keeps its weights in other files") as caught:
        OnnxTarget(write(model, tmp_path / "m.onnx"), settings())
    assert location in str(caught.value)


def test_the_fingerprint_changes_with_the_file_and_how_it_is_read(tmp_path: Path) -> None:
    weights, bias = random_linear(GREY)
    one = write(linear(weights, bias), tmp_path / "one.onnx")
    two = write(linear(weights, bias), tmp_path / "two.onnx")
    three = write(linear(weights, bias + 1e-6), tmp_path / "three.onnx")
    names = [OnnxTarget(path, settings()).fingerprint() for path in (one, two, three)]
    names.append(OnnxTarget(one, settings(mean=(0.5,))).fingerprint())
    assert names[0] == names[1]
    assert len(set(names)) == 3


def test_a_model_that_answers_nan_gives_an_error_and_no_answer(tmp_path: Path) -> None:
    weights, bias = random_linear(GREY)
    path = write(linear(weights * np.nan, bias), tmp_path / "m.onnx")
    with pytest.raises(TargetError, match="NaN"):
        OnnxTarget(path, settings())


def test_a_model_that_fails_on_a_batch_says_so(tmp_path: Path) -> None:
    model = linear(*random_linear(GREY))
    reshape = numpy_helper.from_array(np.array([1, 4]), "two")
    model.graph.initializer.append(reshape)
    last = model.graph.output[0].name
    model.graph.node.append(helper.make_node("Reshape", [last, "two"], ["end"]))
    model.graph.output[0].name = "end"
    with pytest.raises(TargetError, match=r"failed on a batch of 3 images: .*Export it with a batch of any size"):
        OnnxTarget(write(model, tmp_path / "m.onnx"), settings())


def test_a_model_that_answers_fewer_rows_than_it_was_asked_is_refused(tmp_path: Path) -> None:
    model = linear(*random_linear(GREY), dims=(8, 1, 28, 28))
    last = model.graph.output[0].name
    model.graph.node.append(helper.make_node("ReduceMean", [last], ["end"], axes=[0], keepdims=1))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("end", TensorProto.FLOAT, [1, 4]))
    with pytest.raises(TargetError, match=r"shape \(1, 4\) to a batch of 8"):
        OnnxTarget(write(model, tmp_path / "m.onnx"), settings())


def test_a_model_that_draws_at_random_is_refused_by_the_oracle(tmp_path: Path) -> None:
    model = linear(*random_linear(GREY), end="logits")
    model.graph.node.append(helper.make_node("RandomNormalLike", [model.graph.output[0].name], ["r"]))
    model.graph.node.append(helper.make_node("Softmax", ["r"], ["end"], axis=1))
    model.graph.output[0].name = "end"
    target = OnnxTarget(write(model, tmp_path / "m.onnx"), settings())
    with Ledger(tmp_path / "ledger.sqlite", target=target.fingerprint()) as ledger:
        oracle = Oracle(target, ledger, account="held-out")
        oracle.ask(noise(5))
        with pytest.raises(TargetError, match="answers differently"):
            oracle.verify(noise(5))


@pytest.mark.parametrize("zipmap", [True, False])
def test_of_scikit_learns_converter_the_probabilities_count(
    tmp_path: Path, digits: tuple[Images, AnyArray], trained: LogisticRegression, zipmap: bool
) -> None:
    skl2onnx = pytest.importorskip("skl2onnx", reason="scikit-learn's converter to ONNX is not installed")
    images = digits[0].take(range(30))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = skl2onnx.to_onnx(
            trained, flat(images)[:1].astype(np.float32), options={id(trained): {"zipmap": zipmap}}
        )
    path = write(model, tmp_path / "m.onnx")
    np.testing.assert_allclose(
        OnnxTarget(path, settings()).reply(images), trained.predict_proba(flat(images)), atol=1e-5
    )
    labels = OnnxTarget(path, settings(output="labels", named_classes=10))
    assert labels.reply(images).tolist() == trained.predict(flat(images)).tolist()


def with_zipmap(keys: dict[str, Any]) -> Any:
    """A label and a mapping for each image, as scikit-learn's converter writes them."""
    model = linear(*random_linear(GREY))
    probabilities = model.graph.output[0].name
    text = "classlabels_strings" in keys
    model.graph.node.append(helper.make_node("ArgMax", [probabilities], ["label"], axis=1, keepdims=0))
    model.graph.node.append(helper.make_node("ZipMap", [probabilities], ["map"], domain="ai.onnx.ml", **keys))
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    kind = helper.make_map_type_proto(
        TensorProto.STRING if text else TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    )
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]))
    model.graph.output.append(helper.make_value_info("map", helper.make_sequence_type_proto(kind)))
    return model


def test_a_mapping_is_read_in_the_order_of_its_classes(tmp_path: Path) -> None:
    weights, bias = random_linear(GREY)
    images = noise(6)
    expected = softmax(images, weights, bias)
    texts = write(with_zipmap({"classlabels_strings": ["b", "a", "d", "c"]}), tmp_path / "t.onnx")
    np.testing.assert_allclose(OnnxTarget(texts, settings()).reply(images), expected[:, [1, 0, 3, 2]], atol=1e-5)
    shifted = write(with_zipmap({"classlabels_int64s": [1, 2, 3, 4]}), tmp_path / "i.onnx")
    with pytest.raises(TargetError, match="counts its classes 1 to 4; 0 to 3 is needed"):
        OnnxTarget(shifted, settings())


def test_an_export_from_torch_answers_as_the_network(tmp_path: Path, digits: tuple[Images, AnyArray]) -> None:
    pytest.importorskip("onnxscript", reason="torch's exporter to ONNX needs onnxscript, which is not installed")
    network = build("lenet5", GREY, 10, rng=np.random.default_rng(0)).eval()
    path = tmp_path / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = torch.zeros(2, 1, 28, 28)
        torch.onnx.export(
            network, (example,), path, dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), external_data=False
        )
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    images = digits[0].take(range(40))
    answers = OnnxTarget(path, settings(output="logits")).reply(images)
    np.testing.assert_allclose(answers, Classifier(network).probabilities(images), atol=1e-5)


def test_a_large_image_goes_through_in_small_batches(tmp_path: Path) -> None:
    weights = np.zeros((1200 * 1200, 2), np.float32)
    weights[0] = (5, -5)
    path = write(linear(weights, np.zeros(2), dims=("n", 1, 1200, 1200)), tmp_path / "m.onnx")
    images = noise(5, (1200, 1200, 1))
    target = OnnxTarget(path, settings((1200, 1200, 1)))
    first = images.array[:, 0, 0, 0] / 255
    np.testing.assert_allclose(target.reply(images)[:, 0], 1 / (1 + np.exp(-10 * first)), atol=1e-5)


def test_an_audit_of_an_onnx_file_runs_and_its_queries_are_in_ledgers(
    tmp_path: Path, digits: tuple[Images, AnyArray], trained: LogisticRegression
) -> None:
    images, labels = digits
    for name, rows in (("pool", slice(0, 80)), ("test", slice(80, 140))):
        np.savez(tmp_path / f"{name}.npz", images=images.array[rows], labels=labels[rows])
    write(linear(trained.coef_.T, trained.intercept_, dims=(16, 1, 28, 28), end="logits"), tmp_path / "digits.onnx")
    (tmp_path / "audit.yaml").write_text("target: digits.onnx\ntarget_output: logits\n")
    command = [
        *(sys.executable, "-m", "copycost", "audit", "--config", "audit.yaml", "--pool", "pool.npz"),
        *("--test", "test.npz", "--budget", "40", "--strategy", "random", "--answers", "probabilities"),
        *("--seeds", "1", "--schedule", "steps:40", "--transfer", "images=0", "--uniform", "0"),
        *("--workers", "1", "--out", "out"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    (target,) = [json.loads(path.read_text()) for path in tmp_path.glob("out/targets/*/record.json")]
    assert target["target"] == "digits.onnx"
    assert target["fingerprint"].startswith("onnx-")
    assert target["result"]["accuracy"] > 0.8
    assert target["run"]["counts"]["probe"]["charged"] == 5
    (cell,) = [json.loads(path.read_text()) for path in tmp_path.glob("out/cells/*/record.json")]
    assert cell["result"]["queries"]["charged"] == 40
