"""Commands about audits: their arguments, and what they print."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from copycost.errors import InvalidInput, MissingExtra

__all__ = ["audit", "compare", "export", "need_audit", "report"]

Price = Annotated[float | None, typer.Option(help="Money for one query; the answer is then also said as money.")]
Rate = Annotated[str | None, typer.Option(help="Queries over time, such as 10/s or 600/min; then also said as hours.")]
Pictures = Annotated[
    bool, typer.Option("--pictures/--no-pictures", help="Show images of the pool in the report; not for private data.")
]


def need_audit() -> None:
    try:
        import mlxtend  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f"this command needs an optional part ({error.name}); install it with: pip install 'copycost[audit]'"
        ) from None


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
    compared: Annotated[
        str | None, typer.Option(help="original: drmi and coverage compare images as they are before the transform.")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Queries a copy may use, such as 50,150,300,600.")] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(help='Such as random or "drmi alpha=4 group=label"; may be given again.'),
    ] = None,
    answers: Annotated[
        str | None, typer.Option(help="top1, probabilities, topk:K, rounded:D; several with commas.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Repetitions; seeds 0, 1, …")] = None,
    substitute: Annotated[
        str | None,
        typer.Option(help='Architecture of the copy: lenet5, "activethief-bc width=8", vgg16, kim (texts) …'),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help='How copies train: "steps:3000 batch=4", epochs:30, early-stopping:1000.'),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(help="Rounds of strategies that look at the copy in between, such as k-center.")
    ] = None,
    seed_share: Annotated[
        float | None, typer.Option(help="Share of a budget that starts such a strategy at random; 0.1 if left out.")
    ] = None,
    validation_share: Annotated[
        float | None, typer.Option(help="Share of every budget that tells an early-stopping schedule the best epoch.")
    ] = None,
    vectors: Annotated[
        str | None, typer.Option(help="Word vectors for copies of text classifiers: glove:50d, or a file.")
    ] = None,
    target_arch: Annotated[
        str | None, typer.Option(help="Architecture of a safetensors target: one of ours, or torchvision:NAME.")
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
    target_folds: Annotated[
        int | None,
        typer.Option(help="Train targets on all but one of so many folds; keep accuracy by epoch on it."),
    ] = None,
    target_folds_by: Annotated[
        str | None, typer.Option(help="image, or track to keep images of one video track (GTSRB) in one fold.")
    ] = None,
    classes: Annotated[int | None, typer.Option(help="Number of classes, where the data does not tell.")] = None,
    transfer: Annotated[
        str | None, typer.Option(help='Adversarial examples, such as "images=200 epsilon=0.5 steps=40".')
    ] = None,
    uniform: Annotated[int | None, typer.Option(help="Uniform random inputs for RU-agreement.")] = None,
    robustness: Annotated[
        int | None,
        typer.Option(help="Held-out images for rho, the robustness of the copy and of a target trained here."),
    ] = None,
    ceiling: Annotated[
        bool | None,
        typer.Option("--ceiling/--no-ceiling", help="Train a second target, to tell how far honest trainings agree."),
    ] = None,
    explore: Annotated[
        bool, typer.Option("--explore", help="Show class balance, samples, PCA and t-SNE of the data in the report.")
    ] = False,
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
    device: Annotated[
        str, typer.Option(help="Where networks are trained and run: cpu, cuda, cuda:N, or auto, CUDA if there is any.")
    ] = "cpu",
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
    need_audit()
    from copycost._commands import plan_audit, run
    from copycost._console import print_plan, print_result, result_document
    from copycost.audit import Cost, build_spec, embedded_default, fewest_needed, headline_level, read_config
    from copycost.report import write_page

    flags = {
        "target": target,
        "pool": pool,
        "test": test,
        "transform": transform,
        "skip_bad": skip_bad or None,
        "compared": compared,
        "budgets": budget,
        "strategies": strategy or None,
        "answers": answers,
        "seeds": seeds,
        "substitute": substitute,
        "schedule": schedule,
        "rounds": rounds,
        "seed_share": seed_share,
        "validation_share": validation_share,
        "vectors": vectors,
        "target_arch": target_arch,
        "target_mean": target_mean,
        "target_deviation": target_deviation,
        "target_output": target_output,
        "target_scale": target_scale,
        "target_schedule": target_schedule,
        "target_folds": target_folds,
        "target_folds_by": target_folds_by,
        "classes": classes,
        "transfer": transfer,
        "uniform": uniform,
        "robustness": robustness,
        "ceiling": ceiling,
        "explore": explore or None,
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
        print_plan(plan_audit(spec, out, data_dir, workers, device), Console(highlight=False))
        return
    result = run(spec, out, data_dir, workers, console, log, device=device)
    write_page(result, out, data_dir=data_dir, pictures=pictures, cost=cost)
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


def report(
    folder: Annotated[Path, typer.Argument(help="The --out folder of a finished audit.")],
    data_dir: Annotated[Path | None, typer.Option(help="Where data sets lie, to show what was chosen.")] = None,
    pictures: Pictures = True,
    price: Price = None,
    rate: Rate = None,
) -> None:
    """Make the report of a finished audit again from its records."""
    need_audit()
    from copycost.audit import Cost, read_audit
    from copycost.report import write_page

    cost = Cost.read(price, rate)
    print(f"report: {write_page(read_audit(folder), folder, data_dir=data_dir, pictures=pictures, cost=cost)}")


def compare(
    first: Annotated[Path, typer.Argument(help="The --out folder of a finished audit, such as before a change.")],
    second: Annotated[Path, typer.Argument(help="That of another, such as after it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Put two audits side by side, with intervals of the differences."""
    need_audit()
    from copycost._console import comparison_document, print_comparison
    from copycost.audit import compare, read_audit

    found = compare(read_audit(first), read_audit(second))
    if as_json:
        print(json.dumps(comparison_document(found), indent=1))
    else:
        print_comparison(found, Console(highlight=False))


def export(
    folder: Annotated[Path, typer.Argument(help="The --out folder of a finished audit.")],
    to: Annotated[Path, typer.Argument(help="New folder for the tables, the chosen indices and the substitutes.")],
) -> None:
    """Write every table as CSV, every chosen index, and every substitute as safetensors."""
    need_audit()
    from copycost.audit import export, read_audit

    files = export(read_audit(folder), folder, to)
    print(f"{len(files)} files in {to}")
