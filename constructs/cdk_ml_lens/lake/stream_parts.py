"""The parts of a Firehose destination: encryption, the transform Lambda, conversion to Parquet by the Glue schema."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from cdk_ml_lens.lake.lake_table import LakeTable

# 64 MiB is the least of dynamic partitioning and of format conversion:
# https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html
BUFFER_MIB = 64
TRANSFORM_BUFFER_MIB = 1  # of records; their rows come back in less than Lambda's 6 MB
TRANSFORM_BUFFER_SECONDS = 60
# What table_row writes; an empty deserializer would be left out of the template.
_TIME_FORMAT = "yyyy-MM-dd HH:mm:ss.SSS"
_PARTS = firehose.CfnDeliveryStream


def encryption(key: kms.IKey) -> firehose.CfnDeliveryStream.EncryptionConfigurationProperty:
    """Objects are encrypted with ``key``."""
    return _PARTS.EncryptionConfigurationProperty(
        kms_encryption_config=_PARTS.KMSEncryptionConfigProperty(awskms_key_arn=key.key_arn)
    )


def processing(
    function: lambda_.IFunction, role: iam.IRole
) -> firehose.CfnDeliveryStream.ProcessingConfigurationProperty:
    """Call ``function`` with every batch; it answers with rows and partition keys.

    Source: https://docs.aws.amazon.com/firehose/latest/APIReference/API_ProcessorParameter.html
    """
    parameters = {
        "LambdaArn": function.function_arn,
        "RoleArn": role.role_arn,
        "NumberOfRetries": "3",
        "BufferSizeInMBs": str(TRANSFORM_BUFFER_MIB),
        "BufferIntervalInSeconds": str(TRANSFORM_BUFFER_SECONDS),
    }
    return _PARTS.ProcessingConfigurationProperty(
        enabled=True,
        processors=[
            _PARTS.ProcessorProperty(
                type="Lambda",
                parameters=[
                    _PARTS.ProcessorParameterProperty(parameter_name=name, parameter_value=value)
                    for name, value in parameters.items()
                ],
            )
        ],
    )


def conversion(
    table: LakeTable, role: iam.IRole
) -> firehose.CfnDeliveryStream.DataFormatConversionConfigurationProperty:
    """JSON rows become Parquet by the columns of ``table``, whatever its newest version says.

    Source: https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion.html
    """
    stack = cdk.Stack.of(table)
    return _PARTS.DataFormatConversionConfigurationProperty(
        enabled=True,
        schema_configuration=_PARTS.SchemaConfigurationProperty(
            catalog_id=stack.account,
            region=stack.region,
            database_name=table.database_name,
            table_name=table.name,
            version_id="LATEST",
            role_arn=role.role_arn,
        ),
        input_format_configuration=_PARTS.InputFormatConfigurationProperty(
            deserializer=_PARTS.DeserializerProperty(
                hive_json_ser_de=_PARTS.HiveJsonSerDeProperty(timestamp_formats=[_TIME_FORMAT])
            )
        ),
        output_format_configuration=_PARTS.OutputFormatConfigurationProperty(
            serializer=_PARTS.SerializerProperty(
                parquet_ser_de=_PARTS.ParquetSerDeProperty(compression="SNAPPY", writer_version="V1")
            )
        ),
    )
