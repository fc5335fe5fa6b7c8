"""Lambda functions without Docker: they are created and can be read, but are never run, and an invocation says so."""

from __future__ import annotations

from typing import Any, NoReturn

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

MESSAGE = "this function is declared only: running it takes Docker (set LOCALSTACK_ENDPOINT to a container)"


class DeclaredExecutor(RuntimeExecutor):  # type: ignore[misc]  # LocalStack has no types
    """Refuses to start any environment for a function."""

    def start(self, env_vars: dict[str, str]) -> NoReturn:
        """Refuse: nothing here can run a function."""
        raise LambdaRuntimeException(MESSAGE)

    def invoke(self, payload: dict[str, str]) -> NoReturn:
        """Refuse: nothing here can run a function."""
        raise LambdaRuntimeException(MESSAGE)

    def stop(self) -> None:
        """Do nothing: nothing was started."""

    def get_address(self) -> str:
        """Return no address: there is no process."""
        return ""

    def get_endpoint_from_executor(self) -> str:
        """Return no address: there is no process."""
        return ""

    def get_runtime_endpoint(self) -> str:
        """Return no address: there is no process."""
        return ""

    def get_logs(self) -> str:
        """Return nothing: nothing ran."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: Any) -> None:
        """Accept any runtime: its code is kept as an archive only."""

    @classmethod
    def cleanup_version(cls, function_version: Any) -> None:
        """Do nothing: nothing was prepared."""


class DeclaredExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc]
    """Picked by ``LAMBDA_RUNTIME_EXECUTOR=declared``."""

    name = "declared"

    def load(self, *args: Any, **kwargs: Any) -> type[DeclaredExecutor]:
        """Return the executor."""
        return DeclaredExecutor
