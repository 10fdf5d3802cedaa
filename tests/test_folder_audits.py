"""Audits whose pool, test set or training data are folders of images, and how their classes are numbered."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from copycost import datasets
from copycost.audit import build_spec, read_audit
from copycost.audit._scenario import load_data
from copycost.audit._tasks import prepare_target
from copycost.cli import app
from copycost.datasets import Dataset, Transform
from copycost.errors import InvalidInput, MissingData
from copycost.report import chosen_inputs

HERE = Path(__file__).parent


def digits(count: int, start: int = 0) -> Dataset:
    """Real digits, one class after the other in turn."""
    return datasets.load("embedded").take([(start + at) % 10 * 500 + (start + at) // 10 for at in range(count)])


def fill(folder: Path, data: Dataset, names: dict[int, str] | None = None) -> None:
    """Write PNG files, in class folders if these are named."""
    assert data.labels is not None
    for at, (image, label) in enumerate(zip(datasets.images_of(data).array, data.labels.tolist(), strict=True)):
        file = folder / (names[label] if names else "") / f"{at:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(file)


NAMES = dict(enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")))


def audit_data(pool: Path | str, test: Path | str, **settings: Any) -> Any:
    spec = build_spec({"target": "labels", "pool": str(pool), "test": str(test), "budgets": [5]} | settings)
    return load_data(spec, 0, None)


def test_pool_and_test_number_classes_of_the_same_name_alike(tmp_path: Path) -> None:
    fill(tmp_path / "pool", digits(40).take([at for at in range(40) if at % 10 in (3, 5, 8)]), NAMES)
    fill(tmp_path / "test", digits(30, 40), NAMES)
    data = audit_data(tmp_path / "pool", tmp_path / "test")
    assert data.pool.classes == data.test.classes == data.classes == tuple(sorted(NAMES.values()))
    for part in (data.pool, data.test):
        named = [part.classes[label] for label in part.labels]
        assert named == [file.partition("/")[0] for file in part.files]


def test_class_folders_named_as_a_public_set_names_its_classes_are_numbered_as_there(tmp_path: Path) -> None:
    fill(tmp_path / "pool", digits(40), {digit: str(digit) for digit in range(10)})
    data = audit_data(tmp_path / "pool", "embedded[100:400]")
    known = datasets.load("embedded")
    assert known.labels is not None
    numbers = dict(zip(known.inputs.digests(), known.labels.tolist(), strict=True))
    assert data.pool.labels.tolist() == [numbers[digest] for digest in data.pool.inputs.digests()]


def test_training_data_in_class_folders_is_numbered_as_the_test_set(tmp_path: Path) -> None:
    fill(tmp_path / "train", digits(20), {digit: str(9 - digit) for digit in range(10)})
    fill(tmp_path / "test", digits(20, 20), {digit: str(9 - digit) for digit in range(10)})
    fill(tmp_path / "pool", digits(20, 40))
    fill(tmp_path / "flat", digits(20, 60))
    data = audit_data(tmp_path / "pool", tmp_path / "test", target=f"lenet5@{tmp_path / 'train'}")
    assert data.training is not None
    assert data.training.classes == data.test.classes
    unlabelled = audit_data(tmp_path / "pool", tmp_path / "flat", target=f"lenet5@{tmp_path / 'train'}")
    assert unlabelled.classes == tuple("0123456789")


def test_a_class_of_the_pool_that_the_test_set_does_not_know_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "pool", digits(20), NAMES | {7: "sevn"})
    fill(tmp_path / "test", digits(20, 40), NAMES)
    with pytest.raises(InvalidInput, match=r"the pool .* has the class 'sevn', which the test set .* is 'seven' meant"):
        audit_data(tmp_path / "pool", tmp_path / "test")
    (tmp_path / "test" / "sevn").mkdir()
    assert "sevn" in audit_data(tmp_path / "pool", tmp_path / "test").classes


def test_sets_that_number_their_own_classes_are_left_as_they_are(tmp_path: Path) -> None:
    data = digits(40)
    for name, rows, labels in (("pool", slice(0, 20), 7), ("test", slice(20, 40), 3)):
        np.savez(tmp_path / f"{name}.npz", images=datasets.images_of(data).array[rows], labels=np.arange(20) % labels)
    found = audit_data(tmp_path / "pool.npz", tmp_path / "test.npz")
    assert found.pool.labels.tolist() == (np.arange(20) % 7).tolist()


def test_a_folder_that_pool_and_test_share_is_refused_with_the_count(tmp_path: Path) -> None:
    fill(tmp_path, digits(20))
    with pytest.raises(InvalidInput, match="pool and test share 3 images"):
        audit_data(f"{tmp_path}[:13]", f"{tmp_path}[10:]")
    assert len(audit_data(f"{tmp_path}[:10]", f"{tmp_path}[10:]").pool) == 10


def test_nothing_is_fetched_for_a_report(tmp_path: Path) -> None:
    spec = build_spec({"target": "labels", "pool": "mnist:train", "test": "mnist:test"})
    with pytest.raises(MissingData, match="downloading was turned off"):
        load_data(spec, 0, tmp_path, download=False)


def copycost(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "copycost", *arguments]
    environment = os.environ | {"PYTHONPATH": str(HERE), "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, cwd=HERE, env=environment, timeout=300)


def refused(*arguments: str) -> str:
    """What a command that stops before it starts any process says, in this process."""
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, InvalidInput)
    return str(done.exception)


SMALL = ["--budget", "20", "--seeds", "1", "--schedule", "steps:30", "--uniform", "0", "--workers", "1"]


def test_an_audit_of_class_folders_goes_from_files_to_the_report(tmp_path: Path) -> None:
    fill(tmp_path / "pool", digits(60), NAMES)
    fill(tmp_path / "test", digits(40, 60), NAMES)
    (tmp_path / "pool" / "four" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    out = tmp_path / "out"
    sets = [
        "--pool",
        str(tmp_path / "pool"),
        "--test",
        str(tmp_path / "test"),
        "--transform",
        "size=16x12 resample=area",
    ]
    audit = ["audit", "labels", *sets, "--transfer", "images=0", *SMALL, "--out", str(out)]
    audit += ["--strategy", "random group=label", "--strategy", "drmi group=label"]
    assert "four/broken.jpg cannot be used" in refused(*audit)
    done = copycost(*audit, "--skip-bad")
    assert done.returncode == 0, done.stderr
    result = read_audit(out)
    (target,) = result.targets
    assert target["classes"] == sorted(NAMES.values())
    assert target["transform"] == {"size": [16, 12], "resample": "area", "colour": "keep", "fit": "stretch"}
    assert target["skip_bad"] is True
    assert target["pool"]["shape"] == [16, 12, 1]
    assert target["pool"]["notes"] == {"bad, left out": 1}
    assert target["pool"]["skipped"] == ["four/broken.jpg"]
    assert target["result"]["accuracy"] == 1.0
    for cell in result.cells:
        assert np.bincount(cell["result"]["chosen"]["answers"]).tolist() == [cell["spec"]["budget"] // 10] * 10
        assert cell["spec"]["transform"] == target["transform"]
    page = (out / "report.html").read_text()
    assert "Every image was changed before anything saw it: size=16x12 resample=area." in page
    assert "bad, left out (1)" in page
    assert "--skip-bad" in page
    pool = datasets.load(str(tmp_path / "pool"), transform=Transform((16, 12), "area"), skip_bad=True)
    shown = chosen_inputs(result, result.cells[0], None)
    assert shown is not None
    chosen = result.cells[0]["result"]["chosen"]["pool_index"]
    np.testing.assert_array_equal(shown, datasets.images_of(pool).array[chosen])


def test_an_audit_of_flat_folders_has_no_accuracy_and_no_labels_to_group_by(tmp_path: Path) -> None:
    fill(tmp_path / "photos", digits(80))
    out = tmp_path / "out"
    sets = ["--pool", f"{tmp_path}/photos[:50]", "--test", f"{tmp_path}/photos[50:]"]
    audit = ["audit", "_models:by_ink", *sets, "--strategy", "random", "--transfer", "images=2 steps=2", *SMALL]
    done = copycost(*audit, "--out", str(out))
    assert done.returncode == 0, done.stderr
    (target,) = read_audit(out).targets
    assert target["result"]["accuracy"] is None
    assert (target["pool"]["labelled"], target["pool"]["count"], target["pool"]["notes"]) == (False, 50, {})
    assert len(json.loads((out / "records.json").read_text())["cells"]) == 1
    other = ["--out", str(tmp_path / "other")]
    assert "needs the pool's labels" in refused(*audit, "--strategy", "random group=label", *other)
    assert "fit=crop but no size" in refused(*audit, "--transform", "fit=crop", *other)


def test_a_target_trained_on_class_folders_knows_their_names_and_its_folders_may_not_change(tmp_path: Path) -> None:
    for name, data in (("train", digits(100)), ("test", digits(40, 100)), ("pool", digits(60, 140))):
        fill(tmp_path / name, data, None if name == "pool" else NAMES)
    settings = {"target": f"lenet5@{tmp_path}/train", "target_schedule": "epochs:6 batch=10", "budgets": [5]}
    spec = build_spec(settings | {"pool": f"{tmp_path}/pool", "test": f"{tmp_path}/test"})
    prepare_target(spec, 0, tmp_path / "out", None, lambda what, share: None)
    (path,) = (tmp_path / "out").rglob("record.json")
    record = json.loads(path.read_text())
    assert record["classes"] == sorted(NAMES.values())
    assert record["result"]["accuracy"] > 0.3
    assert record["pool_overlaps_training"] is False
    Image.new("L", (28, 28)).save(tmp_path / "pool" / "0000.png")
    changed = build_spec(settings | {"pool": f"{tmp_path}/pool", "test": f"{tmp_path}/test", "seeds": 2})
    with pytest.raises(InvalidInput, match=r"the pool .* has changed since this audit began"):
        prepare_target(changed, 0, tmp_path / "out", None, lambda what, share: None)
