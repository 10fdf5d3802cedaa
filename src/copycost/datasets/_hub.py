"""Sets of the Hugging Face Hub, through its package ``datasets``; no code of a set is run."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from copycost._types import IntArray
from copycost.datasets._dataset import Dataset
from copycost.datasets._memory import require_memory
from copycost.datasets._picture import read_picture, strict_pillow
from copycost.datasets._text_files import TextKeeper
from copycost.datasets._transform import Transform
from copycost.errors import InvalidInput, MissingData, MissingExtra
from copycost.inputs import Images, Texts

PREFIX = "hf:"
_TEXT_NAMES = ("text", "sentence", "content", "question")
_LABEL_NAMES = ("label", "labels", "coarse_label")


class Address(NamedTuple):
    """What ``hf:NAME[/CONFIG]:SPLIT`` names."""

    name: str
    config: str | None
    split: str


def parse_address(text: str) -> Address:
    """Read ``hf:OWNER/NAME:SPLIT``, ``hf:OWNER/NAME/CONFIG:SPLIT`` or, for a set without an owner, ``hf:NAME:SPLIT``.

    Raises
    ------
    InvalidInput
        If it is of another form.

    Examples
    --------
    >>> parse_address("hf:nyu-mll/glue/sst2:validation")
    Address(name='nyu-mll/glue', config='sst2', split='validation')
    """
    name, colon, split = text.removeprefix(PREFIX).rpartition(":")
    parts = name.split("/")
    if not colon or not split or len(parts) > 3 or not all(parts):
        raise InvalidInput(
            f"{text!r} names no set of the Hugging Face Hub; write hf:OWNER/NAME:SPLIT, such as "
            "hf:stanfordnlp/imdb:train, or hf:OWNER/NAME/CONFIG:SPLIT."
        )
    return Address("/".join(parts[:2]), parts[2] if len(parts) == 3 else None, split)


def read_hub(
    text: str,
    data_dir: Path,
    download: bool,
    *,
    transform: Transform,
    rows: Callable[[int], Sequence[int]],
    labelled: bool = True,
) -> Dataset:
    """Read those rows of a set of the Hub that ``rows`` returns when it is told how many there are.

    Raises
    ------
    MissingExtra
        If the package ``datasets`` is not installed.
    MissingData
        If the set is not there and cannot be fetched.
    InvalidInput
        If the set has no such part, or its columns are not one of texts or images and, if known, one of labels.
    """
    address = parse_address(text)
    table = _load(address, data_dir, download)
    inputs, labels = _columns(text, table)
    medium = "image" if _kind(table, inputs) == "Image" else "text"
    part = table.select(rows(len(table)))
    numbers, classes = _labels(text, part, labels if labelled else None)
    if medium == "text":
        return Dataset(text, _texts(text, part, inputs), numbers, classes)
    return Dataset(text, _images(text, part, inputs, transform), numbers, classes)


def _load(address: Address, data_dir: Path, download: bool) -> Any:
    try:
        hub: Any = importlib.import_module("datasets")
    except ImportError as error:
        raise MissingExtra(
            f"sets of the Hugging Face Hub need the package 'datasets' ({error}); install it with: "
            "pip install 'copycost[hub]'"
        ) from error
    # later versions have no such switch, and run no code of a set at all
    options = {"trust_remote_code": False} if int(hub.__version__.partition(".")[0]) < 4 else {}
    settings = hub.DownloadConfig(local_files_only=not download)
    try:
        return hub.load_dataset(
            address.name,
            address.config,
            split=address.split,
            cache_dir=str(data_dir / "huggingface"),
            download_config=settings,
            **options,
        )
    except Exception as error:  # the package raises errors of many others
        reason = " ".join(str(error).split())[:300]
        raise MissingData(
            f"hf:{address.name} cannot be loaded ({type(error).__name__}: {reason}); check the name, the configuration "
            f"and the split {address.split!r}, and that there is a network."
        ) from error


def _kind(table: Any, column: str) -> str:
    """Return the name of a column's feature type; of a plain value, the type of the value."""
    feature = table.features[column]
    kind = type(feature).__name__
    return str(feature.dtype) if kind == "Value" else kind


def _columns(text: str, table: Any) -> tuple[str, str | None]:
    """Return the column of inputs and that of labels, by their types, and by their names where several are left."""
    kinds = {column: _kind(table, column) for column in table.column_names}
    images = [column for column, kind in kinds.items() if kind == "Image"]
    texts = [column for column, kind in kinds.items() if kind in ("string", "large_string")]
    inputs = _one(images, ("image", "img")) or _one(texts, _TEXT_NAMES)
    if inputs is None:
        shown = ", ".join(f"{column} ({kind})" for column, kind in kinds.items())
        raise InvalidInput(
            f"{text} has the columns {shown}; one of images, or one of texts (called {', '.join(_TEXT_NAMES)} where "
            "there are several), is needed. Write the texts to a CSV file instead."
        )
    named = [column for column, kind in kinds.items() if kind == "ClassLabel"]
    numbers = [column for column, kind in kinds.items() if kind.startswith("int") and column in _LABEL_NAMES]
    return inputs, _one(named, _LABEL_NAMES) or _one(numbers, _LABEL_NAMES)


def _one(found: list[str], names: tuple[str, ...]) -> str | None:
    if len(found) == 1:
        return found[0]
    return next((name for name in names if name in found), None)


def _labels(text: str, part: Any, column: str | None) -> tuple[IntArray | None, tuple[str, ...]]:
    """Return the labels of some rows; a set that hides them all (-1), as those of contests do, has none."""
    if column is None:
        return None, ()
    numbers = np.array([-1 if value is None else value for value in part[column]], dtype=np.int64)
    if (numbers == -1).all():
        return None, ()
    if numbers.min() < 0:
        raise InvalidInput(f"{text} has rows without a label; take a part that has them all, or unlabelled:{text}.")
    names = getattr(part.features[column], "names", None)
    return numbers, tuple(names) if names else tuple(str(number) for number in range(int(numbers.max()) + 1))


def _texts(text: str, part: Any, column: str) -> Texts:
    keeper = TextKeeper(text)
    for value in part[column]:
        keeper.add(value or "")
    keeper.check()
    return Texts(keeper.texts)


def _images(text: str, part: Any, column: str, transform: Transform) -> Images:
    """Decode images as those of a folder are; all must be alike once they are changed."""
    encoded = part.cast_column(column, importlib.import_module("datasets").Image(decode=False))
    images: list[Images] = []
    with strict_pillow():
        for row, value in enumerate(encoded[column]):
            source = io.BytesIO(value["bytes"]) if value["bytes"] is not None else Path(value["path"])
            try:
                image = transform(Images(read_picture(source).pixels[np.newaxis]))
            except InvalidInput as error:
                raise InvalidInput(f"image {row} of {text} cannot be used: {error}.") from error
            if not images:
                require_memory(len(part) * image.array.size, f"{text} with {len(part)} images, {image.shape},")
            elif image.shape != images[0].shape:
                raise InvalidInput(
                    f"{text} mixes images: the first has shape {images[0].shape} and number {row} {image.shape}; give "
                    'a size and a colour, such as --transform "size=32x32 colour=colour".'
                )
            images.append(image)
    return Images(np.concatenate([image.array for image in images]))
