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
    *values("ministack.services.glue", "_tables", "_partitions"),
    *values("ministack.services.athena", "_executions", "_workgroups", "_DUCKDB_TYPE_MAP"),
    *calls(
        "ministack.services.athena",
        handle_request="method path headers body query_params",
        _start_query_execution="data",
        _execute_query="query_id query database ddl catalog",
        _run_ddl="ddl database",
        _table_references="query",
        _qualified_column_prefixes="query database table table_edit",
        _hidden="relative_key",
        _datum_text="value",
    ),
    *values("ministack.services.cloudformation.provisioners", "_S3_BUCKET_CONFIGURATIONS"),
    *calls("ministack.services.s3", _put_bucket_encryption="name body", _delete_bucket_encryption="name"),
    *values("ministack.services.s3", "_buckets"),
    *calls(
        "ministack.services.s3",
        handle_request="method path headers body query_params signed_path enforce_bucket_region internal "
        "access_point_region access_point",
        _parse_bucket_key="path headers",
        _get_object_data="bucket_name key version_id",
        _put_object="bucket_name key body headers",
        _stored_sse_headers="obj",
        _bucket_default_sse_headers="bucket_name",
        _error="code message status resource extra headers",
    ),
    *calls("ministack.services.kms", _resolve_key="key_id_or_arn"),
    *calls("ministack.core.router", extract_access_key_id="headers query_params"),
    *calls(
        "ministack.core.iam_evaluator",
        enforce="access_key_id iam_action service region resource_arn service_context",
        _resolve_condition_key="key ctx",
        _role_name_from_assumed_arn="assumed_arn",
    ),
    *values("ministack.services.iam", "_roles"),
    *calls(
        "ministack.services.glue",
        _create_security_configuration="data",
        _delete_security_configuration="data",
    ),
    *calls(
        "ministack.services.cloudtrail",
        _create_trail="body",
        _update_trail="body",
        _delete_trail="body",
        _put_event_selectors="body",
        _start_logging="body",
        _stop_logging="body",
        _trail_arn="name",
    ),
    *values("moto.lakeformation.responses", "LakeFormationResponse"),
)  # fmt: skip
