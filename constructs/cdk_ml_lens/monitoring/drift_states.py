"""The state machine of a monitor of traffic: find the window's files, judge them in a job, publish its metrics."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.core.asl import States, caught, choice, fail, js, put_event, succeed, task
from cdk_ml_lens.monitoring.baseline_states import FILE, SOURCE, quietly
from cdk_ml_lens.monitoring.drift_window import WindowPlan, window_states
from cdk_ml_lens.monitoring.processing import INPUT, JobInput

FAILED = "Monitoring Failed"


def definition(plan: WindowPlan, *, longest_seconds: int) -> dict[str, Any]:
    """Return the Amazon States Language definition.

    Parameters
    ----------
    plan : WindowPlan
        Job and places.
    longest_seconds : int
        Time-out of an execution.
    """
    return {
        "Comment": "Judge one window of captured traffic.",
        "QueryLanguage": "JSONata",
        "StartAt": "ReadWindow",
        "TimeoutSeconds": longest_seconds,
        "States": {**window_states(plan, next="Judge"), **_judge(plan), **_tell(plan), **_end(plan)},
    }


def _judge(plan: WindowPlan) -> States:
    folders = [one.name.lower() for one in plan.files()] + ["baseline"]
    command = [*plan.command, *(word for name in folders for word in (f"--{name}", f"{INPUT}/{name}"))]
    command += ["--monitor", plan.monitor, "--start", js("$start"), "--end", js("$end")]
    baseline = JobInput(name="baseline", uri=f"s3://{plan.bucket_name}/{plan.baselines}/current/{FILE}")
    return {
        "Judge": plan.job.state(
            command=command,
            inputs=[*(one.given(plan.bucket_name) for one in plan.files()), baseline],
            output=js(f"'s3://{plan.bucket_name}/' & $place & '/'"),
            error="JudgeFailed",
            step="Judge",
            next="ReadMetrics",
        ),
    }


def _tell(plan: WindowPlan) -> States:
    """Publish the metrics that the job wrote, and tell of a bad window."""
    catch = [caught("PublishFailed", "Publish", "Announce")]
    value = "$parse($states.result.Body).MetricData[MetricName = '%s'].Value"
    outcome = {
        "monitor": plan.monitor,
        "endpoint": plan.captures.endpoint_name,
        "start": js("$start"),
        "end": js("$end"),
        "report": js(f"'s3://{plan.bucket_name}/' & $place & '/report.json'"),
        "rows": js("$rows"),
        "judged": js("$judged"),
        plan.verdict: js("$violated"),
    }
    return {
        "ReadMetrics": task(
            "aws-sdk:s3:getObject",
            {"Bucket": plan.bucket_name, "Key": js("$place & '/metrics.json'")},
            next="PublishMetrics",
            catch=catch,
            assign={
                "metrics": js("$parse($states.result.Body)"),
                "rows": js(value % "Rows"),
                "judged": js(f"$exists({value % plan.flag})"),
                "violated": js(f"1 in {value % plan.flag}"),
            },
        ),
        "PublishMetrics": task(
            "aws-sdk:cloudwatch:putMetricData",
            {"Namespace": js("$metrics.Namespace"), "MetricData": js("[$metrics.MetricData]")},
            next="Violated",
            catch=catch,
        ),
        "Violated": choice(("$violated", "Tell"), default="Judged"),
        "Tell": put_event(source=SOURCE, detail_type=plan.told, detail=outcome, next="Judged", catch=quietly("Judged")),
        "Judged": succeed(**outcome),
    }


def _end(plan: WindowPlan) -> States:
    detail = {
        "monitor": plan.monitor,
        "execution": js("$states.context.Execution.Id"),
        "step": js("$step"),
        "error": js("$error"),
        "cause": js("$reason"),
    }
    return {
        "Announce": put_event(source=SOURCE, detail_type=FAILED, detail=detail, next="Failed", catch=quietly("Failed")),
        "Failed": fail(js("$error"), js("$reason")),
    }
