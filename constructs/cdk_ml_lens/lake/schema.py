"""Table, Column, Partition: the schema of a table as values, checked before anything is synthesized."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults

Format = Literal["parquet", "json", "iceberg"]
FORMATS = ("parquet", "json", "iceberg")
NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")
_SIMPLE = r"(string|double|float|int|bigint|smallint|tinyint|boolean|timestamp|date|binary|decimal\(\d{1,2},\d{1,2}\))"
TYPE = re.compile(rf"{_SIMPLE}|(array|map|struct)<.+>")
_LINEAGE = re.compile(rf"{NAME.pattern}\.{NAME.pattern}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME_RULE = "be a lower-case letter, then letters, digits or _"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Lower case: Athena and Glue fold names.
    type : str
        Hive type: ``string``, ``double``, ``timestamp``, ``decimal(10,2)``, ``array<string>`` … Default: ``string``.
    comment : str, optional
        What it means and its unit. Default: none.

    Raises
    ------
    PropError
        When the name or the type is not one that Athena reads.

    Notes
    -----
    Source: https://docs.aws.amazon.com/athena/latest/ug/data-types.html. Lens best practice MLOPS03-BP01.
    """

    name: str
    type: str = "string"
    comment: str | None = None

    def __post_init__(self) -> None:
        faults = Faults(f"column {self.name!r}")
        faults.unless(NAME.fullmatch(self.name) is not None, "name", _NAME_RULE, self.name)
        faults.unless(TYPE.fullmatch(self.type) is not None, "type", "be a Hive type in lower case", self.type)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class Partition:
    """One partition column with the rule by which Athena computes its values; use the factories.

    Athena never lists partitions of such a table, so nothing has to register them.

    Notes
    -----
    Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
    """

    name: str
    type: str
    projection: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        faults = Faults(f"partition {self.name!r}")
        faults.unless(NAME.fullmatch(self.name) is not None, "name", _NAME_RULE, self.name)
        faults.raise_any()

    @staticmethod
    def date(name: str = "date", *, since: str = "2025-01-01") -> Partition:
        """Return a day partition ``<name>=YYYY-MM-DD``.

        Parameters
        ----------
        name
            Column. Default: ``date``.
        since
            First day that can have data; earlier days are never read. Default: ``2025-01-01``. The last is tomorrow,
            since devices' clocks may be ahead of UTC.

        Raises
        ------
        PropError
            When ``since`` is not a day.
        """
        faults = Faults(f"partition {name!r}")
        faults.unless(_DATE.fullmatch(since) is not None, "since", "be a day YYYY-MM-DD", since)
        faults.raise_any()
        rule = (
            ("type", "date"),
            ("format", "yyyy-MM-dd"),
            ("range", f"{since},NOW+1DAY"),
            ("interval", "1"),
            ("interval.unit", "DAYS"),
        )
        return Partition(name=name, type="string", projection=rule)

    @staticmethod
    def integer(name: str, *, minimum: int, maximum: int) -> Partition:
        """Return a partition of whole numbers from ``minimum`` to ``maximum``, both included."""
        faults = Faults(f"partition {name!r}")
        faults.unless(minimum <= maximum, "maximum", f"be at least {minimum}", maximum)
        faults.raise_any()
        return Partition(name=name, type="int", projection=(("type", "integer"), ("range", f"{minimum},{maximum}")))

    @staticmethod
    def enum(name: str, *, values: Sequence[str]) -> Partition:
        """Return a partition of known values; Athena looks into each when a query names none."""
        faults = Faults(f"partition {name!r}")
        good = len(values) > 0 and all(value and "," not in value for value in values)
        faults.unless(good, "values", "be some texts without commas", tuple(values))
        faults.raise_any()
        return Partition(name=name, type="string", projection=(("type", "enum"), ("values", ",".join(values))))

    @staticmethod
    def injected(name: str) -> Partition:
        """Return a partition whose value every query must name (``WHERE device_id = '…'``)."""
        return Partition(name=name, type="string", projection=(("type", "injected"),))


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the catalog: its columns, how it is partitioned, how it is stored.

    Parameters
    ----------
    name : str
        Name in the catalog, and first level of its keys.
    columns : sequence of Column
        Columns of the files, partition columns excepted.
    partitions : sequence of Partition
        Levels of the keys below the table, outermost first. Default: none.
    format : {"parquet", "json", "iceberg"}
        Default: ``parquet``. ``json`` is one object per line. An Iceberg table's writer decides on its partitions.
    versioned : bool
        The files lie below ``version=<v>/`` and the catalog points at one version: the output of a job that publishes
        whole tables. Default: false.
    derived_from : sequence of str
        Tables that this one is computed from, as ``zone.table``; kept in the catalog as its lineage. Default: none.
    description : str, optional
        Shown in the catalog. Default: none.

    Raises
    ------
    PropError
        When a name is taken twice, or the parts do not fit together.

    Notes
    -----
    Lens best practices MLOPS03-BP01 (catalog) and MLREL03-BP01 (schema known before the data).
    """

    name: str
    columns: Sequence[Column]
    partitions: Sequence[Partition] = ()
    format: Format = "parquet"
    versioned: bool = False
    derived_from: Sequence[str] = ()
    description: str | None = None

    def __post_init__(self) -> None:
        faults = Faults(f"table {self.name!r}")
        names = [item.name for item in self.columns] + [item.name for item in self.partitions]
        twice = sorted({name for name in names if names.count(name) > 1})
        faults.unless(NAME.fullmatch(self.name) is not None, "name", _NAME_RULE, self.name)
        faults.unless(len(self.columns) > 0, "columns", "have at least one column", tuple(self.columns))
        faults.unless(not twice, "columns", "have each name once, partitions included", twice)
        faults.unless(self.format in FORMATS, "format", f"be one of {FORMATS}", self.format)
        plain = self.format != "iceberg" and not self.versioned
        hint = "partition it in the writer, or leave versioned and Iceberg"
        faults.unless(plain or not self.partitions, "partitions", "be empty", names[len(self.columns) :], hint)
        lineage = [name for name in self.derived_from if _LINEAGE.fullmatch(name) is None]
        faults.unless(not lineage, "derived_from", "name tables as zone.table", lineage)
        faults.unless(
            not (self.versioned and self.format == "iceberg"),
            "versioned",
            "be false for Iceberg",
            True,
            "it has its own",
        )
        faults.raise_any()
