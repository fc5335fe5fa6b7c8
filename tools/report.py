"""`make report`: synthesizes every stack and every example with all rule packs, and writes one review of them."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from importlib import import_module
from pathlib import Path

os.environ.setdefault("CDK_VALIDATION", "false")  # the CDK's own validator: 5 s, and nothing that the packs need

import aws_cdk as cdk
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app import STACKS, flags
from cdk_ml_lens.review import assembly, baseline, outputs, sidecar, validation
from cdk_ml_lens.review.assembly import Assembly
from cdk_ml_lens.review.packs import PACKS, add_packs
from cdk_ml_lens.review.review import Review, review

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "report"
EVIDENCE = ROOT / "docs" / "evidence"
BASELINE = EVIDENCE / "baseline.json"
TITLE = "cdk-ml-lens: reference stacks and examples"

Build = Callable[[cdk.App], object]


def main(argv: Sequence[str]) -> int:
    """Write the report; with ``--write-baseline``, accept what it shows. Return 1 if findings are open."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="ml-lens-") as scratch:
        found = _synthesize_all(Path(scratch), console)
        before = baseline.read(BASELINE) if BASELINE.exists() else None
        made = review(found, title=TITLE, before=before, evidence_in=EVIDENCE)
        written = outputs.write(made, OUT, formats=outputs.FORMATS)
    if "--write-baseline" in argv:
        baseline.write(BASELINE, baseline.of(made.entries))
    _print(made, written, console)
    return 1 if made.open else 0


def apps() -> dict[str, Build]:
    """Return what builds each app: the stacks of app.py in one, every example in its own."""
    files = sorted((ROOT / "examples").glob("*.py"))
    names = [file.stem for file in files if not file.stem.startswith("test_")]
    return {"app.py": _stacks, **{f"examples/{name}.py": _example(name) for name in names}}


def synthesize(build: Build, folder: Path, *, name: str) -> Assembly:
    """Synthesize one app with every pack, and read what that left in ``folder``."""
    app = cdk.App(outdir=str(folder), context=flags())
    build(app)
    add_packs(app, *PACKS)
    _synth(app, folder)
    sidecar.write(app, folder, packs=PACKS)
    return assembly.read(folder, name=name)


def _synth(app: cdk.App, folder: Path) -> None:
    """Synthesize; open findings fail that after everything is written, and the report shows them."""
    try:
        app.synth()
    except RuntimeError:
        if not (folder / validation.FILE).exists():
            raise


def _synthesize_all(scratch: Path, console: Console) -> list[Assembly]:
    found = []
    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(apps()))
        for index, (name, build) in enumerate(apps().items()):
            progress.update(task, description=name)
            with redirect_stderr(io.StringIO()):  # the CDK prints what the report is about to say
                found.append(synthesize(build, scratch / str(index), name=name))
            progress.advance(task)
    return found


def _stacks(app: cdk.App) -> None:
    for name, stack in STACKS.items():
        stack(app, name)


def _example(name: str) -> Build:
    return lambda app: import_module(f"examples.{name}").build(app)


def _print(made: Review, written: Sequence[Path], console: Console) -> None:
    console.print(made.verdict)
    for path in written:
        console.print(f"wrote {path.relative_to(ROOT)}", highlight=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
