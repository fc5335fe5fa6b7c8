"""The whole definition of a deployment: one version to one endpoint, at its turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from cdk_ml_lens.hosting.deploy_asl import POLL_SECONDS, Mode
from cdk_ml_lens.hosting.deploy_end import end_states
from cdk_ml_lens.hosting.deploy_start import start_states
from cdk_ml_lens.hosting.shift_checks import SyntheticRequest
from cdk_ml_lens.hosting.shift_machine import in_partition

_LONGEST_SECONDS = 43_200  # waiting for its turn included
_SLACK_MINUTES = 60  # instances come up, and the endpoint settles


def definition(
    mode: Mode,
    *,
    guards: Mapping[str, Any],
    timeout_minutes: int,
    request: SyntheticRequest,
    prepare_arn: str,
    record_arn: str | None,
    partition: str = cdk.Aws.PARTITION,
) -> dict[str, Any]:
    """Return the Amazon States Language definition; the endpoint's name is the substitution ``Endpoint``.

    Parameters
    ----------
    mode : {"approved", "rebuild"}
        Whether a model package is deployed, or a manifest alone.
    guards : mapping
        DeploymentConfig of an update.
    timeout_minutes : int
        Longest rollout, in minutes.
    request : SyntheticRequest
        What the new version is asked.
    prepare_arn : str
        Function that works out the plan.
    record_arn : str, optional
        Function that writes the approver; ``None``: nobody does.
    partition : str
        Partition of the service integrations' ARNs. Default: the stack's.
    """
    polls = (timeout_minutes + _SLACK_MINUTES) * 60 // POLL_SECONDS
    states = {
        **start_states(mode, prepare_arn=prepare_arn),
        **end_states(mode, guards=guards, polls=polls, request=request, record_arn=record_arn),
    }
    return {
        "Comment": f"One deployment at a time: {mode}",
        "QueryLanguage": "JSONata",
        "StartAt": "ReadRequest",
        "TimeoutSeconds": _LONGEST_SECONDS,
        "States": in_partition(states, partition),
    }
