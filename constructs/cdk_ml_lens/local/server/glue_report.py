"""What a Glue run leaves behind: its error message, its lines in CloudWatch Logs, its event."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from ministack.services import cloudwatch_logs, eventbridge

LOGS = "/aws-glue/jobs"
_SEVERITY = {"SUCCEEDED": "INFO", "STOPPED": "INFO", "TIMEOUT": "WARN"}
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(: |$)")
_TRACEBACK = "Traceback (most recent call last):"


def reason(errors: str, code: int) -> str:
    """Return the exception that ended the script, else the last line that it wrote, else its exit code."""
    if _TRACEBACK in errors:
        after = errors.rsplit(_TRACEBACK, 1)[1].splitlines()
        if raised := [line for line in after if _RAISED.match(line)]:
            return raised[0][:2000]
    written = [line for line in errors.splitlines() if line.strip()]
    return f"SystemExit: {written[-1]}"[:2000] if written else f"SystemExit: {code}"


def write_logs(run_id: str, files: dict[str, Path], *, prefix: str = LOGS) -> None:
    """Write the lines of each file to log group ``<prefix>/<key>``, stream ``run_id``."""
    for kind, path in files.items():
        names = {"logGroupName": f"{prefix}/{kind}", "logStreamName": run_id}
        cloudwatch_logs._create_log_group(names)
        cloudwatch_logs._create_log_stream(names)
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines if line]
        cloudwatch_logs._put_log_events({**names, "logEvents": events})


def announce(run: dict[str, Any]) -> None:
    """Send the event ``Glue Job State Change``."""
    state = run["JobRunState"]
    detail = {
        "jobName": run["JobName"],
        "severity": _SEVERITY.get(state, "ERROR"),
        "state": state,
        "jobRunId": run["Id"],
        "message": run.get("ErrorMessage", "Job run succeeded" if state == "SUCCEEDED" else state),
    }
    entry = {"Source": "aws.glue", "DetailType": "Glue Job State Change", "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
