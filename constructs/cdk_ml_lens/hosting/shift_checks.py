"""ShiftChecks: what the new variant must show in a synthetic test and against the old one on live traffic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdk_ml_lens.core.errors import Faults

_MAX_ASKED = 100  # each request adds about ten events to an execution's history, which ends at 25,000
_JSON_TYPES = ("application/json", "application/jsonlines", "application/x-ndjson")


@dataclass(frozen=True, kw_only=True)
class AnswerCheck:
    """What a good answer looks like: the business side of a synthetic test.

    Parameters
    ----------
    path : str
        Keys to the value in the JSON answer, joined by dots. Default: "", the answer itself.
    minimum, maximum : float, optional
        Inclusive bounds of a number. Default: unbounded.
    equals : str, float or bool, optional
        The value itself. Default: any.

    Raises
    ------
    PropError
        When it checks nothing, or its bounds exclude every number.
    """

    path: str = ""
    minimum: float | None = None
    maximum: float | None = None
    equals: str | float | bool | None = None

    def __post_init__(self) -> None:
        faults = Faults(f"answer check on {self.path!r}")
        given = (self.minimum, self.maximum, self.equals)
        faults.unless(given != (None, None, None), "minimum", "be given, or maximum, or equals", None)
        low, high = self.minimum, self.maximum
        faults.unless(low is None or high is None or low <= high, "minimum", "be at most maximum", low)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class SyntheticRequest:
    """One request that the new variant must answer before it sees live traffic.

    Parameters
    ----------
    body : JSON object or array
        What is sent. For ``application/jsonlines`` it is one line.
    expect : AnswerCheck
        What the answer must be.
    content_type, accept : str
        Types of request and answer. Default: ``application/json`` for both.

    Raises
    ------
    PropError
        When a type is not JSON, or the body is not JSON.

    Notes
    -----
    Step Functions sends the body of an AWS SDK integration as JSON: a text, such as a CSV row, would arrive in
    quotation marks. That is why only JSON requests are possible without a function. Source:
    https://dev.classmethod.jp/articles/whether-json-lines-data-can-be-put-objectget-object-to-s3-bucket-with-aws-step-functions/
    """

    body: Mapping[str, Any] | Sequence[Any]
    expect: AnswerCheck
    content_type: str = "application/json"
    accept: str = "application/json"

    def __post_init__(self) -> None:
        faults = Faults("synthetic request")
        for prop, value in (("content_type", self.content_type), ("accept", self.accept)):
            faults.unless(value in _JSON_TYPES, prop, f"be one of {list(_JSON_TYPES)}", value)
        is_text = isinstance(self.body, str | bytes)
        faults.unless(not is_text and _is_json(self.body), "body", "be a JSON object or array", self.body)
        faults.unless("{%" not in repr(self.body), "body", "hold no '{%', which Step Functions evaluates", self.body)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class VariantComparison:
    """How much worse than the old variant the new one may be, by the endpoint's own metrics.

    Parameters
    ----------
    minimum_requests : int
        Requests that a variant needs within a step to be judged. Default: 100.
    error_margin : float
        By how much the new variant's share of failed requests may exceed the old one's, 0 to 1. Default: 0.01.
    latency_ratio : float
        How many times the old variant's 99th percentile of ``ModelLatency`` the new one's may be. Default: 1.5.
    latency_slack_ms : float
        Milliseconds added to that limit, so that two fast models are not told apart by noise. Default: 50.

    Notes
    -----
    ``InvocationModelErrors / Invocations`` and ``ModelLatency``: source
    https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html. It is a guard rail, not a statistical
    test: for a decision between two models use `AbTest`.
    """

    minimum_requests: int = 100
    error_margin: float = 0.01
    latency_ratio: float = 1.5
    latency_slack_ms: float = 50

    def __post_init__(self) -> None:
        faults = Faults("variant comparison")
        faults.unless(self.minimum_requests >= 1, "minimum_requests", "be at least 1", self.minimum_requests)
        faults.within("error_margin", self.error_margin, 0, 1)
        faults.unless(self.latency_ratio >= 1, "latency_ratio", "be at least 1", self.latency_ratio)
        faults.unless(self.latency_slack_ms >= 0, "latency_slack_ms", "be at least 0", self.latency_slack_ms)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class ShiftChecks:
    """What is asked of the new variant.

    Parameters
    ----------
    requests : tuple of SyntheticRequest
        Sent to the new variant alone, before it gets any traffic. Default: none.
    repeats : int
        How often each of them is sent. Default: 3.
    max_latency_ms : int
        Longest time of one synthetic answer, in ms. It is measured by the state machine, so it contains some tens of
        milliseconds of Step Functions. Default: 2000.
    max_failures : int
        Synthetic requests that may fail. Default: 0.
    comparison : VariantComparison, optional
        Comparison with the old variant on live traffic; ``None`` leaves the judgement to the alarms alone.
        Default: ``VariantComparison()``.
    """

    requests: tuple[SyntheticRequest, ...] = ()
    repeats: int = 3
    max_latency_ms: int = 2000
    max_failures: int = 0
    comparison: VariantComparison | None = field(default_factory=VariantComparison)

    def __post_init__(self) -> None:
        faults = Faults("shift checks")
        faults.within("repeats", self.repeats, 1, _MAX_ASKED)
        asked = len(self.requests) * self.repeats
        faults.unless(asked <= _MAX_ASKED, "requests", f"be at most {_MAX_ASKED} with their repeats", asked)
        faults.within("max_latency_ms", self.max_latency_ms, 1, 60_000)
        faults.unless(self.max_failures >= 0, "max_failures", "be at least 0", self.max_failures)
        faults.unless(
            not asked or self.max_failures < asked, "max_failures", "be fewer than the requests", self.max_failures
        )
        faults.raise_any()


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return isinstance(value, Mapping | Sequence)
