"""Partition projection: which values a partition may have, and where its files are, without asking the catalog.

Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Table = dict[str, Any]
_NOW = re.compile(r"NOW(?:\s*([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?")
_DAYS = {"YEAR": 365.0, "MONTH": 30.0, "WEEK": 7.0, "DAY": 1.0, "HOUR": 1 / 24, "MINUTE": 1 / 1440, "SECOND": 1 / 86400}
_JAVA = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "'": ""}


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The rules of a table, by column."""

    rules: dict[str, dict[str, str]]

    @staticmethod
    def of(table: Table) -> Projection | None:
        """Return the projection of ``table``, ``None`` if its partitions are in the catalog."""
        parameters = {key: str(value) for key, value in (table.get("Parameters") or {}).items()}
        if parameters.get("projection.enabled", "").lower() != "true":
            return None
        rules: dict[str, dict[str, str]] = {}
        for key in table.get("PartitionKeys") or []:
            start = f"projection.{key['Name']}."
            rules[key["Name"].lower()] = {
                name.removeprefix(start): value for name, value in parameters.items() if name.startswith(start)
            }
        return Projection(rules=rules)

    def unnamed(self, query: str) -> str | None:
        """Return an injected column that ``query`` does not compare with anything."""
        for name, rule in self.rules.items():
            compared = re.search(rf'\b{name}"?\s*(=|in\b)', query, re.IGNORECASE)
            if rule.get("type") == "injected" and compared is None:
                return name
        return None

    def holds(self, values: dict[str, str]) -> bool:
        """Tell whether there is a partition with these values."""
        return all(_possible(self.rules[name], value) for name, value in values.items())


def key_pattern(table: Table, keys: list[str]) -> str:
    """Return a pattern of URLs with one group for each partition key."""
    location = str(table["StorageDescriptor"]["Location"]).rstrip("/")
    parameters = table.get("Parameters") or {}
    hive = "/".join([location, *(f"{key}=${{{key}}}" for key in keys)])
    template = str(parameters.get("storage.location.template") or hive).rstrip("/")
    pattern = re.escape(template)
    for key in keys:
        pattern = pattern.replace(re.escape(f"${{{key}}}"), f"(?P<{key}>[^/]+)", 1)
    return pattern + "/"


def _possible(rule: dict[str, str], value: str) -> bool:
    kind = rule.get("type", "injected")
    if kind == "enum":
        return value in [item.strip() for item in rule["values"].split(",")]
    if kind == "integer":
        first, last = (int(bound) for bound in rule["range"].split(","))
        return value.isdecimal() and first <= int(value) <= last and len(value) >= int(rule.get("digits", 1))
    if kind == "date":
        return _in_dates(rule, value)
    return True  # injected: any value


def _in_dates(rule: dict[str, str], value: str) -> bool:
    pattern = rule["format"]
    for java, python in _JAVA.items():
        pattern = pattern.replace(java, python)
    try:
        at = datetime.strptime(value, pattern).replace(tzinfo=UTC)
        first, last = (_bound(bound.strip(), pattern) for bound in rule["range"].split(","))
    except ValueError:
        return False
    return first <= at <= last


def _bound(text: str, pattern: str) -> datetime:
    found = _NOW.fullmatch(text)
    if found is None:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    sign, number, unit = found.groups()
    now = datetime.now(UTC)
    return now if sign is None else now + timedelta(days=int(f"{sign}{number}") * _DAYS[unit])
