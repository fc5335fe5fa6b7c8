"""What an A/B test refuses, the plan it hands to its handlers, and when it raises an alarm."""

from __future__ import annotations

from cdk_ml_lens.core.alarms import AlarmRule
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.refs import InvocableEndpoint
from cdk_ml_lens.hosting.ab_test_values import AbPolicy, AbVariants, BusinessMetric
from cdk_ml_lens.hosting.endpoint import ModelEndpoint

DEPTH_ALARM = AlarmRule(
    metric="ApproximateNumberOfMessagesVisible",
    statistic="Maximum",
    period_minutes=1,
    threshold=0,
    description="Outcomes of an A/B test were kept apart. Read their 'reason', fix the cause, send them again.",
)
ERROR_ALARMS = {
    "Assigner": AlarmRule(
        metric="Errors", threshold=0, periods=3, datapoints=2, description="Users are not assigned: see the log."
    ),
    "Recorder": AlarmRule(metric="Errors", threshold=0, description="The recorder of outcomes raised: see its log."),
    "Evaluator": AlarmRule(
        metric="Errors", threshold=0, description="An evaluation failed: the test decides late or not at all."
    ),
}
_GRACE_SECONDS = 900
_COHORT_SECONDS = (60, 3600)
_BACKLOG_SECONDS = 300


def check(endpoint: InvocableEndpoint, variants: AbVariants, metric: BusinessMetric, policy: AbPolicy) -> None:
    """Raise a `PropError` unless the parts make one test."""
    faults = Faults("A/B test")
    if isinstance(endpoint, ModelEndpoint):
        # TargetVariant must name a variant of the endpoint: API_runtime_InvokeEndpoint.
        for name in (variants.control, variants.treatment):
            known = endpoint.variant_names
            faults.unless(name in known, "variants", f"be among {sorted(known)}", name)
    if policy.kind == "thompson":
        faults.unless(
            metric.kind == "conversion", "metric", "be a conversion with Thompson sampling", metric.kind, "fixed_split"
        )
        faults.unless(
            variants.treatment_share == 0.5,
            "treatment_share",
            "be 0.5 with Thompson sampling",
            variants.treatment_share,
            "the warm-up is half and half",
        )
    smaller = min(variants.treatment_share, 1 - variants.treatment_share)
    faults.unless(
        policy.max_users * smaller >= policy.min_users,
        "max_users",
        "give each variant min_users",
        policy.max_users,
        f"at least {round(policy.min_users / smaller)}",
    )
    faults.raise_any()


def plan(test: str, variants: AbVariants, metric: BusinessMetric, policy: AbPolicy) -> dict[str, str | int | float]:
    """Return the handlers' variable PLAN; its names are those of ``ml_lens_runtime.ab_plan.Plan``."""
    window = metric.window_seconds
    shortest, longest = _COHORT_SECONDS
    return {
        "test": test,
        "control": variants.control,
        "treatment": variants.treatment,
        "treatment_share": variants.treatment_share,
        "metric": metric.kind,
        "minimum": metric.minimum,
        "maximum": metric.maximum,
        "window_seconds": window,
        "cohort_seconds": min(max(window // 24, shortest), longest),
        "grace_seconds": min(window, _GRACE_SECONDS),
        "policy": policy.kind,
        "alpha": policy.alpha,
        "effect": policy.effect,
        "min_users": policy.min_users,
        "max_users": policy.max_users,
        "max_step": policy.max_step,
        "floor": policy.floor,
    }


def backlog_alarm(metric: BusinessMetric) -> AlarmRule:
    """Return the alarm on outcomes that wait so long that they may miss their cohort."""
    return AlarmRule(
        metric="ApproximateAgeOfOldestMessage",
        statistic="Maximum",
        threshold=min(_BACKLOG_SECONDS, metric.window_seconds // 2),
        description="Outcomes wait for the recorder; after 15 minutes in the queue they may count as late.",
    )
