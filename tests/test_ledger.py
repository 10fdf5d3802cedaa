"""The ledger: what is durable, who may hold it, and which files are refused."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from copycost.errors import LedgerError
from copycost.oracle import Answers, Counts, Ledger


def keys(n: int, *, start: int = 0) -> list[bytes]:
    return [number.to_bytes(32, "big") for number in range(start, start + n)]


def labels(*values: int) -> Answers:
    return Answers(np.array(values, dtype=np.int64))


def rows(n: int, classes: int = 3) -> Answers:
    array = np.random.default_rng(n).dirichlet(np.ones(classes), n).astype(np.float32)
    return Answers(array.argmax(axis=1).astype(np.int64), array)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def filled(path: Path) -> Path:
    """A ledger of some tens of pages, closed."""
    with Ledger(path, target="this one") as ledger:
        ledger.charge("copy", keys(1500), {})
        ledger.complete("copy", keys(1500), rows(1500, 20))
    return path


def test_a_new_ledger_holds_nothing(path: Path) -> None:
    with Ledger(path) as ledger:
        assert ledger.counts("copy") == Counts(0, 0, 0)
        assert ledger.answered("copy", keys(2)) == {}
        assert ledger.known(keys(2)) == {}


def test_a_query_is_outstanding_until_it_is_completed(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.charge("copy", keys(3), {})
        assert ledger.counts("copy") == Counts(charged=3, sent=3, outstanding=3)
        assert ledger.answered("copy", keys(4)) == dict.fromkeys(keys(3))
        assert ledger.known(keys(3)) == {}
        ledger.complete("copy", keys(3), labels(5, 6, 7))
        assert ledger.counts("copy") == Counts(charged=3, sent=3, outstanding=0)
        assert [ledger.known(keys(3))[key].labels.tolist() for key in keys(3)] == [[5], [6], [7]]


def test_sending_again_adds_an_attempt_and_no_charge(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.charge("copy", keys(3), {})
        ledger.charge("copy", keys(2), {})
        assert ledger.counts("copy") == Counts(charged=3, sent=5, outstanding=3)


def test_a_reused_answer_is_charged_and_not_sent(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.charge("copy", [], {keys(1)[0]: labels(4)})
        assert ledger.counts("copy") == Counts(charged=1, sent=0, outstanding=0)


def test_accounts_are_apart_and_their_answers_known_to_all(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.charge("a", keys(2), {})
        ledger.complete("a", keys(2), labels(1, 2))
        assert ledger.counts("b") == Counts(0, 0, 0)
        assert ledger.answered("b", keys(2)) == {}
        assert set(ledger.known(keys(5))) == set(keys(2))


def test_answers_come_back_to_the_bit_after_reopening(path: Path) -> None:
    wanted = rows(20, 10)
    with Ledger(path) as ledger:
        ledger.charge("copy", keys(20), {})
        ledger.complete("copy", keys(20), wanted)
    with Ledger(path) as ledger:
        held = ledger.answered("copy", keys(20))
        for row, key in enumerate(keys(20)):
            answer = held[key]
            assert answer is not None
            assert answer.probabilities is not None
            assert wanted.probabilities is not None
            assert answer.probabilities.tobytes() == wanted.probabilities[row].tobytes()
            assert answer.labels.tolist() == [wanted.labels[row]]


def test_what_is_remembered_first_stays(path: Path) -> None:
    with Ledger(path) as ledger:
        assert ledger.remember("key", "first") == "first"
        assert ledger.remember("key", "second") == "first"


def test_a_failed_completion_leaves_all_of_it_outstanding(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.charge("copy", keys(3), {})
        with pytest.raises(ValueError, match="shorter"):
            ledger.complete("copy", keys(3), labels(1, 2))
        assert ledger.counts("copy") == Counts(charged=3, sent=3, outstanding=3)
        ledger.complete("copy", keys(3), labels(1, 2, 0))
        assert ledger.counts("copy") == Counts(charged=3, sent=3, outstanding=0)


def test_a_ledger_may_be_closed_twice(path: Path) -> None:
    ledger = Ledger(path)
    ledger.close()
    ledger.close()
    Ledger(path, patience=0).close()


def test_a_ledger_in_use_is_refused_and_free_once_closed(path: Path) -> None:
    with Ledger(path), pytest.raises(LedgerError, match="in use by another run; wait for it or stop it"):
        Ledger(path, patience=0)
    Ledger(path, patience=0).close()


def test_a_ledger_of_another_target_is_refused(path: Path) -> None:
    Ledger(path, target="aaaaaaaaaaaaaaaaaaaaaaaa").close()
    with pytest.raises(LedgerError, match=r"another target \(its fingerprint is a{16}…, this target's is b{16}…"):
        Ledger(path, target="bbbbbbbbbbbbbbbbbbbbbbbb")
    Ledger(path, target="aaaaaaaaaaaaaaaaaaaaaaaa").close()
    Ledger(path).close()


def test_a_ledger_first_opened_without_a_name_takes_the_first_one_given(path: Path) -> None:
    Ledger(path).close()
    Ledger(path, target="one").close()
    with pytest.raises(LedgerError, match="another target"):
        Ledger(path, target="two")


def test_a_newer_version_is_refused_and_left_as_it_is(filled: Path) -> None:
    base = sqlite3.connect(filled)
    base.execute("PRAGMA user_version=99")
    base.close()
    before = filled.read_bytes()
    with pytest.raises(LedgerError, match=r"has version 99; this copycost reads up to 1. Upgrade copycost"):
        Ledger(filled)
    assert filled.read_bytes() == before


def test_another_sqlite_file_is_refused_and_left_as_it_is(path: Path) -> None:
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE queries (account TEXT)")
    base.commit()
    base.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="not a copycost ledger; name another file"):
        Ledger(path)
    assert path.read_bytes() == before


def test_a_file_that_is_not_sqlite_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_text("query,answer\n" * 200)
    with pytest.raises(LedgerError, match=r"cannot be opened \(file is not a database\)"):
        Ledger(path)
    assert path.read_text() == "query,answer\n" * 200


def test_an_emptied_ledger_is_refused_rather_than_begun_again(filled: Path) -> None:
    filled.write_bytes(b"")
    with pytest.raises(LedgerError, match="is empty"):
        Ledger(filled)


@pytest.mark.parametrize("kept", [50, 100, 4096, 8192, "half", "all but the last page"])
def test_a_truncated_ledger_is_refused(filled: Path, kept: int | str) -> None:
    size = filled.stat().st_size
    os.truncate(filled, kept if isinstance(kept, int) else {"half": size // 2}.get(kept, size - 4096))
    with pytest.raises(LedgerError, match=r"truncated or not a ledger, restore it from a backup"):
        Ledger(filled)


def test_a_ledger_with_a_page_overwritten_is_refused(filled: Path) -> None:
    with open(filled, "rb+") as file:
        file.seek(5 * 4096)
        file.write(bytes(4096))
    with pytest.raises(LedgerError, match="restore it from a backup"):
        Ledger(filled)


def test_an_answer_of_an_unknown_form_is_refused(filled: Path) -> None:
    base = sqlite3.connect(filled)
    base.execute("UPDATE queries SET answer = x'505050' WHERE digest = ?", keys(1))
    base.commit()
    base.close()
    with Ledger(filled) as ledger, pytest.raises(LedgerError, match="an answer that cannot be read"):
        ledger.known(keys(1))


def test_a_log_without_its_ledger_is_not_taken_over(path: Path) -> None:
    log = path.with_name(path.name + "-wal")
    log.write_bytes(b"what was written last")
    with pytest.raises(LedgerError, match="put the ledger back"):
        Ledger(path)
    assert log.read_bytes() == b"what was written last"
    assert not path.exists()


def test_what_a_crash_left_of_a_creation_does_not_matter(path: Path) -> None:
    path.with_name(path.name + ".part").write_text("half")
    with Ledger(path) as ledger:
        ledger.charge("copy", keys(1), {})
    assert not path.with_name(path.name + ".part").exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match=r"file/ledger.sqlite cannot be opened \(Not a directory\); choose a folder"):
        Ledger(tmp_path / "file" / "ledger.sqlite")
    with pytest.raises(LedgerError, match="No such file or directory"):
        Ledger(tmp_path / "missing" / "ledger.sqlite")


def test_a_folder_in_the_place_of_a_ledger_is_named(path: Path) -> None:
    path.mkdir()
    with pytest.raises(LedgerError, match="unable to open database file"):
        Ledger(path)


def test_a_full_disk_is_named_and_loses_nothing(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.charge("copy", keys(10), {})
        pages = ledger._base.execute("PRAGMA page_count").fetchone()[0]
        ledger._base.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(LedgerError, match=r"cannot be written \(database or disk is full\)"):
            ledger.charge("copy", keys(5000, start=10), {})
        assert ledger.counts("copy").charged == 10
        ledger._base.execute("PRAGMA max_page_count=1000000")
        ledger.charge("copy", keys(5000, start=10), {})
        assert ledger.counts("copy").charged == 5010


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has opened the ledger, charged three queries, and sleeps."""
    process = subprocess.Popen([sys.executable, __file__, str(path)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_ledger_held_by_another_process_is_refused_until_that_ends(path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LedgerError, match="in use by another run"):
        Ledger(path, patience=0)
    threading.Timer(0.2, holder.kill).start()
    with Ledger(path, patience=60) as ledger:
        assert holder.wait() < 0
        assert ledger.counts("copy") == Counts(charged=3, sent=3, outstanding=3)


def hold_forever(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.charge("copy", keys(3), {})
        print("held", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    hold_forever(Path(sys.argv[1]))
