"""The real series through clean, normalise and window_features, against 20 rows computed by hand from the file's text.

The numbers were made with 40-digit decimals and a loop over the file, without this project's code: of the training
part (before 2014-02-19T00:54, 70 % of the time) the mean and the standard deviation of the population; then for each
row value, mean, standard deviation, minimum and maximum of the last four hours, the change per hour since the earliest
reading of the last two, and the seconds since the reading before, at most three hours. For the second row by hand:
(71.22022706 + 69.88083514) / 2 = 70.5505311, and (70.5505311 - 72.8755513982435) / 3.38401755047507 = -0.687059172585.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.etl.lake import Lake

FILE = Path(__file__).parents[3] / "shared" / "data" / "ambient_temperature_system_failure.csv"
ROWS = 7267
CENTRE, SCALE = 72.8755513982435, 3.38401755047507
# time, value, mean, std, minimum, maximum, rate, seconds since the last reading, split
GOLDEN = """
2013-07-04T00:00 -0.88495884362 -0.88495884362 0 -0.88495884362 -0.88495884362 0 10800 train
2013-07-04T01:00 -0.48915950155 -0.68705917259 0.27987239876 -0.88495884362 -0.48915950155 0.39579934206 3600 train
2013-07-04T02:00 -0.59034754059 -0.65482196192 0.20562585695 -0.88495884362 -0.48915950155 0.14730565151 3600 train
2013-07-04T03:00 -1.1572491572 -0.78042876074 0.30215272133 -1.1572491572 -0.48915950155 -0.33404482782 3600 train
2013-07-04T04:00 -1.0614603278 -0.82455413178 0.33374282063 -1.1572491572 -0.48915950155 -0.23555639358 3600 train
2013-07-08T04:00 -2.9847398211 -3.0717808568 0.22617154383 -3.3009407669 -2.796673131 -0.094033345056 3600 train
2013-07-28T01:00 -0.033779682445 -0.06674941763 0.18791017408 -0.21737291763 0.18602984836 0.084047618181 3600 train
2013-07-28T03:00 -0.02752997786 -0.092894192644 0.10784701865 -0.21737291763 -0.02752997786 0.0031248522924 7200 train
2013-07-28T04:00 -0.29037985873 -0.11722983968 0.14998487099 -0.29037985873 -0.02752997786 -0.26284988087 3600 train
2013-07-29T12:00 0.10871451057 0.10871451057 0 0.10871451057 0.10871451057 0 10800 train
2013-07-29T13:00 0.1118580315 0.11028627103 0.0022228049669 0.10871451057 0.1118580315 0.0031435209308 3600 train
2013-08-29T11:00 -1.5531371158 -1.5531371158 0 -1.5531371158 -1.5531371158 0 10800 train
2013-09-16T12:00 -0.052928687742 -0.052928687742 0 -0.052928687742 -0.052928687742 0 10800 train
2013-10-14T19:00 0.031761933901 0.031761933901 0 0.031761933901 0.031761933901 0 10800 train
2014-01-01T09:00 1.2638040193 1.1500037799 0.16666128793 0.90484834847 1.2638040193 0.0097034780435 3600 train
2014-02-17T17:00 -0.38957543765 -0.67722337475 0.20969321994 -0.89218938531 -0.38957543765 0.25130697383 3600 train
2014-02-17T18:00 -0.19549047497 -0.54453923946 0.31153311772 -0.89218938531 -0.19549047497 0.25270559246 3600 train
2014-03-24T19:00 -0.27546788228 -0.27546788228 0 -0.27546788228 -0.27546788228 0 10800 validation
2014-04-10T15:00 -0.86313731672 -0.86313731672 0 -0.86313731672 -0.86313731672 0 10800 test
2014-05-28T15:00 -0.086129227729 -0.21227496756 0.09421190874 -0.31037809426 -0.086129227729 0.079420854352 3600 test
"""
STATISTICS = ("value", "mean", "std", "minimum", "maximum", "rate", "since")
HOUR = 3600

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the real series is not beside this checkout")


def _definition() -> str:
    def feature(name: str, seconds: int, fewest: int = 1, null_value: float | None = None) -> dict[str, object]:
        since = name == "since"
        return {
            "name": name,
            "sensor": None if since else "temperature",
            "statistic": "seconds_since_last" if since else name,
            "window_seconds": seconds,
            "minimum_readings": fewest,
            "null_value": null_value,
        }

    spread = [feature("mean", 4 * HOUR), feature("std", 4 * HOUR, 2, 0.0)]
    spread += [feature("minimum", 4 * HOUR), feature("maximum", 4 * HOUR)]
    since = feature("since", 3 * HOUR, 1, 3.0 * HOUR)
    document = {
        "version": 1,
        "sensors": [{"name": "temperature", "minimum": 0.0, "maximum": 120.0, "factor": 1.0, "offset": 0.0}],
        "cleaning": {"allowed_lateness_seconds": HOUR, "future_tolerance_seconds": 60, "hold_seconds": 600},
        "normalisation": {"method": "standard", "per": "device"},
        "features": [feature("value", 0), *spread, feature("rate", 2 * HOUR, 1, 0.0), since],
    }
    return json.dumps(document)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(tmp_path_factory.mktemp("real"), _definition())
    with FILE.open() as file:
        at_value = [(datetime.fromisoformat(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    rows = [
        {
            "reading_id": f"{number}",
            "event_time": at.replace(tzinfo=UTC),
            "received_at": at.replace(tzinfo=UTC) + timedelta(seconds=1),
            "temperature": value,
            "vibration": None,
        }
        for number, (at, value) in enumerate(at_value)
    ]
    made.put("machine", rows)
    accounts = made.pipeline()
    assert [account["in"] for account in accounts] == [ROWS] * 3
    return made


def test_twenty_rows_are_as_computed_by_hand(lake: Lake) -> None:
    table = lake.table("transformed")
    assert len(table) == ROWS
    golden = [line.split() for line in GOLDEN.strip().splitlines()]
    assert len(golden) == 20
    for time, *expected, split in golden:
        at = datetime.fromisoformat(time).replace(tzinfo=UTC)
        (row,) = table.filter(pl.col("event_time") == at).iter_rows(named=True)
        assert row["split"] == split
        assert [row[name] for name in STATISTICS] == pytest.approx([float(number) for number in expected], rel=1e-10), (
            time
        )


def test_the_scale_is_that_of_the_training_part(lake: Lake) -> None:
    parameters = json.loads((lake.home / "artifacts" / "current.json").read_text())
    assert parameters["devices"]["machine"]["temperature"] == pytest.approx([CENTRE, SCALE], rel=1e-13)


def test_a_second_run_publishes_the_same_table(lake: Lake) -> None:
    before = lake.table("transformed")
    assert all(account["unchanged"] for account in lake.pipeline())
    assert lake.table("transformed").equals(before)
