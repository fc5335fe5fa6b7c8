"""Parts of kernel and run: parsing, reasons, moments, parameters, boundaries, tasks, arguments, S3 and Glue."""

from __future__ import annotations

import json
import random
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pyarrow
import pyarrow.parquet
import pytest
from moto import mock_aws

from cdk_ml_lens import FeatureSet as Declared
from cdk_ml_lens import Normalisation, Sensor
from jobs import run_step
from ml_lens_etl import catalog, parquet, plan, snapshot, store
from ml_lens_etl.engine import EngineError, engine_of
from ml_lens_etl.request import Request, RequestError
from ml_lens_features.clean import clean_readings
from ml_lens_features.definition import DefinitionError, FeatureSet
from ml_lens_features.normalise import Moments, Parameters, ParametersError, normalise
from ml_lens_features.split import Boundaries, split_by_time
from tests.etl import reference

TIMES = {"event_time": reference.START, "received_at": reference.START + timedelta(seconds=1)}


def _parse(**changes: Any) -> FeatureSet:
    return FeatureSet.parse(reference.definition(**changes))


def test_the_definition_of_the_construct_library_is_read_whole() -> None:
    declared = Declared.standard(
        sensors=[Sensor(name="temperature", minimum=-40, maximum=120, factor=0.1)],
        normalisation=Normalisation(method="standard"),
    )
    parsed = FeatureSet.parse(declared.render())
    assert [vars(feature) for feature in parsed.features] == [vars(feature) for feature in declared.features]
    assert vars(parsed.sensors[0]) == vars(declared.sensors[0])
    assert vars(parsed.cleaning) == vars(declared.cleaning)
    assert vars(parsed.normalisation) == vars(declared.normalisation)
    assert parsed.overlap_seconds == declared.overlap_seconds


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        json.dumps({**json.loads(reference.definition()), "version": 2}),
        reference.definition(sensors=[{"name": "temperature"}]),
        reference.definition(sensors=[]),
        reference.definition().replace('"rate"', '"median"'),
    ],
)
def test_fails_on_what_is_no_feature_set(text: str) -> None:
    with pytest.raises(DefinitionError):
        FeatureSet.parse(text)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"temperature": "warm"}, "wrong_type"),
        ({"temperature": "inf"}, "not_finite"),
        ({"temperature": "nan"}, "not_finite"),
        ({"event_time": None}, "missing_time"),
        ({"received_at": None}, "missing_time"),
        ({"temperature": "-51"}, "out_of_range"),
        ({"temperature": None}, "no_value"),
        ({"received_at": reference.START + timedelta(seconds=1201)}, "late"),
        ({"received_at": reference.START - timedelta(seconds=61)}, "in_future"),
        ({"temperature": "-50"}, None),
        ({"received_at": reference.START + timedelta(seconds=1200)}, None),
        ({"received_at": reference.START - timedelta(seconds=60)}, None),
    ],
)
def test_a_reading_of_text_is_kept_or_refused_with_its_reason(changes: dict[str, Any], reason: str | None) -> None:
    row = {"reading_id": "r", "device_id": "d", **TIMES, "temperature": "20.5", **changes}
    time = pl.Datetime("ms", "UTC")
    frame = pl.DataFrame([row], schema_overrides={"event_time": time, "received_at": time, "temperature": pl.String})
    cleaned = clean_readings(frame, _parse())
    assert cleaned.quarantined["reason"].to_list() == ([] if reason is None else [reason])
    assert len(cleaned.rows) == (reason is None)


def test_moments_add_up_to_those_of_the_whole() -> None:
    chance = random.Random(3)
    values = [1e6 + chance.gauss(0, 1e-3) for _ in range(1000)]
    whole = Moments()
    for start in range(0, 1000, 77):
        whole = whole.plus(Moments.of(pl.Series(values[start : start + 77])))
    assert whole.count == 1000
    assert whole.mean == pytest.approx(statistics.fmean(values), rel=1e-15)
    assert whole.scale("standard")[1] == pytest.approx(statistics.pstdev(values), rel=1e-6)
    assert whole.scale("minmax") == (min(values), max(values) - min(values))


