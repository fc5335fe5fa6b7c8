"""The bad app breaks every rule, the good one breaks none: a real synthesis with the plugin."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_ml_lens.review.rules import every_rule
from tests.fixtures import bad_app, good_app
from tests.unit.review.reports import names, report_of


def test_every_rule_fires_on_the_bad_app(app: cdk.App) -> None:
    bad_app.build(app)
    fired = {name.split(" ")[0].split("[")[0] for name in names(report_of(app)["violations"])}
    assert {rule.name() for rule in every_rule()} - fired == set()


def test_no_rule_fires_on_the_good_app(app: cdk.App) -> None:
    assert good_app.build(app)
    assert names(report_of(app)["violations"]) == []
