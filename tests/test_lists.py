"""Lists and groups against a real pool: how members are numbered, and what is refused before anything is asked."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copycost._types import ByteArray
from copycost.audit import AuditResult, Folder, build_spec, export, load_data, make_plan, read_audit, run_audit
from copycost.audit._choices import _beforehand, check_choices
from copycost.audit._records import read_json, write_json
from copycost.errors import InvalidInput
from copycost.reduce import Request, reduce
from copycost.strategies import parse

REPEATS = {5: 3, 6: 3, 20: 11, 39: 0}
"""Which images of the pool repeat which."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool of forty images, four of which repeat earlier ones, and a test set."""
    path = tmp_path_factory.mktemp("lists")
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28, 1), dtype=np.uint8)
    for repeat, first in REPEATS.items():
        images[repeat] = images[first]
    labels = np.array([0, 1, 2] * 20)
    for repeat, first in REPEATS.items():
        labels[repeat] = labels[first]
    np.savez(path / "pool.npz", images=images[:40], labels=labels[:40])
    np.savez(path / "test.npz", images=images[40:], labels=labels[40:])
    return path


def loaded(folder: Path) -> ByteArray:
    with np.load(folder / "pool.npz") as file:
        images: ByteArray = file["images"]
    return images


def values(folder: Path, *strategies: str, **more: Any) -> dict[str, Any]:
    return {
        "target": "labels",
        "pool": str(folder / "pool.npz"),
        "test": str(folder / "test.npz"),
        "strategies": list(strategies),
        "budgets": [4],
        "seeds": 1,
        "schedule": "steps:3",
        "transfer": {"images": 0},
        **more,
    }


NETWORK = {"target": "network.safetensors", "target_arch": "lenet5"}  # which can be looked into; a plan opens none


def listed(path: Path, *indices: object) -> str:
    path.write_text("\n".join(str(index) for index in indices) + "\n")
    return f"list:{path}"


def asked(result: AuditResult, cell: int = 0) -> ByteArray:
    """Return the images that a cell asked, found by their index in the pool as an audit sees it."""
    pool: Any = load_data(result.spec, 0, None).pool.inputs
    images: ByteArray = pool.array[result.cells[cell]["result"]["chosen"]["pool_index"]]
    return images


def test_a_list_counts_the_pool_as_it_is_loaded_and_a_repeat_leads_to_what_it_repeats(
    folder: Path, tmp_path: Path
) -> None:
    text = listed(tmp_path / "hand.txt", 38, 20, 7, 6)
    result = run_audit(build_spec(values(folder, text)), tmp_path / "out")
    np.testing.assert_array_equal(asked(result), loaded(folder)[[38, 11, 7, 3]])
    (cell,) = result.cells
    assert cell["result"]["rounds"][0]["facts"] == {"passed_over": 0}
    assert cell["assumptions"]["labels_known"] is None


def test_indices_of_an_export_choose_the_images_that_were_chosen(folder: Path, tmp_path: Path) -> None:
    first = run_audit(build_spec(values(folder, "random", budgets=[9])), tmp_path / "first")
    export(first, tmp_path / "first", tmp_path / "tables")
    with open(tmp_path / "tables/chosen.csv", newline="") as file:
        indices = [int(row["pool_index"]) for row in csv.DictReader(file)]
    np.testing.assert_array_equal(loaded(folder)[indices], asked(first))
    bare = listed(tmp_path / "bare.txt", *indices)
    whole = f"list:{tmp_path / 'tables/chosen.csv'}"
    again = run_audit(build_spec(values(folder, bare, whole, budgets=[9])), tmp_path / "again")
    for cell in range(2):
        np.testing.assert_array_equal(asked(again, cell), asked(first))


