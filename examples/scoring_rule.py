"""Three scoring rules on one model: queued, streamed and direct ingestion."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_ml_lens import Feature, Ingestion, ModelEndpoint, NotifyTopic, RuleSql, Scoring, ScoringRule


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "ScoringRules")
    # region: scoring
    alarms = NotifyTopic(stack, "Alarms")
    scoring = Scoring(
        endpoint=ModelEndpoint.from_endpoint_name(stack, "turbine-anomalies"),
        features=[Feature(name="temperature", minimum=-60, maximum=200), Feature(name="vibration", minimum=0)],
    )
    # endregion
    # region: queued
    ScoringRule(
        stack,
        "Turbines",
        sql=RuleSql(topic_filter="turbines/+/telemetry"),
        scoring=scoring,
        ingestion=Ingestion.queued(batch=200, window_seconds=2),
        alarm_topic=alarms.topic,
    )
    # endregion
    # region: streamed
    ScoringRule(
        stack,
        "Presses",
        sql=RuleSql(topic_filter="presses/+/telemetry", condition="topic(2) <> 'press-under-test'"),
        scoring=scoring,
        ingestion=Ingestion.streamed(batch=100, retention_hours=48),
        alarm_topic=alarms.topic,
    )
    # endregion
    # region: direct
    ScoringRule(
        stack,
        "Doors",
        sql=RuleSql(topic_filter="doors/+/telemetry", fields=("reading_id", "temperature", "vibration")),
        scoring=scoring,
        ingestion=Ingestion.direct(reserved_concurrency=2, retries=1),
        alarm_topic=alarms.topic,
    )
    # endregion
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
