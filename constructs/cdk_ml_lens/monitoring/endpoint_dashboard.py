"""EndpointDashboard: traffic, drift, business and cost of an endpoint on one page, with runbooks beside the alarms."""

from __future__ import annotations

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.approved_deployment import ApprovedDeployment
from cdk_ml_lens.hosting.endpoint import ModelEndpoint
from cdk_ml_lens.monitoring import dashboard_widgets as widgets
from cdk_ml_lens.monitoring.dashboard_values import Runbook, WatchedEndpoint, each_alarm
from cdk_ml_lens.monitoring.drift_monitor import DriftMonitor
from cdk_ml_lens.monitoring.quality_monitor import QualityMonitor

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LONGEST_HOURS = 455 * 24  # as long as CloudWatch keeps a metric


class EndpointDashboard(Construct):
    """A CloudWatch dashboard of one endpoint; what is not given has no row.

    Parameters
    ----------
    scope, id
        As for every construct.
    endpoint : ModelEndpoint, ApprovedDeployment or WatchedEndpoint
        Requests, errors, latencies and instance hours of each variant.
    drift : DriftMonitor, optional
        Drift of each feature. Default: not shown.
    quality : QualityMonitor, optional
        Whether answers kept their bounds. Default: not shown.
    business : sequence of IMetric, optional
        What the answers are for, such as alerts that were right. Default: not shown.
    runbooks : sequence of Runbook, optional
        Alarms to show, each with a link to what to do. Default: none.
    dashboard_name : str, optional
        Name in the console. Default: CloudFormation makes one.
    shown_hours : int
        How far back it opens, in hours. Default: 24.

    Raises
    ------
    PropError
        When CloudWatch would refuse the name or a number, or a runbook's construct has no alarm.

    Attributes
    ----------
    dashboard : Dashboard
        For rows of your own: ``dashboard.add_widgets``.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html. Lens best practices MLOPS06-BP02,
    MLPERF06-BP04, MLCOST06-BP03.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ModelEndpoint | ApprovedDeployment | WatchedEndpoint,
        drift: DriftMonitor | None = None,
        quality: QualityMonitor | None = None,
        business: Sequence[cloudwatch.IMetric] = (),
        runbooks: Sequence[Runbook] = (),
        dashboard_name: str | None = None,
        shown_hours: int = 24,
    ) -> None:
        _check(dashboard_name, shown_hours)
        watched = WatchedEndpoint.of(endpoint)
        shown = each_alarm(runbooks)
        super().__init__(scope, id)
        self.dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=dashboard_name, default_interval=cdk.Duration.hours(shown_hours)
        )
        if shown:
            self.dashboard.add_widgets(*widgets.alarms(shown))
        self.dashboard.add_widgets(*widgets.traffic(watched))
        if drift is not None:
            self.dashboard.add_widgets(*widgets.drift(drift))
        outcome = [] if quality is None else [widgets.quality(quality)]
        outcome += [widgets.business(business)] if business else []
        if outcome:
            self.dashboard.add_widgets(*outcome)
        self.dashboard.add_widgets(*widgets.cost(watched, drift))

    @property
    def dashboard_name(self) -> str:
        """Name of the dashboard."""
        return self.dashboard.dashboard_name


def _check(name: str | None, hours: int) -> None:
    faults = Faults("dashboard")
    fits = name is None or cdk.Token.is_unresolved(name) or _NAME.fullmatch(name) is not None
    faults.unless(fits, "dashboard_name", "be 1 to 255 letters, digits, _ and -", name, "see API_PutDashboard")
    faults.within("shown_hours", hours, 1, _LONGEST_HOURS)
    faults.raise_any()
