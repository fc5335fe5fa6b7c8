"""The private names of MiniStack that the data lake needs: Glue, Firehose, Athena."""

from __future__ import annotations

from .expected import Expected, calls, values

EXPECTED: tuple[Expected, ...] = (
    *values("ministack.services.glue", "_jobs", "_job_runs"),
    *calls(
        "ministack.services.glue",
        _create_job="data",
        _update_job="data",
        _start_job_run="data",
        _batch_stop_job_run="data",
    ),
    *values("ministack.services.cloudformation.provisioners", "_GLUE_JOB_DEFAULTS"),
    *calls(
        "ministack.services.cloudwatch_logs",
        _create_log_group="data",
        _create_log_stream="data",
        _put_log_events="data",
    ),
    *calls("ministack.services.eventbridge", _put_events="data allow_aws_source"),
    *calls("ministack.services.stepfunctions", _invoke_resource_with_timeout="resource input_data timeout"),
    *calls(
        "ministack.services.firehose",
        _evaluate_prefix="template t query_keys lambda_keys error_type",
        _metadata_extraction_keys="cfg data",
        _java_time="pattern t",
        _json_documents="data",
        _hive_to_duckdb_type="hive_type",
        _conversion_error="kind",
        _s3_bucket_from_arn="bucket_arn",
        _DeliveryError="output_type message code",
        _deliver_records_to_s3="stream dest records",
    ),
)  # fmt: skip
