"""The flagship with a lake: what the scorer computed in service is what the lake's pipeline computes for training."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from cdk_ml_lens import FeatureSet, Sensor
from cdk_ml_lens.local import LaptopCloud, lake_plan, simulator, venvs
from cdk_ml_lens.local.app_synth import synthesize
from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_fleet import Fleet
from cdk_ml_lens.local.device import Broker
from cdk_ml_lens.local.lake_demo import prepare
from cdk_ml_lens.local.lake_query import Athena
from cdk_ml_lens.local.model_build import build_artifact
from cdk_ml_lens.local.readings import Reading, write_csv
from ml_lens_features.clean import clean_readings
from ml_lens_features.definition import FeatureSet as Definition
from ml_lens_features.windows import window_features

pytestmark = pytest.mark.laptop_cloud
ROOT = Path(__file__).parents[2]
FEATURES = FeatureSet.standard(sensors=[Sensor(name=name) for name in simulator.FEATURES])
START = datetime(2026, 1, 1, tzinfo=UTC)


def features_of(readings: Sequence[Reading]) -> list[Reading]:
    """Return what a model is trained on: the readings' window features, as the lake's jobs compute them."""
    definition = Definition.parse(FEATURES.render())
    found: list[Reading] = []
    for device in dict.fromkeys(reading.device_id for reading in readings):
        own = [reading for reading in readings if reading.device_id == device]
        times = pl.Series([START + timedelta(seconds=10 * reading.index) for reading in own]).dt.cast_time_unit("ms")
        ids = {"reading_id": [reading.reading_id for reading in own], "device_id": [device] * len(own)}
        values = {name: [reading.features[name] for reading in own] for name in simulator.FEATURES}
        frame = pl.DataFrame({**ids, "event_time": times, "received_at": times, **values})
        rows = window_features(clean_readings(frame, definition).rows, definition)
        for index, row in enumerate(rows.iter_rows(named=True)):
            inputs = {name: row[name] for name in FEATURES.names}
            found.append(Reading(device_id=device, index=index, timestamp=own[index].timestamp, features=inputs))
    return found


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("flagship-with-lake")
    training = features_of(simulator.training_set(seed=5, rows=1200))
    table = write_csv(work / "training.csv", training, features=FEATURES.names)
    artifact = build_artifact(
        table,
        work / "model.tar.gz",
        quantile=0.999,
        seed=0,
        features=FEATURES.names,
        python=venvs.ensure("model"),
    )
    context = {"stacks": "IotInference", "nag": "false", "model_artifact": str(artifact), "lake": "true"}
    return synthesize(app_dir=ROOT, out=work / "cdk.out", context=context)


def test_scorer_and_pipeline_compute_the_same_features_of_every_reading(assembly: Path, tmp_path: Path) -> None:
    wanted = lake_plan.plan(devices=2, readings=120, seed=4, now=datetime.now(UTC))
    with LaptopCloud.start(state_dir=tmp_path / "cloud", time_scale=10) as cloud:
        outputs = cloud.deploy(assembly, "IotInference").outputs
        broker = Broker(host="localhost", port=cloud.mqtt_port, ca_path=cloud.ca_path)
        with Fleet(broker=broker, outputs=outputs, accounts=Accounts(wanted.plan)) as fleet:
            fleet.provision(wanted.plan.devices, iot=cloud.client("iot"), folder=tmp_path / "devices")
            fleet.stream(wanted.plan.outgoing, rate=100, on_tick=lambda: None)
        athena = Athena(cloud.client("athena"), outputs["Workgroup"])
        rows = wanted.sent - wanted.refused
        kept = 240 + wanted.reasons["out_of_range"]  # this stack's sensors have no bounds
        wait_for(athena, {outputs["TelemetryTable"]: rows, outputs["PredictionTable"]: kept})
        prepare(cloud, outputs["PipelineArn"])
        assert athena.count(outputs["FeatureTable"]) == kept
        (compared,) = athena.rows(comparison(outputs["FeatureTable"], outputs["PredictionTable"]))
    assert int(str(compared["readings"])) == kept
    worst = {name: float(str(value)) for name, value in compared.items() if name != "readings"}
    assert set(worst) == set(FEATURES.names)
    assert max(worst.values()) <= 1e-9, worst
    assert worst["temperature"] == 0.0


def wait_for(athena: Athena, wanted: dict[str, int]) -> None:
    deadline = time.monotonic() + 90
    counts: dict[str, int] = {}
    while counts != wanted and time.monotonic() < deadline:
        time.sleep(1)
        counts = {table: athena.count(table) for table in wanted}
    assert counts == wanted


def comparison(offline: str, online: str) -> str:
    """Ask for the largest difference of each feature, relative to the larger of its two values."""
    worst = [
        f"max(abs(f.{name} - p.features['{name}']) / greatest(abs(f.{name}), abs(p.features['{name}']), 1)) AS {name}"
        for name in FEATURES.names
    ]
    join = f"{offline} f JOIN {online} p ON f.device_id = p.device_id AND f.reading_id = p.reading_id"
    return f"SELECT count(*) AS readings, {', '.join(worst)} FROM {join}"
