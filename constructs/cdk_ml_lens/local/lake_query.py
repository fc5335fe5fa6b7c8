"""Questions to Athena in one workgroup, as an analyst asks them."""

from __future__ import annotations

import time
from typing import Any

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
PATIENCE_SECONDS = 60.0


class QueryError(RuntimeError):
    """Athena did not answer."""


class Athena:
    """Asks in a workgroup.

    Parameters
    ----------
    client
        boto3's Athena client.
    workgroup
        Where; it says where results go and what they may cost.
    """

    def __init__(self, client: Any, workgroup: str) -> None:
        self._client = client
        self._workgroup = workgroup

    def rows(self, sql: str) -> list[dict[str, str | None]]:
        """Run a query and return its first thousand rows, texts by column.

        Raises
        ------
        QueryError
            When it fails or does not end within a minute.
        """
        query = self._client.start_query_execution(QueryString=sql, WorkGroup=self._workgroup)["QueryExecutionId"]
        deadline = time.monotonic() + PATIENCE_SECONDS
        status: dict[str, Any] = {"State": "QUEUED"}
        while status["State"] not in ENDED and time.monotonic() < deadline:
            time.sleep(0.1)
            status = self._client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] != "SUCCEEDED":
            raise QueryError(f"{sql}: {status['State']} {status.get('StateChangeReason', '')}")
        found = self._client.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        header, *rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in found]
        return [dict(zip(header, row, strict=True)) for row in rows]

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        (row,) = self.rows(f'SELECT count(*) AS n FROM "{table.replace(".", chr(34) + "." + chr(34))}"')
        return int(str(row["n"]))
