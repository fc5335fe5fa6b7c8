"""Installs every change to MiniStack, in one order, after the self-check."""

from __future__ import annotations

import socket

from . import (
    alarm_events,
    alarms,
    athena_queries,
    cfn_boundary,
    cfn_buckets,
    cfn_changes,
    cfn_gateway,
    cfn_lake,
    cfn_monitoring,
    cfn_network,
    cfn_permissions,
    cfn_registry,
    cfn_types,
    cfn_workbench,
    firehose_buffer,
    function_roles,
    glue_jobs,
    glue_tables,
    iam,
    kinesis_source,
    lambda_errors,
    lambda_queue,
    listeners,
    moto_bridge,
    principal_arn,
    request_faults,
    rule_actions,
    rule_metrics,
    s3_keys,
    sagemaker,
    scaled_time,
    schedule_input,
    selfcheck,
    sfn_execution,
    sfn_glue,
    sfn_integrations,
    sfn_roles,
    sfn_sagemaker,
    sqs_source,
    worker_env,
)
from .settings import Settings


def install(settings: Settings, mqtt: socket.socket) -> None:
    """Check MiniStack, then change it as ``settings`` say; MQTT is served on the socket ``mqtt``."""
    selfcheck.verify()
    scaled_time.install(settings)
    listeners.install(mqtt)
    worker_env.install()
    lambda_errors.install()
    function_roles.install()
    iam.install()
    principal_arn.install()
    s3_keys.install()
    moto_bridge.install()
    sagemaker.install(settings)
    cfn_changes.install()
    cfn_types.install()
    cfn_boundary.install()
    cfn_buckets.install()
    cfn_lake.install()
    cfn_registry.install()
    cfn_monitoring.install()
    cfn_permissions.install()
    cfn_network.install()
    cfn_workbench.install()
    cfn_gateway.install()
    invocations = lambda_queue.install(workers=settings.lambda_workers, retry_delays=settings.retry_delays)
    rule_actions.install(invocations)
    sqs_source.install(invocations)
    kinesis_source.install(invocations)
    firehose_buffer.install()
    glue_tables.install()
    glue_jobs.install(settings)
    athena_queries.install()
    sfn_integrations.install()
    sfn_roles.install()
    sfn_execution.install()
    sfn_glue.install()
    sfn_sagemaker.install()
    rule_metrics.install()
    schedule_input.install()
    alarm_events.install()
    alarms.install()
    request_faults.install(settings)


def stop() -> None:
    """End every process that the server started."""
    from ministack.core import lambda_runtime

    sagemaker.stop()
    glue_jobs.stop()
    lambda_runtime.reset()
