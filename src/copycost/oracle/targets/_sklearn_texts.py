"""Text vectorisers of scikit-learn in a loaded model: whether it begins with one, and whether its settings are sound.

A vectoriser is told by its settings to open files, to call functions or to number words beyond the columns of its
table; compiled code trusts these numbers. So each setting is held against what is known to be harmless.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from copycost.errors import TargetError

__all__ = ["TEXT_CHECKS", "takes_texts"]

_VECTORISERS = ("CountVectorizer", "HashingVectorizer", "TfidfVectorizer")
_LONGEST_PATTERN = 200
_MOST_WORDS_TOGETHER = 20
_REPEATED_GROUP = re.compile(r"\)\s*[*+{]")  # a group repeated may take exponential time
_MOST_COLUMNS = 2**31 - 1


def takes_texts(model: Any) -> bool:
    """Tell whether a classifier is a pipeline that begins with a vectoriser of texts, calibrated or not."""
    if hasattr(model, "steps"):
        return bool(model.steps) and takes_texts(model.steps[0][1])
    if type(model).__name__ == "CalibratedClassifierCV":
        return takes_texts(model.calibrated_classifiers_[0].estimator)
    return type(model).__name__ in _VECTORISERS


def _vectoriser(model: Any, owner: Any) -> bool:
    own = (model.preprocessor, model.tokenizer) != (None, None) or model.analyzer not in ("word", "char", "char_wb")
    if model.input != "content" or own:
        raise TargetError(
            f"the {type(model).__name__} has input={model.input!r} and analyzer={model.analyzer!r}; a target is given "
            "texts themselves (input='content') and cuts them up by scikit-learn's own analyzers, without functions."
        )
    if not _pattern(model.token_pattern):
        raise TargetError(
            f"the {type(model).__name__} has token_pattern={str(model.token_pattern)[:50]!r}; a regular expression of "
            f"at most {_LONGEST_PATTERN} characters in which no group is repeated is needed, as others may never end."
        )
    low, high = model.ngram_range
    return bool(
        model.strip_accents in (None, "ascii", "unicode")
        and isinstance(model.lowercase, bool)
        and isinstance(model.binary, bool)
        and isinstance(low, int)
        and isinstance(high, int)
        and 1 <= low <= high <= _MOST_WORDS_TOGETHER
        and model.dtype in (np.float32, np.float64, np.int32, np.int64)
        and _stop_words(model.stop_words)
        and _pattern(model.token_pattern)
        and not any(callable(getattr(type(model), name, None)) for name in vars(model))
    )


def _stop_words(words: Any) -> bool:
    if words is None or words == "english":
        return True
    return isinstance(words, list | set | frozenset) and all(isinstance(word, str) for word in words)


def _pattern(pattern: Any) -> bool:
    if not isinstance(pattern, str) or len(pattern) > _LONGEST_PATTERN or _REPEATED_GROUP.search(pattern):
        return False
    re.compile(pattern)  # what it raises is as bad as a wrong number
    return True


def _count(model: Any, owner: Any) -> bool:
    """Tell whether the words of a vocabulary are numbered from 0, each once: no column lies beyond the table."""
    words = model.vocabulary_
    return bool(
        _vectoriser(model, owner)
        and type(words) is dict
        and all(isinstance(word, str) for word in words)
        and all(isinstance(number, int | np.integer) for number in words.values())
        and sorted(words.values()) == list(range(len(words)))
        and len(words) > 0
    )


def _tfidf(model: Any, owner: Any) -> bool:
    inner = model._tfidf
    whole = type(inner).__name__ == "TfidfTransformer" and _count(model, owner)
    return bool(whole and (not inner.use_idf or inner.idf_.shape == (len(model.vocabulary_),)))


def _weights(model: Any, owner: Any) -> bool:
    if model.norm not in (None, "l1", "l2") or not isinstance(model.use_idf, bool):
        return False
    if not model.use_idf:
        return True
    weights = model.idf_
    return bool(weights.dtype.kind == "f" and weights.shape == (model.n_features_in_,))


def _hashing(model: Any, owner: Any) -> bool:
    columns = model.n_features
    return bool(
        _vectoriser(model, owner)
        and isinstance(columns, int)
        and not isinstance(columns, bool)
        and 1 <= columns <= _MOST_COLUMNS
        and isinstance(model.alternate_sign, bool)
        and model.norm in (None, "l1", "l2")
    )


TEXT_CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "CountVectorizer": _count,
    "HashingVectorizer": _hashing,
    "TfidfTransformer": _weights,
    "TfidfVectorizer": _tfidf,
}
