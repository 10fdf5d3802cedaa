"""The command line: parses, calls, prints."""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from copycost._version import __version__
from copycost.errors import CopycostError, MissingExtra

if TYPE_CHECKING:
    from copycost.audit import AuditResult, Plan

app = typer.Typer(
    help="How many queries does it take to copy a classifier? Measure it on models that you own or may test.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


Pictures = Annotated[
    bool, typer.Option("--pictures/--no-pictures", help="Show images of the pool in the report; not for private data.")
]


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"copycost {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options that come before a command."""


@app.command()
def audit(
    target: Annotated[
        str | None,
        typer.Argument(
            help="module:function (imported, so its code RUNS; takes uint8 images n x h x w x c, returns labels "
            "or probabilities), "
            "FILE.safetensors with --target-arch, ARCH@DATA such as lenet5@mnist:train (trained here for each "
            "seed), or labels "
            "(the known labels answer). Left out: the embedded default, 5,000 real digits."
        ),
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="What may be asked: mnist:train, mnist:train[:10000], images.npz …")
    ] = None,
    test: Annotated[str | None, typer.Option(help="Held-out images to measure on, such as mnist:test.")] = None,
    budget: Annotated[str | None, typer.Option(help="Queries a copy may use, such as 50,150,300,600.")] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(help='Such as random or "drmi alpha=4 group=label"; may be given again.'),
    ] = None,
    answers: Annotated[
        str | None, typer.Option(help="top1, probabilities, topk:K, rounded:D; several with commas.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Repetitions; seeds 0, 1, …")] = None,
    substitute: Annotated[str | None, typer.Option(help="Architecture of the copy: lenet5, c3f2, dnn5.")] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help='How copies train: "steps:3000 batch=4", epochs:30, early-stopping:1000.'),
    ] = None,
    target_arch: Annotated[str | None, typer.Option(help="Architecture of a safetensors target.")] = None,
    target_mean: Annotated[
        str | None, typer.Option(help="What a safetensors target subtracts from [0, 1], by channel, such as 0.1307.")
    ] = None,
    target_deviation: Annotated[
        str | None, typer.Option(help="What it divides by, by channel, such as 0.3081.")
    ] = None,
    target_schedule: Annotated[str | None, typer.Option(help="How an ARCH@DATA target trains.")] = None,
    classes: Annotated[int | None, typer.Option(help="Number of classes, where the data does not tell.")] = None,
    transfer: Annotated[
        str | None, typer.Option(help='Adversarial examples, such as "images=200 epsilon=0.5 steps=40".')
    ] = None,
    uniform: Annotated[int | None, typer.Option(help="Uniform random inputs for RU-agreement.")] = None,
    levels: Annotated[str | None, typer.Option(help="Levels of agreement to report, such as 0.8,0.9,0.95.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML file of the same settings; options given here beat it.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for records, ledgers and the report; run again to go on.")] = Path(
        "audit"
    ),
    data_dir: Annotated[
        Path | None, typer.Option(help="Where data sets lie; else COPYCOST_DATA, else ~/.cache/copycost.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes, one thread each; else one a core.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be asked and charged, and stop.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
    pictures: Pictures = True,
) -> None:
    """Measure how many queries copy a target, and write a report."""
    _need_audit()
    from copycost.audit import build_spec, embedded_default, read_config

    flags = {
        "target": target,
        "pool": pool,
        "test": test,
        "budgets": budget,
        "strategies": strategy or None,
        "answers": answers,
        "seeds": seeds,
        "substitute": substitute,
        "schedule": schedule,
        "target_arch": target_arch,
        "target_mean": target_mean,
        "target_deviation": target_deviation,
        "target_schedule": target_schedule,
        "classes": classes,
        "transfer": _pairs("transfer", transfer),
        "uniform": uniform,
        "levels": levels,
    }
    given = {name: value for name, value in flags.items() if value is not None}
    values = (read_config(config) if config else {}) | given
    if not values.keys() & {"target", "pool", "test"}:
        values = embedded_default() | values
    spec = build_spec(values)
    console = Console(quiet=quiet, stderr=False, highlight=False)
    if plan:
        _print_plan(_plan_only(spec, out, data_dir, workers), Console(highlight=False))
        return
    result = _run(spec, out, data_dir, workers, console)
    _write_report(result, out, data_dir, pictures)
    _print_result(result, out, Console(highlight=False))


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The --out folder of a finished audit.")],
    data_dir: Annotated[Path | None, typer.Option(help="Where data sets lie, to show what was chosen.")] = None,
    pictures: Pictures = True,
) -> None:
    """Make the report of a finished audit again from its records."""
    _need_audit()
    from copycost.audit import read_audit

    _write_report(read_audit(folder), folder, data_dir, pictures)
    print(f"report: {folder / 'report.html'}")


