"""The ledger: the durable record of every query charged and every answer received.

One SQLite file (write-ahead log, ``synchronous=FULL``). A row is (account, digest, attempts, state, answer). It
is written as ``charged`` before a request leaves and completed as ``answered`` before the answer is handed over,
so that after a crash at any instant nothing that was paid for is forgotten and nothing is charged twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from copycost.errors import LedgerError
from copycost.oracle._answers import Answers

__all__ = ["Counts", "Ledger"]

VERSION = 1
_APPLICATION = 0x636F7079  # "copy": tells our files from other SQLite files
_SCHEMA = """
CREATE TABLE IF NOT EXISTS queries (
    account TEXT NOT NULL, digest BLOB NOT NULL, attempts INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('charged', 'answered')), answer BLOB,
    PRIMARY KEY (account, digest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_digest ON queries (digest) WHERE state = 'answered';
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Counts:
    """What an account shows: queries charged, requests sent (attempts summed), answers still outstanding."""

    charged: int
    sent: int
    outstanding: int


class Ledger:
    """A ledger file, held by one process at a time.

    Parameters
    ----------
    path : file to open or create
    target : name of the target's identity (such as a file hash); None leaves it unchecked
    patience : seconds to wait for another process to let go of the file

    Raises
    ------
    LedgerError
        If the file is of another target or a newer version, is damaged, or is in use by another run.
    """

    def __init__(self, path: Path, *, target: str | None = None, patience: float = 10.0) -> None:
        self.path = path
        self._lock = _hold(path, patience)
        try:
            self._base = sqlite3.connect(path, isolation_level=None)
            self._open(target)
        except sqlite3.DatabaseError as error:
            self.close()
            raise LedgerError(
                f"the ledger {path} cannot be read ({error}). It may be truncated or not a ledger; "
                "restore it from a backup, or move it away to start again."
            ) from error
        except BaseException:
            self.close()
            raise

    def _open(self, target: str | None) -> None:
        ours, version = (self._base.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        tables = self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and ours != _APPLICATION:
            raise LedgerError(f"{self.path} is a SQLite file, but not a copycost ledger; name another file.")
        if version > VERSION:
            raise LedgerError(
                f"the ledger {self.path} has version {version}; this copycost reads up to {VERSION}. Upgrade copycost."
            )
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        with self._transaction():
            for statement in _SCHEMA.split(";"):
                self._base.execute(statement)
            self._base.execute(f"PRAGMA application_id={_APPLICATION}")
            self._base.execute(f"PRAGMA user_version={VERSION}")
        if target is not None and self.remember("target", target) != target:
            raise LedgerError(
                f"the ledger {self.path} was written for another target (its fingerprint is {self.remember('target', '')[:16]}…, "
                f"this target's is {target[:16]}…). Use another output folder, or the target it was written for."
            )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def remember(self, key: str, value: str) -> str:
        """Store ``value`` under ``key`` unless something is there already; return what is there."""
        with self._transaction():
            self._base.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
        stored: str = self._base.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]
        return stored

    def answered(self, account: str, digests: Sequence[bytes]) -> dict[bytes, Answers | None]:
        """Return what ``account`` has paid for among ``digests``: the answer, or None where it is outstanding."""
        query = "SELECT state, answer FROM queries WHERE account = ? AND digest = ?"
        rows = ((digest, self._base.execute(query, (account, digest)).fetchone()) for digest in set(digests))
        return {digest: _decode(row[1]) if row[0] == "answered" else None for digest, row in rows if row is not None}

    def known(self, digests: Sequence[bytes]) -> dict[bytes, Answers]:
        """Return the answers that any account holds to ``digests``."""
        query = "SELECT answer FROM queries WHERE digest = ? AND state = 'answered' LIMIT 1"
        rows = ((digest, self._base.execute(query, (digest,)).fetchone()) for digest in set(digests))
        return {digest: _decode(row[0]) for digest, row in rows if row is not None}

    def charge(self, account: str, send: Sequence[bytes], reuse: dict[bytes, Answers]) -> None:
        """Write, in one transaction, that ``send`` is about to leave and that ``reuse`` was charged without asking."""
        with self._transaction():
            self._base.executemany(
                "INSERT INTO queries VALUES (?, ?, 1, 'charged', NULL) "
                "ON CONFLICT (account, digest) DO UPDATE SET attempts = attempts + 1",
                [(account, digest) for digest in send],
            )
            self._base.executemany(
                "INSERT INTO queries VALUES (?, ?, 0, 'answered', ?) "
                "ON CONFLICT (account, digest) DO UPDATE SET state = 'answered', answer = excluded.answer",
                [(account, digest, _encode(answer)) for digest, answer in reuse.items()],
            )

    def complete(self, account: str, digests: Sequence[bytes], answers: Answers) -> None:
        """Write, in one transaction, the answers to ``digests``."""
        one = (answers.take(np.array([row])) for row in range(len(answers)))
        with self._transaction():
            self._base.executemany(
                "UPDATE queries SET state = 'answered', answer = ? WHERE account = ? AND digest = ?",
                [(_encode(answer), account, digest) for digest, answer in zip(digests, one, strict=True)],
            )

    def counts(self, account: str) -> Counts:
        """Return how many queries ``account`` was charged, sent, and still waits for."""
        charged, sent, outstanding = self._base.execute(
            "SELECT count(*), coalesce(sum(attempts), 0), coalesce(sum(state = 'charged'), 0) FROM queries WHERE account = ?",
            (account,),
        ).fetchone()
        return Counts(charged, sent, outstanding)

    def close(self) -> None:
        """Close the file and let go of it; safe to call again."""
        base = getattr(self, "_base", None)
        if base is not None:
            base.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _hold(path: Path, patience: float) -> IO[str]:
    try:
        lock = open(f"{path}.lock", "w")  # noqa: SIM115 - held until close()
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be opened ({error.strerror}); choose a folder you may write to.") from error
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() >= end:
                lock.close()
                raise LedgerError(f"the ledger {path} is in use by another run; wait for it or stop it.") from None
            time.sleep(0.05)


def _encode(answer: Answers) -> bytes:
    if answer.probabilities is None:
        return b"L" + answer.labels.astype("<i8").tobytes()
    return b"P" + answer.probabilities.astype("<f4").tobytes()


def _decode(data: bytes) -> Answers:
    if data[:1] == b"L":
        return Answers(np.frombuffer(data, "<i8", offset=1).astype(np.int64))
    rows = np.frombuffer(data, "<f4", offset=1).astype(np.float32)[np.newaxis]
    return Answers(rows.argmax(axis=1).astype(np.int64), rows)
