"""Delivers what Firehose has buffered: backup, transformation, partitions, conversion, objects, errors, metrics."""

from __future__ import annotations

import gzip
import json
import logging
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, firehose

from . import firehose_lambda, firehose_parquet, role_session
from .firehose_items import Item, Refused, not_processed

logger = logging.getLogger("laptop_cloud")
Config = dict[str, Any]
RETRY_SECONDS = 300.0
PAUSE_SECONDS = 2.0
_EXTENSIONS = {"GZIP": ".gz"}


@dataclass(kw_only=True)
class Delivery:
    """One flush of a stream's buffer."""

    stream: Config
    config: Config
    items: list[Item]
    refused: list[Refused] = field(default_factory=list)

    def run(self) -> None:
        """Write everything; an object that S3 does not take is tried again for `RETRY_SECONDS` (AWS: for a day).

        Source: https://docs.aws.amazon.com/firehose/latest/dev/retry.html
        """
        self._metric("IncomingRecords", len(self.items))
        self._metric("IncomingBytes", sum(len(item.source) for item in self.items))
        if self.config.get("S3BackupMode") == "Enabled":
            backup = self.config.get("S3BackupConfiguration") or self.config.get("S3BackupDescription") or {}
            self._put(backup, [item.source for item in self.items], self._prefix(backup, self.items[0]), "BackupToS3")
        lambda_client = self._client("lambda", self.config.get("RoleARN", ""))
        items, self.refused = firehose_lambda.transform(lambda_client, self.stream, self.config, self.items)
        if firehose_lambda.parameters(self.config) is not None:
            failed = any(refused.document["errorCode"] in firehose_lambda.CALL_FAULTS for refused in self.refused)
            self._metric("ExecuteProcessing.Success", 0 if failed else 1)
        for prefix, group in self._partitions(items).items():
            self._deliver(prefix, group)
        self._write_refused()

    def _partitions(self, items: list[Item]) -> dict[str, list[Item]]:
        """Return the records by evaluated prefix; without partitioning there is one."""
        if items and not (self.config.get("DynamicPartitioningConfiguration") or {}).get("Enabled"):
            return {self._prefix(self.config, items[0]): items}
        found: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            try:
                found[self._prefix(self.config, item)].append(item)
            except firehose._DeliveryError as error:
                code = "DynamicPartitioning.MetadataExtractionFailed"
                self.refused.append(not_processed(item, code, error.message))
        return found

    def _prefix(self, config: Config, item: Item) -> str:
        """Return where ``item`` belongs; the hour is added unless the prefix has a time or partition keys.

        Source: https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-s3bucketprefix.html
        """
        at, template = time.gmtime(item.arrived / 1000), config.get("Prefix") or ""
        keys = None
        if (config.get("DynamicPartitioningConfiguration") or {}).get("Enabled"):
            keys = firehose._metadata_extraction_keys(config, item.data)
        prefix: str = firehose._evaluate_prefix(template, at, keys, item.keys)
        if "!{partitionKeyFrom" in template and "!{timestamp:" not in template:
            return prefix.removesuffix(firehose._java_time("yyyy/MM/dd/HH/", at))
        return prefix

    def _deliver(self, prefix: str, items: list[Item]) -> None:
        conversion = self.config.get("DataFormatConversionConfiguration") or {}
        if not conversion or not conversion.get("Enabled", True):
            self._put(self.config, [item.data for item in items], prefix)
            return
        role = (conversion.get("SchemaConfiguration") or {}).get("RoleARN") or self.config.get("RoleARN", "")
        body, refused = firehose_parquet.convert(self._client("glue", role), conversion, items)
        self.refused += refused
        self._metric("FailedConversion.Records", len(refused))
        if body is not None:
            self._metric("SucceedConversion.Records", len(items) - len(refused))
            extension = self.config.get("FileExtension") or ".parquet"
            self._put({**self.config, "FileExtension": extension, "CompressionFormat": None}, [body], prefix)

    def _write_refused(self) -> None:
        """Write each kind of failure as JSON lines under the error prefix."""
        template = self.config.get("ErrorOutputPrefix")
        by_kind: dict[str, list[Refused]] = defaultdict(list)
        for refused in self.refused:
            by_kind[refused.kind].append(refused)
        for kind, group in by_kind.items():
            at = time.gmtime(group[0].document["arrivalTimestamp"] / 1000)
            plain = f"{self.config.get('Prefix') or ''}{kind}/"
            prefix = firehose._evaluate_prefix(template if template else plain, at, error_type=kind)
            lines = [json.dumps(refused.document).encode() + b"\n" for refused in group]
            self._put({**self.config, "FileExtension": "", "CompressionFormat": None}, lines, prefix)

    def _put(self, config: Config, chunks: list[bytes], prefix: str, metric: str = "DeliveryToS3") -> None:
        bucket = firehose._s3_bucket_from_arn(config.get("BucketARN", ""))
        compression = config.get("CompressionFormat")
        extension = config.get("FileExtension") or _EXTENSIONS.get(compression or "", "")
        stamp = firehose._java_time("yyyy-MM-dd-HH-mm-ss", time.gmtime())
        suffix = f"{self.stream['name']}-{self.stream.get('version', 1)}-{stamp}-{uuid.uuid4()}{extension}"
        body = b"".join(chunks)
        request = {
            "Bucket": bucket,
            "Key": f"{prefix}{suffix}",
            "Body": gzip.compress(body, mtime=0) if compression == "GZIP" else body,
            "ContentType": "application/octet-stream",
            **_encryption(config),
        }
        begun = time.monotonic()
        while not self._written(request, config):
            self._metric(f"{metric}.Success", 0)
            if time.monotonic() - begun > RETRY_SECONDS:
                logger.error("Firehose %s lost %d records", self.stream["name"], len(chunks))
                return
            time.sleep(PAUSE_SECONDS)
        age = time.time() - self.items[0].arrived / 1000
        for name, value in {"Success": 1, "Records": len(chunks), "Bytes": len(body), "DataFreshness": age}.items():
            self._metric(f"{metric}.{name}", value)

    def _written(self, request: dict[str, Any], config: Config) -> bool:
        try:
            self._client("s3", config.get("RoleARN", "")).put_object(**request)
        except Exception:
            logger.exception("Firehose %s cannot write to %s", self.stream["name"], request["Bucket"])
            return False
        return True

    def _client(self, service: str, role: str) -> Any:
        name = f"firehose-{self.stream['name']}"
        return role_session.client(service, role, name, region=get_region(), account=get_account_id())

    def _metric(self, name: str, value: float) -> None:
        dimensions = {"DeliveryStreamName": self.stream["name"]}
        cloudwatch.record_metric("AWS/Firehose", name, value, "None", dimensions)


def _encryption(config: Config) -> dict[str, str]:
    key = ((config.get("EncryptionConfiguration") or {}).get("KMSEncryptionConfig") or {}).get("AWSKMSKeyARN")
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
