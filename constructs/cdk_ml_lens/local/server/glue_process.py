"""One run of a Glue job as a process of this machine: script and packages from S3, a pinned Python, the job's role."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import glue_report, host, role_session, storage
from .model_process import SUPERVISED

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
STOP_SECONDS = 5.0


class RunError(Exception):
    """A run did not succeed; the message is its ErrorMessage."""

    state = "FAILED"


class RunTimeoutError(RunError):
    """A run took longer than its timeout."""

    state = "TIMEOUT"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run.

    Parameters
    ----------
    job, run_id, role, region, account
        Names, the ARN of the job's role, and where it runs.
    script
        URL of the script in S3.
    arguments
        What the script gets, defaults and run arguments merged.
    seconds
        Time limit.
    folder
        Where script, packages and output go; kept.
    """

    job: str
    run_id: str
    role: str
    region: str
    account: str
    script: str
    arguments: dict[str, str]
    seconds: float
    folder: Path

    @property
    def identity(self) -> str:
        """Return the name under which the job takes its role."""
        return f"glue-{self.job}"

    @property
    def engine(self) -> str:
        """Return the name of the environment: ``spark`` if the arguments ask for that engine, else ``etl``."""
        return "spark" if self.arguments.get("--engine") == "spark" else "etl"

    def words(self) -> Iterator[str]:
        """Yield the script's command line as Glue writes it; an argument without a value is one word."""
        own = {"--JOB_NAME": self.job, "--JOB_RUN_ID": self.run_id}
        for name, value in {**own, **self.arguments}.items():
            yield name
            if value != "":
                yield value


@dataclass(kw_only=True)
class JobProcess:
    """The process of a run; `stop` may come at any time, from any thread."""

    plan: Plan
    pythons: host.Pythons
    _process: subprocess.Popen[bytes] | None = None
    _stopped: bool = field(default=False)

    @property
    def output(self) -> Path:
        """Return the file with what the script printed."""
        return self.plan.folder / "output.log"

    @property
    def errors(self) -> Path:
        """Return the file with the script's standard error."""
        return self.plan.folder / "error.log"

    def run(self) -> None:
        """Run the script to its end.

        Raises
        ------
        RunError
            If it cannot start, fails, or takes too long.
        """
        try:
            command, environment = self._prepared()
        except host.HostError as failure:
            raise RunError(str(failure)) from failure
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=errors, env=environment,
                cwd=self.plan.folder, start_new_session=True,
            )  # fmt: skip
        if self._stopped:
            self.stop()
        try:
            code = self._process.wait(self.plan.seconds)
        except subprocess.TimeoutExpired as late:
            self.stop()
            raise RunTimeoutError("Job run exceeded its timeout") from late
        if code != 0:
            raise RunError(glue_report.reason(self.errors.read_text(errors="replace"), code))

    def stop(self) -> None:
        """End the process and all that it started."""
        self._stopped = True
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(STOP_SECONDS)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue

    def _prepared(self) -> tuple[list[str], dict[str, str]]:
        """Return command and environment, with everything fetched as the job's role."""
        plan = self.plan
        plan.folder.mkdir(parents=True, exist_ok=True)
        spark = host.java_home() if plan.engine == "spark" else {}
        python = self.pythons.ensure(plan.engine)
        packages = [url for url in plan.arguments.get("--extra-py-files", "").split(",") if url.strip()]
        paths = [self._fetched(url.strip()) for url in packages]
        script = self._fetched(plan.script)
        search = [str(path.parent if path.suffix == ".py" else path) for path in paths]
        environment = {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            **spark, **role_session.credentials(plan.role, plan.identity, region=plan.region, account=plan.account),
            "AWS_ENDPOINT_URL": role_session.endpoint(), "AWS_DEFAULT_REGION": plan.region, "AWS_REGION": plan.region,
            "PYTHONPATH": os.pathsep.join(search), "PYTHONUNBUFFERED": "1",
            "PYSPARK_PYTHON": str(python), "PYSPARK_DRIVER_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1",
        }  # fmt: skip
        return [str(python), "-c", SUPERVISED, str(script), *plan.words()], environment

    def _fetched(self, url: str) -> Path:
        plan = self.plan
        client = role_session.client("s3", plan.role, plan.identity, region=plan.region, account=plan.account)
        try:
            bucket, key = storage.split(url)
            target = plan.folder / Path(key).name
            client.download_file(bucket, key, str(target))
        except Exception as failure:  # whatever S3 says, the run cannot start
            raise RunError(f"LAUNCH ERROR | File {url} cannot be read: {failure}") from failure
        return target
