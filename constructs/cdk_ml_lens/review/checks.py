"""MlLensChecks: our rules as one validation plugin, which any CDK app can add in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import aws_cdk as cdk
import jsii

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.review.evaluation import Hit, evaluate
from cdk_ml_lens.review.rule import PACK, Rule, Severity
from cdk_ml_lens.review.rules import every_rule


@jsii.implements(cdk.IPolicyValidationPlugin)
class MlLensChecks:
    """Checks every synthesized template of an app against the Machine Learning Lens, version 2025-11.

    Parameters
    ----------
    severities : mapping of str to Severity, optional
        Other severities by rule id: ``{"SM8": Severity.ERROR}``. Default: the rule's own.
    off : sequence of str, optional
        Ids of rules that do not run. Default: all run. Prefer an acknowledgement, which keeps finding and reason.
    extra : sequence of Rule, optional
        Rules of your own; a rule that has an id of ours is refused. Default: none.

    Raises
    ------
    PropError
        If an id is unknown, or is given twice.

    Notes
    -----
    The synthesis fails if a finding of severity error is not acknowledged; warnings are printed and reported. A
    finding is acknowledged on its construct, or above it, by the qualified id with the detail, if it has one:
    ``MlLens::MlLens-SM1`` (see `cdk_ml_lens.core.nag.acknowledge`). The report ``validation-report.json`` in the cloud
    assembly lists both. Nested stacks and stages are checked as well. Only plain JSON is read: nothing crosses jsii
    but the result. See https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html.

    Examples
    --------
    >>> app = cdk.App()
    >>> cdk.Validations.of(app).add_plugins(MlLensChecks())
    """

    def __init__(
        self,
        *,
        severities: Mapping[str, Severity] | None = None,
        off: Sequence[str] = (),
        extra: Sequence[Rule] = (),
    ) -> None:
        chosen = {} if severities is None else dict(severities)
        rules = (*every_rule(), *extra)
        _refuse(rules, chosen, off)
        self._rules = tuple(
            replace(rule, severity=chosen.get(rule.id, rule.severity)) for rule in rules if rule.id not in off
        )

    @property
    def name(self) -> str:
        """Name of the plugin in reports, and first part of a qualified id."""
        return PACK

    @property
    def version(self) -> str | None:
        """Version of the Lens that the rules follow."""
        return "2025.11.0"

    @property
    def rule_ids(self) -> list[str] | None:
        """Names of the rules that run: ``MlLens-SM1``."""
        return [rule.name() for rule in self._rules]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Check the templates of an app; called by the CDK at the end of the synthesis.

        Parameters
        ----------
        context : IPolicyValidationContext
            Names the templates.
        """
        hits = evaluate(context.template_paths, self._rules)
        # The CDK decides again on what is left once it has taken the acknowledged findings out.
        return cdk.PolicyValidationPluginReport(
            success=all(hit.rule.severity is not Severity.ERROR for hit in hits),
            violations=[_violation(hit) for hit in hits],
        )


def _refuse(rules: Sequence[Rule], severities: Mapping[str, Severity], off: Sequence[str]) -> None:
    ids = [rule.id for rule in rules]
    faults = Faults("MlLensChecks")
    twice = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
    faults.unless(not twice, "extra", "have ids that no other rule has", twice)
    for prop, given in (("severities", severities), ("off", off)):
        unknown = [rule_id for rule_id in given if rule_id not in ids]
        faults.unless(not unknown, prop, "name rules of the pack", unknown, "ids are short: SM1")
    faults.raise_any()


def _violation(hit: Hit) -> cdk.PolicyViolation:
    rule = hit.rule
    return cdk.PolicyViolation(
        rule_name=hit.name,
        description=f"{rule.title}: {hit.finding.message}",
        fix=f"{rule.fix} {rule.source}",
        severity=rule.severity.value,
        rule_metadata={"practices": " ".join(rule.practices), "explanation": rule.explanation},
        violating_resources=[
            cdk.PolicyViolatingResource(
                resource_logical_id=hit.finding.logical_id, template_path=str(hit.template_path), locations=[]
            )
        ],
    )
