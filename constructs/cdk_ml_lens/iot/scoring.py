"""Scoring: which endpoint, which features (of a reading alone, or of its device's window), which threshold."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.feature_set import FeatureSet
from cdk_ml_lens.core.refs import InvocableEndpoint
from cdk_ml_lens.iot.features import Feature, check_features, render_features

_CONTENT_TYPES = ("text/csv", "application/jsonlines")
_MOST_PACKED_BYTES = 2560  # all variables of a function share 4 KB; the others take up to 1.5 KB


@dataclass(frozen=True, kw_only=True)
class NormalisationArtifact:
    """The normalisation parameters that an ETL job wrote: one object in S3.

    Parameters
    ----------
    bucket : IBucket
        Where it is.
    key : str
        Its key. Take the one with the version in its name, ``…/<version>.json``: it is what the model was trained
        with, and never changes.

    Raises
    ------
    PropError
        When the key is empty or starts with a slash.
    """

    bucket: s3.IBucket
    key: str

    def __post_init__(self) -> None:
        faults = Faults("normalisation artifact")
        fits = 0 < len(self.key.encode()) <= 1024 and not self.key.startswith("/")
        faults.unless(fits, "key", "be an object key of 1 to 1024 bytes without a slash in front", self.key)
        faults.raise_any()

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``s3:GetObject`` on this one object, and the use of the bucket's key for it."""
        grants.use_key(grantee, self.bucket.encryption_key, "kms:Decrypt")
        return grants.allow(grantee, ["s3:GetObject"], [self.bucket.arn_for_objects(self.key)])


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How a reading becomes a score.

    Parameters
    ----------
    endpoint : InvocableEndpoint
        The model, for example a `ModelEndpoint`.
    features : sequence of Feature, or FeatureSet
        Inputs of the model, in its order: fields of the reading, or the features that an `EtlJob` made for training,
        which the scorer then computes from a window of each device.
    content_type : {"text/csv", "application/jsonlines"}
        Body of the one call per batch. Default: ``text/csv``.
    threshold : float, optional
        Score above which a reading is an anomaly, in the model's unit. Default: the model's own answer carries it.
    model_version : str, optional
        Recorded when the model's answer does not carry its version. Default: none.
    max_reading_bytes : int
        Larger readings are quarantined, in bytes. Default: 8192. IoT Core takes 128 KiB.
    remember_hours : int
        How long a duplicate is recognised, in hours. Default: 24.
    normalisation : NormalisationArtifact, optional
        Parameters of a feature set that normalises; no other scoring takes them. Default: none.

    Raises
    ------
    PropError
        When a value is out of range or a feature is missing, double, or can be null although its sensor has a value.

    Notes
    -----
    Lens best practice MLREL03-BP02. Limit of the variables:
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """

    endpoint: InvocableEndpoint
    features: Sequence[Feature] | FeatureSet
    content_type: Literal["text/csv", "application/jsonlines"] = "text/csv"
    threshold: float | None = None
    model_version: str | None = None
    max_reading_bytes: int = 8192
    remember_hours: int = 24
    normalisation: NormalisationArtifact | None = None

    def __post_init__(self) -> None:
        faults = Faults("scoring")
        if isinstance(self.features, FeatureSet):
            _check_set(faults, self.features)
        else:
            check_features(self.features)
        _check_normalisation(faults, self.feature_set, self.normalisation)
        faults.unless(
            self.content_type in _CONTENT_TYPES, "content_type", f"be one of {_CONTENT_TYPES}", self.content_type
        )
        faults.within("max_reading_bytes", self.max_reading_bytes, 2, 131_072)
        faults.within("remember_hours", self.remember_hours, 1, 24 * 14)
        faults.raise_any()

    @property
    def feature_set(self) -> FeatureSet | None:
        """The feature set, if the features come from windows."""
        return self.features if isinstance(self.features, FeatureSet) else None

    def environment(self) -> dict[str, str]:
        """Return the handler's variables that say how to score."""
        return {
            "ENDPOINT_NAME": self.endpoint.endpoint_name,
            **self._inputs(),
            "CONTENT_TYPE": self.content_type,
            "THRESHOLD": "" if self.threshold is None else str(self.threshold),
            "MODEL_VERSION": "" if self.model_version is None else self.model_version,
            "MAX_READING_BYTES": str(self.max_reading_bytes),
            "LEDGER_HOURS": str(self.remember_hours),
        }

    def _inputs(self) -> dict[str, str]:
        if not isinstance(self.features, FeatureSet):
            return {"FEATURES": render_features(self.features)}
        found = {"FEATURE_SET": _packed(self.features)}
        if self.normalisation is not None:
            found["NORMALISATION_BUCKET"] = self.normalisation.bucket.bucket_name
            found["NORMALISATION_KEY"] = self.normalisation.key
        return found


def _check_set(faults: Faults, feature_set: FeatureSet) -> None:
    nullable = list(feature_set.nullable)
    cure = "set a null_value, or hold for less than the window"
    faults.unless(not nullable, "features", "never be null while the sensor has a value", nullable, cure)
    size = len(_packed(feature_set))
    faults.unless(
        size <= _MOST_PACKED_BYTES,
        "features",
        f"take at most {_MOST_PACKED_BYTES} bytes when packed, because a function's variables share 4 KB",
        size,
        "use fewer features",
    )


def _check_normalisation(
    faults: Faults, feature_set: FeatureSet | None, artifact: NormalisationArtifact | None
) -> None:
    method = "none" if feature_set is None else feature_set.normalisation.method
    rule = "be left out for features that are not normalised"
    if method != "none":
        rule = f"name the parameters of features that are normalised by {method!r}"
    faults.unless((artifact is None) == (method == "none"), "normalisation", rule, artifact)


def _packed(feature_set: FeatureSet) -> str:
    """Return the definition deflated and in base64."""
    return base64.b64encode(zlib.compress(feature_set.render().encode(), 9)).decode("ascii")
