from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copycost.audit import AuditSpec, build_spec, embedded_default, read_config
from copycost.errors import CopycostError, InvalidInput

BASE: dict[str, Any] = {"target": "lenet5@embedded:train", "pool": "embedded:pool", "test": "embedded:test"}


def test_the_embedded_default_is_the_grid_that_it_promises() -> None:
    spec = build_spec(embedded_default())
    cells = spec.cells()
    assert len(cells) == 2 * 4 * 5
    assert len({cell.key for cell in cells}) == len(cells)
    assert {(cell.strategy, cell.answers) for cell in cells} == {("random", "top1"), ("drmi", "top1")}


def test_texts_are_brought_to_one_form_so_that_equal_specs_are_equal() -> None:
    one = build_spec(BASE | {"strategies": ["drmi   alpha=2.0 group=label"], "budgets": "600, 50", "answers": "top1"})
    two = build_spec(BASE | {"strategies": ["drmi group=label"], "budgets": [50, 600]})
    assert one == two
    assert one.budgets == (50, 600)


def test_a_key_changes_with_every_field_of_a_cell() -> None:
    cell = build_spec(BASE).cells()[0]
    others = [
        cell.model_copy(update=change)
        for change in (
            {"budget": 51},
            {"seed": 9},
            {"answers": "probabilities"},
            {"schedule": "steps:2"},
            {"uniform": 3},
        )
    ]
    assert len({cell.key, *(other.key for other in others)}) == 6


def test_a_cell_is_recreated_by_its_own_record() -> None:
    cell = build_spec(BASE).cells()[3]
    assert type(cell)(**cell.model_dump(mode="json")) == cell


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budgts": [50]}, "did you mean 'budgets'"),
        ({"transfer": {"epsilom": 0.1}}, "did you mean 'epsilon'"),
        ({"strategies": ["drni"]}, "did you mean 'drmi'"),
        ({"strategies": ["drmi alhpa=2"]}, "did you mean 'alpha'"),
        ({"strategies": ["random", "random"]}, "twice"),
        ({"strategies": []}, "strategies"),
        ({"budgets": [0]}, "1 or more"),
        ({"budgets": "50,x"}, "budgets"),
        ({"budgets": [50, 50]}, "twice"),
        ({"answers": "top2"}, "topk"),
        ({"seeds": 0}, "seeds"),
        ({"levels": [1.5]}, "levels"),
        ({"substitute": "lenet"}, "known are lenet5"),
        ({"target": "nowhere"}, "module:function"),
        ({"target": "vgg@mnist:train"}, "architecture"),
        ({"target": "weights.safetensors"}, "--target-arch"),
        ({"schedule": "forever"}, "schedule"),
        ({"transfer": {"attack": "deepfool"}}, "untargeted"),
        ({"transfer": {"epsilon": "nan"}}, "epsilon"),
        ({"transfer": {"epsilon": 7}}, "at most 1"),
        ({"transfer": "images"}, "name=value"),
        ({"seeds": True}, "whole number"),
        ({"target": "w.safetensors", "target_arch": "lenet5", "target_mean": ["nan"]}, "finite"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_what_is_allowed(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        build_spec(BASE | change)
    assert words in str(caught.value)


def test_one_mistake_is_named_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        build_spec(BASE | {"strategies": ["drni"], "budgets": ["x"]})
    assert len(str(caught.value).splitlines()) == 2


def test_missing_settings_are_named() -> None:
    with pytest.raises(InvalidInput, match="pool is missing"):
        build_spec({"target": "labels", "test": "mnist:test"})


def test_a_configuration_file_is_safe_yaml(tmp_path: Path) -> None:
    path = tmp_path / "audit.yaml"
    path.write_text("pool: mnist:train\nbudgets: [50, 150]\n")
    assert read_config(path) == {"pool": "mnist:train", "budgets": [50, 150]}
    path.write_text("pool: a\npool: b\n")
    with pytest.raises(InvalidInput, match="pool is given twice"):
        read_config(path)
    for text in ("!!python/object/apply:os.getcwd []", "- a\n- b\n", "a: [", "1: 2\n", ""):
        path.write_text(text)
        with pytest.raises(InvalidInput, match="configuration"):
            read_config(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="configuration"):
        read_config(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_config(tmp_path / "none.yaml")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*AuditSpec.model_fields, "other"]), json_values, max_size=6))
def test_any_settings_make_a_spec_or_a_clear_error(values: dict[str, Any]) -> None:
    try:
        spec = build_spec(BASE | values)
    except CopycostError:
        return  # pytest fails on any other error
    else:
        assert build_spec(spec.model_dump(mode="json")) == spec
