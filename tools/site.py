"""Hooks of the site's build: catalogue, API, examples and blueprints come from the code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "constructs")]  # the hook is loaded by its path, not as a module of the checkout

from tools import blueprint_groups, blueprint_picture, site_pages  # noqa: E402

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(((?:\.\./)+[^)\s]+)\)")
_PAGES = {"examples": "examples", "stacks": "stacks"}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made from the code."""
    pages = site_pages.api() | site_pages.sources("examples", "Examples") | site_pages.sources("stacks", "Stacks")
    pages["catalogue.md"] = site_pages.catalogue()
    for path, content in (pages | _blueprints()).items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001
    """Point links that leave docs/ to the page made of that file; what has no page becomes its name."""
    here = PurePosixPath(page.file.src_uri).parent

    def target(found: re.Match[str]) -> str:
        image, text, link = found.groups()
        place, _, anchor = link.partition("#")
        inside = _inside(here, place)
        if inside is None or files.get_file_from_path(inside) is None:
            return text if image == "" else ""
        up = "../" * len(here.parts)
        return f"{image}[{text}]({up}{inside}{'#' + anchor if anchor else ''})"

    return _LINK.sub(target, markdown)


def _inside(here: PurePosixPath, link: str) -> str | None:
    """Return the page for a link, as a path below docs/."""
    parts: list[str] = ["docs", *here.parts]
    for step in PurePosixPath(link).parts:
        parts = parts[:-1] if step == ".." else [*parts, step]
    if parts[:1] == ["docs"]:
        return "/".join(parts[1:])
    if len(parts) == 2 and parts[0] in _PAGES and parts[1].endswith(".py"):
        return f"{parts[0]}/{parts[1].removesuffix('.py')}.md"
    return None


def _blueprints() -> dict[str, str]:
    """Synthesize the app and draw each stack on a page of its own."""
    with tempfile.TemporaryDirectory(prefix="ml-lens-site-") as out:
        context = json.dumps({"nag": "false"})
        settings = {"CDK_OUTDIR": out, "CDK_VALIDATION": "false", "CDK_CONTEXT_JSON": context}
        subprocess.run([sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **settings}, check=True)
        names = sorted(path.name.removesuffix(".template.json") for path in Path(out).glob("*.template.json"))
        drawn = {name: blueprint_picture.draw(blueprint_groups.read(Path(out), name)) for name in names}
    return {f"blueprints/{name}.md": site_pages.blueprint(name, picture) for name, picture in drawn.items()}
