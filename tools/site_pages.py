"""Pages of the site that are written from the code: API by floor, catalogue, sources, blueprints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "constructs" / "cdk_ml_lens"
_SHOWN = 3  # examples in a row of the catalogue
FLOORS = {
    "core": "Core",
    "network": "Network",
    "iot": "IoT",
    "lake": "Lake",
    "training": "Training",
    "registry": "Registry",
    "hosting": "Hosting",
    "monitoring": "Monitoring",
    "patterns": "Patterns",
    "review": "Review",
}


@dataclass(frozen=True, kw_only=True)
class Public:
    """One public name.

    Parameters
    ----------
    name, module : str
        ``DeviceFleet``, ``cdk_ml_lens.iot.fleet``.
    kind : str
        ``construct``, ``value`` or ``function``.
    summary : str
        First line of its docstring.
    """

    name: str
    module: str
    kind: str
    summary: str

    @property
    def floor(self) -> str:
        """Floor it is on, which is the page of its reference."""
        return self.module.split(".")[1]


def public() -> list[Public]:
    """Return every name of ``cdk_ml_lens.__all__``, read from the source without importing the CDK."""
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    homes = dict(re.findall(r'^    "(\w+)": "([\w.]+)",$', text, flags=re.MULTILINE))
    return [_read(name, f"cdk_ml_lens.{module}") for name, module in sorted(homes.items())]


def _read(name: str, module: str) -> Public:
    path = ROOT / "constructs" / Path(*module.split(".")).with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            summary = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
            return Public(name=name, module=module, kind=_kind(node), summary=summary)
    return Public(name=name, module=module, kind="value", summary=_constant(path))


def _kind(node: ast.ClassDef | ast.FunctionDef) -> str:
    if isinstance(node, ast.FunctionDef):
        return "function"
    return "construct" if any(ast.unparse(base).split(".")[-1] == "Construct" for base in node.bases) else "value"


def _constant(path: Path) -> str:
    """Return the first line of the module, for a name that is no class or function."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def api() -> dict[str, str]:
    """Return one reference page per floor: constructs first, then what they take."""
    pages = {}
    for floor, title in FLOORS.items():
        names = sorted((item for item in public() if item.floor == floor), key=lambda item: item.kind != "construct")
        blocks = "\n\n".join(f"::: {item.module}.{item.name}\n    options:\n      heading_level: 2" for item in names)
        pages[f"api/{floor}.md"] = f"# {title}\n\n{blocks}\n"
    return pages


def catalogue() -> str:
    """Return the page of all public names: every construct by floor, then values and functions."""
    names, used = public(), dict(_uses())
    lines = ["# Catalogue", "", f"{len(names)} public names; each row leads to its reference.", ""]
    for floor, title in FLOORS.items():
        rows = [item for item in names if item.floor == floor and item.kind == "construct"]
        if rows:
            lines += [f"## {title}", "", "| Construct | What it is | Examples |", "| --- | --- | --- |"]
            lines += [f"| {_link(item)} | {item.summary} | {used.get(item.name, '')} |" for item in rows] + [""]
    lines += ["## Values and functions", "", "| Name | Floor | What it is |", "| --- | --- | --- |"]
    lines += [f"| {_link(item)} | {item.floor} | {item.summary} |" for item in names if item.kind != "construct"]
    return "\n".join(lines) + "\n"


def _link(item: Public) -> str:
    return f"[`{item.name}`](api/{item.floor}.md#{item.module}.{item.name})"


def _uses() -> Iterator[tuple[str, str]]:
    """Yield each name with links to the examples that import it."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "examples").glob("*.py")):
        for name in set(re.findall(r"\b[A-Z]\w+\b", path.read_text(encoding="utf-8"))):
            found.setdefault(name, []).append(f"[{path.stem}](examples/{path.stem}.md)")
    for name, links in found.items():
        more = f" and {len(links) - _SHOWN} more" if len(links) > _SHOWN else ""
        yield name, ", ".join(links[:_SHOWN]) + more


def sources(folder: str, title: str) -> dict[str, str]:
    """Return a page for each Python file of a folder, and one that lists them."""
    pages, rows = {}, []
    for path in sorted((ROOT / folder).glob("*.py")):
        if path.stem == "__init__":
            continue
        text = path.read_text(encoding="utf-8")
        summary = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
        pages[f"{folder}/{path.stem}.md"] = f"# {path.name}\n\n{summary}\n\n```python\n{text}```\n"
        rows.append(f"| [{path.stem}]({path.stem}.md) | {summary} |")
    head = f"# {title}\n\n| File | What it shows |\n| --- | --- |\n"
    return {**pages, f"{folder}/index.md": head + "\n".join(rows) + "\n"}


def blueprint(name: str, picture: str) -> str:
    """Return the page of one blueprint."""
    return (
        f"---\nhide: [toc, navigation]\n---\n# {name}\n\n"
        "Drawn from the construct tree and the template. A box is a construct with "
        "its resources; an arrow leads to what it uses. Keys, policies and references of alarms are left out.\n\n"
        f'<div class="blueprint" markdown="0">{picture}</div>\n'
    )
