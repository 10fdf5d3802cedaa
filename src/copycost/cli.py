"""The command line: parses, calls, prints."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from copycost._version import __version__
from copycost.errors import CopycostError, InvalidInput, MissingExtra, Stopped

app = typer.Typer(
    help="How many queries does it take to copy a classifier? Measure it on models that you own or may test.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


Price = Annotated[float | None, typer.Option(help="Money for one query; the answer is then also said as money.")]
Rate = Annotated[str | None, typer.Option(help="Queries over time, such as 10/s or 600/min; then also said as hours.")]
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
            "or probabilities), FILE.onnx, FILE.skops (scikit-learn), FILE.safetensors with --target-arch (ours, or "
            "torchvision:NAME), ARCH@DATA such as lenet5@mnist:train (trained here for each seed), or labels (the "
            "known labels answer). Files that can carry code (.pt, .pkl, .keras, …) are not opened: export to ONNX. "
            "Left out: the embedded default, 5,000 real digits."
        ),
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="What may be asked: mnist:train, mnist:train[:10000], images.npz, a folder …")
    ] = None,
    test: Annotated[str | None, typer.Option(help="Held-out images to measure on, such as mnist:test.")] = None,
    transform: Annotated[
        str | None,
        typer.Option(
            help='How every image is changed first, such as "size=28x28 colour=grey"; resample=bilinear, nearest, '
            "bicubic or area; fit=stretch, crop or pad."
        ),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out files of a folder that are no images or damaged; count them.")
    ] = False,
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
    target_arch: Annotated[
        str | None, typer.Option(help="Architecture of a safetensors target: lenet5, c3f2, dnn5, torchvision:NAME.")
    ] = None,
    target_mean: Annotated[
        str | None, typer.Option(help="What a weights or ONNX file subtracts from [0, 1], by channel, such as 0.1307.")
    ] = None,
    target_deviation: Annotated[str | None, typer.Option(help="What it divides by, such as 0.3081.")] = None,
    target_output: Annotated[
        str | None, typer.Option(help="What an ONNX model ends in: probabilities, logits or labels; else found out.")
    ] = None,
    target_scale: Annotated[
        str | None, typer.Option(help="unit, or bytes where an ONNX or scikit-learn model takes pixels from 0 to 255.")
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the result alone, as JSON.")] = False,
    log: Annotated[Path | None, typer.Option(help="File that gets a line for whatever the workers do.")] = None,
    price: Price = None,
    rate: Rate = None,
    fail_under: Annotated[
        int | None,
        typer.Option(min=1, help="End with status 1 if 90 % agreement takes fewer queries than this, for a pipeline."),
    ] = None,
    pictures: Pictures = True,
) -> None:
    """Measure how many queries copy a target, and write a report."""
    _need_audit()
    from copycost._commands import plan_audit, run, write_report
    from copycost._console import print_plan, print_result, result_document
    from copycost.audit import Cost, build_spec, embedded_default, fewest_needed, headline_level, read_config

    flags = {
        "target": target,
        "pool": pool,
        "test": test,
        "transform": transform,
        "skip_bad": skip_bad or None,
        "budgets": budget,
        "strategies": strategy or None,
        "answers": answers,
        "seeds": seeds,
        "substitute": substitute,
        "schedule": schedule,
        "target_arch": target_arch,
        "target_mean": target_mean,
        "target_deviation": target_deviation,
        "target_output": target_output,
        "target_scale": target_scale,
        "target_schedule": target_schedule,
        "classes": classes,
        "transfer": transfer,
        "uniform": uniform,
        "levels": levels,
    }
    given = {name: value for name, value in flags.items() if value is not None}
    values = (read_config(config) if config else {}) | given
    if not values.keys() & {"target", "pool", "test"}:
        values = embedded_default() | values
    spec = build_spec(values)
    cost = Cost.read(price, rate)
    if fail_under is not None and fail_under > max(spec.budgets):
        raise InvalidInput(
            f"--fail-under is {fail_under} and the largest budget {max(spec.budgets)}, which cannot tell; add a "
            f"budget of "
            f"{fail_under} or more."
        )
    console = Console(quiet=quiet or as_json, highlight=False)
    if plan:
        print_plan(plan_audit(spec, out, data_dir, workers), Console(highlight=False))
        return
    result = run(spec, out, data_dir, workers, console, log)
    write_report(result, out, data_dir, pictures, cost)
    if as_json:
        print(json.dumps(result_document(result, out, cost), indent=1))
    else:
        print_result(result, out, cost, Console(highlight=False))
    best = fewest_needed(result)
    if fail_under is not None and best is not None and (best.needed.queries or 0) < fail_under:
        print(
            f"{headline_level(result):.0%} agreement takes {best.needed.words} ({best.strategy}, {best.answers}), "
            f"fewer than the {fail_under} demanded.",
            file=sys.stderr,
        )
        raise typer.Exit(1)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The --out folder of a finished audit.")],
    data_dir: Annotated[Path | None, typer.Option(help="Where data sets lie, to show what was chosen.")] = None,
    pictures: Pictures = True,
    price: Price = None,
    rate: Rate = None,
) -> None:
    """Make the report of a finished audit again from its records."""
    _need_audit()
    from copycost._commands import write_report
    from copycost.audit import Cost, read_audit

    write_report(read_audit(folder), folder, data_dir, pictures, Cost.read(price, rate))
    print(f"report: {folder / 'report.html'}")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="The --out folder of a finished audit, such as before a change.")],
    second: Annotated[Path, typer.Argument(help="That of another, such as after it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Put two audits side by side, with intervals of the differences."""
    _need_audit()
    from copycost._console import comparison_document, print_comparison
    from copycost.audit import compare, read_audit

    found = compare(read_audit(first), read_audit(second))
    if as_json:
        print(json.dumps(comparison_document(found), indent=1))
    else:
        print_comparison(found, Console(highlight=False))


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="The --out folder of a finished audit.")],
    to: Annotated[Path, typer.Argument(help="New folder for the tables, the chosen indices and the substitutes.")],
) -> None:
    """Write every table as CSV, every chosen index, and every substitute as safetensors."""
    _need_audit()
    from copycost.audit import export, read_audit

    files = export(read_audit(folder), folder, to)
    print(f"{len(files)} files in {to}")


