"""The records of a backup object: Firehose writes source records one after another, with or without line ends."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ml_lens_runtime.errors import ReadingError

_DECODER = json.JSONDecoder()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One record of a backup.

    Attributes
    ----------
    body : bytes
        The record as the stream took it, with a line end; what is no JSON object runs to the end of its line.
    received_at : int or None
        Milliseconds by the rule, None where the record does not say.
    """

    body: bytes
    received_at: int | None

    def within(self, first: int, end: int) -> bool:
        """Tell whether it was received in [first, end); one that does not say counts as inside, it must not be lost."""
        return self.received_at is None or first <= self.received_at < end


def unpack(body: bytes) -> str:
    """Return the text of an object, gzip or not; bytes that are not UTF-8 survive as surrogates.

    Raises
    ------
    ReadingError
        ``bad_encoding``: it starts like gzip and is none.
    """
    try:
        plain = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    except (OSError, EOFError, zlib.error) as error:
        raise ReadingError("bad_encoding", f"no gzip: {error}") from None
    return plain.decode("utf-8", "surrogateescape")


def split(text: str) -> Iterator[Stored]:
    """Yield every record once; nothing between two records is dropped but white space."""
    at, end = 0, len(text)
    while at < end:
        if text[at].isspace():
            at += 1
            continue
        value, stop = _next(text, at)
        yield _stored(text[at:stop], value)
        at = stop


def _next(text: str, at: int) -> tuple[object, int]:
    try:
        if text[at] == "{":
            return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        pass  # not JSON: a line is the best guess at where it ends
    line_end = text.find("\n", at)
    return None, len(text) if line_end < 0 else line_end


def _stored(text: str, value: object) -> Stored:
    fields = value if isinstance(value, dict) else {}
    at = fields.get("received_at")
    received = at if isinstance(at, int) and not isinstance(at, bool) else None
    return Stored(body=text.encode("utf-8", "surrogateescape") + b"\n", received_at=received)
