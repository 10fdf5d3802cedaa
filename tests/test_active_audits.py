from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copycost.audit import build_spec, load_data, read_audit, run_audit
from copycost.audit._spec import CellSpec
from copycost.errors import InvalidInput
from copycost.exploration import read_exploration
from copycost.report import write_page

STOPPING = "early-stopping:4 batch=32 patience=2"
EMBEDDED: dict[str, Any] = {
    "target": "lenet5@embedded:train",
    "pool": "embedded:pool",
    "test": "embedded:test",
    "budgets": [60],
    "strategies": ["random", "uncertainty", "dfal candidates=30 + k-center"],
    "seeds": 2,
    "rounds": 2,
    "seed_share": 0.2,
    "validation_share": 0.1,
    "schedule": STOPPING,
    "target_schedule": "epochs:2 batch=32",
    "target_folds": 3,
    "transfer": {"images": 0},
    "uniform": 0,
    "robustness": 5,
    "explore": True,
}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("active") / "audit"
    result = run_audit(build_spec(EMBEDDED), out)
    write_page(result, out)
    return out


def test_an_audit_of_active_strategies_keeps_every_round(audited: Path) -> None:
    for cell in read_audit(audited).cells:
        result, strategy = cell["result"], cell["spec"]["strategy"]
        asked = [step["asked"] for step in result["rounds"]]
        assert asked == ([54] if strategy == "random" else [12, 33, 54])
        assert result["queries"]["charged"] == 60
        assert result["measures"]["robustness"]["images"] == 5
        assert all(0 <= step["measures"]["agreement"] <= 1 for step in result["rounds"])
        if "dfal" in strategy:
            assert result["rounds"][1]["facts"]["examined"] == 60


def test_finished_cells_leave_no_checkpoints(audited: Path) -> None:
    assert not list(audited.glob("cells/*/rounds"))
    assert not (audited / "memo").exists()


def test_a_target_trained_on_folds_tells_how_its_training_went(audited: Path) -> None:
    targets = read_audit(audited).targets
    assert [target["result"]["fold"] for target in targets] == [0, 1]
    for target in targets:
        found = target["result"]
        assert len(found["training"]) == 2
        assert found["training"][-1]["watched_accuracy"] > 0.5
        assert found["robustness"]["images"] == 5
        matrix = np.array(found["confusion"])
        assert matrix.sum() == 1000
        assert np.trace(matrix) / 1000 == pytest.approx(found["accuracy"])


def test_the_data_sets_are_explored_once_where_it_was_asked_for(audited: Path) -> None:
    found = read_exploration(audited / "exploration.json")
    assert found is not None
    assert set(found) == {"training", "pool", "test"}


def test_an_audit_run_again_repeats_nothing(audited: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in audited.glob("cells/*/record.json")}
    assert len(before) == 6
    run_audit(build_spec(EMBEDDED), audited)
    assert {path: path.stat().st_mtime_ns for path in audited.glob("cells/*/record.json")} == before


def test_strategies_that_ask_at_once_do_not_depend_on_rounds() -> None:
    one, two = (build_spec(EMBEDDED | {"rounds": rounds}).cells() for rounds in (2, 3))
    keys = [{cell.strategy: cell.key for cell in cells if cell.seed == 0} for cells in (one, two)]
    assert keys[0]["random"] == keys[1]["random"]
    assert keys[0]["uncertainty"] != keys[1]["uncertainty"]
    assert all(CellSpec(**cell.model_dump()).key == cell.key for cell in one)


WORDS = {0: ["dull", "slow", "poor", "weak", "bad"], 1: ["fine", "warm", "bright", "strong", "good"]}


