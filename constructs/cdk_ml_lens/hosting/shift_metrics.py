"""What a shift reads from CloudWatch, and the comparison of the new variant with the old one."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.hosting.shift_asl import js
from cdk_ml_lens.hosting.shift_checks import VariantComparison

_METRICS = (
    ("requests", "Invocations", "Sum"),
    ("errors", "InvocationModelErrors", "Sum"),
    ("latency", "ModelLatency", "p99"),
)

# A window may touch two periods; sums add up, and the worse percentile counts.
_READ = """$values := function($id) { [$states.result.MetricDataResults[Id = $id].Values] };
           $total := function($id) { $sum($append([0], $values($id))) };
           $worst := function($id) { $max($append([0], $values($id))) };"""


def metric_queries(variants: list[str], period: int) -> list[dict[str, Any]]:
    """Return the queries for requests, errors and latency of the variants in these JSONata variables.

    Ids are ``requests0``, ``errors0``, ``latency0`` for the first variant, and so on.
    """
    return [
        {
            "Id": f"{name}{number}",
            "ReturnData": True,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric,
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": "${Endpoint}"},
                        {"Name": "VariantName", "Value": js(variant)},
                    ],
                },
                "Period": period,
                "Stat": statistic,
            },
        }
        for number, variant in enumerate(variants)
        for name, metric, statistic in _METRICS
    ]


def baseline_expression() -> str:
    """Return the numbers of one variant, to compare with when it gets no traffic any more."""
    return js(
        f"""({_READ}
             {{'requests': $total('requests0'), 'errors': $total('errors0'), 'latency_us': $worst('latency0')}})"""
    )


def comparison_expression(comparison: VariantComparison) -> str:
    """Return the judgement: measured numbers, whether they are enough, and the fault, if there is one.

    The old variant counts as measured now, or, with too few requests, as in the baseline; with neither, an error rate
    over the margin is a fault, and latency is left to the alarms.
    """
    least, slack = comparison.minimum_requests, comparison.latency_slack_ms * 1000
    return js(
        f"""({_READ}
             $of := function($n) {{ {{'requests': $total('requests' & $n), 'errors': $total('errors' & $n),
               'latency_us': $worst('latency' & $n)}} }};
             $new := $of('0');
             $live := $of('1');
             $old := $live.requests >= {least} ? $live : $base;
             $known := $old.requests >= {least};
             $newRate := $new.requests > 0 ? $new.errors / $new.requests : 0;
             $oldRate := $known ? $old.errors / $old.requests : 0;
             $allowed := $old.latency_us * {comparison.latency_ratio} + {slack};
             $enough := $new.requests >= {least};
             {{'new': $new, 'old': $old, 'enough': $enough, 'fault':
               $enough and $newRate > $oldRate + {comparison.error_margin}
                 ? 'error rate ' & $string($round($newRate, 4)) & ' against ' & $string($round($oldRate, 4))
               : $enough and $known and $new.latency_us > $allowed
                 ? 'p99 latency ' & $string($round($new.latency_us / 1000, 1)) & ' ms against '
                   & $string($round($old.latency_us / 1000, 1)) & ' ms'
               : ''}})"""
    )
