"""Compiles a bundle's models for neural processors: python -m quantize.compile BUNDLE

The chip makers' own compilers run here, without a phone and without an account. Each is installed
on demand in an environment of its own. The compiled files and a report go beside the bundle, and
what the compilers say about each model goes into bundle.json. The exit status is 1 if no model
could be compiled, and 2 if a compiler is missing.
"""

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from pocket_bokeh.bundle import Bundle, BundledModel, read_bundle, rewrite_description
from pocket_bokeh.disk import check_can_make, write_atomically
from pocket_bokeh.errors import UserError, run_command
from quantize.compilers.litert_plugin import MissingCompilerError
from quantize.compilers.process import CompilerError
from quantize.compilers.report import Compiled, read_report, results_table, to_json
from quantize.compilers.targets import DEFAULT_TARGETS, Target, choose_targets, targets_table


@dataclass(frozen=True)
class CompileOptions:
    """Compiles models with the chip makers' compilers and reports what they say."""

    bundle: tyro.conf.Positional[Path | None] = None
    """Folder created by quantize.export."""
    targets: Annotated[tuple[str, ...], tyro.conf.arg(name="for")] = DEFAULT_TARGETS
    """Chips as MAKER:CHIP, or MAKER:all; `list` shows all and what each compiler brings."""
    recipes: tuple[str, ...] = ()
    """Recipes to compile. Default: all that a chip takes."""
    out: Path | None = None
    """Folder for the compiled files and report.json. Default: BUNDLE_compiled."""
    time_limit: float = 600.0
    """Seconds for one model; then its compiler is stopped."""


def main() -> int:
    options = tyro.cli(CompileOptions, description=__doc__)
    if options.targets == ("list",):
        print(targets_table())
        return 0
    targets = choose_targets(options.targets)
    bundle, models = chosen_models(options, targets)
    out = options.out or beside(bundle.folder)
    check_can_make(out)
    missing = install(targets)
    report = out / "report.json"
    results: list[Compiled] = []
    for result in compile_all(bundle, models, targets, missing, out, options.time_limit):
        results.append(result)  # kept at once, so that an interruption loses nothing
        write_atomically(report, to_json([result], read_report(report)))
        bundle = with_verdicts(bundle, [result])
        rewrite_description(bundle)
    print(results_table(results))
    made = sum(result.bytes > 0 for result in results)
    print(f"{out}: {made} compiled models and report.json")
    for result in results:
        if result.verdict == "missing":
            raise UserError(f"{result.target}: its compiler is missing: {result.reason}")
    return 0 if made else 1


def beside(folder: Path) -> Path:
    """The folder for the compiled files, next to the bundle's."""
    return folder.resolve().with_name(f"{folder.resolve().name}_compiled")


def chosen_models(
    options: CompileOptions, targets: Sequence[Target]
) -> tuple[Bundle, tuple[BundledModel, ...]]:
    """The bundle and the models to compile.

    Raises:
        UserError: there is no bundle or recipe, or a target takes none of the models.
    """
    if options.bundle is None:
        raise UserError("which bundle? Name the folder that quantize.export created")
    if options.time_limit <= 0:
        raise UserError(f"--time-limit {options.time_limit:g}: expected more than 0 seconds")
    bundle = read_bundle(options.bundle)
    models = bundle.models_of_all(options.recipes)
    for target in targets:
        if not any(target.takes(model) for model in models):
            found = ", ".join(dict.fromkeys(model.recipe for model in models))
            raise UserError(
                f"{target.name} takes integer models only, but these are {found}; export the "
                "recipe int8_qat or choose it"
            )
    return bundle, models


def install(targets: Sequence[Target]) -> dict[str, str]:
    """Installs the targets' compilers; returns the reasons of failures by maker."""
    failures = {}
    for maker in {target.maker.name: target.maker for target in targets}.values():
        try:
            maker.installation.install()
        except UserError as error:
            failures[maker.name] = str(error)
    return failures


def compile_all(
    bundle: Bundle,
    models: Sequence[BundledModel],
    targets: Sequence[Target],
    missing: dict[str, str],
    out: Path,
    time_limit: float,
) -> Iterator[Compiled]:
    """Compiles every model for every target; yields the results.

    Args:
        bundle: the bundle of the models.
        models: the models.
        targets: the chips.
        missing: by maker, why its compiler is not there.
        out: folder for the compiled files; created if needed.
        time_limit: seconds for one model.
    """
    out.mkdir(parents=True, exist_ok=True)
    jobs = [(model, target) for target in targets for model in models]
    for model, target in tqdm(jobs, desc="compile"):
        yield compile_one(bundle.folder / model.file, model, target, missing, out, time_limit)


def compile_one(
    file: Path,
    model: BundledModel,
    target: Target,
    missing: dict[str, str],
    out: Path,
    time_limit: float,
) -> Compiled:
    """Compiles one model; a failure of the compiler is a result, too."""
    if not target.takes(model):
        reason = f"{model.recipe} computes with floats; the chip computes with integers only"
        return Compiled(model.file, target.name, "no", reason)
    if target.maker.name in missing:
        return Compiled(model.file, target.name, "missing", missing[target.maker.name])
    name = f"{file.stem}.{target.name.replace(':', '_')}{target.maker.suffix}"
    try:
        return target.maker.compile(file, target.chip, out / name, time_limit)
    except MissingCompilerError as error:
        return Compiled(model.file, target.name, "missing", str(error))
    except CompilerError as error:
        return Compiled(model.file, target.name, "no", str(error))


def with_verdicts(bundle: Bundle, results: Sequence[Compiled]) -> Bundle:
    """The bundle with what the compilers said; verdicts on other chips are kept."""
    models = []
    for model in bundle.models:
        said = {
            result.target: result.for_bundle()
            for result in results
            if result.model == model.file and result.verdict != "missing"
        }
        models.append(dataclasses.replace(model, compiled={**model.compiled, **said}))
    return dataclasses.replace(bundle, models=tuple(models))


if __name__ == "__main__":
    run_command(lambda: sys.exit(main()))
