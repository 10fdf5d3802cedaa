"""Tables 5 and 10 of DRMI on a folder in ImageNet's layout: their audits with small sizes, from pictures to a page."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import copycost
from copycost import measures
from copycost.audit import AuditResult, build_spec, read_config, run_audit
from copycost.audit._scenario import load_data
from copycost.audit._tasks import prepare_target, run_one_cell
from copycost.datasets import Transform, load
from copycost.errors import MissingData
from copycost.networks import Classifier, build, save_weights
from copycost.oracle import Answers
from copycost.oracle.targets import NetworkTarget
from copycost.reproduce import library, render, reproduce
from copycost.reproduce._library import Library
from copycost.substitutes import Labelled, Schedule, fit

CLASSES, TRAIN, VAL, SIDE = 8, 9, 4, 32
AUDIT, UNTARGETED = "drmi-imagenet-200000", "drmi-imagenet-untargeted"
BUDGETS = {100_000: 24, 50_000: 16, 20_000: 24, 10_000: 16, 5_000: 24, 2_000: 16, 1_100: 24}
DRAWN = {"200000": 60, "50000": 50, "10000": 40}
_THERE = importlib.util.find_spec("torchvision") is not None
ARCHITECTURES = {
    "torchvision:inception_v3": "torchvision:shufflenet_v2_x0_5" if _THERE else "resnet18 width=0.1",
    "torchvision:resnet152": "torchvision:mobilenet_v3_small" if _THERE else "resnet18 width=0.2",
}
PAPER = Path(copycost.__file__).parent / "paper"


def _picture(rng: np.random.Generator, label: int) -> Image.Image:
    """A photograph stands in by a gradient of its class's own colour with noise, of any size, some of them grey."""
    height, width = (int(side) for side in rng.integers(SIDE, SIDE + 20, 2))
    colour = np.random.default_rng(label).integers(40, 216, 3)
    pixels = colour * np.linspace(0.6, 1.0, width)[:, np.newaxis] + rng.normal(0, 12, (height, width, 3))
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    return picture.convert("L") if rng.random() < 0.1 else picture


