"""Reads a skops file of scikit-learn's own types; anything else in it is named and refused, and nothing of it runs."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from copycost.errors import MissingExtra, TargetError

__all__ = ["FAMILIES", "read_estimator"]

FAMILIES = {
    "sklearn.discriminant_analysis": ("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"),
    "sklearn.ensemble": ("ExtraTreesClassifier", "RandomForestClassifier"),
    "sklearn.feature_extraction": ("CountVectorizer", "HashingVectorizer", "TfidfTransformer", "TfidfVectorizer"),
    "sklearn.linear_model": (
        "LogisticRegression",
        "LogisticRegressionCV",
        "PassiveAggressiveClassifier",
        "Perceptron",
        "RidgeClassifier",
        "RidgeClassifierCV",
        "SGDClassifier",
    ),
    "sklearn.multiclass": ("OneVsRestClassifier",),
    "sklearn.naive_bayes": ("BernoulliNB", "ComplementNB", "GaussianNB", "MultinomialNB"),
    "sklearn.neighbors": ("KNeighborsClassifier", "NearestCentroid"),
    "sklearn.neural_network": ("MLPClassifier",),
    "sklearn.svm": ("LinearSVC", "NuSVC", "SVC"),
    "sklearn.tree": ("DecisionTreeClassifier", "ExtraTreeClassifier"),
    "sklearn.calibration": ("CalibratedClassifierCV", "_CalibratedClassifier", "_SigmoidCalibration"),
    "sklearn.pipeline": ("Pipeline",),
    "sklearn.preprocessing": (
        "LabelBinarizer",
        "LabelEncoder",
        "MaxAbsScaler",
        "MinMaxScaler",
        "Normalizer",
        "RobustScaler",
        "StandardScaler",
    ),
    "sklearn.decomposition": ("PCA", "TruncatedSVD"),
    "sklearn.feature_selection": ("VarianceThreshold",),
}
_PARTS = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
)
# the forms a trusted estimator is made of; none of them calls a function or method that the file names
_LOADERS = (
    *("CachedNode", "DictNode", "JsonNode", "ListNode", "LossNode", "NdArrayNode", "ObjectNode", "RandomStateNode"),
    *("SetNode", "SliceNode", "TreeNode", "TupleNode", "TypeNode"),
)
_LOSSES = ("sklearn._loss._loss.", "sklearn.linear_model._sgd_fast.")


def read_estimator(content: bytes, path: Path) -> Any:
    """Return the estimator in the bytes of a skops file.

    Raises
    ------
    TargetError
        If it is no skops file, or holds a type that is not on the list.
    MissingExtra
        If skops is not installed.
    """
    try:
        import skops.io
    except ImportError as error:
        raise MissingExtra(
            f"scikit-learn targets need an optional part ({error.name}); install it with: "
            "pip install 'copycost[sklearn]'"
        ) from None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            strange = sorted(set(_strange(json.loads(archive.read("schema.json")))))
        unknown = strange or sorted(set(skops.io.get_untrusted_types(data=content)) - set(_PARTS))
        if not unknown:
            return skops.io.loads(content, trusted=list(_PARTS))
    except Exception as error:
        raise TargetError(
            f"{path} is not a skops file, or is damaged ({type(error).__name__}: {error}). Pickles (.pkl, .joblib) are "
            "not read, as they can carry code; write the file with skops.io.dump(model, 'model.skops')."
        ) from None
    raise TargetError(
        f"{path} holds types that are not trusted: {', '.join(unknown[:5])}{' …' if len(unknown) > 5 else ''}. Trusted "
        f"are, of scikit-learn, {', '.join(_names())}. Export the model "
        "to ONNX instead (see docs/guide/targets.md), or wrap it as module:function, which runs its code."
    )


def _names() -> Iterator[str]:
    return (name for names in FAMILIES.values() for name in names if not name.startswith("_"))


def _strange(schema: Any) -> Iterator[str]:
    """Yield the name of each thing in a file that the list does not hold, from its text alone."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
            if "__loader__" in part and not _listed(part):
                yield f"{part.get('__module__')}.{part.get('__class__')} (as {part['__loader__']})"


def _listed(node: dict[str, Any]) -> bool:
    if node["__loader__"] not in _LOADERS:
        return False
    module, name = str(node.get("__module__")), str(node.get("__class__"))
    if not module.startswith("sklearn"):
        return True  # skops itself trusts plain Python and NumPy types alone
    full = f"{module}.{name}"
    if full in _PARTS or full.startswith(_LOSSES):
        return True
    family = ".".join(module.split(".")[:2])
    return name in FAMILIES.get(family, ())
