"""Checks that this MiniStack and moto have every private name that we patch or call, as we know it."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from importlib import metadata

MINISTACK = "1.5.33"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One private name: where it is, and its parameters (``None``: any value will do)."""

    module: str
    name: str
    parameters: tuple[str, ...] | None = None


def _calls(module: str, **names: str) -> tuple[Expected, ...]:
    return tuple(
        Expected(module=module, name=name, parameters=tuple(parameters.split())) for name, parameters in names.items()
    )


def _values(module: str, *names: str) -> tuple[Expected, ...]:
    return tuple(Expected(module=module, name=name) for name in names)


EXPECTED: tuple[Expected, ...] = (
    *_values("ministack.app", "SERVICE_HANDLERS", "_iot_mtls_state", "app", "AUTH"),
    *_calls("ministack.app", _docker_socket_present="", pin_request_origin="source_ip secure_transport"),
    *_values("ministack.core.router", "SERVICE_PATTERNS"),
    *_values("ministack.core.iam_evaluator", "_request_origin"),
    *_values("ministack.core.iam_actions", "SERVICE_TO_IAM_NAMESPACE", "_BOTOCORE_SERVICE_MAP"),
    *_calls(
        "ministack.core.iam_actions",
        extract_iam_action="service method path headers body query_params",
        extract_resource_arn="service method path headers body query_params region account_id",
    ),
    *_values("ministack.core.lambda_runtime", "subprocess"),
    *_calls("ministack.core.lambda_runtime", reset="", execution_credentials="config"),
    *_values("ministack.core.concurrency", "esm_wake"),
    *_calls("ministack.core.responses", request_scope="account_id region", get_account_id="", get_region=""),
    *_values("ministack.services.iot", "_MtlsAcceptor", "_mtls_server", "_mtls_loop", "_MISSING",
             "_RULE_ACTION_RESOURCE_KEYS"),
    *_calls(
        "ministack.services.iot",
        _mtls_start_locked="",
        _dispatch_rule_to_lambda="account_id region function_arn event",
        _dispatch_rule_action="account_id region rule_name action event",
        _run_rule_actions="account_id region rule payload topic client_id",
        _rule_message="payload",
        _provisioning_role_allows="role_arn requests",
        **{"_WSSession._evaluates_policies": "self"},
        _eval_select_expr="expr topic payload message client_id",
    ),
    *_values("ministack.services.lambda_svc", "_esms", "_esm_backoff_until", "_esm_inflight"),
    *_calls(
        "ministack.services.lambda_svc",
        _get_func_record_for_ref_in_scope="function_ref account_id region",
        _get_func_record_for_ref="function_ref",
        _get_func_record_for_qualifier="name qualifier",
        _execution_record_for_config="func config",
        _execute_function="func event",
        _execute_function_with_config_scope="func event",
        _run_with_function_config_scope="func_or_config callback args kwargs",
        invoke_async_with_retry="func event",
        _sqs_esm_concurrency="esm func_rec config queue",
        _run_sqs_batch="esm func_rec event batch queue_url queue_name",
        _poll_kinesis="",
        _iter_all_esms="",
        _dispatch_esm_batch="esm_id fn args",
        _apply_filter_criteria="records esm",
    ),
    *_calls(
        "ministack.services.sqs",
        _receive_messages_for_esm="queue_url max_number",
        _collect_msgs="q max_n vis_timeout",
        _expire_retained="q",
        _dlq_sweep="q",
        _get_q="url action",
        _queue_by_arn="arn",
        _queue_url="name",
        _act_send_message="data qurl",
    ),
    *_values("ministack.services.sqs", "_queues_lock"),
    *_calls(
        "ministack.services.sns",
        publish_internal="topic_arn message subject message_structure message_attributes "
        "message_group_id message_deduplication_id",
    ),
    *_calls("ministack.services.eventbridge", _dispatch_to_lambda="arn payload"),
    *_values("ministack.services.kinesis", "_streams"),
    *_calls("ministack.services.kinesis", _put_record="data"),
    *_calls(
        "ministack.services.firehose",
        _put_record="data",
        _put_record_batch="data",
        _deliver_records_to_s3="stream dest records",
        _deliver_to_s3="stream dest record_data lambda_keys",
        _apply_lambda_processors="stream dest records metadata_sink partition_sink",
        _put_s3_object="bucket key body",
    ),
    *_calls(
        "ministack.services.cloudwatch",
        record_metric="namespace metric_name value unit dimensions",
        _put_composite_alarm="params cbor_data is_cbor is_json",
        _delete_alarms="params cbor_data is_cbor is_json",
        _evaluate_alarm="alarm",
        _evaluate_parent_alarms="child seen",
        _record_history="alarm_name old_state new_state reason alarm_type reason_data",
        _dispatch_alarm_actions="alarm old_state new_state reason",
        _calc_stats="points",
        _stat_value="stats stat_name points",
        _dims_key="dims",
        _dims_from_list="dimensions",
    ),
    *_values("ministack.services.cloudwatch", "_alarms", "_composite_alarms", "_metrics"),
    *_values("ministack.services.stepfunctions", "_AWS_SDK_SERVICE_MAP", "_AWS_SDK_ERROR_PREFIX",
             "_AWS_SDK_ERROR_CODE_OVERRIDES", "_SERVICE_DISPATCH"),
    *_calls("ministack.services.stepfunctions", _ExecutionError="error cause"),
    *_calls(
        "ministack.app",
        call_service_handler_sync="handler method path headers body query_params timeout",
    ),
    *_values("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS", "_REPLACING_PROPERTIES",
             "_CUSTOM_NAME_REPLACEMENT"),
    *_calls(
        "ministack.services.cloudformation.provisioners",
        _physical_name="stack_name logical_id lowercase max_len seeded",
    ),
    *_calls(
        "ministack.services.apigateway_v1",
        _create_request_validator="api_id data",
        _delete_request_validator="api_id validator_id",
        _update_method="api_id resource_id http_method data",
    ),
    *_calls("ministack.services.ec2", _create_flow_logs="params", _delete_flow_logs="params"),
    *_calls("ministack.services.waf", _associate_web_acl="data", _disassociate_web_acl="data"),
    *_calls("ministack.services.cloudformation.stacks", _runs_on_worker_thread="resource_type"),
    *_values("moto.sagemaker.models", "sagemaker_backends"),
    *_calls(
        "moto.sagemaker.models",
        **{"FakeEndpointConfig.validate_instance_type": "self instance_type"},
    ),
    *_values("moto.sagemaker.responses", "SageMakerResponse"),
    *_values("moto.applicationautoscaling.responses", "ApplicationAutoScalingResponse"),
)  # fmt: skip


def problems(expected: tuple[Expected, ...] = EXPECTED) -> list[str]:
    """Return one line for each name that is missing or has other parameters; empty when all is well."""
    version = metadata.version("ministack")
    found = [] if version == MINISTACK else [f"ministack must be {MINISTACK}, got {version}"]
    return found + [line for item in expected if (line := _problem(item)) is not None]


def verify() -> None:
    """End the process with every problem listed, if there is one.

    Raises
    ------
    SystemExit
        If a patched name is missing or different.
    """
    if found := problems():
        raise SystemExit("the laptop cloud does not fit this MiniStack:\n  " + "\n  ".join(found))


def _problem(item: Expected) -> str | None:
    try:
        value: object = importlib.import_module(item.module)
        for part in item.name.split("."):
            value = getattr(value, part)
    except (ImportError, AttributeError) as error:
        return f"{item.module}.{item.name} is missing ({error})"
    if item.parameters is None:
        return None
    if not callable(value):
        return f"{item.module}.{item.name} must be a function"
    actual = tuple(inspect.signature(value).parameters)
    if actual != item.parameters:
        return f"{item.module}.{item.name} must take {item.parameters}, got {actual}"
    return None
