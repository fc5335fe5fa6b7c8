"""record_deployment: the approver is in the manifest, once; everything else in it stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from handlers.record_deployment import run
from ml_lens_runtime.manifest import ManifestError
from tests.handlers.registry_account import BUCKET, Account, manifest_uri

PERSON = "arn:aws:iam::123456789012:user/anna"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Account().make()


def versions(account: Account) -> int:
    found = account.s3.list_object_versions(Bucket=BUCKET, Prefix="manifests/")
    return len(found["Versions"])


def test_the_approver_is_added_and_nothing_else_changes(account: Account) -> None:
    account.register("v1")
    before = account.manifest("v1")
    assert run({"manifest": manifest_uri("v1"), "approver": PERSON}, bucket=BUCKET, s3=account.s3) == {"written": True}
    assert account.manifest("v1") == {**before, "approver": PERSON}


def test_the_same_event_twice_writes_once(account: Account) -> None:
    account.register("v1")
    event = {"manifest": manifest_uri("v1"), "approver": PERSON}
    answers = [run(event, bucket=BUCKET, s3=account.s3) for _ in range(2)]
    assert answers == [{"written": True}, {"written": False}]
    assert versions(account) == 2


@pytest.mark.parametrize("event", [{"approver": None}, {"approver": PERSON, "sha256": "of other bytes"}])
def test_what_the_manifest_says_already_stays(account: Account, event: dict[str, str]) -> None:
    account.register("v1", approver="the gate")
    assert run({"manifest": manifest_uri("v1"), **event}, bucket=BUCKET, s3=account.s3) == {"written": False}
    assert versions(account) == 1


def test_the_hash_of_what_was_deployed_is_kept_for_rebuilds(account: Account) -> None:
    account.register("v1", model_data_sha256=None)
    run({"manifest": manifest_uri("v1"), "approver": PERSON, "sha256": "abc"}, bucket=BUCKET, s3=account.s3)
    assert account.manifest("v1")["model_data_sha256"] == "abc"


def test_a_manifest_of_another_bucket_is_refused(account: Account) -> None:
    with pytest.raises(ManifestError, match="must lie below"):
        run({"manifest": "s3://other/manifests/x.json", "approver": PERSON}, bucket=BUCKET, s3=account.s3)
