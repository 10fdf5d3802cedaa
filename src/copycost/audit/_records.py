"""The folder of an audit: where records, ledgers and weights lie, and how they are written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import re
import shutil
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from copycost._version import __version__
from copycost._whole import written_whole
from copycost.audit._spec import AuditSpec, build_spec
from copycost.errors import InvalidInput, LedgerError, SpecMismatch
from copycost.networks import device_name

__all__ = ["CELL_SCHEMA", "Folder", "machine", "read_json", "write_json"]

CELL_SCHEMA = "copycost.cell/1"
_OURS = {".lock", "targets", "cells", "memo", "exploration.json", "records.json", "report.html"}
TARGET_SCHEMA = "copycost.target/1"
TRAINING_SCHEMA = "copycost.training/1"
_GRID = {"seeds", "budgets", "strategies", "answers"}  # what may grow in an audit that has begun: cells stand alone
AUDIT_SCHEMA = "copycost.audit/1"


class Folder:
    """The output folder of one audit.

    Layout: ``audit.json`` (the spec), ``targets/KEY/`` and ``cells/KEY/`` (a ledger, weights and ``record.json`` each),
    ``memo/`` and ``targets/KEY/insider.npy`` (arrays that cells share while the audit runs), ``records.json``
    (everything merged), ``report.html``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def spec_file(self) -> Path:
        """Where the spec is kept."""
        return self.path / "audit.json"

    def target(self, key: str) -> Path:
        """Return the folder of a prepared target."""
        return self.path / "targets" / key

    def looks(self, key: str) -> Path:
        """Return where the cells of a prepared target find what it says of the pool, while the audit runs."""
        return self.target(key) / "insider.npy"

    def cell(self, key: str) -> Path:
        """Return the folder of a cell."""
        return self.path / "cells" / key

    @property
    def exploration(self) -> Path:
        """What the data sets look like, where that was asked for."""
        return self.path / "exploration.json"

    @property
    def memo(self) -> Path:
        """Where shared intermediate arrays are kept while the audit runs."""
        return self.path / "memo"

    def hold(self) -> IO[str]:
        """Make the folder and keep other runs out until the returned file is closed.

        Raises
        ------
        InvalidInput
            If the folder cannot be written to.
        LedgerError
            If another run holds it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = open(self.path / ".lock", "w")  # noqa: SIM115 - held until the caller closes it
        except OSError as error:
            raise InvalidInput(
                f"the output folder {self.path} cannot be written to ({error.strerror}); choose another with --out."
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise LedgerError(
                f"the output folder {self.path} is in use by another run; wait for it or stop it."
            ) from None
        return lock

    def spec(self) -> AuditSpec | None:
        """Return the spec that is kept here, or None where none is."""
        if not self.spec_file.exists():
            return None
        return build_spec(read_json(self.spec_file, AUDIT_SCHEMA)["spec"])

    def retreat(self, spec: AuditSpec) -> None:
        """Go back to a spec that was kept here before a wider one, unless that has finished cells of its own already.

        So an audit that could not grow, as a target refused what was asked for, stays what it was.
        """
        with suppress(SpecMismatch):
            self.adopt(spec)

    def adopt(self, spec: AuditSpec) -> None:
        """Write the spec, unless an audit of it is there already; raise as `check` does."""
        if self.check(spec):
            write_json(self.spec_file, {"schema": AUDIT_SCHEMA, "spec": spec.model_dump(mode="json")})

    def check(self, spec: AuditSpec) -> bool:
        """Return whether the spec is still to be written here; an audit counts once a target has been prepared.

        More seeds, budgets, strategies and answers may be asked for than an audit began with: its cells stay.

        Raises
        ------
        SpecMismatch
            If the folder holds an audit of another spec, or one with finished cells that this one lacks; the message
            shows the difference.
        InvalidInput
            If it holds other things than an audit.
        """
        kept = self.spec()
        if kept is None:
            self._refuse_foreign()
            return True
        held = kept.model_dump(mode="json")
        wanted = spec.model_dump(mode="json")
        if held == wanted:
            return False
        if not any(self.path.glob("targets/*/record.json")):
            return True  # the first try ended before anything was found out
        keys = sorted(key for key in held.keys() | wanted.keys() if held.get(key) != wanted.get(key))
        if _GRID.issuperset(keys):
            lost = {folder.parent.name for folder in self.path.glob("cells/*/record.json")}
            lost -= {cell.key for cell in spec.cells()}
            if not lost:
                return True
        lines = [f"  {key}: {_plain(held.get(key))} there, {_plain(wanted.get(key))} asked for" for key in keys]
        raise SpecMismatch(
            f"the folder {self.path} holds an audit of another spec:\n" + "\n".join(lines) + "\n"
            "Choose another folder with --out, or ask for what is there to go on with it; only seeds, budgets, "
            "strategies and answers may be added."
        )

    def _refuse_foreign(self) -> None:
        entries = self.path.iterdir() if self.path.is_dir() else ()
        foreign = sorted(entry.name for entry in entries if entry.name not in _OURS and ".part" not in entry.name)
        if foreign:
            raise InvalidInput(
                f"the output folder {self.path} holds other files ({', '.join(foreign[:4])}) and no audit; "
                "choose a new or empty folder with --out."
            )

    def clean(self) -> None:
        """Remove what only a running audit needs."""
        shutil.rmtree(self.memo, ignore_errors=True)
        for looks in self.path.glob("targets/*/insider.npy"):
            looks.unlink(missing_ok=True)
        for part in [path for path in self.path.rglob("*.part") if path.is_file()]:  # of processes that were killed
            part.unlink(missing_ok=True)


def _plain(value: object) -> str:
    return json.dumps(value)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a JSON document whole or not at all, and make it durable."""
    with written_whole(path) as part:
        part.write_text(_compact(json.dumps(document, indent=1, allow_nan=False)) + "\n", encoding="utf-8")


def _compact(text: str) -> str:
    """Put each innermost list on one line, so that a record can be read by eye."""
    return re.sub(r"\[\s+([^\[\]{}\"]*?)\s+\]", lambda match: "[" + re.sub(r"\s+", " ", match[1]) + "]", text)


def read_json(path: Path, schema: str) -> dict[str, Any]:
    """Read a JSON record and check what it is.

    Raises
    ------
    InvalidInput
        If it is missing, damaged, or of another schema.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}).") from None
    except ValueError as error:
        raise InvalidInput(
            f"{path} is damaged ({error}); move it away and run the audit again on the same folder."
        ) from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != schema:
        raise InvalidInput(
            f"{path} has schema {found!r}; this copycost reads {schema!r}. Move it away, or use the version that wrote "
            "it."
        )
    return dict(document)


def machine() -> dict[str, Any]:
    """Return what a reader needs to judge a time or a last digit: versions, processor, cores."""
    packages = ("numpy", "numba", "scipy", "torch", "torchvision")
    return {
        "copycost": __version__,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in packages},
        "processor": _processor(),
        "cores": os.cpu_count(),
        "device": device_name(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
