"""The kernel against a second implementation that loops over readings, on series with every kind of trouble."""

from __future__ import annotations

import pytest

from ml_lens_features.clean import clean_readings
from ml_lens_features.definition import FeatureSet
from ml_lens_features.windows import window_features
from tests.etl import reference

CASES = [(seed, offset, noise) for seed in range(20) for offset, noise in ((20.0, 1.0), (1e6, 1e-3), (0.0, 100.0))]


@pytest.mark.parametrize(("seed", "offset", "noise"), CASES)
def test_features_agree_with_the_plain_loop(seed: int, offset: float, noise: float) -> None:
    readings = reference.series(seed, offset=offset, noise=noise)
    text = reference.definition()
    definition = FeatureSet.parse(text)
    kept, reasons = reference.clean(readings, text)

    cleaned = clean_readings(reference.frame(readings).sample(fraction=1.0, shuffle=True, seed=seed), definition)
    computed = window_features(cleaned.rows, definition)

    assert dict(cleaned.quarantined.select("reading_id", "reason").iter_rows()) == reasons
    assert computed["reading_id"].to_list() == [row["reading_id"] for row in kept]
    for got, row, expected in zip(computed.iter_rows(named=True), kept, reference.features(kept, text), strict=True):
        for name, value in expected.items():
            if value is None or got[name] is None:
                assert got[name] is value, (row["reading_id"], name)
            else:
                scale = max(abs(value), abs(got[name]), 1e-300)
                assert abs(got[name] - value) <= 1e-9 * scale, (row["reading_id"], name, got[name], value)
