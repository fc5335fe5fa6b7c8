"""A model version as the registry keeps it: its settings, its package and its manifest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.machine_events import mapping, text
from ml_lens_runtime.s3_json import DocumentError

MANIFEST_VERSION = 1
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")  # what a rebuild can ask for by name
PENDING, APPROVED = "PendingManualApproval", "Approved"


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistrationSettings:
    """Everything that the handler reads from its environment.

    Attributes
    ----------
    approval_status : str
        ``PendingManualApproval`` or ``Approved``.
    endpoint : dict
        ``variant_name``, ``instance_type``, ``instance_count``.
    """

    group: str
    bucket: str
    approval_status: str
    image: str
    environment: dict[str, str]
    content_types: tuple[str, ...]
    response_types: tuple[str, ...]
    code_uri: str
    code_sha256: str
    endpoint: dict[str, Any]

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> RegistrationSettings:
        """Parse the environment.

        Raises
        ------
        ConfigurationError
            A variable is missing or invalid; its name is the first word of the message.
        """
        status = _text(environ, "APPROVAL_STATUS")
        if status not in (PENDING, APPROVED):
            raise ConfigurationError(f"APPROVAL_STATUS must be {PENDING} or {APPROVED}, got {status!r}")
        return cls(
            group=_text(environ, "GROUP"),
            bucket=_text(environ, "BUCKET"),
            approval_status=status,
            image=_text(environ, "IMAGE"),
            environment={name: str(value) for name, value in _object(environ, "ENVIRONMENT").items()},
            content_types=tuple(_text(environ, "CONTENT_TYPES").split(",")),
            response_types=tuple(_text(environ, "RESPONSE_TYPES").split(",")),
            code_uri=environ.get("CODE_URI", ""),
            code_sha256=environ.get("CODE_SHA256", ""),
            endpoint=_object(environ, "ENDPOINT"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What a run hands over, with the documents that it wrote."""

    event: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    decision: Mapping[str, Any]

    @classmethod
    def checked(
        cls, *, event: Mapping[str, Any], evaluation: Mapping[str, Any], decision: Mapping[str, Any]
    ) -> Candidate:
        """Return the candidate, if everything is there that its package and its manifest need.

        Raises
        ------
        EventError
            A field of the event is missing or of another kind.
        DocumentError
            The evaluation names no metrics, or a version that no file can be named after.
        """
        for name in ("execution", "training_job", "model_data"):
            text(event, name)
        for name in ("dataset", *(name for name in ("hyperparameters", "environment") if event.get(name) is not None)):
            mapping(event.get(name), name)
        measured = evaluation.get("candidate")
        if not isinstance(measured, dict) or not isinstance(measured.get("metrics"), dict):
            raise DocumentError("the evaluation must name the candidate's metrics")
        made = cls(event=event, evaluation=evaluation, decision=decision)
        if _VERSION.fullmatch(made.model_version) is None:
            raise DocumentError(f"model_version must be letters, digits and . _ -, got {made.model_version[:200]!r}")
        return made

    @property
    def model_version(self) -> str:
        """The version that the artifact itself states; the training job's name for artifacts that state none."""
        stated = self.evaluation["candidate"].get("model_version")
        return str(stated) if stated else str(self.event["training_job"])

    def manifest_uri(self, settings: RegistrationSettings) -> str:
        """Where the manifest goes; one execution has one."""
        return f"s3://{settings.bucket}/manifests/{self.model_version}-{self.event['execution']}.json"

    @property
    def chosen(self) -> Mapping[str, str] | None:
        """The container's variables, when the run chose the container itself; ``event["image"]`` is its image."""
        return self.event.get("environment") or {} if "image" in self.event else None

    def image(self, settings: RegistrationSettings) -> str:
        """Return the image that serves it."""
        return str(self.event.get("image", settings.image))

    def environment(self, settings: RegistrationSettings) -> dict[str, str]:
        """Return the variables of the container that serves it."""
        return settings.environment if self.chosen is None else dict(self.chosen)

    def package(self, settings: RegistrationSettings) -> dict[str, Any]:
        """Return the request of CreateModelPackage; it waits for approval until its manifest is written."""
        container = {
            "Image": self.image(settings),
            "ModelDataUrl": self.event["model_data"],
            "Environment": self.environment(settings),
        }
        return {
            "ModelPackageGroupName": settings.group,
            "ModelPackageDescription": f"{self.model_version}, dataset {self.event['dataset'].get('version')}"[:1024],
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": list(settings.content_types),
                "SupportedResponseMIMETypes": list(settings.response_types),
                "SupportedRealtimeInferenceInstanceTypes": [settings.endpoint["instance_type"]],
            },
            "ModelApprovalStatus": PENDING,
            "CustomerMetadataProperties": {
                "manifest": self.manifest_uri(settings),
                "model_version": self.model_version,
                "dataset_version": str(self.event["dataset"].get("version")),
            },
            "ClientToken": hashlib.sha256(self.manifest_uri(settings).encode()).hexdigest()[:32],
        }

    def manifest(self, settings: RegistrationSettings, *, arn: str, image: str) -> dict[str, Any]:
        """Return the manifest: what is needed to rebuild the endpoint, and why this version was let through."""
        return {
            "manifest_version": MANIFEST_VERSION,
            "model_version": self.model_version,
            "model_package_arn": arn,
            "model_data": self.event["model_data"],
            "image": image,
            "environment": self.environment(settings),
            "hyperparameters": dict(self.event.get("hyperparameters") or {}),
            "code": {"uri": settings.code_uri, "sha256": settings.code_sha256},
            "dataset": dict(self.event["dataset"]),
            "metrics": dict(self.evaluation["candidate"]["metrics"]),
            "gate": dict(self.decision),
            "approver": "the gate" if settings.approval_status == APPROVED else None,
            "endpoint": settings.endpoint,
            "execution": self.event["execution"],
        }


def image_by_digest(described: Mapping[str, Any], image: str) -> str:
    """Return the image by the digest that SageMaker AI resolved at registration, else as it was given."""
    (container, *_) = described["InferenceSpecification"]["Containers"]
    digest = container.get("ImageDigest")
    if not digest or "@" in image:
        return image
    repository, _, _ = image.rpartition(":")
    return f"{repository}@{digest}"


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} must be set")
    return value


def _object(environ: Mapping[str, str], name: str) -> dict[str, Any]:
    try:
        found = json.loads(_text(environ, name))
    except ValueError as error:
        raise ConfigurationError(f"{name} must be JSON, got {error}") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{name} must be a JSON object")
    return found
