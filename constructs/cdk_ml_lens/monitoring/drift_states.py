"""The state machine of a drift monitor: find the window's captures, judge them in a job, publish its metrics."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.core.asl import States, caught, choice, fail, js, put_event, succeed, task
from cdk_ml_lens.monitoring.baseline_states import FILE, SOURCE, quietly
from cdk_ml_lens.monitoring.drift_window import DriftPlan, window_states
from cdk_ml_lens.monitoring.processing import INPUT, JobInput

FAILED = "Monitoring Failed"
DRIFTED = "Drift Detected"


def definition(plan: DriftPlan, *, longest_seconds: int) -> dict[str, Any]:
    """Return the Amazon States Language definition.

    Parameters
    ----------
    plan : DriftPlan
        Job and places.
    longest_seconds : int
        Time-out of an execution.
    """
    return {
        "Comment": "Judge one window of captured traffic against the current baseline.",
        "QueryLanguage": "JSONata",
        "StartAt": "ReadWindow",
        "TimeoutSeconds": longest_seconds,
        "States": {**window_states(plan, next="WriteManifest"), **_judge(plan), **_tell(plan), **_end(plan)},
    }


def _judge(plan: DriftPlan) -> States:
    """Name the window's files in a manifest, and judge them."""
    source = f"s3://{plan.captures.bucket.bucket_name}/{plan.captures.folder}"
    uri = f"'s3://{plan.bucket_name}/' & $place & '/"
    command = ["report", "--captures", f"{INPUT}/captures", "--baseline", f"{INPUT}/baseline"]
    command += ["--monitor", plan.monitor, "--start", js("$start"), "--end", js("$end"), *plan.rules.arguments()]
    baseline = f"s3://{plan.bucket_name}/{plan.baselines}/current/{FILE}"
    return {
        "WriteManifest": task(
            "aws-sdk:s3:putObject",
            {
                "Bucket": plan.bucket_name,
                "Key": js("$place & '/captures.manifest'"),
                "Body": js(f"$append([{{'prefix': '{source}'}}], $keys)"),
            },
            next="Judge",
            catch=[caught("ListFailed", "WriteManifest", "Announce")],
        ),
        "Judge": plan.job.state(
            command=command,
            inputs=[
                JobInput(name="captures", uri=js(f"{uri}captures.manifest'"), kind="ManifestFile"),
                JobInput(name="baseline", uri=baseline),
            ],
            output=js(f"{uri}'"),
            error="JudgeFailed",
            step="Judge",
            next="ReadMetrics",
        ),
    }


def _tell(plan: DriftPlan) -> States:
    """Publish the metrics that the job wrote, and tell of drift."""
    catch = [caught("PublishFailed", "Publish", "Announce")]
    outcome = {
        "monitor": plan.monitor,
        "endpoint": plan.captures.endpoint_name,
        "start": js("$start"),
        "end": js("$end"),
        "report": js(f"'s3://{plan.bucket_name}/' & $place & '/report.json'"),
        "rows": js("$rows"),
        "drifted": js("$drifted"),
    }
    return {
        "ReadMetrics": task(
            "aws-sdk:s3:getObject",
            {"Bucket": plan.bucket_name, "Key": js("$place & '/metrics.json'")},
            next="PublishMetrics",
            catch=catch,
            assign={
                "metrics": js("$parse($states.result.Body)"),
                "rows": js("$parse($states.result.Body).MetricData[MetricName = 'Rows'].Value"),
                "drifted": js("1 in $parse($states.result.Body).MetricData[MetricName = 'DriftDetected'].Value"),
            },
        ),
        "PublishMetrics": task(
            "aws-sdk:cloudwatch:putMetricData",
            {"Namespace": js("$metrics.Namespace"), "MetricData": js("[$metrics.MetricData]")},
            next="Drifted",
            catch=catch,
        ),
        "Drifted": choice(("$drifted", "Tell"), default="Judged"),
        "Tell": put_event(source=SOURCE, detail_type=DRIFTED, detail=outcome, next="Judged", catch=quietly("Judged")),
        "Judged": succeed(**outcome),
    }


def _end(plan: DriftPlan) -> States:
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
