"""CaptureSource and DriftRules: what is watched, and when it has drifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aws_cdk import aws_s3 as s3

from cdk_ml_lens.core.errors import Faults


class CapturedEndpoint(Protocol):
    """An endpoint whose traffic is kept; `ApprovedDeployment` is such."""

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        ...

    variant_name: str
    capture_prefix: str | None
    capture_bucket: s3.IBucket | None


@dataclass(frozen=True, kw_only=True)
class CaptureSource:
    """Where the captured traffic of one variant lies: ``<prefix>/<endpoint>/<variant>/yyyy/mm/dd/hh/*.jsonl``.

    Parameters
    ----------
    bucket : IBucket
        Holds the captures.
    endpoint_name, variant_name : str
        What was captured.
    prefix : str
        Prefix of the captures, without slashes at its ends. Default: ``capture``.

    Raises
    ------
    PropError
        When a name is empty or the prefix has a slash at an end.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
    """

    bucket: s3.IBucket
    endpoint_name: str
    variant_name: str
    prefix: str = "capture"

    def __post_init__(self) -> None:
        faults = Faults("capture source")
        for prop in ("endpoint_name", "variant_name"):
            faults.unless(bool(getattr(self, prop)), prop, "not be empty", getattr(self, prop))
        plain = bool(self.prefix) and self.prefix == self.prefix.strip("/")
        faults.unless(plain, "prefix", "be a path without slashes at its ends", self.prefix)
        faults.raise_any()

    @staticmethod
    def of(endpoint: CapturedEndpoint) -> CaptureSource:
        """Return the captures of an endpoint.

        Raises
        ------
        PropError
            When it keeps no traffic.
        """
        bucket, prefix = endpoint.capture_bucket, endpoint.capture_prefix
        if bucket is None or prefix is None:
            faults = Faults("capture source")
            faults.unless(False, "endpoint", "capture its traffic", None, "give its shape a DataCapture")
            faults.raise_any()
        assert bucket is not None
        assert prefix is not None
        return CaptureSource(
            bucket=bucket, endpoint_name=endpoint.endpoint_name, variant_name=endpoint.variant_name, prefix=prefix
        )

    @property
    def folder(self) -> str:
        """Prefix of the variant's captures, with a slash at its end."""
        return f"{self.prefix}/{self.endpoint_name}/{self.variant_name}/"


@dataclass(frozen=True, kw_only=True)
class DriftRules:
    """When a window of traffic has drifted.

    Parameters
    ----------
    false_alarm_rate : float
        Most probable share of windows without change that are called drifted, over all features and checks of a
        window together. Default: 0.01.
    minimum_rows : int
        Rows below which a window is not judged. Default: 100.
    least_ks, least_psi, least_js, least_share : float
        Smallest effect that counts, however significant: Kolmogorov-Smirnov distance, population stability index,
        Jensen-Shannon distance, share of bad rows. Default: 0.1, 0.1, 0.1 and 0.01.
    answer_field : str
        Field of a JSON answer that is the prediction; of a CSV answer it is the first column. Default: ``score``.

    Raises
    ------
    PropError
        When a number is out of range.
    """

    false_alarm_rate: float = 0.01
    minimum_rows: int = 100
    least_ks: float = 0.1
    least_psi: float = 0.1
    least_js: float = 0.1
    least_share: float = 0.01
    answer_field: str = "score"

    def __post_init__(self) -> None:
        faults = Faults("drift rules")
        rate = self.false_alarm_rate
        faults.unless(0 < rate <= 0.2, "false_alarm_rate", "be above 0 and at most 0.2", rate)
        faults.unless(self.minimum_rows >= 20, "minimum_rows", "be at least 20", self.minimum_rows, "fewer say nothing")
        for prop in ("least_ks", "least_js", "least_share"):
            faults.within(prop, getattr(self, prop), 0, 1)
        faults.unless(self.least_psi >= 0, "least_psi", "be at least 0", self.least_psi)
        faults.unless(bool(self.answer_field), "answer_field", "not be empty", self.answer_field)
        faults.raise_any()

    def arguments(self) -> list[str]:
        """Return the arguments of the job."""
        given = {
            "false-alarm-rate": self.false_alarm_rate,
            "minimum-rows": self.minimum_rows,
            "least-ks": self.least_ks,
            "least-psi": self.least_psi,
            "least-js": self.least_js,
            "least-share": self.least_share,
            "answer-field": self.answer_field,
        }
        return [word for name, value in given.items() for word in (f"--{name}", str(value))]
