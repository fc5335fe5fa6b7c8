"""Feature groups on the laptop cloud: features added by an update, records that expire, requests that are refused."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import DeployError, LaptopCloud
from tests.local.conftest import Deploy
from tests.local.job_support import ROLE

pytestmark = pytest.mark.laptop_cloud
KINDS = {"device_id": "String", "event_time": "String", "temperature": "Fractional"}
HOUR = {"Unit": "Hours", "Value": 1}


def definitions(**more: str) -> list[dict[str, str]]:
    return [{"FeatureName": name, "FeatureType": kind} for name, kind in {**KINDS, **more}.items()]


def properties(name: str, *, ttl: dict[str, Any] | None = None, **more: str) -> dict[str, Any]:
    """Return what makes a group, with ``more`` features than the usual ones."""
    return {
        "FeatureGroupName": name,
        "RecordIdentifierFeatureName": "device_id",
        "EventTimeFeatureName": "event_time",
        "FeatureDefinitions": definitions(**more),
        "OnlineStoreConfig": {"EnableOnlineStore": True, **({} if ttl is None else {"TtlDuration": ttl})},
        "RoleArn": ROLE,
    }


def typed(given: dict[str, Any]) -> dict[str, Any]:
    return {"Group": {"Type": "AWS::SageMaker::FeatureGroup", "Properties": given}}


def put(cloud: LaptopCloud, group: str, **values: str) -> None:
    record = [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]
    cloud.client("sagemaker-featurestore-runtime").put_record(FeatureGroupName=group, Record=record)


def got(cloud: LaptopCloud, group: str, key: str) -> dict[str, str] | None:
    """Return the record of a device, or None."""
    store = cloud.client("sagemaker-featurestore-runtime")
    answer = store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString=key)
    return {item["FeatureName"]: item["ValueAsString"] for item in answer["Record"]} if "Record" in answer else None


def hours_ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_update_adds_features_and_keeps_the_records(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    deploy_template("Grown", typed(properties("grown")))
    put(laptop_cloud, "grown", device_id="a", event_time=hours_ago(2), temperature="1.5")
    deploy_template("Grown", typed(properties("grown", speed="Integral")))
    before = got(laptop_cloud, "grown", "a")
    assert before is not None
    assert before["temperature"] == "1.5"
    put(laptop_cloud, "grown", device_id="a", event_time=hours_ago(1), temperature="1.5", speed="7")
    after = got(laptop_cloud, "grown", "a")
    assert after is not None
    assert after["speed"] == "7"
    with pytest.raises(DeployError, match=r"cannot be removed or changed: \['speed'\]"):
        deploy_template("Grown", typed(properties("grown")))


def test_records_put_after_an_update_live_as_long_as_it_says(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    deploy_template("Aging", typed(properties("aging")))
    put(laptop_cloud, "aging", device_id="before", event_time=hours_ago(2))
    deploy_template("Aging", typed(properties("aging", ttl=HOUR)))
    described = laptop_cloud.client("sagemaker").describe_feature_group(FeatureGroupName="aging")
    assert described["OnlineStoreConfig"] == {"EnableOnlineStore": True, "TtlDuration": HOUR}
    put(laptop_cloud, "aging", device_id="after", event_time=hours_ago(2))
    deploy_template("Aging", typed(properties("aging")))
    put(laptop_cloud, "aging", device_id="last", event_time=hours_ago(2))
    found = {key: got(laptop_cloud, "aging", key) is not None for key in ("before", "after", "last")}
    assert found == {"before": True, "after": False, "last": True}


def test_a_group_that_cannot_be_is_refused(laptop_cloud: LaptopCloud) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    wanted = properties("strict")
    with pytest.raises(ClientError, match=r"FeatureDefinitions must contain \['when'\]"):
        sagemaker.create_feature_group(**{**wanted, "EventTimeFeatureName": "when"})
    sagemaker.create_feature_group(**wanted)
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="strict already exists"):
        sagemaker.create_feature_group(**wanted)
    known = [{"FeatureName": "temperature", "FeatureType": "String"}]
    with pytest.raises(ClientError, match=r"must be new features, got \['temperature'\]"):
        sagemaker.update_feature_group(FeatureGroupName="strict", FeatureAdditions=known)
    sagemaker.update_feature_group(
        FeatureGroupName="strict", FeatureAdditions=[{"FeatureName": "speed", "FeatureType": "Integral"}]
    )
    shown = sagemaker.describe_feature_group(FeatureGroupName="strict")
    assert [item["FeatureName"] for item in shown["FeatureDefinitions"]] == [*KINDS, "speed"]
    assert shown["OnlineStoreConfig"] == wanted["OnlineStoreConfig"]
    with pytest.raises(ClientError, match="Feature Store path /FeatureGroup/strict/more"):
        put(laptop_cloud, "strict/more", device_id="a")
    sagemaker.delete_feature_group(FeatureGroupName="strict")


def test_a_record_that_does_not_fit_its_group_is_refused(laptop_cloud: LaptopCloud) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    sagemaker.create_feature_group(**properties("fitting"))
    now = hours_ago(0)
    with pytest.raises(ClientError, match=r"unknown features \['colour'\]"):
        put(laptop_cloud, "fitting", device_id="a", event_time=now, colour="red")
    with pytest.raises(ClientError, match=r"the record has no \['event_time'\]"):
        put(laptop_cloud, "fitting", device_id="a")
    with pytest.raises(ClientError, match="event_time cannot be '2026-01-01T00:00:00'"):  # of no time zone
        put(laptop_cloud, "fitting", device_id="a", event_time="2026-01-01T00:00:00")
    assert got(laptop_cloud, "fitting", "a") is None
    sagemaker.delete_feature_group(FeatureGroupName="fitting")


def test_a_late_delete_leaves_the_newer_record_of_numbered_times(laptop_cloud: LaptopCloud) -> None:
    sagemaker, store = laptop_cloud.client("sagemaker"), laptop_cloud.client("sagemaker-featurestore-runtime")
    numbered = {**properties("late"), "FeatureDefinitions": definitions(event_time="Fractional")}
    sagemaker.create_feature_group(**numbered)
    now = time.time()
    put(laptop_cloud, "late", device_id="a", event_time=f"{now:.3f}")
    key = {"FeatureGroupName": "late", "RecordIdentifierValueAsString": "a"}
    store.delete_record(**key, EventTime=f"{now - 60:.3f}")
    assert got(laptop_cloud, "late", "a") is not None
    store.delete_record(**key, EventTime=f"{now + 1:.3f}")
    assert got(laptop_cloud, "late", "a") is None
    sagemaker.delete_feature_group(FeatureGroupName="late")
