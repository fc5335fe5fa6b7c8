"""Finds the line of each resource in the text of a JSON template."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?|[{}\[\]]')


def of_resources(text: str) -> dict[str, int]:
    """Return the line of each logical id below ``Resources``, counted from 1.

    Parameters
    ----------
    text : str
        The template as it is in the file; on one line, if its author likes, or indented.
    """
    found: dict[str, int] = {}
    inside = ""
    for depth, key, at in _keys(text):
        if depth == 1:
            inside = key
        elif depth == 2 and inside == "Resources":
            found[key] = text.count("\n", 0, at) + 1
    return found


def _keys(text: str) -> Iterator[tuple[int, str, int]]:
    """Yield depth, name and position of every key."""
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = token[0][0]
        if mark == '"':
            if token[1] is not None and depth <= 2:
                yield depth, token[0][1 : token[0].rindex('"')], token.start()
        else:
            depth += 1 if mark in "{[" else -1
