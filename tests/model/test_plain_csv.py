"""plain_csv: features without a header, in the header's order, and a reason when a split is empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_src.plain_csv.strip import SPLITS, main


def given(root: Path, **texts: str) -> Path:
    for split in SPLITS:
        folder = root / "processing" / "input" / split
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_text(texts.get(split, "timestamp,b,a\nt0,1,2\n"), encoding="utf-8")
    return root / "processing" / "output"


def test_features_keep_their_order_and_lose_header_and_row_names(tmp_path: Path) -> None:
    output = given(tmp_path, train="timestamp,b,device_id,a\nt0,1,d,2\nt1,3,d,4\n")
    assert main(["--root", str(tmp_path)]) == 0
    assert (output / "train" / "part-0.csv").read_text() == "1,2\n3,4\n"
    assert (output / "test" / "part-0.csv").read_text() == "1,2\n"


@pytest.mark.parametrize("text", ["", "timestamp,a\n"])
def test_an_empty_split_ends_with_its_reason(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    given(tmp_path, validation=text)
    assert main(["--root", str(tmp_path)]) == 1
    assert "the split validation must hold at least one row" in capsys.readouterr().err
