"""Puts a web ACL in front of an API's stage."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from cdk_ml_lens.core.nag import explain
from cdk_ml_lens.hosting.inference_api_access import Firewall

_ACL = wafv2.CfnWebACL
# Inputs of models are often larger than the 8 KB that this rule allows; the handler has a limit of its own. Source:
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
_ONLY_COUNTED = "SizeRestrictions_BODY"

_NOT_LOGGED = (
    "WAF logs whole headers, keys and tokens among them; the access log has every request that it stopped, and its "
    "metrics count by rule. Firewall.existing() takes an ACL of yours that logs."
)


class ApiFirewall(Construct):
    """Associates a web ACL with a stage, after making one where none is given.

    Parameters
    ----------
    scope, id
        As for every construct.
    firewall : Firewall
        Which one.
    stage : Stage
        What it stands before.
    """

    def __init__(self, scope: Construct, id: str, *, firewall: Firewall, stage: apigateway.Stage) -> None:
        super().__init__(scope, id)
        arn = self._managed(firewall.requests_per_5_minutes) if firewall.web_acl_arn is None else firewall.web_acl_arn
        wafv2.CfnWebACLAssociation(self, "Association", resource_arn=stage.stage_arn, web_acl_arn=arn)

    def _managed(self, rate: int) -> str:
        common = _rule_group("AWSManagedRulesCommonRuleSet", counted=(_ONLY_COUNTED,))
        inputs = _rule_group("AWSManagedRulesKnownBadInputsRuleSet")
        per_address = _ACL.StatementProperty(
            rate_based_statement=_ACL.RateBasedStatementProperty(limit=rate, aggregate_key_type="IP")
        )
        block, none = _ACL.RuleActionProperty(block={}), _ACL.OverrideActionProperty(none={})
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=_ACL.DefaultActionProperty(allow={}),
            visibility_config=_visible("All"),
            rules=[
                _rule("RatePerAddress", 0, per_address, action=block),
                _rule("Common", 1, common, override_action=none),
                _rule("KnownBadInputs", 2, inputs, override_action=none),
            ],
        )
        explain(acl, {"WAFv2LoggingEnabled": _NOT_LOGGED})
        return acl.attr_arn


def _rule(
    name: str,
    priority: int,
    statement: wafv2.CfnWebACL.StatementProperty,
    *,
    action: wafv2.CfnWebACL.RuleActionProperty | None = None,
    override_action: wafv2.CfnWebACL.OverrideActionProperty | None = None,
) -> wafv2.CfnWebACL.RuleProperty:
    return _ACL.RuleProperty(
        name=name,
        priority=priority,
        statement=statement,
        action=action,
        override_action=override_action,
        visibility_config=_visible(name),
    )


def _rule_group(name: str, *, counted: tuple[str, ...] = ()) -> wafv2.CfnWebACL.StatementProperty:
    overrides = [
        _ACL.RuleActionOverrideProperty(name=rule, action_to_use=_ACL.RuleActionProperty(count={})) for rule in counted
    ]
    return _ACL.StatementProperty(
        managed_rule_group_statement=_ACL.ManagedRuleGroupStatementProperty(
            vendor_name="AWS", name=name, rule_action_overrides=overrides or None
        )
    )


def _visible(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """Count without samples: WAF keeps parts of sampled requests."""
    return _ACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
