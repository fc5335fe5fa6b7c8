"""add_packs and explain: which packs run, which reasons they get, and that apps do not mix."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_ml_lens import PropError, add_packs, explain
from cdk_ml_lens.core import nag as notes
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.review.packs import DEFAULT_PACKS

REASON = "The queue is read by hand once a year."
Apps = Callable[[str], cdk.App]


@pytest.fixture
def apps(tmp_path: Path) -> Apps:
    def make(name: str) -> cdk.App:
        return cdk.App(outdir=str(tmp_path / name))

    return make


def queue(app: cdk.App, reason: str | None = REASON) -> sqs.Queue:
    made = sqs.Queue(cdk.Stack(app, "Stack"), "Queue")
    if reason is not None:
        explain(made, {"SQSRedrivePolicy": reason})
    return made


def reports(app: cdk.App) -> dict[str, Any]:
    with suppress(RuntimeError):
        app.synth()
    found = json.loads((Path(app.outdir) / "validation-report.json").read_text())["pluginReports"]
    return {report["pluginName"]: report for report in found}


def names(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["ruleName"] for entry in entries]


def test_default_packs_are_solutions_serverless_and_ours(apps: Apps) -> None:
    app = apps("default")
    queue(app, None)
    add_packs(app)
    assert DEFAULT_PACKS == ("AwsSolutions", "Serverless", "MlLens")
    found = reports(app)
    assert {"AwsSolutions", "Serverless"} <= set(found) <= set(DEFAULT_PACKS)
    assert names(found["Serverless"]["violations"]) == ["Serverless-SQSRedrivePolicy"]


@pytest.mark.parametrize("before", [True, False])
def test_explained_finding_is_acknowledged_with_its_reason(before: bool, apps: Apps) -> None:
    app = apps("explained")
    if before:
        add_packs(app, "Serverless")
    queue(app)
    if not before:
        add_packs(app, "Serverless")
    report = reports(app)["Serverless"]
    assert names(report["violations"]) == []
    assert [(entry["ruleName"], entry["reason"]) for entry in report["suppressedViolations"]] == [
        ("Serverless-SQSRedrivePolicy", REASON)
    ]


def test_pack_that_is_off_gets_no_acknowledgement(apps: Apps) -> None:
    app = apps("off")
    made = queue(app)
    add_packs(app, "PCI.DSS.321")
    app.synth()
    assert [entry.type for entry in made.node.metadata if "cknowledge" in entry.type] == []


def test_our_pack_alone_needs_no_explanations(apps: Apps) -> None:
    app = apps("alone")
    made = queue(app)
    add_packs(app, "MlLens")
    assert set(reports(app)) <= {"MlLens"}
    assert [entry.type for entry in made.node.metadata if "cknowledge" in entry.type] == []


def test_two_apps_do_not_mix(apps: Apps) -> None:
    explained, other = apps("one"), apps("two")
    queue(explained)
    queue(other, None)
    for app in (explained, other):
        add_packs(app, "Serverless")
    assert names(reports(other)["Serverless"]["violations"]) == ["Serverless-SQSRedrivePolicy"]
    assert names(reports(explained)["Serverless"]["violations"]) == []


def test_second_synth_acknowledges_nothing_twice(apps: Apps) -> None:
    app = apps("twice")
    queue(app)
    add_packs(app, "Serverless")
    first, second = reports(app), None
    app.synth(force=True)
    second = json.loads((Path(app.outdir) / "validation-report.json").read_text())["pluginReports"]
    assert first["Serverless"]["suppressedViolations"] == second[0]["suppressedViolations"]


def test_rule_of_no_table_reaches_the_pack_that_has_it(apps: Apps) -> None:
    app = apps("own")
    user = iam.User(cdk.Stack(app, "Stack"), "User")
    explain(user, {"IAMUserGroupMembership": "A build server of another company, which cannot be in a group."})
    add_packs(app, "HIPAA.Security")
    assert names(reports(app)["HIPAA.Security"]["violations"]) == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (("HIPAA",), "names must be of AwsSolutions, .* for packs, got 'HIPAA'"),
        (("Serverless", "Serverless"), "names must be given once each for packs, got 'Serverless'"),
    ],
)
def test_add_packs_fails_for_unknown_and_repeated_names(given: tuple[str, ...], error: str, apps: Apps) -> None:
    with pytest.raises(PropError, match=error):
        add_packs(apps("bad"), *given)


def test_add_packs_fails_without_cdk_nag(apps: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cdk_nag", None)
    with pytest.raises(PropError, match=r"be installed .*got 'AwsSolutions'; pip install cdk-ml-lens\[nag\]"):
        add_packs(apps("missing"), "AwsSolutions")


def test_explaining_crosses_to_the_kernel_never(stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    from jsii._kernel.providers.process import _NodeProcess

    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())

    def refused(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("crossed")

    monkeypatch.setattr(_NodeProcess, "send", refused)
    explain(role, {"IAMNoInlinePolicy": REASON})
    notes.explain_policy(role)
    assert notes.explanations(role)["IAMNoInlinePolicy"] != REASON  # the second takes the place of the first


def test_notes_live_no_longer_than_their_construct() -> None:
    made = Construct.__new__(Construct)  # past jsii, which keeps what it makes as long as the process lives
    made.__jsii_ref__ = SimpleNamespace(ref="constructs.Construct@0")  # type: ignore[attr-defined]
    before = len(notes._EXPLAINED)
    explain(made, {"SQSRedrivePolicy": REASON})
    assert len(notes._EXPLAINED) == before + 1
    del made
    gc.collect()
    assert len(notes._EXPLAINED) == before


def test_bucket_is_explained_where_it_is_made(stack: cdk.Stack) -> None:
    bucket = SecureBucket(stack, "Bucket", encryption_key=kms.Key(stack, "Key"))
    assert "SecureBucket(replication=)" in notes.explanations(bucket.bucket)["S3BucketReplicationEnabled"]
    assert set(notes.explanations(bucket.access_logs)) == {"S3BucketReplicationEnabled", "S3DefaultEncryptionKMS"}