def test_a_constant_sensor_and_an_unknown_device_are_normalised_too() -> None:
    moments = {"a": {"x": Moments.of(pl.Series([5.0, 5.0]))}, "b": {"x": Moments.of(pl.Series([1.0, 3.0]))}}
    parameters = Parameters.fitted(moments, _parse(normalisation={"method": "standard", "per": "device"}).normalisation)
    assert parameters.of("a", "x") == (5.0, 1.0)
    assert parameters.of("new", "x") == (3.5, pytest.approx(statistics.pstdev([5, 5, 1, 3])))
    assert parameters.of("new", "y") == (0.0, 1.0)
    assert Parameters.parse(parameters.to_json()) == parameters


def test_the_same_parameters_have_the_same_version() -> None:
    one = Parameters(method="minmax", per="all", everyone={"x": (0.0, 2.0)}, devices={})
    other = Parameters(method="minmax", per="all", everyone={"x": (0.0, 3.0)}, devices={})
    assert Parameters.parse(one.to_json()).version == one.version != other.version


@pytest.mark.parametrize("text", ["", "{}", '{"method": "none", "per": "all", "all": 3, "devices": {}}'])
def test_fails_on_what_is_no_parameters(text: str) -> None:
    with pytest.raises(ParametersError):
        Parameters.parse(text)


def test_without_a_method_values_stay_as_they_are() -> None:
    rows = pl.DataFrame({"device_id": ["a"], "temperature": [4.0]})
    parameters = Parameters(method="none", per="all", everyone={"temperature": (9.0, 9.0)}, devices={})
    assert normalise(rows, parameters, _parse()).equals(rows)


def test_the_split_has_its_shares_and_its_order() -> None:
    times = [reference.START + timedelta(seconds=number) for number in range(101)]
    rows = pl.DataFrame({"event_time": times})
    split = split_by_time(rows, Boundaries.between(times[0], times[-1]))["split"]
    assert split.to_list() == ["train"] * 70 + ["validation"] * 15 + ["test"] * 16
    with pytest.raises(ValueError, match="test part"):
        Boundaries.between(times[0], times[-1], train=0.9, validation=0.1)


def test_spans_cover_every_time_once() -> None:
    extent = plan.Extent(rows=95, first=reference.START, last=reference.START + timedelta(hours=1))
    spans = plan._spans({"a": extent}, rows_per_task=10)
    assert len(spans) == 10
    assert (spans[0].start, spans[-1].end) == (None, None)
    assert [span.end for span in spans[:-1]] == [span.start for span in spans[1:]]
    rows = pl.DataFrame({"event_time": [None, datetime(1999, 1, 1, tzinfo=UTC), spans[3].start, datetime.now(UTC)]})
    held = [span.cut(rows).height for span in spans]
    assert sum(held) == 4
    assert (held[0], held[3], held[-1]) == (2, 1, 1)


def test_objects_without_a_device_are_refused_and_hidden_ones_are_not_seen(tmp_path: Path) -> None:
    (tmp_path / "_quarantine" / "device_id=a").mkdir(parents=True)
    (tmp_path / "_quarantine" / "device_id=a" / "x.parquet").write_bytes(b"")
    (tmp_path / "device_id=a").mkdir()
    (tmp_path / "device_id=a" / "note.txt").write_bytes(b"")
    assert snapshot.take(str(tmp_path)).objects == 0
    (tmp_path / "stray.parquet").write_bytes(b"")
    with pytest.raises(snapshot.LayoutError, match=r"stray\.parquet"):
        snapshot.take(str(tmp_path))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"step": "dream"}, "step"),
        ({"max_quarantined_share": 1.5}, "max_quarantined_share"),
        ({"rows_per_task": 0}, "rows_per_task"),
        ({"step": "normalise"}, "artifacts"),
    ],
)
def test_fails_on_a_request_out_of_range(changes: dict[str, Any], name: str) -> None:
    given = {"step": "clean", "feature_set": "", "source": "/a", "target": "/b", "target_location": "/b"}
    with pytest.raises(RequestError, match=name):
        Request(**{**given, "quarantine": "/q", **changes})


def test_fails_on_an_unknown_engine() -> None:
    with pytest.raises(EngineError, match="single_node"):
        engine_of("ray")


