"""Rules of EMR: clusters that end, data that is encrypted."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.review.reports import findings

STAYS = {"Instances": {"KeepJobFlowAliveWhenNoSteps": True}}


def cluster(**properties: Any) -> dict[str, Any]:
    return {"Cluster": ("AWS::EMR::Cluster", properties)}


def machine(*operations: str, **arguments: Any) -> dict[str, Any]:
    states = {
        operation: {
            "Type": "Task",
            "Resource": f"arn:aws:states:::elasticmapreduce:{operation}",
            "Parameters": arguments,
        }
        for operation in operations
    }
    return {"Machine": ("AWS::StepFunctions::StateMachine", {"DefinitionString": json.dumps({"States": states})})}


def test_clusters_that_stay_idle_are_found() -> None:
    assert findings("EMR1", cluster()) == ["Cluster"]
    assert findings("EMR1", cluster(**STAYS)) == ["Cluster"]


def test_clusters_that_end_pass() -> None:
    assert findings("EMR1", cluster(AutoTerminationPolicy={"IdleTimeout": 600})) == []
    assert findings("EMR1", cluster(Instances={"KeepJobFlowAliveWhenNoSteps": "false"})) == []
    assert findings("EMR1", cluster(Instances={"KeepJobFlowAliveWhenNoSteps": {"Ref": "Keep"}})) == []


def test_a_cluster_of_a_state_machine_is_ended_by_it() -> None:
    assert findings("EMR1", machine("createCluster", **STAYS)) == ["Machine[State::createCluster]"]
    assert findings("EMR1", machine("createCluster", "terminateCluster", **STAYS)) == []
    assert findings("EMR1", machine("createCluster", **STAYS, AutoTerminationPolicy={})) == []
    assert findings("EMR1", machine("createCluster")) == []


def test_a_cluster_without_security_configuration_is_found() -> None:
    assert findings("EMR2", cluster()) == ["Cluster"]
    assert findings("EMR2", cluster(SecurityConfiguration={"Ref": "Shared"})) == []


def test_each_part_of_the_encryption_is_asked_for() -> None:
    def security(document: Any) -> dict[str, Any]:
        return {"Security": ("AWS::EMR::SecurityConfiguration", {"SecurityConfiguration": document})}

    half = {"EncryptionConfiguration": {"EnableAtRestEncryption": True, "EnableInTransitEncryption": False}}
    assert findings("EMR2", security(half)) == ["Security[EnableInTransitEncryption]"]
    assert findings("EMR2", security(json.dumps(half))) == ["Security[EnableInTransitEncryption]"]
    assert findings("EMR2", security({})) == ["Security[EnableAtRestEncryption]", "Security[EnableInTransitEncryption]"]
    assert findings("EMR2", security({"Ref": "DocumentOfAParameter"})) == []


def test_emr_serverless_that_never_stops_is_found() -> None:
    def application(**properties: Any) -> dict[str, Any]:
        return {"Application": ("AWS::EMRServerless::Application", properties)}

    assert findings("EMR3", application(AutoStopConfiguration={"Enabled": False})) == ["Application"]
    assert findings("EMR3", application()) == []
    assert findings("EMR3", application(AutoStopConfiguration={"IdleTimeoutMinutes": 5})) == []
