"""scikit-learn classifiers in skops files as targets: what they answer, and what is refused unread."""

import functools
import io
import json
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeClassifier
from skops.io._protocol import PROTOCOL

from copycost import Images
from copycost._types import AnyArray
from copycost.datasets import images_of, load
from copycost.errors import InvalidInput, TargetError
from copycost.oracle import Ledger, Oracle
from copycost.oracle.targets import FileSettings, SklearnTarget

GREY = (28, 28, 1)


@functools.cache
def digits() -> tuple[Images, AnyArray]:
    whole = load("embedded")
    assert whole.labels is not None
    return images_of(whole).take(range(0, 5000, 20)), whole.labels[::20]


def flat(images: Images) -> AnyArray:
    return images.array.reshape(len(images), -1) / 255


def fitted(model: Any) -> Any:
    images, labels = digits()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few digits: some pixels never change within a class
        return model.fit(flat(images), labels)


def written(model: Any, path: Path) -> Path:
    skops.io.dump(model, path)
    return path


def opened(model: Any, folder: Path, shape: tuple[int, int, int] = GREY, **more: Any) -> SklearnTarget:
    return SklearnTarget(written(model, folder / "model.skops"), FileSettings(shape, **more))


MODELS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: LogisticRegression(max_iter=50, tol=1e-2),
    "sgd with probabilities": lambda: SGDClassifier(loss="log_loss", max_iter=20, tol=None, random_state=0),
    "sgd": lambda: SGDClassifier(max_iter=20, tol=None, random_state=0),
    "ridge": RidgeClassifier,
    "bernoulli": BernoulliNB,
    "complement": ComplementNB,
    "gaussian": GaussianNB,
    "multinomial": MultinomialNB,
    "discriminant": lambda: make_pipeline(PCA(10, random_state=0), LinearDiscriminantAnalysis()),
    "network": lambda: MLPClassifier((8,), max_iter=60, tol=1, random_state=0),
    "neighbours": lambda: KNeighborsClassifier(3, n_jobs=2),
    "weighted neighbours": lambda: KNeighborsClassifier(3, weights="distance"),
    "centroid": NearestCentroid,
    "support vectors": lambda: SVC(random_state=0),
    "support vectors with probabilities": lambda: SVC(probability=True, random_state=0),
    "nu": lambda: NuSVC(nu=0.1),
    "linear support vectors": lambda: LinearSVC(random_state=0),
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "forest": lambda: RandomForestClassifier(4, random_state=0, n_jobs=2),
    "extra trees": lambda: ExtraTreesClassifier(4, random_state=0),
    "pipeline": lambda: make_pipeline(MinMaxScaler(), StandardScaler(), SVC()),
    "one against rest": lambda: OneVsRestClassifier(GaussianNB()),
    "support vectors against rest": lambda: OneVsRestClassifier(SVC(random_state=0)),
    "calibrated": lambda: CalibratedClassifierCV(RandomForestClassifier(2, random_state=0), cv=2),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_classifier_of_the_list_answers_as_the_one_that_was_written(tmp_path: Path, name: str) -> None:
    model = fitted(MODELS[name]())
    target = opened(model, tmp_path)
    images = digits()[0].take(range(31))
    assert (target.classes, target.name, target.shape) == (10, "model.skops", GREY)
    assert target.gives_probabilities == hasattr(model, "predict_proba")
    expected = model.predict_proba(flat(images)) if target.gives_probabilities else model.predict(flat(images))
    np.testing.assert_allclose(target.reply(images), expected, rtol=1e-9)
    assert target.reply(images.take([])).shape == ((0, 10) if target.gives_probabilities else (0,))
    with Ledger(tmp_path / "ledger.sqlite", target=target.fingerprint()) as ledger:
        answers = Oracle(target, ledger, account="copy").ask(images)
    labels = expected.argmax(axis=1) if target.gives_probabilities else expected
    assert answers.labels.tolist() == labels.tolist()