def test_glues_own_arguments_are_left_alone() -> None:
    own = ["--JOB_NAME", "job", "--enable-metrics", "true", "--step_name", "x", "--additional-python-modules", "polars"]
    needed = ["--step", "clean", "--feature_set", "{}", "--source", "a.b", "--target", "a.c"]
    parsed = run_step.parse([*own, *needed, "--target_location", "s3://x/", "--quarantine", "s3://y/"])
    assert (parsed.step, parsed.engine, parsed.event_bus) == ("clean", "single_node", "")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        for cached in (store._s3, catalog._glue):
            cached.cache_clear()
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield s3
    for cached in (store._s3, catalog._glue):
        cached.cache_clear()


def test_the_store_of_s3_pages_reads_moves_and_clears(aws: Any) -> None:
    bucket = store.store_of("s3://lake/")
    for number in range(1003):
        bucket.write(f"s3://lake/a/{number:04d}", b"x")
    assert len(bucket.entries("s3://lake/a/")) == 1003
    bucket.move("s3://lake/a/0000", "s3://lake/b/0000")
    assert (bucket.read("s3://lake/a/0000"), bucket.read("s3://lake/b/0000")) == (None, b"x")
    bucket.clear("s3://lake/a/")
    assert [entry.uri for entry in bucket.entries("s3://lake/")] == ["s3://lake/b/0000"]


def test_publishing_changes_the_location_and_keeps_the_rest_of_the_table(aws: Any) -> None:
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "modelled"})
    columns = [{"Name": "device_id", "Type": "string"}]
    descriptor = {"Columns": columns, "Location": "s3://lake/readings/version=none/", "SerdeInfo": {"Name": "s"}}
    table = {"Name": "readings", "Parameters": {"classification": "parquet"}, "TableType": "EXTERNAL_TABLE"}
    glue.create_table(DatabaseName="modelled", TableInput={**table, "StorageDescriptor": descriptor})
    glued = catalog.catalog_of("modelled.readings")
    assert glued.location("modelled.readings") == "s3://lake/readings/version=none/"
    glued.publish("modelled.readings", "s3://lake/readings/version=abc/")
    found = glue.get_table(DatabaseName="modelled", Name="readings")["Table"]
    assert found["StorageDescriptor"] == {**descriptor, "Location": "s3://lake/readings/version=abc/"}
    assert (found["Parameters"], found["TableType"]) == ({"classification": "parquet"}, "EXTERNAL_TABLE")


def test_a_refused_batch_is_told_on_the_bus(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("events").create_event_bus(Name="lake")
    sent: list[dict[str, Any]] = []
    client = boto3.client("events")
    real = client.put_events
    monkeypatch.setattr(client, "put_events", lambda **given: (sent.extend(given["Entries"]), real(**given))[1])
    monkeypatch.setattr(boto3, "client", lambda name: client)
    run_step._notify("lake")({"table": "a.b", "failed_rules": ["RowCount >= 1"]})
    (entry,) = sent
    assert (entry["Source"], entry["DetailType"]) == ("cdk-ml-lens.lake", "Data Quality Failed")
    assert json.loads(entry["Detail"])["failed_rules"] == ["RowCount >= 1"]


def test_a_bus_that_refuses_the_event_does_not_hide_the_refusal(
    aws: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class FakeEvents:
        """Refuses every call; it is no bus."""

        def put_events(self, **_: Any) -> Any:
            raise RuntimeError("AccessDenied")

    monkeypatch.setattr(boto3, "client", lambda name: FakeEvents())
    run_step._notify("lake")({"table": "a.b"})
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"event_not_sent": "AccessDenied"}


def test_times_that_firehose_writes_without_a_zone_are_utc(tmp_path: Path) -> None:
    table = pyarrow.table({"event_time": [datetime(2026, 3, 1, 12, 0, 0, 123_000)], "temperature": [1.0]})
    file = tmp_path / "int96.parquet"
    pyarrow.parquet.write_table(table, file, use_deprecated_int96_timestamps=True)
    (read,) = parquet.read([str(file)], parquet.Span())["event_time"].to_list()
    assert read == datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    span = parquet.Span(start=datetime(2026, 3, 1, 12, tzinfo=UTC), end=datetime(2026, 3, 1, 13, tzinfo=UTC))
    assert len(parquet.read([str(file)], span)) == 1
    assert parquet.extent(str(file)).first == read


def test_an_object_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.parquet"
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(parquet.InputError, match=r"broken\.parquet is no Parquet"):
        parquet.read([str(file)], parquet.Span())