def _need_audit() -> None:
    try:
        import mlxtend  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f"this command needs an optional part ({error.name}); install it with: pip install 'copycost[audit]'"
        ) from None


def _pairs(name: str, text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    parts = [part.partition("=") for part in text.split()]
    if not parts or any(not equals for _, equals, _ in parts):
        raise CopycostError(f"--{name} is {text!r}; write name=value pairs separated by spaces.")
    return {key: value for key, _, value in parts}


def _plan_only(spec: Any, out: Path, data_dir: Path | None, workers: int | None) -> Plan:
    from copycost.audit import Folder, make_plan
    from copycost.audit._scenario import load_data

    return make_plan(spec, Folder(out), load_data(spec, 0, data_dir), workers or os.cpu_count() or 1)


def _run(spec: Any, out: Path, data_dir: Path | None, workers: int | None, console: Console) -> AuditResult:
    from copycost._progress import Display
    from copycost.audit import run_audit

    with Display(console) as display:

        def planned(found: Plan) -> None:
            _print_plan(found, console)
            display.begin(found)

        return run_audit(
            spec,
            out,
            data_dir=data_dir,
            workers=workers or os.cpu_count() or 1,
            command=shlex.join(["copycost", *sys.argv[1:]]),
            planned=planned,
            tell=display.tell,
        )


def _write_report(result: AuditResult, out: Path, data_dir: Path | None, pictures: bool) -> None:
    from copycost.report import chosen_images, render

    page = render(result, pictures=pictures, images=lambda cell: chosen_images(result, cell, data_dir))
    part = out / "report.html.part"
    part.write_text(page, encoding="utf-8")
    part.replace(out / "report.html")


def _print_plan(plan: Plan, console: Console) -> None:
    minutes = plan.seconds / 60
    length = f"{minutes:.0f} minutes" if minutes >= 2 else f"{plan.seconds:.0f} seconds"
    console.print(f"plan: {plan.cells} cells, {plan.finished} of them finished; about {length} to go")
    console.print(f"      {plan.copying:,} queries charged to copy, {plan.held_out:,} for the held-out images,")
    console.print(f"      {plan.measuring:,} to measure transferability and uniform agreement")


def _print_result(result: AuditResult, out: Path, console: Console) -> None:
    for found in result.needed:
        if found.level == _headline_level(result):
            console.print(
                f"{found.level:.0%} agreement, {found.strategy}, {found.answers}: {found.needed.words}",
                markup=False,
            )
    console.print(f"report: {out / 'report.html'}", markup=False)


def _headline_level(result: AuditResult) -> float:
    return 0.9 if 0.9 in result.spec.levels else result.spec.levels[-1]


def main() -> None:
    """Run the command line; an error is a sentence, never a traceback."""
    try:
        app()
    except CopycostError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; finished cells are kept. Run the same command again to go on.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        log = Path("copycost-error.log")
        log.write_text(traceback.format_exc(), encoding="utf-8")
        print(
            f"error: copycost met a defect of its own ({type(error).__name__}: {error}); please report it with {log}.",
            file=sys.stderr,
        )
        sys.exit(70)