def test_pixels_from_0_to_255_are_given_where_that_is_said(tmp_path: Path) -> None:
    images, labels = digits()
    model = GaussianNB().fit(images.array.reshape(len(images), -1), labels)
    target = opened(model, tmp_path, scale="bytes")
    expected = model.predict_proba(images.array.reshape(len(images), -1))
    np.testing.assert_allclose(target.reply(images), expected)
    assert not np.allclose(opened(model, tmp_path).reply(images), expected)
    assert target.fingerprint() != opened(model, tmp_path).fingerprint()


def test_colour_is_given_pixel_by_pixel(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (40, 4, 5, 3), dtype=np.uint8)
    model = GaussianNB().fit(array.reshape(40, -1) / 255, np.arange(40) % 2)
    target = opened(model, tmp_path, (4, 5, 3))
    np.testing.assert_allclose(target.reply(Images(array)), model.predict_proba(array.reshape(40, -1) / 255))


def test_classes_with_names_are_numbered_in_their_order(tmp_path: Path) -> None:
    images, labels = digits()
    names = np.array([f"digit {label}" for label in labels])
    for model in (LinearSVC(random_state=0), GaussianNB()):
        target = opened(model.fit(flat(images), names), tmp_path)
        rows = target.reply(images)
        found = rows if rows.ndim == 1 else rows.argmax(axis=1)
        assert [f"digit {label}" for label in found] == model.predict(flat(images)).tolist()


def test_classes_that_are_not_counted_from_0_are_refused(tmp_path: Path) -> None:
    images, labels = digits()
    with pytest.raises(TargetError, match="counts its classes 1 to 10; 0 to 9 without a gap"):
        opened(GaussianNB().fit(flat(images), labels + 1), tmp_path)


def test_images_of_another_size_and_another_number_of_classes_are_refused(tmp_path: Path) -> None:
    model = fitted(GaussianNB())
    with pytest.raises(InvalidInput, match=r"which is 64 numbers; the target model\.skops takes 784"):
        opened(model, tmp_path, (8, 8, 1))
    with pytest.raises(InvalidInput, match=r"--classes is 7, but the target model\.skops has 10"):
        opened(model, tmp_path, classes=7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x, y: LinearRegression().fit(x, y), "not trusted: sklearn.linear_model._base.LinearRegression"),
        (lambda x, y: KMeans(2, n_init=1).fit(x), "not trusted: .*KMeans"),
        (lambda x, y: PCA(2).fit(x), "is a PCA, which is no classifier"),
        (lambda x, y: GaussianNB(), "takes None"),
        (lambda x, y: [1, 2], "is a list, which is no classifier"),
        (lambda x, y: "model", "is a str, which is no classifier"),
        (lambda x, y: MultiOutputClassifier(GaussianNB()).fit(x, np.c_[y, y]), "not trusted: .*MultiOutputClassifier"),
        (lambda x, y: KNeighborsClassifier().fit(x, np.c_[y, y]), "several labels an input"),
        (lambda x, y: DecisionTreeClassifier().fit(x, np.c_[y, y]), "several labels an input"),
        (lambda x, y: RandomForestClassifier(2).fit(x, np.c_[y > 4, y % 2]), "several labels an input"),
        (lambda x, y: OneVsRestClassifier(GaussianNB()).fit(x, np.c_[y > 4, y % 2]), "several labels an input"),
        (
            lambda x, y: MLPClassifier((4,), max_iter=20, tol=9, n_iter_no_change=1).fit(x, np.c_[y > 4, y % 2 == 0]),
            "several labels an input",
        ),
        (lambda x, y: make_pipeline(FunctionTransformer(np.sqrt), GaussianNB()).fit(x, y), "FunctionTransformer"),
        (lambda x, y: GradientBoostingClassifier(n_estimators=1).fit(x, y), "not trusted: .*GradientBoosting"),
        (lambda x, y: HistGradientBoostingClassifier(max_iter=1).fit(x, y), "not trusted: .*_hist_gradient_boosting"),
    ],
)
def test_what_is_no_classifier_of_the_list_is_named_and_refused(
    tmp_path: Path, make: Callable[[AnyArray, AnyArray], Any], message: str
) -> None:
    images, labels = digits()
    with pytest.raises((TargetError, InvalidInput), match=message):
        opened(make(flat(images)[::3], labels[::3]), tmp_path)


