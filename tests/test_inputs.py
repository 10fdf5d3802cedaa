"""Images: shape and type checks, order, identity."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs


def images(n: int = 4, *, seed: int = 0, channels: int = 3) -> Images:
    return Images(np.random.default_rng(seed).integers(0, 256, (n, 5, 4, channels), dtype=np.uint8))


def test_images_satisfy_the_protocol() -> None:
    assert isinstance(images(), Inputs)
    assert images().medium == "image"


def test_grey_images_gain_one_channel() -> None:
    grey = Images(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    assert grey.shape == (3, 4, 1)
    assert grey.array.shape == (2, 3, 4, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint16, np.bool_, object])
def test_other_types_are_refused_with_the_type_named(dtype: type) -> None:
    with pytest.raises(InvalidInput, match=rf"dtype {np.dtype(dtype)}; uint8"):
        Images(np.zeros((2, 3, 3), dtype))


@pytest.mark.parametrize("shape", [(4,), (4, 4), (1, 2, 3, 4, 5), (2, 0, 3, 1), (2, 3, 0, 1), (2, 3, 3, 0), (2, 0, 3)])
def test_other_shapes_are_refused_with_the_shape_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match="shape"):
        Images(np.zeros(shape, np.uint8))


def test_changing_the_source_array_does_not_change_the_images() -> None:
    source = np.zeros((2, 3, 3, 1), np.uint8)
    made = Images(source)
    source[:] = 7
    assert (made.array == 0).all()


def test_images_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        images().array[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        images().take([1]).array[0] = 0


def test_a_view_that_is_not_contiguous_keeps_its_values() -> None:
    whole = np.arange(2 * 6 * 4, dtype=np.uint8).reshape(2, 6, 4)
    made = Images(whole[:, ::2])
    assert made.array.flags.c_contiguous
    assert (made.array[..., 0] == whole[:, ::2]).all()


def test_take_keeps_order_and_repeats() -> None:
    some = images()
    assert (some.take([2, 0, 2]).array == some.array[[2, 0, 2]]).all()
    assert (some.take(range(1, 3)).array == some.array[1:3]).all()


def test_taking_nothing_gives_no_images_of_the_same_shape() -> None:
    none = images().take([])
    assert len(none) == 0
    assert none.shape == (5, 4, 3)
    assert none.digests() == []


@pytest.mark.parametrize("indices", [[-1], [4], [0, 1, 99]])
def test_an_index_outside_is_refused_rather_than_counted_from_the_end(indices: list[int]) -> None:
    with pytest.raises(InvalidInput, match="there are 4 inputs"):
        images().take(indices)


def test_a_mask_or_fractions_are_refused_as_indices() -> None:
    with pytest.raises(InvalidInput, match="flatnonzero"):
        images().take(np.array([True, False, True, False]))
    with pytest.raises(InvalidInput, match="whole numbers"):
        images().take([0.5])  # type: ignore[list-item]
    with pytest.raises(InvalidInput, match="one dimension"):
        images().take(np.zeros((2, 2), np.int64))


def test_concat_puts_the_other_behind() -> None:
    a, b = images(2, seed=1), images(3, seed=2)
    assert a.concat(b).digests() == a.digests() + b.digests()
    assert a.concat(b.take([])).digest() == a.digest()


def test_concat_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"\(5, 4, 1\) cannot follow images of shape \(5, 4, 3\)"):
        images().concat(images(channels=1))


def test_a_digest_is_the_sha256_of_shape_and_bytes() -> None:
    some = images(2)
    wanted = [hashlib.sha256(b"(5, 4, 3)" + row.tobytes()).digest() for row in some.array]
    assert some.digests() == wanted


def test_the_same_bytes_in_another_shape_are_another_input() -> None:
    flat = np.arange(12, dtype=np.uint8)
    wide, tall = Images(flat.reshape(1, 3, 4)), Images(flat.reshape(1, 4, 3))
    assert wide.digests() != tall.digests()
    assert wide.digest() != tall.digest()


def test_the_digest_of_a_collection_depends_on_its_order_and_count() -> None:
    some = images()
    names = {
        some.digest(),
        some.take([1, 0, 2, 3]).digest(),
        some.take([0, 1, 2]).digest(),
        some.take([]).digest(),
    }
    assert len(names) == 4
    assert some.digest() == Images(some.array.copy()).digest()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=12))
def test_equal_images_and_only_those_have_equal_digests(rows: list[int]) -> None:
    six = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1)
    digests = Images(six).take(rows).digests()
    assert [digests.index(digest) for digest in digests] == [rows.index(row) for row in rows]
