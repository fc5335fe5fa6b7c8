"""`ml-lens new`: writes a small app with a stack, tests, rule packs and CI, which passes as it is."""

from __future__ import annotations

import argparse
import re
from importlib import metadata
from pathlib import Path

from rich.console import Console

STARTER = Path(__file__).parent / "starter"
_SUFFIX = ".tmpl"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class StarterError(ValueError):
    """The name cannot be that of a folder, a Python package and a stack at once, or the folder is in use."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder to make, named as the app: plant-alerts")


def main(options: argparse.Namespace) -> int:
    """Write the app and say what to do next."""
    files = write(options.folder)
    console = Console()
    console.print(f"wrote {len(files)} files to {options.folder}", soft_wrap=True)
    console.print(f"next: cd {options.folder} && make test", soft_wrap=True)
    return 0


def write(folder: Path) -> list[Path]:
    """Write the starter app to a new folder and return its files.

    Parameters
    ----------
    folder
        Folder to make; it may exist if it is empty.

    Raises
    ------
    StarterError
        If the folder's name is not of lower-case words joined by hyphens, or if the folder has content.
    """
    _check(folder)
    package = folder.name.replace("-", "_")
    names = {
        "my_app": package,
        "my-app": folder.name,
        "MyApp": "".join(word.capitalize() for word in package.split("_")),
        "$version": metadata.version("cdk-ml-lens"),
    }
    files = []
    for source in sorted(path for path in STARTER.rglob(f"*{_SUFFIX}")):
        place = _named(source.relative_to(STARTER).as_posix().removesuffix(_SUFFIX), names)
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_named(source.read_text(encoding="utf-8"), names), encoding="utf-8")
        files.append(target)
    return files


def _check(folder: Path) -> None:
    if _NAME.fullmatch(folder.name) is None:
        raise StarterError(f"FOLDER must be lower-case words joined by hyphens, got {folder.name!r}; say plant-alerts")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StarterError(f"FOLDER must be new or empty, got {folder}; nothing was written")


def _named(text: str, names: dict[str, str]) -> str:
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return text
