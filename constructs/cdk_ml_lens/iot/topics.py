"""RuleSql: the SQL of an IoT topic rule, built from typed parts instead of strings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cdk_ml_lens.core.errors import Faults

SQL_VERSION = "2016-03-23"
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_MAX_LEVELS = 8  # seven forward slashes: https://docs.aws.amazon.com/general/latest/gr/iot-core.html
_MAX_TOPIC_BYTES = 256


def topic_filter_fault(topic_filter: str) -> str | None:
    """Return why IoT Core would refuse a topic filter, or None.

    Parameters
    ----------
    topic_filter : str
        MQTT topic filter, for example ``devices/+/telemetry``.
    """
    levels = topic_filter.split("/")
    checks = (
        (not topic_filter, "not be empty"),
        ("'" in topic_filter, "not contain a quote"),
        (len(topic_filter.encode()) > _MAX_TOPIC_BYTES, f"be at most {_MAX_TOPIC_BYTES} bytes"),
        (len(levels) > _MAX_LEVELS, f"have at most {_MAX_LEVELS} levels"),
        ("#" in "/".join(levels[:-1]), "have '#' only as its last level"),
        (
            any(len(level) > 1 and set(level) & {"+", "#"} for level in levels),
            "use '+' and '#' as whole levels",
        ),
    )
    return next((rule for broken, rule in checks if broken), None)


@dataclass(frozen=True, kw_only=True)
class RuleSql:
    """Which messages a topic rule takes, and what of them.

    Parameters
    ----------
    topic_filter : str
        MQTT topic filter of the FROM clause.
    device_level : int
        1-based topic level that holds the device's name; it becomes ``device_id``. Default: 2.
    fields : sequence of str, optional
        JSON fields to select. Default: the whole payload, byte for byte, as base64, so that a payload that
        is no JSON at all still reaches the scorer and is quarantined with its reason.
    condition : str, optional
        WHERE clause without the keyword. Default: every message. A payload that is not JSON matches no condition.
    statement : str, optional
        Raw SQL that replaces all of the above; see `raw`. Default: none.

    Raises
    ------
    PropError
        When the topic filter, a field or the level is not what IoT Core accepts.

    Notes
    -----
    Source: https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-reference.html
    """

    topic_filter: str
    device_level: int = 2
    fields: tuple[str, ...] | None = None
    condition: str | None = None
    statement: str | None = None

    def __post_init__(self) -> None:
        if self.statement is not None:
            return
        faults = Faults("rule SQL")
        broken = topic_filter_fault(self.topic_filter)
        faults.unless(broken is None, "topic_filter", str(broken), self.topic_filter)
        faults.within("device_level", self.device_level, 1, _MAX_LEVELS)
        for field in self.fields or ():
            faults.unless(_FIELD.fullmatch(field) is not None, "fields", "be JSON field names", field)
        faults.unless(self.fields != (), "fields", "name at least one field", self.fields, "leave it out for all")
        faults.raise_any()

    @classmethod
    def raw(cls, statement: str) -> RuleSql:
        """Take a SQL statement as it is.

        Parameters
        ----------
        statement : str
            Whole statement. The scorer expects ``device_id``, ``received_at`` (ms) and ``trace_id`` beside either
            the features or ``payload`` (the reading as base64).

        Raises
        ------
        PropError
            When it has no SELECT or FROM.
        """
        faults = Faults("rule SQL")
        upper = statement.upper()
        faults.unless("SELECT " in upper and " FROM " in upper, "statement", "have SELECT and FROM", statement)
        faults.raise_any()
        return cls(topic_filter="", statement=statement)

    def render(self) -> str:
        """Return the SQL for IoT Core, version 2016-03-23."""
        if self.statement is not None:
            return self.statement
        picked = "encode(*, 'base64') AS payload" if self.fields is None else ", ".join(self.fields)
        context = f"topic({self.device_level}) AS device_id, timestamp() AS received_at, traceid() AS trace_id"
        where = "" if self.condition is None else f" WHERE {self.condition}"
        return f"SELECT {picked}, {context} FROM '{self.topic_filter}'{where}"  # noqa: S608 - IoT SQL over one topic
