"""What the demo trains on and streams: a simulated fleet with injected failures, or a real series from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cdk_ml_lens.local import series, simulator
from cdk_ml_lens.local.poison import poisons
from cdk_ml_lens.local.readings import Reading

TRAINING_ROWS = 6000
QUANTILE = 0.999
RESEND_EACH = 100
"""Every so many readings, a device sends the same bytes again, as it does after a lost acknowledgement."""

SERIES_DEVICE = "sensor-01"


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One message of a device.

    Parameters
    ----------
    device_id, body
        Who sends which bytes.
    key
        Name of the message in the accounts; of a reading, the id of its prediction.
    reason
        Why it must be quarantined; ``None`` when it must be scored.
    """

    device_id: str
    body: bytes
    key: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Window:
    """A labelled anomaly: the readings that belong to it, by their keys."""

    label: str
    keys: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything one run of the demo needs to know.

    Parameters
    ----------
    title
        What is streamed; it says so when it is simulated.
    mode
        ``simulated`` or ``series``.
    features
        Model inputs, in order.
    training
        Readings that the model learns from.
    rows
        Rows that there were to learn from, usable or not.
    quantile
        Threshold quantile.
    outgoing
        Messages in the order in which they are published, repetitions included.
    windows
        Labelled anomalies among the messages.
    """

    title: str
    mode: str
    features: tuple[str, ...]
    training: Sequence[Reading]
    rows: int
    quantile: float
    outgoing: Sequence[Outgoing]
    windows: Sequence[Window]

    @property
    def devices(self) -> list[str]:
        """Return the names of the devices."""
        return sorted({message.device_id for message in self.outgoing})


def simulated(*, devices: int, readings: int, failures: int, seed: int) -> Plan:
    """Plan a simulated fleet: the model learns from healthy turbines that are not in the fleet.

    Raises
    ------
    ValueError
        When so many failures have no room.
    """
    simulation = simulator.simulate(devices=devices, readings_per_device=readings, failures=failures, seed=seed)
    training = simulator.training_set(seed=seed, rows=TRAINING_ROWS)
    windows = [
        Window(
            label=f"{window.device_id} {window.kind.value} {window.start_index}-{window.end_index - 1}",
            keys=frozenset(
                prediction_id(reading)
                for reading in simulation.readings
                if reading.device_id == window.device_id and window.start_index <= reading.index < window.end_index
            ),
        )
        for window in simulation.windows
    ]
    return Plan(
        title=f"simulated turbines, seed {seed}",
        mode="simulated",
        features=simulator.FEATURES,
        training=training,
        rows=len(training),
        quantile=QUANTILE,
        outgoing=_with_trouble(simulation.readings),
        windows=windows,
    )


def from_series(data: Path, *, windows: Path | None) -> Plan:
    """Plan a real series: learn from its first part, stream every later row.

    Parameters
    ----------
    data
        CSV file, ``timestamp,value``.
    windows
        JSON file of labelled windows, default the one beside the data, none if there is none.

    Raises
    ------
    SeriesError
        When a file is not what it should be.
    """
    samples = series.load_series(data)
    readings = series.featurise(samples, device_id=SERIES_DEVICE)
    training, streamed = series.split(readings)
    found = series.find_windows(data) if windows is None else windows
    labelled = [] if found is None else series.load_windows(found)
    offset = len(readings) - len(streamed)
    marked = [
        Window(
            label=f"{span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M}",
            keys=frozenset(
                prediction_id(reading)
                for reading, sample in zip(streamed, samples[offset:], strict=True)
                if sample.moment is not None and span.covers(sample.moment)
            ),
        )
        for span in labelled
    ]
    return Plan(
        title=f"{data.name}: learns from rows 1-{offset}, scores rows {offset + 1}-{len(readings)}",
        mode="series",
        features=series.FEATURES,
        training=training,
        rows=offset,
        quantile=series.quantile_for(len(training)),
        outgoing=[_outgoing(reading) for reading in streamed],
        windows=[window for window in marked if window.keys],
    )


def prediction_id(reading: Reading) -> str:
    """Return the id that the scorer gives to the prediction of a reading."""
    return f"{reading.device_id}#{reading.reading_id}"


def _outgoing(reading: Reading) -> Outgoing:
    whole = all(isinstance(value, float) for value in reading.features.values())
    return Outgoing(
        device_id=reading.device_id,
        body=reading.body(),
        key=prediction_id(reading),
        reason=None if whole else "wrong_type",
    )


def _with_trouble(readings: Sequence[Reading]) -> list[Outgoing]:
    """Put broken payloads between the readings, evenly, and send some readings twice."""
    broken = poisons(readings[0])
    every = max(1, len(readings) // len(broken))
    messages: list[Outgoing] = []
    for number, reading in enumerate(readings):
        messages.append(_outgoing(reading))
        if number % RESEND_EACH == RESEND_EACH - 1:
            messages.append(messages[-1])
        turn, rest = divmod(number, every)
        if rest == every - 1 and turn < len(broken):
            poison = poisons(reading)[turn]
            messages.append(
                Outgoing(
                    device_id=reading.device_id,
                    body=poison.body,
                    key=f"{prediction_id(reading)}-poison-{turn}",
                    reason=poison.reason,
                )
            )
    return messages
