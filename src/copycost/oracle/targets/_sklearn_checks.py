"""Checks the numbers in a loaded scikit-learn model before its compiled code, which trusts them, meets them.

skops tells that an object is of a trusted type, not that the indices in it are in range: a crafted tree, for example,
makes scikit-learn read memory that is not its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from copycost.errors import TargetError
from copycost.oracle.targets._sklearn_texts import TEXT_CHECKS

__all__ = ["check_numbers"]

# what these were fitted from: it answers nothing, and is not fitted itself
_TEMPLATES = {"CalibratedClassifierCV": "estimator", "OneVsRestClassifier": "estimator"}


def check_numbers(model: Any, name: str) -> None:
    """Walk through a model and raise `TargetError` where numbers do not fit together."""
    seen: set[tuple[int, int]] = set()  # one part may serve two owners, and must fit both
    waiting: list[tuple[Any, Any]] = [(model, None)]
    while waiting:
        part, owner = waiting.pop()
        if (id(part), id(owner)) in seen:
            continue
        seen.add((id(part), id(owner)))
        try:
            sound = all(check(part, owner) for kind, check in _CHECKS.items() if kind == type(part).__name__)
        except TargetError:
            raise
        except Exception:  # an attribute that is missing or of another type is as bad as a wrong number
            sound = False
        if not sound:
            raise TargetError(
                f"the target {name} holds a {type(part).__name__} whose numbers do not fit together; the file is "
                "damaged or was made to break what reads it. Write it again with skops.io.dump."
            )
        waiting.extend((inner, part) for inner in _inside(part))


def _inside(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, list | tuple | set):
        return list(part)
    if isinstance(part, np.ndarray):
        return list(part.ravel()) if part.dtype == object else []
    if not hasattr(part, "__dict__") or isinstance(part, type):
        return []
    unused = _TEMPLATES.get(type(part).__name__)
    return [value for name, value in vars(part).items() if name != unused]


def _tree(tree: Any, owner: Any) -> bool:
    """Tell whether every step down leads to a later node of the tree and asks about a feature that there is."""
    count = int(tree.node_count)
    if not 0 < count <= int(tree.capacity):
        return False
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = left != -1
    own = np.arange(count)
    later = all(((child > own) & (child < count))[inner].all() for child in (left, right))
    width = min(int(tree.n_features), int(owner.n_features_in_))
    return bool(later and ((feature >= 0) & (feature < width))[inner].all())


def _forest(forest: Any, owner: Any) -> bool:
    return all(
        tree.n_features_in_ == forest.n_features_in_ and tree.tree_.n_features == forest.n_features_in_
        for tree in forest.estimators_
    )


def _neighbours(model: Any, owner: Any) -> bool:
    known, labels = model._fit_X, model._y
    if model._tree is not None or known.shape != (len(labels), model.n_features_in_):
        return False
    whole = labels.ndim == 1 and labels.dtype.kind in "iu" and 0 <= labels.min() <= labels.max() < len(model.classes_)
    return bool(whole and 1 <= model.n_neighbors <= len(labels))


def _support_vectors(model: Any, owner: Any) -> bool:
    classes = len(model.classes_)
    pairs = classes * (classes - 1) // 2
    vectors, counts = model.support_vectors_, model._n_support
    count = len(vectors)
    return bool(
        not model._sparse
        and model.kernel in ("linear", "poly", "rbf", "sigmoid")
        and vectors.shape == (count, model.n_features_in_)
        and model.support_.shape == (count,)
        and counts.shape == (classes,)
        and counts.min() >= 0
        and counts.sum() == count
        and model._dual_coef_.shape == (classes - 1, count)
        and model._intercept_.shape == (pairs,)
        and all(part.shape in ((0,), (pairs,)) for part in (model._probA, model._probB))
    )


_CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    **TEXT_CHECKS,
    "Tree": _tree,
    "RandomForestClassifier": _forest,
    "ExtraTreesClassifier": _forest,
    "KNeighborsClassifier": _neighbours,
    "SVC": _support_vectors,
    "NuSVC": _support_vectors,
}
