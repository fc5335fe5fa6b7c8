"""Calls that no test on moto makes, why not, and the test that makes them: against the laptop cloud itself."""

from __future__ import annotations

from dataclasses import dataclass

from tests.calls.scan import Call

LOCAL = "constructs/cdk_ml_lens/local"
DEMOS = (
    "demo_collect",
    "lake_demo",
    "lake_query",
    "loop_watch",
    "rollout_bluegreen",
    "rollout_canary",
    "rollout_traffic",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """Files whose calls are shown by another tier; their throttling and error codes are not."""

    files: tuple[str, ...]
    reason: str
    tests: tuple[str, ...]

    def covers(self, call: Call) -> bool:
        """Tell whether a call is made in one of the files."""
        return any(call.file == file or (file.endswith("/") and call.file.startswith(file)) for file in self.files)


ELSEWHERE = (
    Elsewhere(
        files=(f"{LOCAL}/server/",),
        reason="runs inside the emulator and calls the emulator itself: nothing of AWS answers there",
        tests=(
            "tests/local/test_lake_firehose.py",
            "tests/local/test_lake_glue_jobs.py",
            "tests/local/test_training_jobs.py",
            "tests/local/test_firehose_and_workers.py",
        ),
    ),
    Elsewhere(
        files=tuple(f"{LOCAL}/{name}.py" for name in ("asset_upload", "cloud", "deployer", "stack_state")),
        reason="deploys to the laptop cloud; refuses every address but loopback and every account but 000000000000",
        tests=("tests/local/test_deployer.py", "tests/local/test_guard.py"),
    ),
    Elsewhere(
        files=tuple(f"{LOCAL}/{name}.py" for name in DEMOS),
        reason="`ml-lens demo`: drives and reads the laptop cloud that it has started",
        tests=(
            "tests/local/test_demo.py",
            "tests/local/test_demo_collect.py",
            "tests/local/test_lake_demo.py",
            "tests/local/test_loop_demo.py",
            "tests/local/test_rollout_demo.py",
        ),
    ),
    Elsewhere(
        files=(f"{LOCAL}/faults/",),
        reason="`ml-lens faults`: makes trouble in the laptop cloud that it has started",
        tests=("tests/local/faults/test_faults.py",),
    ),
)


def of(call: Call) -> Elsewhere | None:
    """Return the entry of a call."""
    return next((entry for entry in ELSEWHERE if entry.covers(call)), None)
