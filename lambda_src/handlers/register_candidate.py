"""Registers a candidate that passed its gate: model package and manifest, both or none."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ml_lens_runtime import s3_json
from ml_lens_runtime.machine_events import text
from ml_lens_runtime.registration import APPROVED, Candidate, RegistrationSettings, image_by_digest

logger = logging.getLogger(__name__)


class NotPassedError(ValueError):
    """The decision does not say that the candidate passed, or is about another one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistryClients:
    """The AWS clients of the handler."""

    s3: Any
    sagemaker: Any


@functools.cache
def _process() -> tuple[RegistrationSettings, RegistryClients]:
    """Parse the environment and prepare the clients once per process."""
    clients = RegistryClients(s3=boto3.client("s3"), sagemaker=boto3.client("sagemaker"))
    return RegistrationSettings.parse(os.environ), clients


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    settings, clients = _process()
    return run(event, settings=settings, clients=clients)


def run(event: Mapping[str, Any], *, settings: RegistrationSettings, clients: RegistryClients) -> dict[str, Any]:
    """Register once per execution; a second call returns what the first one made.

    Parameters
    ----------
    event : mapping
        ``execution``, ``dataset`` (``uri``, ``version``, ``sha256``), ``evaluation`` and ``decision`` (S3 URIs),
        ``model_data``, ``training_job``, ``hyperparameters``; ``image`` and ``environment`` when the run chose them.
    settings : RegistrationSettings
        The parsed environment.
    clients : RegistryClients
        The AWS clients.

    Returns
    -------
    dict
        ``model_version``, ``model_package_arn``, ``manifest`` (S3 URI), ``approval_status``.

    Raises
    ------
    NotPassedError
        The candidate did not pass its gate.
    EventError, DocumentError
        A field of the event, or of the documents that it names, is missing or of another kind.
    ClientError
        AWS refused something; nothing is left registered.
    """
    model_data = text(event, "model_data")
    decision = s3_json.read(clients.s3, text(event, "decision"))
    if decision.get("passed") is not True or decision.get("candidate_model") != model_data:
        raise NotPassedError(f"the decision must be a pass of {model_data}, got {event['decision']}")
    evaluation = s3_json.read(clients.s3, text(event, "evaluation"))
    candidate = Candidate.checked(event=event, evaluation=evaluation, decision=decision)
    uri = candidate.manifest_uri(settings)
    arn = _made_before(clients, uri)
    if arn is None:
        arn = _make(clients, settings, candidate)
    elif settings.approval_status == APPROVED:
        _approve(clients, arn)
    return {
        "model_version": candidate.model_version,
        "model_package_arn": arn,
        "manifest": uri,
        "approval_status": settings.approval_status,
    }


def _made_before(clients: RegistryClients, uri: str) -> str | None:
    """Return the package that an earlier call of this execution registered."""
    try:
        return str(s3_json.read(clients.s3, uri)["model_package_arn"])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise


def _make(clients: RegistryClients, settings: RegistrationSettings, candidate: Candidate) -> str:
    created = clients.sagemaker.create_model_package(**candidate.package(settings))
    arn = str(created["ModelPackageArn"])
    try:
        described = clients.sagemaker.describe_model_package(ModelPackageName=arn)
        image = image_by_digest(described, candidate.image(settings))
        uri = candidate.manifest_uri(settings)
        s3_json.write(clients.s3, uri, candidate.manifest(settings, arn=arn, image=image))
        if settings.approval_status == APPROVED:
            _approve(clients, arn)
    except Exception:
        _take_back(clients, arn, candidate.manifest_uri(settings))
        raise
    return arn


def _approve(clients: RegistryClients, arn: str) -> None:
    """Approve, once; the event of the approval finds the manifest complete."""
    if clients.sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] != APPROVED:
        clients.sagemaker.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=APPROVED, ApprovalDescription="the gate passed"
        )


def _take_back(clients: RegistryClients, arn: str, uri: str) -> None:
    """Leave neither manifest nor package; what cannot be taken back is logged, the first error is what counts.

    The manifest goes first, and where it cannot go the package stays: a manifest that named a deleted package would
    pass for a finished registration at the next call.
    """
    bucket, key = s3_json.place(uri)
    undoing: list[tuple[Callable[..., Any], dict[str, str]]] = [
        (clients.s3.delete_object, {"Bucket": bucket, "Key": key}),
        (clients.sagemaker.delete_model_package, {"ModelPackageName": arn}),
    ]
    for undo, what in undoing:
        try:
            undo(**what)
        except Exception:
            logger.exception("could not take back %s", what)
            return
