"""Lays the folder of real data sets out as a data folder: ``python tests/shared_sets.py SHARED FOLDER``.

What is in FOLDER already stays as it is. Where a set is not whole in SHARED, this is what its name holds then:
``agnews:train`` 10,000 of 120,000 texts, ``wikitext2:train`` the sentences of the validation and the test part.
"""

import csv
import importlib.util
import lzma
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from copycost._types import AnyArray
from copycost.datasets._running_text import wikitext_sentences

GTSRB10 = (1, 2, 4, 5, 9, 10, 12, 13, 25, 38)
BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
VECTORS = "glove.6B.50d.top50k.f16.npz"


def reader(shared: Path) -> Any:
    """Return the module ``load.py`` of the folder."""
    spec = importlib.util.spec_from_file_location("shared_load", shared / "load.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prepare(shared: Path, folder: Path, only: Iterable[str] = ()) -> None:
    """Write what ``folder`` lacks of the sets named in ``only``, or of all."""
    for name in only or SETS:
        SETS[name](shared, folder)


def _copy(*pairs: tuple[str, str]) -> Callable[[Path, Path], None]:
    def copy(shared: Path, folder: Path) -> None:
        for source, place in pairs:
            origin = shared / source
            files = [path for path in sorted(origin.rglob("*")) if path.is_file()] if origin.is_dir() else [origin]
            for file in files:
                _write(folder / place / file.relative_to(origin), partial(shutil.copyfile, file))

    return copy


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Make a file whole or not at all, unless it is there."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    write(part)
    os.replace(part, path)


def _put(path: Path, make: Callable[[], bytes]) -> None:
    _write(path, lambda part: part.write_bytes(make()))


def _save(path: Path, make: Callable[[], dict[str, AnyArray]]) -> None:
    def write(part: Path) -> None:
        with open(part, "wb") as file:
            np.savez(file, **make())  # type: ignore[arg-type]

    _write(path, write)


def _lines(path: Path, make: Callable[[], Iterable[str]]) -> None:
    _write(path, lambda part: part.write_text("".join(f"{line}\n" for line in make()), encoding="utf-8"))


def _table(path: Path, make: Callable[[], tuple[list[str], list[int]]]) -> None:
    def write(part: Path) -> None:
        with open(part, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(("text", "label"))
            table.writerows(zip(*make(), strict=True))

    _write(path, write)


def _cifar10(shared: Path, folder: Path) -> None:
    def row_bytes(batch: str) -> bytes:
        labels = np.load(shared / "cifar10" / f"{batch}.labels.npy").astype(np.uint8)
        planes = reader(shared)._tiles(f"cifar10/{batch}.webp", 10_000).transpose(0, 3, 1, 2).reshape(10_000, -1)
        return np.concatenate([labels[:, np.newaxis], planes], axis=1).tobytes()

    for batch in BATCHES:
        _put(folder / "cifar-10-batches-bin" / f"{batch}.bin", partial(row_bytes, batch))


def _gtsrb10(shared: Path, folder: Path) -> None:
    def arrays(train: bool) -> dict[str, AnyArray]:
        images, labels = reader(shared).gtsrb10(train)
        found = {"images": images, "labels": np.searchsorted(GTSRB10, labels).astype(np.int64)}
        return found | {"track": np.load(shared / "gtsrb32" / "train_top10.track.npy")} if train else found

    _save(folder / "gtsrb10" / "train.npz", lambda: arrays(True))
    _save(folder / "gtsrb10" / "test.npz", lambda: arrays(False))


def _tinyimagenet32(shared: Path, folder: Path) -> None:
    def arrays() -> dict[str, AnyArray]:
        images, labels = reader(shared).tinyimagenet32()
        return {"images": images, "labels": labels.astype(np.int64)}

    _save(folder / "tinyimagenet32" / "train.npz", arrays)


def _unpacked(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes())


def _read(path: Path) -> list[str]:
    return _unpacked(path).decode("utf-8").split("\n")


def _wikitext2(shared: Path, folder: Path) -> None:
    parts = {split: shared / "text" / "wikitext2" / f"wiki.{split}.tokens.xz" for split in ("valid", "test")}
    for split, path in parts.items():
        place = folder / "wikitext-2" / f"wiki.{split}.tokens"
        _put(place, partial(_unpacked, path))
    _lines(
        folder / "wikitext2" / "train.txt",
        lambda: (text for path in parts.values() for text in wikitext_sentences(_read(path))),
    )


def _brown(shared: Path, folder: Path) -> None:
    sentences = shared / "text" / "brown" / "brown_sentences.txt.xz"
    _lines(folder / "brown" / "train.txt", lambda: (line for line in _read(sentences) if line))


def _tables(name: str) -> Callable[[Path, Path], None]:
    def write(shared: Path, folder: Path) -> None:
        for split in ("train", "test"):
            _table(folder / name / f"{split}.csv", partial(getattr(reader(shared), name), split))

    return write


SETS: dict[str, Callable[[Path, Path], None]] = {
    "mnist": _copy(("MNIST", "MNIST")),
    "usps": _copy(("USPS", "USPS")),
    "cifar10": _cifar10,
    "gtsrb10": _gtsrb10,
    "tinyimagenet32": _tinyimagenet32,
    "mr": _copy(("text/mr", "rt-polaritydata")),
    "trec": _copy(("text/trec", "trec")),
    "agnews": _tables("agnews"),
    "imdb": _tables("imdb"),
    "wikitext2": _wikitext2,
    "brown": _brown,
    "glove": _copy((f"text/{VECTORS}", VECTORS)),
}


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python tests/shared_sets.py SHARED FOLDER [SET ...]")
    prepare(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
