"""Functions that Athena has and DuckDB calls otherwise, and times with a zone as Athena's UTC."""

from __future__ import annotations

from typing import Any

_MACROS = (
    "approx_distinct(x) AS approx_count_distinct(x)",
    "approx_percentile(x, p) AS approx_quantile(x, p)",
    "arbitrary(x) AS any_value(x)",
    "element_at(m, k) AS m[k]",
    "from_iso8601_timestamp(t) AS CAST(CAST(t AS TIMESTAMPTZ) AS TIMESTAMP)",
    "from_unixtime(s) AS make_timestamp(CAST(s * 1000000 AS BIGINT))",
    "from_utf8(b) AS decode(b)",
    "json_extract_scalar(j, p) AS json_extract_string(j, p)",
    "regexp_like(t, p) AS regexp_matches(t, p)",
    "to_unixtime(t) AS epoch(t)",
    "to_utf8(t) AS encode(t)",
)


def prepare(connection: Any) -> None:
    """Define the functions on a connection of DuckDB, and UTC as its zone.

    Source: https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html
    """
    connection.execute("SET TimeZone = 'UTC'")
    for macro in _MACROS:
        connection.execute(f"CREATE TEMP MACRO {macro}")


def run(connection: Any, sql: str) -> Any:
    """Run a query and return its result; columns of times with a zone come back as UTC without one."""
    if sql.lstrip(" (\n").lower().startswith(("select", "with")):
        described = connection.execute(f"DESCRIBE {sql}").fetchall()
        zoned = [name for name, kind, *_ in described if kind == "TIMESTAMP WITH TIME ZONE"]
        if zoned:
            cast = ", ".join(f'CAST("{name}" AS TIMESTAMP) AS "{name}"' for name in zoned)
            sql = f"SELECT * REPLACE ({cast}) FROM ({sql})"
    return connection.execute(sql)
