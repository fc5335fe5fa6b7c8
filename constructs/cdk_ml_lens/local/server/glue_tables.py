"""Glue's tables as AWS shows them: members that nobody gave are absent, and UpdateTable replaces the definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import glue

from .moto_bridge import Answer

# What CreateTable and UpdateTable take and MiniStack keeps from before, or fills with nothing.
_OPTIONAL = ("Description", "Owner", "Parameters", "PartitionKeys", "TableType", "ViewExpandedText", "ViewOriginalText")
_EMPTY = ("", None)


def install() -> None:
    """Make a table that was read one that can be written back.

    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html
    """
    glue._create_table = _exact(glue._create_table)
    glue._update_table = _exact(glue._update_table)


def _exact(change: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    def changed(data: dict[str, Any]) -> Answer:
        answer = change(data)
        if answer[0] < 400:
            given = data["TableInput"]
            table = glue._tables[f"{data['DatabaseName']}/{given['Name']}"]
            for name in [key for key, value in table.items() if value in _EMPTY]:
                del table[name]
            for name in _OPTIONAL:
                if name not in given:
                    table.pop(name, None)
        return answer

    return changed
