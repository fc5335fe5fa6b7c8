"""Environments are made once, whole or not at all, and by uv's own words when it fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cdk_ml_lens.local import venvs


@pytest.fixture
def small_pins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    pins = tmp_path / "pins"
    pins.mkdir()
    (pins / "cloud.txt").write_text("# nothing to install\n")
    monkeypatch.setattr(venvs, "PINS", pins)
    monkeypatch.setenv("ML_LENS_CACHE", str(tmp_path / "cache"))
    return pins


def test_two_at_a_time_share_one_environment_and_leave_no_scratch(small_pins: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: venvs.ensure("cloud"), range(2))
    assert first == second
    assert first.exists()
    assert [item.name for item in (tmp_path / "cache").iterdir()] == [first.parent.parent.name]


def test_the_second_time_nothing_is_installed(small_pins: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        venvs.ensure("cloud", progress=said.append)
    assert len(said) == 1
    assert "installing the cloud environment" in said[0]


def test_other_pins_make_another_environment(small_pins: Path) -> None:
    before = venvs.ensure("cloud")
    (small_pins / "cloud.txt").write_text("# other pins\n")
    assert venvs.ensure("cloud") != before


def test_a_failing_install_raises_with_uvs_words_and_leaves_nothing(small_pins: Path, tmp_path: Path) -> None:
    (small_pins / "cloud.txt").write_text("./no/such/folder\n")
    with pytest.raises(venvs.VenvError, match=r"uv pip install failed:\n.*no/such/folder"):
        venvs.ensure("cloud")
    assert list((tmp_path / "cache").iterdir()) == []
