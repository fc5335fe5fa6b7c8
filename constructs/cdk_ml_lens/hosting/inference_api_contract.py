"""InferenceContract: what an inference API takes, as JSON Schema, and what its model gets of it."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.inference_api_schema import faults_of
from cdk_ml_lens.iot.features import Feature, check_features

DRAFT = "http://json-schema.org/draft-04/schema#"  # the draft that API Gateway reads
_MOST_SCHEMA = 3000  # of the 4 KB that all of a function's variables may have together


@dataclass(frozen=True, kw_only=True)
class InferenceContract:
    """What a request must look like; make one with `of_features` or `of_schema`.

    Parameters
    ----------
    schema : mapping
        JSON Schema, draft 4.
    feature_names : tuple of str
        Fields of an instance in the model's input order; empty if the body goes to the model as JSON.
    content_type : str
        Content type that the model gets.
    model_version : str, optional
        Answered when the model's answer does not carry its version. Default: ``unknown``.

    Raises
    ------
    PropError
        When the schema has a keyword that only one of API Gateway and the handler would check, or is too long for the
        function's environment: 4 KB for all variables. Source:
        https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """

    schema: Mapping[str, Any]
    feature_names: tuple[str, ...] = ()
    content_type: str = "application/json"
    model_version: str | None = None

    def __post_init__(self) -> None:
        faults = Faults("inference contract")
        for fault in faults_of(self.schema):
            faults.unless(False, "schema", fault.rule, fault.value, fault.hint)
        names = len(",".join(self.feature_names))
        room = _MOST_SCHEMA - names
        size = len(self.packed())
        faults.unless(size <= room, "schema", f"take at most {room} bytes when deflated", size, "say less in it")
        faults.raise_any()

    @staticmethod
    def of_features(
        features: Sequence[Feature],
        *,
        content_type: Literal["text/csv", "application/jsonlines"] = "text/csv",
        max_instances: int = 100,
        model_version: str | None = None,
    ) -> InferenceContract:
        """Take ``{"instances": [{feature: number, …}, …]}``; the model gets one line per instance.

        Parameters
        ----------
        features : sequence of Feature
            Fields of an instance, in the model's input order; other fields are allowed and ignored.
        content_type : {"text/csv", "application/jsonlines"}
            What the model gets. Default: ``text/csv``. It should answer JSON lines, one per instance.
        max_instances : int
            Most instances of a request. Default: 100.
        model_version : str, optional
            Answered when the model's answer does not carry its version. Default: ``unknown``.

        Raises
        ------
        PropError
            When a feature is double or missing, or a number is out of range.
        """
        check_features(features)
        faults = Faults("inference contract")
        faults.within("max_instances", max_instances, 1, 10_000)
        known = ("text/csv", "application/jsonlines")
        faults.unless(content_type in known, "content_type", f"be one of {known}", content_type)
        faults.raise_any()
        instance = {
            "type": "object",
            "required": [feature.name for feature in features],
            "properties": {feature.name: _number(feature) for feature in features},
        }
        instances = {"type": "array", "minItems": 1, "maxItems": max_instances, "items": instance}
        schema = {"type": "object", "required": ["instances"], "properties": {"instances": instances}}
        return InferenceContract(
            schema={"$schema": DRAFT, **schema},
            feature_names=tuple(feature.name for feature in features),
            content_type=content_type,
            model_version=model_version,
        )

    @staticmethod
    def of_schema(schema: Mapping[str, Any], *, model_version: str | None = None) -> InferenceContract:
        """Take any JSON that meets a schema of draft 4; the model gets that JSON and answers JSON.

        Parameters
        ----------
        schema : mapping
            The schema.
        model_version : str, optional
            Answered when the model's answer does not carry its version. Default: ``unknown``.
        """
        return InferenceContract(schema={"$schema": DRAFT, **schema}, model_version=model_version)

    def packed(self) -> str:
        """Return the schema as the handler reads it: deflated and base64."""
        text = json.dumps(self.schema, sort_keys=True, separators=(",", ":"), default=str)
        return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")

    def environment(self) -> dict[str, str]:
        """Return the handler's variables that say what to take and to pass on."""
        return {
            "REQUEST_SCHEMA": self.packed(),
            "FEATURES": ",".join(self.feature_names),
            "CONTENT_TYPE": self.content_type,
            "MODEL_VERSION": "" if self.model_version is None else self.model_version,
        }


def _number(feature: Feature) -> dict[str, Any]:
    bounds = {"minimum": feature.minimum, "maximum": feature.maximum}
    return {"type": "number", **{name: bound for name, bound in bounds.items() if bound is not None}}
