"""Where a table's current version is: the location in the Glue Data Catalog, or a ``_current`` file of a folder."""

from __future__ import annotations

import functools
from typing import Any, Protocol

from ml_lens_etl.store import store_of

# GetTable answers with more than UpdateTable takes:
# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html#aws-glue-api-catalog-tables-TableInput
_TABLE_INPUT = (
    "Name",
    "Description",
    "Owner",
    "LastAccessTime",
    "LastAnalyzedTime",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
    "TargetTable",
)


class Catalog(Protocol):
    """Knows where tables are."""

    def location(self, table: str) -> str:
        """Return the URI of what is published."""
        ...

    def publish(self, table: str, location: str) -> None:
        """Let the table be what lies at ``location``, in one step that readers see whole."""
        ...


def catalog_of(table: str) -> Catalog:
    """Return the catalog of a name: ``database.table`` is in Glue, a path or URI is a folder."""
    return FolderCatalog() if "/" in table else _glue()


class FolderCatalog:
    """A folder whose ``_current`` file holds the location; without one the folder itself is the table."""

    def location(self, table: str) -> str:
        """Return what ``_current`` says, or the folder."""
        folder = table if table.endswith("/") else f"{table}/"
        current = store_of(folder).read(f"{folder}_current")
        return folder if current is None else current.decode()

    def publish(self, table: str, location: str) -> None:
        """Write ``_current``."""
        folder = table if table.endswith("/") else f"{table}/"
        store_of(folder).write(f"{folder}_current", location.encode())


class GlueCatalog:
    """The AWS Glue Data Catalog."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def location(self, table: str) -> str:
        """Return the location of the table."""
        location: str = self._table(table)["StorageDescriptor"]["Location"]
        return location if location.endswith("/") else f"{location}/"

    def publish(self, table: str, location: str) -> None:
        """Update the table's location; Glue keeps the table's earlier versions."""
        found = self._table(table)
        entry = {name: found[name] for name in _TABLE_INPUT if name in found}
        entry["StorageDescriptor"] = {**found["StorageDescriptor"], "Location": location}
        self._client.update_table(DatabaseName=table.partition(".")[0], TableInput=entry)

    def _table(self, table: str) -> dict[str, Any]:
        database, _, name = table.partition(".")
        found: dict[str, Any] = self._client.get_table(DatabaseName=database, Name=name)["Table"]
        return found


@functools.cache
def _glue() -> GlueCatalog:
    import boto3  # a run over local folders needs none

    return GlueCatalog(boto3.client("glue"))