def _silent(what: str, share: float) -> None:
    """Take what an audit reports and say nothing."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with ImageNet's layout and the weights of a target."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for part, count in (("train", TRAIN), ("val", VAL)):
        for label in range(CLASSES):
            folder = root / "imagenet" / part / f"n{label:08}"
            folder.mkdir(parents=True)
            for number in range(count):
                _picture(rng, label).save(folder / f"{part}_{number}.JPEG", quality=90)
    network = build(ARCHITECTURES["torchvision:inception_v3"], (SIDE, SIDE, 3), CLASSES, rng=np.random.default_rng(1))
    whole = load("imagenet:train", data_dir=root, transform=Transform.parse(f"size={SIDE}x{SIDE} colour=colour"))
    assert whole.labels is not None
    labelled, schedule = Labelled(whole.inputs, Answers(whole.labels)), Schedule("epochs", 12, batch=8)
    fit(Classifier(network, mean=(0.5,), deviation=(0.5,)), labelled, schedule=schedule, rng=np.random.default_rng(2))
    save_weights(network, root / "imagenet" / "inception_v3.safetensors")
    return root


def _small(document: Any, key: str = "") -> Any:
    """Return a document of the paper's scale with small sizes and networks, and everything else as it is."""
    if isinstance(document, dict):
        return {name: _small(value, name) for name, value in document.items()}
    if isinstance(document, list):
        return [_small(value, "budget" if key == "budgets" else key) for value in document]
    if key in ("substitute", "target_arch"):
        return ARCHITECTURES[document]
    changes: dict[str, Any] = {
        "budget": lambda: BUDGETS[document],
        "pool": lambda: document.replace(size := document[15:].split()[0], str(DRAWN[size])),
        "transform": lambda: document.replace("299x299", f"{SIDE}x{SIDE}"),
        "schedule": lambda: "epochs:12 batch=8",
        "images": lambda: min(document, 10),
    }
    return changes[key]() if key in changes else document


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Both tables with their audits, small."""
    folder = tmp_path_factory.mktemp("paper")
    for name in ("drmi-table5", "drmi-table10"):
        document = _small(read_config(PAPER / f"{name}.yaml"))
        (folder / f"{name}.yaml").write_text(json.dumps(document), encoding="utf-8")
    audits = {
        name: {"paper": _small(pair.paper)}
        for name, pair in library().audits.items()
        if name.startswith("drmi-imagenet")
    }
    (folder / "audits.yaml").write_text(json.dumps({"schema": "copycost.audits/1", "audits": audits}), encoding="utf-8")
    return Library(folder)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def result(tables: Library, data: Path, out: Path) -> AuditResult:
    spec = tables.spec(AUDIT, "paper")
    assert spec is not None
    return run_audit(spec, out / "paper" / AUDIT, data_dir=data, workers=1, keep_memo=True)


def test_what_was_shrunk_is_the_papers_audit_but_for_its_sizes(tables: Library) -> None:
    small, paper = tables.spec(AUDIT, "paper"), library().audits[AUDIT].paper
    assert small is not None
    assert paper is not None
    for name in ("target", "test", "strategies", "answers", "seeds", "uniform"):
        assert getattr(small, name) == getattr(build_spec({**paper, **_networks(small)}), name)
    assert small.pool == "imagenet:train[60 drawn]"


def _networks(spec: Any) -> dict[str, Any]:
    return {"target_arch": spec.target_arch, "substitute": spec.substitute}


def test_every_cell_of_table_5s_audit_is_run_on_what_was_drawn(result: AuditResult, data: Path) -> None:
    pool = load("imagenet:train[60 drawn]", data_dir=data, transform=result.spec.transform.transform())
    assert pool.labels is not None
    assert len(result.cells) == 8
    assert result.targets[0]["pool"]["digest"] == pool.inputs.digest()
    assert result.targets[0]["classes"] == [f"n{label:08}" for label in range(CLASSES)]
    for cell in result.cells:
        chosen, shares = cell["result"]["chosen"]["pool_index"], np.bincount(pool.labels) / 60
        assert len(set(chosen)) == cell["spec"]["budget"]
        counts = np.bincount(pool.labels[chosen], minlength=CLASSES)
        assert np.abs(counts - shares * cell["spec"]["budget"]).max() < 1
        assert cell["assumptions"]["architecture_known"]
        assert cell["assumptions"]["labels_known"]


def test_top_five_stands_beside_top_one_for_copy_and_target(result: AuditResult, data: Path) -> None:
    for cell in result.cells:
        found = cell["result"]["measures"]
        assert found["accuracy"] <= found["top5_accuracy"] <= 1
    assert len({cell["result"]["measures"]["top5_accuracy"] for cell in result.cells}) > 1
    test = load("imagenet:val", data_dir=data, transform=result.spec.transform.transform())
    weights = data / "imagenet" / "inception_v3.safetensors"
    options: dict[str, Any] = {"mean": (0.5,), "deviation": (0.5,)}
    target = NetworkTarget.load(weights, result.spec.target_arch or "", (SIDE, SIDE, 3), CLASSES, **options)
    assert test.labels is not None
    expected = measures.top_k_accuracy(target.reply(test.inputs), test.labels, 5)
    assert result.targets[0]["result"]["top5_accuracy"] == pytest.approx(expected)
    assert result.targets[0]["result"]["accuracy"] > 2 / CLASSES  # it has learned something that can be copied


def test_the_page_of_table_5_shows_what_was_measured_and_counts_what_is_missing(
    result: AuditResult, tables: Library, out: Path
) -> None:
    (view,) = render("drmi-table5", "paper", out, tables=tables)
    document = json.loads((out / "paper" / "drmi-table5.json").read_text(encoding="utf-8"))
    page = (out / "paper" / "drmi-table5.html").read_text(encoding="utf-8")
    spec = {"strategy": "drmi group=label", "answers": "top1", "budget": 24}
    (cell,) = [cell for cell in result.cells if spec.items() <= cell["spec"].items()]
    shown = f"{100 * cell['result']['measures']['top5_accuracy']:.2f}"
    assert shown in (out / "paper" / "drmi-table5.md").read_text(encoding="utf-8")
    assert f"{100 * result.targets[0]['result']['top5_accuracy']:.2f}" in page
    assert all(number in page for number in ("90.6", "73.9", "52.7", "86.2", "94.5", "78.8"))
    assert "quoted" in page
    assert document["name"] == "drmi-table5"
    # of one network and one pool: 2 kinds of answers, 2 strategies, 2 budgets, top-1 and top-5; and the target's two
    assert view.expected - view.missing == 2 * 2 * 2 * 2 + 2
    assert view.expected == 6 * 2 * 8 + 2


def test_the_row_of_table_10_is_measured_with_its_l2_attack(
    result: AuditResult, tables: Library, data: Path, out: Path
) -> None:
    (view,) = reproduce("drmi-table10", "paper", out, data_dir=data, workers=1, tables=tables)
    records = json.loads((out / "paper" / UNTARGETED / "records.json").read_text(encoding="utf-8"))
    none_fooled = sum(not cell["result"]["measures"]["transfer"]["fooled"] for cell in records["cells"])
    assert (view.missing, view.expected) == (2 * none_fooled, 8)
    assert [target["result"] for target in records["targets"]] == [target["result"] for target in result.targets]
    page = (out / "paper" / "drmi-table10.md").read_text(encoding="utf-8")
    for cell in records["cells"]:
        found = cell["result"]["measures"]["transfer"]
        plan = {"attack": "pgd", "targeted": False, "norm": "l2", "steps": 40, "images": 10}
        assert plan.items() <= found["plan"].items()
        assert found["plan"]["epsilon"] == pytest.approx((0.001 * 299 * 299 * 3) ** 0.5)
        assert found["made"] == 10
        assert f"{100 * found['among_made']['left_clean']:.2f}" in page


def test_without_the_folder_or_the_weights_it_is_said_where_they_are_looked_for(
    tables: Library, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(MissingData, match=rf"{tmp_path}/imagenet"):
        reproduce("drmi-table10", "paper", tmp_path / "out", data_dir=tmp_path, workers=1, tables=tables)
    (tmp_path / "imagenet").mkdir()
    for part in ("train", "val"):
        (tmp_path / "imagenet" / part).symlink_to(data / "imagenet" / part)
    spec = tables.spec(UNTARGETED, "paper")
    assert spec is not None
    with pytest.raises(MissingData, match=rf"imagenet/inception_v3\.safetensors, .* below the data folder {tmp_path}"):
        prepare_target(spec, 0, tmp_path / "audit", tmp_path, _silent)


def test_a_target_of_torchvision_may_be_trained_on_such_a_folder(data: Path, tmp_path: Path) -> None:
    architecture = ARCHITECTURES["torchvision:inception_v3"]
    spec = build_spec(
        {
            "target": f"{architecture}@imagenet:train[40 drawn seed=1]",
            "pool": "imagenet:train[40 drawn]",
            "test": "imagenet:val",
            "transform": f"size={SIDE}x{SIDE} colour=colour",
            "substitute": architecture,
            "strategies": ["uncertainty"],
            "budgets": [20],
            "rounds": 1,
            "seeds": 1,
            "schedule": "epochs:1 batch=8",
            "target_schedule": "epochs:1 batch=8",
            "transfer": {"images": 0},
            "uniform": 0,
        }
    )
    (cell,) = spec.cells()
    prepare_target(spec, 0, tmp_path, data, _silent)
    run_one_cell(spec, cell, tmp_path, data, _silent)
    training = load_data(spec, 0, data).training
    assert training is not None
    assert len(training) == 40
    record = json.loads((tmp_path / "cells" / cell.key / "record.json").read_text(encoding="utf-8"))
    assert len(record["result"]["rounds"]) == 2
    assert record["assumptions"]["pool_overlaps_training"]
