"""Keep what a reproduction measured under results/reproduction: ``python tools/keep_reproduction.py OUT``.

Of each finished audit below ``OUT/SCALE`` the merged records are kept, and what its data look like; of each table of
which something is measured the page as Markdown, made from the records that are kept, and a list of all pages with what
each found. Ledgers and weights stay behind.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from copycost.reproduce import library, render
from copycost.reproduce._markdown import safe
from copycost.reproduce._sentences import against_summary, compared, progress
from copycost.reproduce._view import View

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "results" / "reproduction"
SCALES = ("small", "paper")
FILES = ("records.json", "exploration.json")


def main() -> int:
    """Copy records and write pages."""
    out = Path(sys.argv[1])
    for scale in SCALES:
        for records in sorted(out.glob(f"{scale}/*/records.json")):
            folder = KEPT / scale / records.parent.name
            folder.mkdir(parents=True, exist_ok=True)
            for name in FILES:
                if (records.parent / name).exists():
                    shutil.copyfile(records.parent / name, folder / name)
        write_pages(KEPT, scale)
    return 0


def write_pages(kept: Path, scale: str) -> None:
    """Write the page of every table of which something is measured, and their list; remove the page of any other."""
    if not (kept / scale).is_dir():
        return
    found = pages(kept, scale)
    for old in (kept / scale).glob("*.md"):
        if old.name not in found:
            old.unlink()
    for name, page in found.items():
        (kept / scale / name).write_text(page, encoding="utf-8")


def pages(kept: Path, scale: str) -> dict[str, str]:
    """Return the page of every table of which something is measured, by file name, and ``README.md``, their list."""
    found, lines = {}, [_HEAD.format(scale=scale)]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "reproduction"
        shutil.copytree(kept / scale, copy / scale)
        for table in library().chosen("all"):
            for view in render(table.name, scale, copy):
                if view.missing < view.expected:
                    found[f"{table.name}.md"] = (copy / scale / f"{table.name}.md").read_text(encoding="utf-8")
                    lines.append(_line(view))
    return {**found, "README.md": "\n".join(lines) + "\n"} if found else {}


_HEAD = """# What the papers published, measured at the scale `{scale}`

Made by `python tools/keep_reproduction.py` from the records in these folders; nothing was typed by hand.

| page | what | measured | against the paper | against random |
| --- | --- | --- | --- | --- |"""


def _line(view: View) -> str:
    name, said = view.table.name, against_summary(view) if view.against else ""
    return f"| [{name}]({name}.md) | {safe(view.table.title)} | {progress(view)} | {compared(view)} | {said} |"


if __name__ == "__main__":
    sys.exit(main())
