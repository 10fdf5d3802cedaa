"""The ledger: the durable record of every query charged and every answer received.

One SQLite file (write-ahead log, ``synchronous=FULL``). A row is (account, digest, attempts, state, answer).
It is written as ``charged`` before a request leaves and completed as ``answered`` before the answer is
handed over, so that after a crash at any instant nothing that was paid for is forgotten and nothing is
charged twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from copycost.errors import LedgerError
from copycost.oracle._answers import Answers

__all__ = ["Counts", "Ledger"]

VERSION = 1
_APPLICATION = 0x636F7079  # "copy": tells our files from other SQLite files
_SCHEMA = """
CREATE TABLE queries (
    account TEXT NOT NULL, digest BLOB NOT NULL, attempts INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('charged', 'answered')), answer BLOB,
    PRIMARY KEY (account, digest)) WITHOUT ROWID;
CREATE INDEX by_digest ON queries (digest) WHERE state = 'answered';
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
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
        If the file is of another target or a newer version, is damaged, empty or not a ledger, is in use by
        another run, or cannot be written. Any later call raises it too, where the disk is full or fails.
    """

    def __init__(self, path: Path, *, target: str | None = None, patience: float = 10.0) -> None:
        self.path = path
        self._lock = _hold(path, patience)
        try:
            with self._errors_named("opened"):
                if not path.exists():
                    _create(path)
                self._base = sqlite3.connect(path, isolation_level=None)
                self._open(target)
        except BaseException:
            self.close()
            raise

    def _open(self, target: str | None) -> None:
        ours, version = (self._pragma(name) for name in ("application_id", "user_version"))
        if ours != _APPLICATION:
            what = "is a SQLite file, but not a copycost ledger" if self._pragma("page_count") else "is empty"
            raise LedgerError(f"{self.path} {what}; name another file, or move it away to start again.")
        if version > VERSION:
            raise LedgerError(
                f"the ledger {self.path} has version {version}; this copycost reads up to {VERSION}. Upgrade copycost."
            )
        if self._pragma("quick_check(1)") != "ok":
            raise sqlite3.DatabaseError("its pages do not fit together")
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        if target is not None:
            self.belong_to(target)

    def belong_to(self, target: str) -> None:
        """Note the fingerprint of the target this ledger is of, or refuse one that differs from what is noted."""
        if (held := self.remember("target", target)) != target:
            raise LedgerError(
                f"the ledger {self.path} was written for another target (its fingerprint is {held[:16]}…, "
                f"this target's is {target[:16]}…). Use another output folder, or the target it was written "
                "for."
            )

    def _pragma(self, name: str) -> Any:
        return self._base.execute(f"PRAGMA {name}").fetchone()[0]

    @contextlib.contextmanager
    def _errors_named(self, action: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                f"the ledger {self.path} cannot be {action} ({error}). If the disk is full or the folder "
                "cannot be written to, mend that and run again; if the file is truncated or not a ledger, "
                "restore it from a backup, or move it away to start again."
            ) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._errors_named("written"):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def remember(self, key: str, value: str) -> str:
        """Store ``value`` under ``key`` unless something is there already; return what is there."""
        with self._transaction():
            self._base.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
        stored: str = self._row("SELECT value FROM meta WHERE key = ?", key)[0]
        return stored

    def _row(self, query: str, *values: object) -> Any:
        with self._errors_named("read"):
            return self._base.execute(query, values).fetchone()

    def answered(self, account: str, digests: Sequence[bytes]) -> dict[bytes, Answers | None]:
        """Return what ``account`` has paid for among ``digests``: the answer, or None while outstanding."""
        query = "SELECT state, answer FROM queries WHERE account = ? AND digest = ?"
        rows = ((digest, self._row(query, account, digest)) for digest in set(digests))
        return {
            digest: self._decode(row[1]) if row[0] == "answered" else None for digest, row in rows if row is not None
        }

    def known(self, digests: Sequence[bytes]) -> dict[bytes, Answers]:
        """Return the answers that any account holds to ``digests``."""
        query = "SELECT answer FROM queries WHERE digest = ? AND state = 'answered' LIMIT 1"
        rows = ((digest, self._row(query, digest)) for digest in set(digests))
        return {digest: self._decode(row[0]) for digest, row in rows if row is not None}

    def _decode(self, data: bytes) -> Answers:
        kind, size = (data[:1], len(data) - 1) if isinstance(data, bytes) else (b"", 0)
        if kind == b"L" and size == 8:
            return Answers(np.frombuffer(data, "<i8", offset=1).astype(np.int64))
        if kind == b"P" and size >= 8 and size % 4 == 0:
            rows = np.frombuffer(data, "<f4", offset=1).astype(np.float32)[np.newaxis]
            return Answers(rows.argmax(axis=1).astype(np.int64), rows)
        raise LedgerError(
            f"the ledger {self.path} holds an answer that cannot be read; restore it from a backup, or "
            "move it away to start again."
        )

    def charge(self, account: str, send: Sequence[bytes], reuse: dict[bytes, Answers]) -> None:
        """Write, in one transaction, that ``send`` is about to leave and ``reuse`` was charged unasked."""
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
        query = (
            "SELECT count(*), coalesce(sum(attempts), 0), coalesce(sum(state = 'charged'), 0) "
            "FROM queries WHERE account = ?"
        )
        return Counts(*self._row(query, account))

    def close(self) -> None:
        """Close the file and let go of it; safe to call again."""
        base = getattr(self, "_base", None)
        if base is not None:
            base.close()
        if not self._lock.closed:
            # let go at once, even where a process that the target started still holds a copy of the file
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _hold(path: Path, patience: float) -> IO[str]:
    lock: IO[str] | None = None
    end = time.monotonic() + patience
    try:
        lock = open(f"{path}.lock", "w")  # noqa: SIM115 - held until close()
        while not _locked(lock):
            if time.monotonic() >= end:
                raise LedgerError(f"the ledger {path} is in use by another run; wait for it or stop it.")
            time.sleep(0.05)
        return lock
    except BaseException as error:
        if lock is not None:
            lock.close()
        if isinstance(error, OSError):
            raise LedgerError(
                f"the ledger {path} cannot be opened ({error.strerror}); choose a folder you may write to."
            ) from error
        raise


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _create(path: Path) -> None:
    """Make an empty ledger whole or not at all, so that an empty file is never taken for a new one."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        raise LedgerError(
            f"the ledger {path} is not there, but its log {log.name} is; put the ledger back, or move "
            "the log away too to start again."
        )
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as base:
        base.executescript(
            f"PRAGMA synchronous=FULL; BEGIN; {_SCHEMA} "
            f"PRAGMA application_id={_APPLICATION}; PRAGMA user_version={VERSION}; COMMIT;"
        )
    os.replace(part, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _encode(answer: Answers) -> bytes:
    if answer.probabilities is None:
        return b"L" + answer.labels.astype("<i8").tobytes()
    return b"P" + answer.probabilities.astype("<f4").tobytes()
