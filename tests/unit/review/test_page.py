"""The page: everything in one file, the same bytes each time, and nothing that a name could smuggle in."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from cdk_ml_lens.review import baseline, page, spreadsheet
from cdk_ml_lens.review.page import MissingPackageError
from cdk_ml_lens.review.review import Review
from tests.unit.review.assemblies import plain, plugin, reviewed, violation, written

HOSTILE = """"><script>alert(1)</script><img src=x onerror="alert(2)">'{{ 7*7 }}"""


class Elements(HTMLParser):
    """Counts elements and collects their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return reviewed(plain(tmp_path_factory.mktemp("plain") / "cdk.out"))


def test_page_needs_no_other_file_and_asks_nobody(review: Review) -> None:
    text = page.render(review)
    elements = Elements(text)
    assert not {"link", "iframe", "img", "object", "base"} & set(elements.tags)
    assert not [value for name, value in elements.attributes if name in ("src", "srcset", "action")]
    assert "url(" not in text
    assert "@import" not in text
    assert text.count("default-src &#39;none&#39;") + text.count("default-src 'none'") == 1


def test_page_shows_findings_and_reasons_without_its_script(review: Review) -> None:
    text = re.sub(r"<script>.*?</script>", "", page.render(review), flags=re.DOTALL)
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text))
    assert "Models have network isolation or a VPC" in shown
    assert "The notebook is stopped &amp; empty." in shown
    assert review.verdict in shown
    assert review.digest in shown
    for entry in review.entries:
        assert entry.place.path in shown


def test_without_jinja_the_page_says_what_to_install(review: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    page._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingPackageError, match=r"needs Jinja2: pip install cdk-ml-lens\[review\]"):
        page.render(review)


def test_headings_go_down_one_level_at_a_time_and_links_lead_to_sections(review: Review) -> None:
    text = page.render(review)
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = re.findall(r'<section id="(\w+)"', text)
    assert re.findall(r'href="#(\w+)"', text) == ids


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    resources = {HOSTILE: {"Type": HOSTILE, "Metadata": {"aws:cdk:path": HOSTILE}}}
    found = violation(f"Pack-{HOSTILE}[{HOSTILE}]", f"{HOSTILE}/x", description=HOSTILE, suggestedFix=HOSTILE)
    given = {**found, "ruleName": "Pack-R1", "reason": HOSTILE, "acknowledgedId": HOSTILE, "acknowledgedAt": HOSTILE}
    folder = written(tmp_path, resources, stack=HOSTILE, plugins=[plugin(found, given, name=HOSTILE)])
    notes = {"sources": [{"path": HOSTILE, "rule": HOSTILE, "line": f"{HOSTILE}:1"}], "packs": [HOSTILE]}
    (folder / "ml-lens.json").write_text(json.dumps(notes))
    review = reviewed(folder)
    elements = Elements(page.render(replace(review, title=HOSTILE)))
    assert elements.tags.count("script") == 1
    assert "img" not in elements.tags
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    assert HOSTILE in {value for name, value in elements.attributes if name == "data-packs"}


def test_a_source_that_is_no_web_page_is_not_linked(review: Review) -> None:
    rule = replace(review.rules[0], source="javascript:alert(1)")
    text = page.render(replace(review, rules=(rule, *review.rules[1:])))
    assert 'href="javascript' not in text
    assert {
        value.partition(":")[0] for name, value in Elements(text).attributes if name == "href" and ":" in value
    } == {"https"}


def test_the_same_input_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    told = [
        plugin(violation("AwsSolutions-S1", "Hand/One"), violation("AwsSolutions-S1", "Hand/Two", reason="because"))
    ]
    one, two = (reviewed(written(tmp_path / name, plugins=told)) for name in ("one", "deeper/two"))
    assert page.render(one) == page.render(two)
    assert spreadsheet.render(one.entries) == spreadsheet.render(two.entries)
    assert str(tmp_path) not in page.render(one)


def test_digest_changes_with_template_finding_and_reason(tmp_path: Path) -> None:
    bucket = {"Model": {"Type": "AWS::S3::Bucket"}}
    digests = [
        reviewed(
            written(tmp_path / str(index), resources, plugins=[plugin(violation("Pack-R1", "Hand/M", **more))])
        ).digest
        for index, (resources, more) in enumerate(
            [({}, {}), (bucket, {}), ({}, {"reason": "one"}), ({}, {"reason": "two"}), ({}, {"severity": "warning"})]
        )
    ]
    assert len(set(digests)) == len(digests)


def test_what_is_new_since_the_baseline_is_marked(tmp_path: Path) -> None:
    one, two = (violation("AwsSolutions-S1", "Hand/One", reason=reason) for reason in ("first", "second"))
    before = baseline.of(reviewed(written(tmp_path / "before", {}, plugins=[plugin(one)])).entries)
    after = reviewed(written(tmp_path / "after", {}, plugins=[plugin(one, two)]), before=before)
    quotes = re.findall(r"<blockquote>(.*?)</blockquote>", page.render(after))
    assert quotes == ["first", 'second <span class="new">new</span>']


def test_evidence_is_shown_where_it_is_given(tmp_path: Path) -> None:
    proofs = [
        {"action": "dynamodb:PutItem", "resource": "table/Ledger", "outcome": "proven", "test": "tests/x.py::it"},
        {"action": "xray:PutTraceSegments", "resource": "*", "outcome": "allowed", "reason": "no emulator traces"},
        *({"action": f"s3:Get{number}", "resource": "*", "outcome": "unproven"} for number in range(37)),
    ]
    role = {"role": "ScorerRole", "kind": "handler score_readings", "statements": [{}, {}], "proofs": proofs}
    fault = {"fault": "poison", "tier": "handlers", "sent": 10000, "scored": 9000, "dead_lettered": 1000, "lost": 0}
    (tmp_path / "iam.json").write_text(json.dumps({"roles": [role]}))
    (tmp_path / "faults.json").write_text(json.dumps({"rows": [fault]}))
    text = page.render(reviewed(written(tmp_path / "out"), evidence_in=tmp_path))
    for shown in ("ScorerRole", "dynamodb:PutItem", "no emulator traces", "tests/<wbr>x.py::it", "10,000", "poison"):
        assert shown in text
    assert re.findall(r'<td class="n">(?:<b class="error">)?(\d+)', text[text.index("ScorerRole") :])[:4] == [
        "2",
        "1",
        "1",
        "37",
    ]


def test_csv_has_a_row_for_each_finding_and_no_formula(tmp_path: Path) -> None:
    told = plugin(violation("Pack-R1", "Hand/One", description="=HYPERLINK(1)", reason='say "so",\ntwice'))
    review = reviewed(written(tmp_path, {}, plugins=[told]))
    (row,) = csv.DictReader(io.StringIO(spreadsheet.render(review.entries)))
    assert tuple(row) == spreadsheet.COLUMNS
    assert row["finding"] == "'=HYPERLINK(1)"
    assert row["reason"] == 'say "so",\ntwice'
    assert row["status"] == "acknowledged"