def test_indices_of_a_reduction_choose_the_images_that_stayed(folder: Path, tmp_path: Path) -> None:
    kept = Request(str(folder / "pool.npz"), str(tmp_path / "kept.csv"), size=38)
    reduce(kept, say=lambda line: None)
    with open(tmp_path / "kept.csv", newline="") as file:
        indices = [int(row["index"]) for row in csv.DictReader(file)]
    spec = build_spec(values(folder, f"list:{tmp_path / 'kept.csv'}", budgets=[30]))
    result = run_audit(spec, tmp_path / "out")
    originals = list(dict.fromkeys(REPEATS.get(index, index) for index in indices))[:30]
    assert set(indices) & set(REPEATS)
    np.testing.assert_array_equal(asked(result), loaded(folder)[originals])


def test_an_index_that_leads_to_an_image_named_before_is_passed_over(folder: Path, tmp_path: Path) -> None:
    text = listed(tmp_path / "hand.txt", 3, 5, 6, 12, 0, 39, 8)
    result = run_audit(build_spec(values(folder, text)), tmp_path / "out")
    np.testing.assert_array_equal(asked(result), loaded(folder)[[3, 12, 0, 8]])
    assert result.cells[0]["result"]["rounds"][0]["facts"] == {"passed_over": 3}


