"""Judges a candidate by its evaluation, and writes the decision beside it."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import Any

import boto3

from ml_lens_runtime import s3_json
from ml_lens_runtime.machine_events import EventError, text
from ml_lens_runtime.model_gate import Gate


class EvaluationMismatchError(ValueError):
    """The evaluation is of another dataset than the run's."""


@functools.cache
def _process() -> tuple[Gate, Any]:
    """Parse the environment and prepare the client once per process."""
    return Gate.parse(os.environ), boto3.client("s3")


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    gate, s3 = _process()
    return run(event, gate=gate, s3=s3)


def run(event: Mapping[str, Any], *, gate: Gate, s3: Any) -> dict[str, Any]:
    """Judge and write ``decision.json``; the same evaluation gives the same bytes, however often.

    Parameters
    ----------
    event : mapping
        ``evaluation`` and ``decision`` (S3 URIs), ``dataset_version``, ``candidate_model``.
    gate : Gate
        The rules.
    s3 : client
        boto3 client of S3.

    Returns
    -------
    dict
        The decision, and ``verdict``: one sentence.

    Raises
    ------
    EventError
        A field of the event is missing or of another kind.
    DocumentError
        The evaluation is no JSON object.
    EvaluationMismatchError
        It is of another dataset.
    """
    source, target, candidate = (text(event, name) for name in ("evaluation", "decision", "candidate_model"))
    evaluation = s3_json.read(s3, source)
    wanted, found = _version(event), evaluation.get("dataset_version")
    if str(found) != str(wanted):
        raise EvaluationMismatchError(f"the evaluation must be of dataset {wanted}, got {found}")
    checks = gate.checks(evaluation)
    decision = {
        "passed": all(check["passed"] for check in checks),
        "checks": checks,
        "dataset_version": wanted,
        "candidate_model": candidate,
        "champion": _champion(evaluation),
    }
    s3_json.write(s3, target, decision)
    return {**decision, "verdict": _verdict(checks)}


def _version(event: Mapping[str, Any]) -> str | int:
    given = event.get("dataset_version")
    if not isinstance(given, str | int):
        raise EventError(f"dataset_version must be a text or a whole number, got {type(given).__name__}")
    return given


def _champion(evaluation: Mapping[str, Any]) -> str | None:
    champion = evaluation.get("champion")
    return (
        str(champion["model_package_arn"]) if isinstance(champion, dict) and champion.get("model_package_arn") else None
    )


def _verdict(checks: list[dict[str, Any]]) -> str:
    failed = [check for check in checks if not check["passed"]]
    if not failed:
        return f"all {len(checks)} checks hold"
    return "; ".join(_sentence(check) for check in failed)


def _sentence(check: Mapping[str, Any]) -> str:
    got = "no finite number" if check["value"] is None else f"{check['value']:g}"
    beside = "" if check["champion"] is None else f" (champion {check['champion']:g})"
    return f"{check['metric']} must be {check['rule']}, got {got}{beside}"
