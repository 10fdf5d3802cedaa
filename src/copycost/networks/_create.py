"""Whole classifiers, of images or of texts: new ones, and those in files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs, Texts
from copycost.networks._architectures import ARCHITECTURES, TEXT_PARAMETERS, build, check_architecture, parse
from copycost.networks._classifier import AnyClassifier, Classifier
from copycost.networks._device import current_device
from copycost.networks._files import load_weights, read_head, save_weights
from copycost.networks._notation import Value
from copycost.networks._random import seeded
from copycost.networks._text import TextClassifier, word_table
from copycost.networks._torchvision import PREFIX, has_auxiliary
from copycost.networks._vectors import Vectors
from copycost.networks._vocabulary import SPECIAL, Vocabulary

__all__ = ["load_classifier", "new_classifier", "save_classifier"]

_HEAD = "copycost"  # the key of a text model's vocabulary among the metadata of its file
_TABLE = "embedding.weight"


def new_classifier(
    architecture: str, inputs: Inputs, classes: int, *, rng: np.random.Generator, vectors: Vectors | None = None
) -> AnyClassifier:
    """Return an untrained classifier for inputs such as these.

    Parameters
    ----------
    architecture : name and parameters; for texts also ``words`` (at most so many are known, 20,000), ``length`` (words
        after which a text is cut, 200) and ``tuned`` (whether given word vectors are trained as well, no)
    inputs : images, of which only the shape counts, or the texts that the vocabulary is taken from
    classes : number of classes
    rng : source of the initial weights
    vectors : word vectors for texts; without them they are random, of 50 dimensions, and always trained

    Raises
    ------
    InvalidInput
        If the architecture is unknown or of another medium, does not take images of that shape, or vectors are given
        for images.
    """
    check_architecture(architecture, inputs.medium)
    if inputs.medium == "image":
        if vectors is not None:
            raise InvalidInput(f"word vectors were given for {architecture}, which takes images; leave them out.")
        network = build(architecture, cast(Images, inputs).shape, classes, rng=rng)
        return Classifier(network.to(current_device()))
    name, settings = parse(architecture)
    vocabulary = Vocabulary.of(
        cast(Texts, inputs),
        most=int(settings["words"]),
        length=int(settings["length"]),
        vectors={} if vectors is None else vectors.rows,
    )
    table = torch.from_numpy(word_table(vocabulary, vectors, rng))
    return _text(name, settings, vocabulary, table, classes, tuned=vectors is None or bool(settings["tuned"]), rng=rng)


def save_classifier(classifier: AnyClassifier, path: Path) -> None:
    """Write a classifier as safetensors, whole or not at all; a text model's vocabulary and length go in the metadata.

    Raises
    ------
    InvalidInput
        If the file cannot be written.
    """
    if not isinstance(classifier, TextClassifier):
        return save_weights(classifier.network, path)
    vocabulary = classifier.vocabulary
    tuned = next(classifier.network.get_submodule("embedding").parameters()).requires_grad
    head = {"vocabulary": vocabulary.words, "length": vocabulary.length, "tuned": tuned}
    return save_weights(classifier.network, path, {_HEAD: json.dumps(head, ensure_ascii=False)})


def load_classifier(
    path: Path,
    architecture: str,
    *,
    shape: tuple[int, int, int] | None,
    classes: int,
    mean: Sequence[float] = (0.0,),
    deviation: Sequence[float] = (1.0,),
) -> AnyClassifier:
    """Read a classifier from safetensors, which hold numbers and text and no code.

    Parameters
    ----------
    path : file
    architecture : name and parameters; of a text model the vocabulary, length and tuned are those in the file
    shape : height, width and channels of its images; None for texts
    classes : number of classes
    mean, deviation : one number a channel (or one for all), in units of [0, 1]; for images

    Raises
    ------
    InvalidInput
        If the file cannot be read or does not fit, or a text model's vocabulary is missing or damaged.
    """
    check_architecture(architecture, "text" if shape is None else "image")
    rng = np.random.default_rng(0)
    if shape is not None:
        auxiliary = architecture.startswith(PREFIX) and has_auxiliary(architecture, read_head(path)[1])
        network = build(architecture, shape, classes, rng=rng, auxiliary=auxiliary)
        load_weights(network, path)
        network.eval()
        return Classifier(network.to(current_device()), mean=mean, deviation=deviation)
    if tuple(mean) != (0.0,) or tuple(deviation) != (1.0,):
        raise InvalidInput(f"mean {tuple(mean)} and deviation {tuple(deviation)} were given for texts; leave them out.")
    name, settings = parse(architecture)
    vocabulary, tuned, size = _vocabulary(path)
    classifier = _text(name, settings, vocabulary, torch.zeros(size), classes, tuned=tuned, rng=rng)
    load_weights(classifier.network, path)
    if classifier.network.get_parameter(_TABLE)[0].any():
        raise InvalidInput(f"{path} is damaged: the vector of the padding is not zero; save the model anew.")
    classifier.network.eval()
    return classifier


def _text(
    name: str,
    settings: dict[str, Value],
    vocabulary: Vocabulary,
    table: torch.Tensor,
    classes: int,
    *,
    tuned: bool,
    rng: np.random.Generator,
) -> TextClassifier:
    own = {key: value for key, value in settings.items() if key not in TEXT_PARAMETERS}
    with seeded(rng):
        network = ARCHITECTURES[name](table, classes, **own)
    network.get_parameter(_TABLE).requires_grad_(tuned)
    return TextClassifier(network.to(current_device()), vocabulary)


def _vocabulary(path: Path) -> tuple[Vocabulary, bool, tuple[int, ...]]:
    """Return what the metadata of a text model's file say, and the shape of its table of word vectors."""
    metadata, shapes = read_head(path)
    try:
        head = json.loads(metadata[_HEAD])
        words, length, tuned = head["vocabulary"], head["length"], head["tuned"]
        size = shapes[_TABLE]
        _check_head(words, length, tuned, size)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"{path} holds no text model that can be used: its vocabulary is missing or damaged ({error}); write it "
            "with copycost.networks.save_classifier."
        ) from None
    return Vocabulary(tuple(words), length), tuned, size


def _check_head(words: Any, length: Any, tuned: Any, size: tuple[int, ...]) -> None:
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("the vocabulary is not a list of words")
    if len(set(words)) != len(words):
        raise ValueError("a word of the vocabulary occurs twice")
    if len(size) != 2 or size[0] != len(words) + SPECIAL or not size[1]:
        raise ValueError(f"{len(words)} words have a table of vectors of shape {size}")
    limits = TEXT_PARAMETERS["length"]
    if type(length) is not int or not limits.low <= length <= limits.high:
        raise ValueError(f"length is {length!r}")
    if not isinstance(tuned, bool):
        raise ValueError(f"tuned is {tuned!r}")
