"""From a manifest and an environment's settings to the calls that serve it: pure, the same input, the same plan."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.manifest import Manifest

# As in hosting/rendering.py: a key for their volumes is refused where the instances encrypt local disks in hardware.
LOCAL_STORAGE = re.compile(r"ml\.([a-z]+[0-9]+[a-z]*d[a-z]*|g5|g6|g6e|p5|p5e|p5en|trn1|trn1n|trn2)\.")
_NAME_LENGTH = 63
_DIGEST, _RUN = 10, 8  # hexadecimal digits of content and execution in a name


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that the deployment's functions read from their environment."""

    bucket: str
    group: str
    expire_days: int | None
    name_prefix: str
    role_arn: str
    variant_name: str
    instance_type: str | None
    instance_count: int | None
    volume_key_arn: str
    capture: Mapping[str, Any] | None
    network: Mapping[str, Any] | None

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> Settings:
        """Parse the environment.

        Raises
        ------
        ConfigurationError
            A variable is missing or invalid; its name is the first word of the message.
        """
        return cls(
            bucket=_text(environ, "REGISTRY_BUCKET"),
            group=_text(environ, "GROUP"),
            expire_days=_whole(environ, "EXPIRE_DAYS"),
            name_prefix=_text(environ, "NAME_PREFIX"),
            role_arn=_text(environ, "EXECUTION_ROLE_ARN"),
            variant_name=_text(environ, "VARIANT_NAME"),
            instance_type=environ.get("INSTANCE_TYPE") or None,
            instance_count=_whole(environ, "INSTANCE_COUNT"),
            volume_key_arn=_text(environ, "VOLUME_KEY_ARN"),
            capture=_json(environ, "DATA_CAPTURE"),
            network=_json(environ, "VPC_CONFIG"),
        )


def plan(manifest: Manifest, *, settings: Settings, from_package: bool, execution: str) -> dict[str, Any]:
    """Return the calls of a deployment.

    Parameters
    ----------
    manifest : Manifest
        Of the version.
    settings : Settings
        Of this environment.
    from_package : bool
        Whether the model is made of the model package, or of what the manifest says about image and artifact.
    execution : str
        Name of the execution; it is part of the names.

    Returns
    -------
    dict
        ``name``, ``own_prefix``, ``live_prefix``, ``variant``, and the arguments ``model`` and ``config``. What begins
        with ``own_prefix`` was made by this deployment construct; an endpoint whose configuration's name begins with
        ``live_prefix`` serves the same content already.
    """
    model, config = _model(manifest, settings, from_package=from_package), _config(manifest, settings)
    content = json.dumps([manifest.model_version, manifest.model_package_arn, model, config], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()[:_DIGEST]
    run = hashlib.sha256(execution.encode()).hexdigest()[:_RUN]
    room = _NAME_LENGTH - _DIGEST - _RUN - 2
    own = f"{settings.name_prefix[:room].rstrip('-')}-"
    live = f"{own}{digest}-"
    name = f"{live}{run}"
    for variant in config["ProductionVariants"]:
        variant["ModelName"] = name
    return {
        "name": name,
        "own_prefix": own,
        "live_prefix": live,
        "variant": settings.variant_name,
        "model_version": manifest.model_version,
        "model_package_arn": manifest.model_package_arn,
        "model": {**model, "ModelName": name},
        "config": {**config, "EndpointConfigName": name},
    }


def _model(manifest: Manifest, settings: Settings, *, from_package: bool) -> dict[str, Any]:
    container: dict[str, Any] = {"ModelPackageName": manifest.model_package_arn}
    if not from_package:
        container = {
            "Image": manifest.image,
            "ModelDataUrl": manifest.model_data,
            "Environment": dict(manifest.environment),
        }
    model = {
        "ExecutionRoleArn": settings.role_arn,
        "EnableNetworkIsolation": True,
        "PrimaryContainer": container,
    }
    return model if settings.network is None else {**model, "VpcConfig": dict(settings.network)}


def _config(manifest: Manifest, settings: Settings) -> dict[str, Any]:
    kind = manifest.instance_type if settings.instance_type is None else settings.instance_type
    count = manifest.instance_count if settings.instance_count is None else settings.instance_count
    variant = {
        "VariantName": settings.variant_name,
        "InstanceType": kind,
        "InitialInstanceCount": count,
        "InitialVariantWeight": 1,
    }
    config: dict[str, Any] = {"ProductionVariants": [variant]}
    if LOCAL_STORAGE.match(kind) is None:
        config["KmsKeyId"] = settings.volume_key_arn
    if settings.capture is not None:
        config["DataCaptureConfig"] = dict(settings.capture)
    return config


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} must be set")
    return value


def _whole(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1):
        raise ConfigurationError(f"{name} must be a whole number of at least 1, got {text[:40]!r}")
    return int(text)


def _json(environ: Mapping[str, str], name: str) -> Mapping[str, Any] | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ConfigurationError(f"{name} must be a JSON object")
    return value
