"""Synthetic test of a shift: given requests to the new variant alone, judged by errors, time and content."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.hosting.shift_asl import NEVER, STOP, States, announce, choice, js, task
from cdk_ml_lens.hosting.shift_checks import ShiftChecks, SyntheticRequest


def synthetic_states(checks: ShiftChecks) -> States:
    """Return the synthetic test: every request goes to the new variant alone; too many failures stop the shift."""
    failures = f"""($bad := $states.result[fault != ''];
                    $count($bad) > {checks.max_failures}
                      ? 'synthetic test: ' & $string($count($bad)) & ' of ' & $string($count($states.result))
                        & ' requests failed, the first one: ' & [$bad.fault][0] : '')"""
    return {
        "SyntheticTest": {
            "Type": "Map",
            "Items": [item_of(request) for request in checks.requests for _ in range(checks.repeats)],
            "MaxConcurrency": 1,
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Ask", "States": ask_states(checks)},
            "Assign": {"fault": js(failures)},
            "Catch": STOP,
            "Next": "SyntheticPassed",
        },
        "SyntheticPassed": choice(("$fault != ''", "Stop"), default="AnnounceTested"),
        "AnnounceTested": announce("tested", next="NextStep", otherwise="RecordStop"),
    }


def item_of(request: SyntheticRequest) -> dict[str, Any]:
    """Return a request as an item of a map over `ask_states`."""
    expected = {
        name: value
        for name, value in (
            ("minimum", request.expect.minimum),
            ("maximum", request.expect.maximum),
            ("equals", request.expect.equals),
        )
        if value is not None
    }
    keys = [key for key in request.expect.path.split(".") if key]
    return {
        "body": request.body,
        "type": request.content_type,
        "accept": request.accept,
        "keys": keys,
        "expected": expected,
    }


def ask_states(checks: ShiftChecks) -> States:
    """Return the states that give a request to the variant ``$to``; their output has ``fault``, empty if well."""
    judged = f"""($late := $millis() - $toMillis($states.context.State.EnteredTime);
                  $raw := $states.result.Body;
                  $answer := $type($raw) = 'string' ? $parse($raw) : $raw;
                  $value := $reduce($states.input.keys, function($at, $key) {{ $lookup($at, $key) }}, $answer);
                  $want := $states.input.expected;
                  $number := $type($value) = 'number';
                  {{'latency_ms': $late, 'fault':
                    $states.result.InvokedProductionVariant != $to ? 'another variant answered'
                    : $late > {checks.max_latency_ms} ? 'an answer took ' & $string($late) & ' ms'
                    : $not($exists($value)) ? 'the answer has no ' & $join($states.input.keys, '.')
                    : $exists($want.equals) and $value != $want.equals ? 'the answer is ' & $string($value)
                    : ($exists($want.minimum) or $exists($want.maximum)) and $not($number)
                      ? 'the answer is no number'
                    : $exists($want.minimum) and $value < $want.minimum ? 'the answer is ' & $string($value)
                    : $exists($want.maximum) and $value > $want.maximum ? 'the answer is ' & $string($value) : ''}})"""
    ask = task(
        "aws-sdk:sagemakerruntime:invokeEndpoint",
        {
            "EndpointName": "${Endpoint}",
            "TargetVariant": js("$to"),
            "ContentType": js("$states.input.type"),
            "Accept": js("$states.input.accept"),
            "Body": js("$states.input.body"),
        },
        next="",
        retry=NEVER,
        catch=[
            {
                "ErrorEquals": ["States.ALL"],
                "Output": {
                    "latency_ms": 0,
                    "fault": js("$states.errorOutput.Error & ': ' & $substring($states.errorOutput.Cause, 0, 300)"),
                },
                "Next": "Unanswered",
            }
        ],
    )
    del ask["Next"]
    return {"Ask": {**ask, "Output": js(judged), "End": True}, "Unanswered": {"Type": "Pass", "End": True}}
