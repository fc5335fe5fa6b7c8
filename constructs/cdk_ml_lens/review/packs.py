"""Turns rule packs on, together with the acknowledgements that our constructs have prepared for them."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

import aws_cdk as cdk
import jsii
from constructs import IConstruct, IValidation

from cdk_ml_lens.core.errors import Fault, Faults, PropError
from cdk_ml_lens.core.nag import explanations

PACKS = ("AwsSolutions", "Serverless", "HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321", "MlLens")
DEFAULT_PACKS = ("AwsSolutions", "Serverless", "MlLens")
_CLASSES = MappingProxyType(
    {
        "AwsSolutions": "AwsSolutionsChecks",
        "Serverless": "ServerlessChecks",
        "HIPAA.Security": "HIPAASecurityChecks",
        "NIST.800.53.R5": "NIST80053R5Checks",
        "PCI.DSS.321": "PCIDSS321Checks",
    }
)
_SERVERLESS = ("Serverless",)
_HIPAA, _NIST, _PCI = "HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321"
_ALL_THREE = (_HIPAA, _NIST, _PCI)
_EXPLAINABLE = ("Serverless", *_ALL_THREE)
# Which packs have a rule that our constructs explain, by cdk-nag 3.0.2; others are tried in all of them.
PACKS_OF = MappingProxyType(
    {
        "APIGWAssociatedWithWAF": (_NIST, _PCI),
        "APIGWCacheEnabledAndEncrypted": _ALL_THREE,
        "APIGWExecutionLoggingEnabled": _ALL_THREE,
        "APIGWSSLEnabled": _ALL_THREE,
        "CloudWatchAlarmAction": (_HIPAA, _NIST),
        "DynamoDBInBackupPlan": (_HIPAA, _NIST),
        "DynamoDBPITREnabled": (_HIPAA, _NIST),
        "EventBusDLQ": _SERVERLESS,
        "IAMNoInlinePolicy": _ALL_THREE,
        "LambdaConcurrency": (_HIPAA, _NIST),
        "LambdaDLQ": ("Serverless", _HIPAA, _NIST),
        "LambdaEventSourceMappingDestination": _SERVERLESS,
        "LambdaInsideVPC": _ALL_THREE,
        "S3BucketReplicationEnabled": _ALL_THREE,
        "S3DefaultEncryptionKMS": _ALL_THREE,
        "SNSRedrivePolicy": _SERVERLESS,
        "SQSRedrivePolicy": _SERVERLESS,
        "VPCDefaultSecurityGroupClosed": _ALL_THREE,
        "WAFv2LoggingEnabled": _ALL_THREE,
    }
)


def add_packs(app: cdk.App, *names: str) -> None:
    """Have an app checked by rule packs; call it before or after the stacks are made.

    Parameters
    ----------
    app : App
        What is checked, whole, at each ``synth()``.
    names : str
        Names of `PACKS`. Default: ``AwsSolutions``, ``Serverless`` and ``MlLens``.

    Raises
    ------
    PropError
        When a name is unknown or repeated, or when cdk-nag is needed and not installed (``cdk-ml-lens[nag]``).

    Notes
    -----
    What our constructs explain (`cdk_ml_lens.core.nag.explain`) becomes an acknowledgement, with its reason, for each
    of these packs that has the rule. Findings on your own resources stay.
    Source: https://github.com/cdklabs/cdk-nag#rules. Lens best practice MLSEC01-BP02.
    """
    picked = names or DEFAULT_PACKS
    _check(picked)
    cdk.Validations.of(app).add_plugins(*(_plugin(app, name) for name in picked))
    if set(picked) & set(_EXPLAINABLE):
        app.node.add_validation(_Explanations(app, picked))


def explained_rules(construct: IConstruct, packs: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return pack, rule and reason of what is explained on this construct itself, for packs that have the rule."""
    return [
        (pack, rule, reason)
        for rule, reason in explanations(construct).items()
        for pack in packs
        if pack in PACKS_OF.get(rule, _EXPLAINABLE)
    ]


@jsii.implements(IValidation)
class _Explanations:
    """Runs in ``synth()``, when every construct is there and before the packs look."""

    def __init__(self, app: cdk.App, packs: tuple[str, ...]) -> None:
        self._app, self._packs = app, packs
        self._done: set[tuple[int, str, str]] = set()

    def validate(self) -> list[str]:
        """Acknowledge what is explained; there is nothing to complain about."""
        for construct in self._app.node.find_all():
            new = [
                one for one in explained_rules(construct, self._packs) if (id(construct), *one[:2]) not in self._done
            ]
            if new:
                self._done.update((id(construct), *one[:2]) for one in new)
                cdk.Validations.of(construct).acknowledge(*(_acknowledgement(*one) for one in new))
        return []


def _acknowledgement(pack: str, rule: str, reason: str) -> cdk.Acknowledgment:
    return cdk.Acknowledgment(id=f"{pack}::{pack}-{rule}", reason=reason)


def _check(names: tuple[str, ...]) -> None:
    faults = Faults("packs")
    for name in sorted(set(names)):
        faults.unless(name in PACKS, "names", f"be of {', '.join(PACKS)}", name)
        faults.unless(names.count(name) == 1, "names", "be given once each", name)
    faults.raise_any()


def _plugin(app: cdk.App, name: str) -> Any:
    if name == "MlLens":
        from cdk_ml_lens.review.checks import MlLensChecks

        return MlLensChecks()
    try:
        import cdk_nag
    except ImportError as missing:
        hint = "pip install cdk-ml-lens[nag]"
        raise PropError(Fault(prop="names", rule="be installed", value=name, hint=hint), which="packs") from missing
    return getattr(cdk_nag, _CLASSES[name])(app)
