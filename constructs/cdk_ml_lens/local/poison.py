"""Broken payloads, one for each way to fail; the scorer has to quarantine each with its reason."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cdk_ml_lens.local.readings import Reading


@dataclass(frozen=True, kw_only=True)
class Poison:
    """A payload that must be quarantined.

    Parameters
    ----------
    reason
        The reason that the scorer must give, as in ``score_readings``.
    body
        The bytes on the wire. They hold the reading's id: no two payloads of one device are the same.
    """

    reason: str
    body: bytes


def poisons(reading: Reading) -> list[Poison]:
    """Break a good reading in every way.

    Parameters
    ----------
    reading
        A reading with at least one feature; it is not changed.
    """
    name = next(iter(reading.features))
    good = {"timestamp": reading.timestamp, **reading.features}

    def broken(kind: str, **changes: object) -> bytes:
        return json.dumps({"reading_id": f"{reading.reading_id}-{kind}", **good, **changes}).encode()

    without = {key: value for key, value in good.items() if key != name}
    missing = json.dumps({"reading_id": f"{reading.reading_id}-missing", **without}).encode()
    return [
        Poison(reason="not_finite", body=broken("nan", **{name: float("nan")})),
        Poison(reason="not_finite", body=broken("infinite", **{name: float("-inf")})),
        Poison(reason="missing_feature", body=missing),
        Poison(reason="wrong_type", body=broken("text", **{name: "hot"})),
        Poison(reason="not_json", body=broken("cut")[:-7]),
        Poison(reason="not_an_object", body=json.dumps([reading.reading_id, "list"]).encode()),
        Poison(reason="bad_encoding", body=broken("latin", note="°").replace(b"\\u00b0", b"\xb0")),
    ]
