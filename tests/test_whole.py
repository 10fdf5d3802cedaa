"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycost._whole import written_whole
from copycost.errors import InvalidInput


def test_what_was_there_stays_until_all_of_what_is_new_is_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "record.json"
    with written_whole(path) as part:
        path.parent.mkdir()
        part.write_text("first")
        assert not path.exists()
    with written_whole(path) as part:
        part.write_text("second, which is longer")
        assert path.read_text() == "first"
    assert path.read_text() == "second, which is longer"
    assert [entry.name for entry in path.parent.iterdir()] == ["record.json"]


def stop_halfway(path: Path, stopped: type[BaseException]) -> None:
    with written_whole(path) as part:
        part.write_text("half of what")
        raise stopped


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, ValueError, MemoryError])
def test_writing_that_is_stopped_leaves_what_was_there_alone(tmp_path: Path, stopped: type[BaseException]) -> None:
    path = tmp_path / "record.json"
    path.write_text("first")
    with pytest.raises(stopped):
        stop_halfway(path, stopped)
    assert path.read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["record.json"]


def test_what_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with (
        pytest.raises(
            InvalidInput, match=r"file/record\.json cannot be written \(Not a directory\); make room or choose"
        ),
        written_whole(tmp_path / "file" / "record.json") as part,
    ):
        part.write_text("nowhere")
    with pytest.raises(InvalidInput, match=r"\(the disk is full\)"), written_whole(tmp_path / "record.json"):
        Path("/dev/full").write_text("too much")
    with pytest.raises(InvalidInput, match=r"\(out of paper\)"), written_whole(tmp_path / "page", LookupError):
        raise LookupError("out of paper")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_two_processes_may_write_the_same_file_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    with written_whole(path) as first:
        first.write_text("all of one")
        monkeypatch.setattr("os.getpid", lambda: 1)
        with written_whole(path) as second:
            second.write_text("all of the other")
        assert path.read_text() == "all of the other"
    assert path.read_text() == "all of one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]