@app.command()
def reduce(
    pool: Annotated[
        str, typer.Argument(help="What to reduce: a folder of images of any sizes, images.npz, mnist:train[:10000] …")
    ],
    out: Annotated[str, typer.Option(help="small.txt (a list), small.csv, small.npz, or the name of a new folder.")],
    size: Annotated[int | None, typer.Option(help="Images to choose; else the largest of --sizes.")] = None,
    sizes: Annotated[
        str | None, typer.Option(help="Such as 50,100,200: how the objective, and accuracy, depend on the size.")
    ] = None,
    strategy: Annotated[str, typer.Option(help="coverage, drmi or random.")] = "coverage",
    by_label: Annotated[bool, typer.Option("--by-label", help="Reduce every class to its share.")] = False,
    keep: Annotated[Path | None, typer.Option(help="File of what must be in: a file name or an index a line.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes what is left to chance.")] = 0,
    reference: Annotated[int | None, typer.Option(help="Cover a sample of so many images rather than all.")] = None,
    transform: Annotated[
        str | None, typer.Option(help='How images are compared, such as "size=28x28 colour=grey"; else within 32 x 32.')
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave damaged files out and count them.")] = False,
    duplicates: Annotated[float, typer.Option(help="Similarity from which a pair counts as near-duplicates.")] = 0.65,
    accuracy: Annotated[
        bool, typer.Option("--accuracy/--no-accuracy", help="With --sizes and labels: train on each; needs torch.")
    ] = True,
    test: Annotated[str | None, typer.Option(help="Test set for accuracy; else a part is held out.")] = None,
    link: Annotated[bool, typer.Option("--link", help="A new folder holds links instead of copies.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier reduction.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Where data sets lie.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what it takes, and stop.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Choose a smaller set of images that stands for a larger one; works without torch."""
    from copycost.datasets import Transform
    from copycost.reduce import Request, run_command

    request = Request(
        pool,
        out,
        size=size,
        sizes=sizes,
        strategy=strategy,
        by_label=by_label,
        keep=keep,
        seed=seed,
        reference=reference,
        transform=None if transform is None else Transform.parse(transform),
        duplicates=duplicates,
        accuracy=accuracy,
        test=test,
        skip_bad=skip_bad,
        link=link,
        overwrite=overwrite,
        data_dir=data_dir,
        command=shlex.join(["copycost", *sys.argv[1:]]),
    )
    run_command(request, plan_only=plan, quiet=quiet)


def _need_audit() -> None:
    try:
        import mlxtend  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f"this command needs an optional part ({error.name}); install it with: pip install 'copycost[audit]'"
        ) from None


def main() -> None:
    """Run the command line; an error is a sentence, never a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except Stopped as error:
        _say(str(error), head="")
        sys.exit(130)
    except CopycostError as error:
        _say(str(error))
        sys.exit(2)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EFBIG):
            _own_defect(error)
        _say(f"{error.filename or 'a file'} cannot be used ({error.strerror}); make room or choose another place.")
        sys.exit(2)
    except Exception as error:
        _own_defect(error)


def _own_defect(error: Exception) -> NoReturn:
    log = Path(tempfile.gettempdir()) / f"copycost-error-{os.getpid()}.log"
    log.write_text(traceback.format_exc(), encoding="utf-8")
    _say(f"copycost met a defect of its own ({type(error).__name__}: {error}); please report it with {log}.")
    sys.exit(70)


def _say(text: str, head: str = "error: ") -> None:
    print(f"{head}{text}", file=sys.stderr)
