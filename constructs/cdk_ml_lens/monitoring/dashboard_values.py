"""WatchedEndpoint and Runbook: what a dashboard shows, and what people do when an alarm goes off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.approved_deployment import ApprovedDeployment
from cdk_ml_lens.hosting.endpoint import ModelEndpoint

MAX_VARIANTS = 10  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
MAX_ALARMS = (
    100  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
)


@dataclass(frozen=True, kw_only=True)
class WatchedEndpoint:
    """An endpoint by name, for one that something else made.

    Parameters
    ----------
    endpoint_name : str
        Name of the endpoint.
    variants : sequence of str
        Its variants, one to ten.
    capture_bucket : IBucket, optional
        Where its traffic is kept; its size is a cost driver. Default: none is shown.

    Raises
    ------
    PropError
        When a name is empty, or the variants are none, too many or not different.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    """

    endpoint_name: str
    variants: Sequence[str]
    capture_bucket: s3.IBucket | None = None

    def __post_init__(self) -> None:
        faults = Faults("watched endpoint")
        faults.unless(bool(self.endpoint_name), "endpoint_name", "not be empty", self.endpoint_name)
        names = list(self.variants)
        faults.unless(1 <= len(names) <= MAX_VARIANTS, "variants", f"be 1 to {MAX_VARIANTS} names", names)
        faults.unless(all(names) and len(set(names)) == len(names), "variants", "be different names", names)
        faults.raise_any()

    @staticmethod
    def of(endpoint: ModelEndpoint | ApprovedDeployment | WatchedEndpoint) -> WatchedEndpoint:
        """Return name, variants and captures of an endpoint."""
        if isinstance(endpoint, WatchedEndpoint):
            return endpoint
        if isinstance(endpoint, ModelEndpoint):
            return WatchedEndpoint(endpoint_name=endpoint.endpoint_name, variants=endpoint.variant_names)
        return WatchedEndpoint(
            endpoint_name=endpoint.endpoint_name,
            variants=[endpoint.variant_name],
            capture_bucket=endpoint.capture_bucket,
        )


@dataclass(frozen=True, kw_only=True)
class Runbook:
    """What people do when one of these alarms goes off.

    Parameters
    ----------
    url : str
        Page that says it, ``https://…``.
    of : sequence of IConstruct
        Alarms, and constructs whose alarms are meant, all that are below them now.

    Raises
    ------
    PropError
        When the page is no https page, or nothing is named.
    """

    url: str
    of: Sequence[IConstruct]

    def __post_init__(self) -> None:
        faults = Faults("runbook")
        plain = self.url.startswith("https://") and not set(self.url) & set(" ()|")
        faults.unless(plain, "url", "be an https page without blanks, brackets and bars", self.url)
        faults.unless(len(self.of) > 0, "of", "name an alarm or a construct with alarms", self.of)
        faults.raise_any()

    def alarms(self) -> list[cloudwatch.AlarmBase]:
        """Return the alarms, each once.

        Raises
        ------
        PropError
            When a construct has no alarm.
        """
        faults = Faults(f"runbook {self.url!r}")
        found: dict[str, cloudwatch.AlarmBase] = {}
        for construct in self.of:
            below = [item for item in construct.node.find_all() if isinstance(item, cloudwatch.AlarmBase)]
            faults.unless(bool(below), "of", "have alarms", construct.node.path, "make the dashboard after its alarms")
            found |= {alarm.node.path: alarm for alarm in below}
        faults.raise_any()
        return list(found.values())


def each_alarm(runbooks: Sequence[Runbook]) -> list[tuple[cloudwatch.AlarmBase, str]]:
    """Return every alarm with the page of the first runbook that names it.

    Raises
    ------
    PropError
        When there are more than CloudWatch shows in one widget.
    """
    pages: dict[str, tuple[cloudwatch.AlarmBase, str]] = {}
    for runbook in runbooks:
        for alarm in runbook.alarms():
            pages.setdefault(alarm.node.path, (alarm, runbook.url))
    faults = Faults("dashboard")
    faults.unless(len(pages) <= MAX_ALARMS, "runbooks", f"have at most {MAX_ALARMS} alarms", len(pages))
    faults.raise_any()
    return list(pages.values())
