"""The workgroup of a lake: settings that clients cannot change, encrypted results that expire, a limit, an alarm."""

from __future__ import annotations

import json
from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from cdk_ml_lens import DataLake, PropError, QueryLimits
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]


def test_results_are_encrypted_whatever_the_client_asks_for(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake")
    workgroup = synth(stack).only("AWS::Athena::WorkGroup")
    settings = workgroup["WorkGroupConfiguration"]
    assert workgroup["Name"] == "test_lake_queries"
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] == 10 * 1024**3
    assert settings["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert json.dumps(settings["ResultConfiguration"]["OutputLocation"]).endswith('"/results/"]]}')


def test_results_expire_and_too_much_scanning_is_told(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", queries=QueryLimits(scan_gigabytes=0.5, hourly_gigabytes=2, results_days=7))
    template = synth(stack)
    (results,) = [item for id, item in template.of_type("AWS::S3::Bucket").items() if "Results" in id]
    (aging,) = results["Properties"]["LifecycleConfiguration"]["Rules"]
    assert aging["ExpirationInDays"] == 7
    assert aging["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    alarm = template.only("AWS::CloudWatch::Alarm")
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Period"]) == ("ProcessedBytes", 2 * 1024**3, 3600)
    limit = template.only("AWS::Athena::WorkGroup")["WorkGroupConfiguration"]["BytesScannedCutoffPerQuery"]
    assert limit == 1024**3 // 2


def test_who_may_query_gets_results_but_no_data(stack: cdk.Stack, synth: Synth) -> None:
    role = iam.Role(stack, "Analyst", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    DataLake(stack, "Lake").workgroup.grant_query(role)
    template = synth(stack)
    assert {"athena:StartQueryExecution", "athena:GetQueryResults"} <= template.actions("Analyst")
    text = json.dumps(template.statements("Analyst"))
    assert "Zone" not in text
    assert "/results/*" in text
    assert "database/default" in text


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"scan_gigabytes": 0.001}, "scan_gigabytes must be at least 0.01"),
        ({"hourly_gigabytes": 0}, "hourly_gigabytes must be above 0 for query limits, got 0"),
        ({"results_days": 0}, "results_days must be at least 1"),
    ],
)
def test_fails_on_limits_athena_does_not_take(limits: dict[str, float], message: str) -> None:
    with pytest.raises(PropError, match=message):
        QueryLimits(**limits)  # type: ignore[arg-type]