def _sentences(rng: np.random.Generator, count: int) -> tuple[list[str], list[int]]:
    labels = rng.integers(0, 2, count).tolist()
    common = [f"word{number}" for number in range(60)]
    texts = []
    for label in labels:
        words = [*rng.choice(WORDS[label], 2), *rng.choice(common, 6)]
        texts.append(" ".join(rng.permutation(words).tolist()))
    return texts, labels


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("texts"), np.random.default_rng(0)
    for name, count in (("train", 600), ("test", 150)):
        rows = [f"{text},{label}" for text, label in zip(*_sentences(rng, count), strict=True)]
        (folder / f"{name}.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    (folder / "pool.txt").write_text("\n".join(dict.fromkeys(_sentences(rng, 400)[0])) + "\n")
    return folder


def _text_values(texts: Path) -> dict[str, Any]:
    return {
        "target": f"kim filters=10@{texts / 'train.csv'}",
        "pool": str(texts / "pool.txt"),
        "test": str(texts / "test.csv"),
        "substitute": "kim filters=10",
        "strategies": ["random", "uncertainty", "k-center", "noise"],
        "budgets": [120],
        "seeds": 1,
        "rounds": 2,
        "validation_share": 0.2,
        "schedule": "early-stopping:12 batch=16 patience=4",
        "target_schedule": "epochs:6 batch=32",
        "uniform": 50,
    }


def test_a_text_classifier_is_copied_by_every_strategy_that_takes_texts(texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    result = run_audit(build_spec(_text_values(texts)), out)
    (target,) = result.targets
    assert target["pool"]["medium"] == "text"
    assert target["result"]["accuracy"] > 0.9
    by_strategy = {cell["spec"]["strategy"]: cell["result"] for cell in result.cells}
    for strategy, found in by_strategy.items():
        assert found["queries"]["charged"] == 120, strategy
        assert found["measures"]["transfer"] is None
        assert 0 <= found["measures"]["ru_agreement"] <= 1
    assert max(by_strategy[name]["measures"]["agreement"] for name in ("random", "uncertainty", "k-center")) > 0.8
    assert by_strategy["noise"]["queries"]["new_inputs"] > 90
    write_page(result, out)
    assert "<img" not in (out / "report.html").read_text()
    json.loads((out / "records.json").read_text())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strategies": ["dfal"]}, "dfal"),
        ({"strategies": ["drmi"]}, "drmi"),
        ({"substitute": "lenet5"}, "lenet5"),
        ({"pool": "embedded:pool"}, "image"),
        ({"rounds": 200, "strategies": ["k-center"]}, "rounds"),
        ({"validation_share": 0.2, "schedule": "steps:10"}, "validation_share"),
        ({"transform": "size=28x28"}, "transform"),
        ({"budgets": [100_000]}, "budget"),
        ({"strategies": ["k-center + uncertainty rho=1"]}, "rho"),
        ({"target_folds": 1}, "target_folds"),
        ({"target_folds": 3, "target_schedule": "steps:10"}, "target_folds"),
    ],
)
def test_what_does_not_go_with_texts_is_refused_before_anything_is_asked(
    texts: Path, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        load_data(build_spec(_text_values(texts) | change), 0, None)


def test_word_vectors_for_images_are_refused() -> None:
    with pytest.raises(InvalidInput, match="vectors"):
        load_data(build_spec(EMBEDDED | {"vectors": "glove:50d"}), 0, None)


def test_images_may_be_compared_as_they_were_before_the_transform(tmp_path: Path) -> None:
    """USPS is chosen at 16 x 16 and asked at 28 x 28."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 16, 16, 1), dtype=np.uint8)
    images[7] = images[3]
    np.savez(tmp_path / "pool.npz", images=images[:40], labels=np.arange(40) % 2)
    np.savez(tmp_path / "test.npz", images=images[40:], labels=np.arange(20) % 2)
    values = {
        "target": "labels",
        "pool": str(tmp_path / "pool.npz"),
        "test": str(tmp_path / "test.npz"),
        "transform": "size=28x28",
        "strategies": ["drmi"],
        "budgets": [5],
        "seeds": 1,
        "schedule": "steps:5",
        "transfer": {"images": 0},
    }
    data = load_data(build_spec(values | {"compared": "original"}), 0, None)
    assert data.compared is not None
    assert data.compared.shape == (16, 16, 1)
    kept = [row for row in range(40) if row != 7]
    np.testing.assert_array_equal(data.compared.array, images[kept])
    assert len(data.pool.inputs) == 39
    assert load_data(build_spec(values), 0, None).compared is None
    chosen = {}
    for name in ("original", "transformed"):
        result = run_audit(build_spec(values | {"compared": name}), tmp_path / name)
        chosen[name] = result.cells[0]["result"]["chosen"]["pool_index"]
    from copycost.similarity import Dense, mutual_information
    from copycost.subsets import lightest_subset

    own = lightest_subset(Dense(mutual_information(images[kept])).power(2), 5)
    assert sorted(chosen["original"]) == sorted(own.indices.tolist())
    assert sorted(chosen["original"]) != sorted(chosen["transformed"])


def test_a_pool_of_texts_brings_defaults_that_suit_texts(texts: Path) -> None:
    spec = build_spec({"target": "m:f", "pool": str(texts / "pool.txt"), "test": str(texts / "test.csv")})
    assert spec.strategies == ("random", "uncertainty", "k-center")
    assert spec.substitute == "kim"
    given = build_spec(
        {"target": "m:f", "pool": "unlabelled:mr:train", "test": "mr:test", "substitute": "kim filters=9"}
    )
    assert given.substitute == "kim filters=9"
    assert build_spec({"target": "m:f", "pool": "photos", "test": "mnist:test"}).strategies == ("random", "drmi")


def test_copies_that_learned_one_class_alone_are_told(texts: Path, tmp_path: Path) -> None:
    """A target that never changes its answer is copied at once, and the page says that this means nothing."""
    (tmp_path / "one.csv").write_text("text,label\n" + "".join(f"word{row} only,0\n" for row in range(40)))
    values = _text_values(texts) | {
        "target": "labels",
        "pool": str(tmp_path / "one.csv"),
        "strategies": ["random"],
        "budgets": [20],
        "uniform": 0,
        "schedule": "steps:400",
        "validation_share": 0.0,
    }
    result = run_audit(build_spec(values), tmp_path / "out")
    assert result.one_class() == (1, False)
    write_page(result, tmp_path / "out")
    assert "1 of 1 copies gave all held-out texts one and the same class" in (tmp_path / "out/report.html").read_text()
