"""RuleSql: typed SQL, and IoT Core's limits on topic filters."""

from __future__ import annotations

import pytest

from cdk_ml_lens import PropError, RuleSql

CONTEXT = "topic(2) AS device_id, timestamp() AS received_at, traceid() AS trace_id"


def test_default_keeps_the_payload_byte_for_byte() -> None:
    sql = RuleSql(topic_filter="devices/+/telemetry").render()
    assert sql == f"SELECT encode(*, 'base64') AS payload, {CONTEXT} FROM 'devices/+/telemetry'"


def test_full_selects_fields_with_a_condition() -> None:
    sql = RuleSql(topic_filter="a/b/+/t", device_level=3, fields=("temperature", "a.b"), condition="temperature > 50")
    assert sql.render() == (
        f"SELECT temperature, a.b, {CONTEXT.replace('2', '3', 1)} FROM 'a/b/+/t' WHERE temperature > 50"
    )


def test_raw_sql_is_kept() -> None:
    assert RuleSql.raw("SELECT * FROM 'x'").render() == "SELECT * FROM 'x'"


@pytest.mark.parametrize(
    ("topic_filter", "rule"),
    [
        ("", "not be empty"),
        ("it's/t", "not contain a quote"),
        ("a/b/c/d/e/f/g/h/i", "have at most 8 levels"),
        ("a/#/b", "have '#' only as its last level"),
        ("a/b+/c", "use '+' and '#' as whole levels"),
        ("x" * 257, "be at most 256 bytes"),
    ],
)
def test_fails_on_a_topic_filter_that_iot_refuses(topic_filter: str, rule: str) -> None:
    with pytest.raises(PropError, match="topic_filter must ") as raised:
        RuleSql(topic_filter=topic_filter)
    assert rule in str(raised.value)


def test_fails_on_fields_that_are_no_names() -> None:
    with pytest.raises(PropError, match="fields must be JSON field names for rule SQL, got 'a; b'"):
        RuleSql(topic_filter="t", fields=("a; b",))
    with pytest.raises(PropError, match="fields must name at least one field"):
        RuleSql(topic_filter="t", fields=())


def test_fails_on_a_level_out_of_range() -> None:
    with pytest.raises(PropError, match="device_level must be between 1 and 8"):
        RuleSql(topic_filter="t", device_level=0)


def test_fails_on_raw_sql_without_from() -> None:
    with pytest.raises(PropError, match="statement must have SELECT and FROM"):
        RuleSql.raw("DELETE everything")
