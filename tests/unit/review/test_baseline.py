"""Baseline: what is new, known and fixed since it was written, and which reasons nobody has read yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk_ml_lens.review import baseline
from cdk_ml_lens.review.baseline import BaselineError, Trend
from tests.unit.review.assemblies import plugin, reviewed, violation, written

REASON = {"reason": "no logs here", "acknowledgedId": "AwsSolutions::AwsSolutions-S1"}


def trend(tmp_path: Path, *, before: list[dict[str, object]], after: list[dict[str, object]]) -> Trend:
    old = reviewed(written(tmp_path / "before", {}, plugins=[plugin(*before)]))
    file = tmp_path / "baseline.json"
    baseline.write(file, baseline.of(old.entries))
    made = reviewed(written(tmp_path / "after", {}, plugins=[plugin(*after)]), before=baseline.read(file)).trend
    assert made is not None
    return made


def test_findings_are_new_known_or_fixed(tmp_path: Path) -> None:
    one, two, three = (violation("AwsSolutions-S1", f"Hand/{name}") for name in ("One", "Two", "Three"))
    found = trend(tmp_path, before=[one, two], after=[two, three])
    assert [entry.place.path for entry in found.new] == ["Hand/Three"]
    assert [entry.place.path for entry in found.known] == ["Hand/Two"]
    assert found.fixed == ("app: AwsSolutions-S1 at Hand/One",)


def test_an_acknowledged_finding_is_fixed_and_its_reason_new(tmp_path: Path) -> None:
    path = "Hand/One"
    found = trend(
        tmp_path,
        before=[violation("AwsSolutions-S1", path)],
        after=[violation("AwsSolutions-S1", path, **REASON)],
    )
    assert (len(found.new), len(found.fixed), len(found.reasons)) == (0, 1, 1)


def test_the_same_reason_in_one_more_place_is_not_new(tmp_path: Path) -> None:
    given = [violation("AwsSolutions-S1", f"Hand/{name}", **REASON) for name in ("One", "Two")]
    found = trend(tmp_path, before=given[:1], after=given)
    assert found.reasons == frozenset()
    assert found.before.acknowledged == {"AwsSolutions": 1}


def test_messages_and_lines_may_change_without_a_new_finding(tmp_path: Path) -> None:
    before = violation("AwsSolutions-S1", "Hand/One")
    found = trend(tmp_path, before=[before], after=[{**before, "description": "said in other words"}])
    assert (len(found.new), len(found.known), found.fixed) == (0, 1, ())


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 2, "open": {}}'])
def test_fails_for_a_file_that_is_no_baseline(text: str, tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(text)
    with pytest.raises(BaselineError, match="--baseline must be"):
        baseline.read(file)


def test_fails_for_a_baseline_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="write it first with --write-baseline"):
        baseline.read(tmp_path / "none.json")