def test_an_export_of_records_that_do_not_say_what_was_left_out_is_refused_until_the_audit_has_been_run_again(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    spec = build_spec(values(folder, "random"))
    run_audit(spec, out)
    (path,) = out.glob("targets/*/record.json")
    record = read_json(path, "copycost.target/1")
    assert record["pool"]["repeats"] == sorted(REPEATS)
    del record["pool"]["repeats"]
    write_json(path, record)
    with pytest.raises(InvalidInput, match="without saying which; run the same audit on the folder again"):
        export(read_audit(out), out, tmp_path / "tables")
    assert len(export(run_audit(spec, out), out, tmp_path / "tables")) == 8


@pytest.mark.parametrize(
    ("indices", "more", "words"),
    [
        ((1, 40, 2, 3), {}, "holds the index 40, and the pool has 40 inputs, 0 to 39"),
        ((3, 5, 6, 12), {}, "leads to 2 different members of the pool that are free, and 4 queries are to be chosen"),
        ((1, 2, 4), {}, "holds 3 indices and 4 queries are to be chosen from it; ask for fewer, or add to the list"),
        (
            range(36),
            {"budgets": [36], "validation_share": 0.5, "schedule": "early-stopping:2", "seeds": 3},
            "different members of the pool that are free, and 18 queries",
        ),
    ],
)
def test_a_list_that_cannot_do_is_refused_before_anything_is_asked(
    folder: Path, tmp_path: Path, indices: Any, more: dict[str, Any], words: str
) -> None:
    text = listed(tmp_path / "hand.txt", *indices)
    with pytest.raises(InvalidInput, match=words):
        run_audit(build_spec(values(folder, text, **more)), tmp_path / "out")
    assert not (tmp_path / "out" / "targets").exists()


def test_half_of_a_combination_that_leads_beyond_the_pool_is_refused_before_anything_is_asked(
    folder: Path, tmp_path: Path
) -> None:
    text = listed(tmp_path / "hand.txt", *range(1, 30), 77)
    for combined in (f"{text} + cmal", f"{text} + k-center", f"random + {text}"):
        spec = build_spec(values(folder, combined, budgets=[8], rounds=2, seed_share=0.25))
        with pytest.raises(InvalidInput, match="holds the index 77"):
            check_choices(spec, load_data(spec, 0, None), [0])


@pytest.mark.parametrize(
    ("strategy", "budget", "words"),
    [
        ("random group=label", 2, "the budget of 2 queries is below the number of groups, 3"),
        ("k-means group=label", 2, "below the number of groups"),
    ],
)
def test_groups_that_cannot_give_their_share_are_refused_where_the_plan_is_made(
    folder: Path, tmp_path: Path, strategy: str, budget: int, words: str
) -> None:
    spec = build_spec(values(folder, strategy, budgets=[budget], **NETWORK))
    with pytest.raises(InvalidInput, match=words):
        make_plan(spec, Folder(tmp_path), load_data(spec, 0, None), 1)


IN_ROUNDS = {"budgets": [8], "seed_share": 0.25}


@pytest.mark.parametrize(
    ("strategy", "more", "words"),
    [
        (
            "uncertainty + random group=label",
            {"rounds": 3},
            "the 2 queries of a round are below the number of groups, 3",
        ),
        ("uncertainty + k-means group=label", {"rounds": 3}, "raise the budget or lower rounds, or leave group=label"),
        ("drmi + random group=label", {"budgets": [2]}, "the budget of 2 queries is below the number of groups, 3"),
        (
            "cmal group=label + random",
            {"budgets": [2]},
            "the shortlist of 2 members is below .*, 3; give rho=3 or more",
        ),
        (
            "cmal group=label + k-center rho=2",
            {"rounds": 3},
            "the shortlist of 2 members is below the number of groups",
        ),
        (
            "random group=label + uncertainty",
            {"budgets": [36], "rounds": 14},
            "the shortlist of 1 members is below .*; lower the budget, as no more are free",
        ),
    ],
)
def test_a_part_that_will_be_asked_for_fewer_than_there_are_groups_is_refused_where_the_plan_is_made(
    folder: Path, strategy: str, more: dict[str, Any], words: str
) -> None:
    spec = build_spec(values(folder, strategy, **IN_ROUNDS | NETWORK | more))
    with pytest.raises(InvalidInput, match=words):
        check_choices(spec, load_data(spec, 0, None), [0])


@pytest.mark.parametrize(
    "strategy",
    ["uncertainty + random group=label", "cmal group=label + k-center rho=3", "cmal group=label + random rho=3"],
)
def test_parts_that_are_asked_for_one_a_group_in_every_round_are_let_pass(folder: Path, strategy: str) -> None:
    budget = 3 if strategy.endswith("random rho=3") else 8
    spec = build_spec(values(folder, strategy, **IN_ROUNDS | {"rounds": 2, "budgets": [budget]}))
    check_choices(spec, load_data(spec, 0, None), [0])


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("drmi", "drmi with all starts over 36 images needs a matrix"),
        ("coverage", "coverage of all of 36 images needs a matrix"),
        ("trace", "trace with all starts over 36 inputs needs a matrix"),
        ("drmi + random group=label", "all starts over 36 images"),
        ("random + drmi rho=20", "all starts over 20 images"),
        ("drmi group=label", None),
        ("trace starts=2", None),
        ("coverage reference=5", None),
        ("random group=label + drmi rho=16", None),
        ("k-center + drmi rho=16", None),
    ],
)
def test_a_matrix_that_would_not_be_kept_is_refused_where_the_plan_is_made(
    folder: Path, strategy: str, words: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycost.similarity._cost.MATRIX_LIMIT", 4 * 16 * 16)
    spec = build_spec(values(folder, strategy, budgets=[8], rounds=2, seed_share=0.25, **NETWORK))
    data = load_data(spec, 0, None)
    if words is None:
        check_choices(spec, data, [0])
        return
    with pytest.raises(InvalidInput, match=words):
        check_choices(spec, data, [0])


def test_a_list_that_the_random_start_leaves_too_short_is_refused_before_anything_is_asked(
    folder: Path, tmp_path: Path
) -> None:
    text = listed(tmp_path / "hand.txt", *range(20), 39)  # 21 lines that lead to 18 members
    members = np.arange(18)  # numbered without the two repeats among them
    tight = {"budgets": [21], "rounds": 2, "seed_share": 1 / 7, "seeds": 40}
    for combined in (f"{text} + uncertainty", f"uncertainty + {text}"):
        spec = build_spec(values(folder, combined, **tight))
        data, left = load_data(spec, 0, None), []
        for seed in range(40):
            start = _beforehand(data, spec.shares().sizes(parse(combined), 21), 21, seed).asked
            left.append(18 - int(np.isin(start, members).sum()))
            if left[-1] == 18:
                check_choices(spec, data, [seed])
                continue
            words = f"leads to {left[-1]} different members .* free after 3 drawn at random, and 18 queries"
            with pytest.raises(InvalidInput, match=words):
                check_choices(spec, data, [seed])
        assert 18 in left
        with pytest.raises(InvalidInput, match="drawn at random, and 18 queries"):
            run_audit(spec, tmp_path / "out")
        assert not (tmp_path / "out" / "targets").exists()


def test_the_random_start_that_is_known_beforehand_is_the_one_a_cell_draws(folder: Path, tmp_path: Path) -> None:
    stopping = {"validation_share": 0.25, "schedule": "early-stopping:2", "seeds": 2}
    spec = build_spec(values(folder, "uncertainty", budgets=[16], rounds=2, seed_share=0.25, **stopping))
    result, data = run_audit(spec, tmp_path / "out"), load_data(spec, 0, None)
    sizes = spec.shares().sizes(parse("uncertainty"), 16)
    assert sizes.rounds[0] == 4
    for cell in result.cells:
        known = _beforehand(data, sizes, 16, cell["spec"]["seed"])
        assert cell["result"]["chosen"]["pool_index"][:4] == sorted(known.asked.tolist())
        assert not np.isin(cell["result"]["validation"]["pool_index"], known.free()).any()


def test_an_export_of_several_cells_is_no_list_until_the_lines_of_one_are_kept(folder: Path, tmp_path: Path) -> None:
    result = run_audit(build_spec(values(folder, "random", budgets=[9, 12])), tmp_path / "out")
    export(result, tmp_path / "out", tmp_path / "tables")
    chosen = tmp_path / "tables/chosen.csv"
    with pytest.raises(
        InvalidInput, match=r"repeats the index \d+; name each member once, of an export of several cells"
    ):
        parse(f"list:{chosen}")
    key = result.cells[0]["key"]
    lines = chosen.read_text().splitlines(keepends=True)
    chosen.write_text("".join([lines[0], *(line for line in lines if line.startswith(key))]))
    assert str(parse(f"list:{chosen}")).startswith("list:")


def test_a_group_that_validation_leaves_too_small_in_any_seed_is_refused_where_the_plan_is_made(
    folder: Path, tmp_path: Path
) -> None:
    stopping = {"validation_share": 0.3, "schedule": "early-stopping:2", "seeds": 40}
    spec = build_spec(values(folder, "cmal group=label", budgets=[34], **stopping))
    data = load_data(spec, 0, None)
    with pytest.raises(InvalidInput, match=r"the group of label \d has \d+ images left and its share is \d+"):
        make_plan(spec, Folder(tmp_path), data, 1)
    moved = spec.model_copy(update={"strategies": ("cmal group=label redistribute=yes",)})
    check_choices(moved, data, range(40))


@pytest.mark.parametrize(
    ("strategy", "way"),
    [
        ("hcp", "choose another strategy"),
        ("lcp group=label", "choose another strategy"),
        ("mixture + random group=label", "choose another strategy"),
        ("random group=label", "leave group=label out"),
        ("drmi group=label + k-center", "leave group=label out"),
    ],
)
def test_labels_that_a_pool_does_not_have_are_asked_for_in_true_words(
    folder: Path, tmp_path: Path, strategy: str, way: str
) -> None:
    spec = build_spec(values(folder, strategy, budgets=[8], rounds=2, seed_share=0.25, target="m:f"))
    spec = spec.model_copy(update={"pool": f"unlabelled:{spec.pool}"})
    with pytest.raises(InvalidInput, match=f"needs the pool's labels, and .* has none; {way}, or name a pool"):
        make_plan(spec, Folder(tmp_path), load_data(spec, 0, None), 1)


def test_what_is_known_beforehand_is_recorded_of_lists_as_of_others(folder: Path, tmp_path: Path) -> None:
    text = listed(tmp_path / "hand.txt", *range(10, 20))
    combined = f"{text} + random group=label"
    result = run_audit(build_spec(values(folder, text, combined, "random")), tmp_path / "out")
    assert [cell["assumptions"]["labels_known"] for cell in result.cells] == [None, True, False]