class Mine(BaseEstimator):  # type: ignore[misc]
    """An estimator whose code is not scikit-learn's."""


def marker(folder: Path) -> list[Any]:
    return [str(folder / "ran"), "w"]


class Malicious:
    """A pickle of it opens a file for writing when it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return open, tuple(marker(self.folder))


def node(loader: str, module: str, name: str, **more: Any) -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": id(more), **more}


def text(value: Any) -> dict[str, Any]:
    return node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


def listed(kind: str, values: list[Any]) -> dict[str, Any]:
    return node(f"{kind.title()}Node", "builtins", kind, content=values)


def archive(schema: dict[str, Any], path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("schema.json", json.dumps(schema | {"protocol": PROTOCOL}))
    return path


def crafted(folder: Path) -> dict[str, dict[str, Any]]:
    """Schemas that would open a file for writing, each in another way."""
    arguments = listed("tuple", [text(value) for value in marker(folder)])
    keys = listed("list", [])
    call = node("ConstructorFromReduceNode", "io", "open", content=arguments)
    empty = node("DictNode", "builtins", "dict", content={}, key_types=keys)
    function = node("FunctionNode", "builtins", "open")
    return {
        "a constructor": call,
        "a reduction": node("TreeNode", "io", "open", __reduce__={"args": arguments}, content=empty),
        "a loss": node("LossNode", "io", "open", __reduce__={"args": arguments}, content=empty),
        "a partial": node(
            "PartialNode",
            "functools",
            "partial",
            content={"func": function, "args": arguments, "kwds": empty, "namespace": empty},
        ),
        "a function": function,
        "an operator": node("OperatorFuncNode", "operator", "methodcaller", attrs=arguments),
        "a method": node("MethodNode", "builtins", "dict", content={"func": "clear", "obj": empty}),
        "a type": node("TypeNode", "subprocess", "Popen"),
        "an object": node("ObjectNode", "antigravity", "geohash", content=empty),
        "a list": node("ListNode", "subprocess", "Popen", content=[text("touch")]),
        "deep inside": listed("list", [listed("tuple", [call])]),
    }


@pytest.mark.parametrize("kind", crafted(Path()))
def test_a_crafted_file_is_refused_without_running_it(tmp_path: Path, kind: str) -> None:
    path = archive(crafted(tmp_path)[kind], tmp_path / "model.skops")
    with pytest.raises(TargetError, match="holds types that are not trusted"):
        SklearnTarget(path, FileSettings(GREY))
    assert not (tmp_path / "ran").exists()


def test_an_estimator_of_ones_own_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"not trusted: .*Mine.* Trusted are, of scikit-learn, LinearDisc.*ONNX"):
        opened(Mine(), tmp_path)
    with pytest.raises(TargetError, match=r"not trusted: .*Mine"):
        opened(make_pipeline(StandardScaler(), Mine()), tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"text", b"[" * 100_000])
def test_a_file_that_is_no_skops_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(TargetError, match="not a skops file"):
        SklearnTarget(tmp_path / "model.skops", FileSettings(GREY))
    with zipfile.ZipFile(tmp_path / "z.skops", "w") as file:
        file.writestr("schema.json", content)
    with pytest.raises(TargetError, match="not a skops file"):
        SklearnTarget(tmp_path / "z.skops", FileSettings(GREY))


def test_a_pickle_under_the_name_is_refused_without_running_it(tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(pickle.dumps(Malicious(tmp_path)))
    with pytest.raises(TargetError, match="not a skops file"):
        SklearnTarget(tmp_path / "model.skops", FileSettings(GREY))
    assert not (tmp_path / "ran").exists()


def test_an_estimator_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), GaussianNB())
    fitted(model).steps = "steps"
    with pytest.raises(TargetError, match=r"not whole|no classifier"):
        opened(model, tmp_path)
    model = fitted(SVC())
    del model._n_support
    with pytest.raises(TargetError, match="a SVC whose numbers"):
        opened(model, tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.skops", tmp_path):
        with pytest.raises(TargetError, match="cannot be read"):
            SklearnTarget(path, FileSettings(GREY))


def changed(model: Any, change: Callable[[AnyArray], None], shape: tuple[int, ...] | None, kind: str) -> bytes:
    """Return a skops file whose first array of a shape and kind is changed."""
    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(model)))
    result, done = io.BytesIO(), False
    with zipfile.ZipFile(result, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(".npy") and not done:
                array = np.load(io.BytesIO(content))
                if (shape is None or array.shape == shape) and (kind in str(array.dtype) or kind == str(array.dtype)):
                    change(array)
                    written = io.BytesIO()
                    np.save(written, array)
                    content, done = written.getvalue(), True
            target.writestr(name, content)
    assert done
    return result.getvalue()


def bend(field: str, value: int) -> Callable[[AnyArray], None]:
    def change(array: AnyArray) -> None:
        array[field][0] = value

    return change


@pytest.mark.parametrize(
    ("field", "value"),
    [("left_child", 10**6), ("right_child", -7), ("left_child", 0), ("feature", 784), ("feature", -3)],
)
@pytest.mark.parametrize("name", ["tree", "forest"])
def test_a_tree_that_leads_out_of_itself_is_refused_before_it_is_asked(
    tmp_path: Path, name: str, field: str, value: int
) -> None:
    content = changed(fitted(MODELS[name]()), bend(field, value), None, "left_child")
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(TargetError, match="a Tree whose numbers do not fit together"):
        SklearnTarget(tmp_path / "model.skops", FileSettings(GREY))


def set_to(value: int) -> Callable[[AnyArray], None]:
    def change(array: AnyArray) -> None:
        array[...] = value

    return change


def test_neighbours_with_labels_out_of_range_are_refused(tmp_path: Path) -> None:
    images, _ = digits()
    model = fitted(KNeighborsClassifier(3))
    content = changed(model, set_to(10**6), (len(images),), "int64")
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(TargetError, match="a KNeighborsClassifier whose numbers"):
        SklearnTarget(tmp_path / "model.skops", FileSettings(GREY))
    model.n_neighbors = 10**6
    with pytest.raises(TargetError, match="a KNeighborsClassifier whose numbers"):
        opened(model, tmp_path)


@pytest.mark.parametrize(("shape", "value"), [((10,), 10**6), ((10,), -1)])
def test_support_vectors_that_are_miscounted_are_refused(tmp_path: Path, shape: tuple[int, ...], value: int) -> None:
    content = changed(fitted(SVC()), set_to(value), shape, "int32")
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(TargetError, match="a SVC whose numbers"):
        SklearnTarget(tmp_path / "model.skops", FileSettings(GREY))


def test_a_forest_whose_trees_look_at_more_pixels_than_it_is_refused(tmp_path: Path) -> None:
    model = fitted(RandomForestClassifier(2, random_state=0))
    for tree in model.estimators_:
        tree.n_features_in_ = 10**6
    with pytest.raises(TargetError, match="a RandomForestClassifier whose numbers"):
        opened(model, tmp_path)


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    images, labels = digits()
    path = written(GaussianNB().fit(flat(images), labels), tmp_path / "a.skops")
    one = SklearnTarget(path, FileSettings(GREY)).fingerprint()
    assert one == SklearnTarget(path, FileSettings(GREY)).fingerprint()
    other = opened(GaussianNB().fit(flat(images)[1:], labels[1:]), tmp_path).fingerprint()
    assert one != other
    assert one.startswith("sklearn-")
