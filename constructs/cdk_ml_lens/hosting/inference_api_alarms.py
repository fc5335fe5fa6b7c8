"""When an inference API is bad: errors, slow answers, callers that are refused."""

from __future__ import annotations

from cdk_ml_lens.core.alarms import AlarmRule

NAMESPACE = "CdkMlLens/InferenceApi"
THROTTLED = "Throttled"
RULES = {
    "ErrorAlarm": AlarmRule(
        metric="5XXError",
        statistic="Average",
        threshold=0.01,
        periods=3,
        datapoints=2,
        description="Over one request in a hundred failed: the access log has the status, the function log the cause.",
    ),
    "LatencyAlarm": AlarmRule(
        metric="Latency", statistic="p99", threshold=3_000, periods=3, description="One in a hundred takes over 3 s."
    ),
    "ThrottleAlarm": AlarmRule(
        metric=THROTTLED,
        threshold=0,
        periods=3,
        description="Callers get 429 all the time: raise the limits or the endpoint's capacity, or talk to them.",
    ),
}
