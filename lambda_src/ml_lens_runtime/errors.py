"""Named errors of the scorer: what is wrong with a reading, an answer, a call or the configuration."""

from __future__ import annotations

SNIPPET = 80  # characters of foreign text that a detail may echo
DETAIL = 400  # characters of a whole detail


class ScorerError(Exception):
    """Base of every error that the scorer raises on purpose."""


class ConfigurationError(ScorerError):
    """An environment variable is missing or invalid; the message starts with its name."""


class ScoringIncompleteError(ScorerError):
    """A direct event is unfinished; raised so that Lambda retries it, then uses its failure destination."""


class ReadingError(ScorerError):
    """A reading that has to be quarantined.

    Parameters
    ----------
    reason : str
        Short fixed name, the `reason` of the dead-letter envelope.
    detail : str
        What exactly is wrong; cut to `DETAIL` characters.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail[:DETAIL]}")
        self.reason = reason
        self.detail = detail[:DETAIL]


class AnswerMismatchError(ReadingError):
    """The model answered something that can't be split back to the readings."""

    def __init__(self, detail: str) -> None:
        super().__init__("answer_mismatch", detail)


class ModelRejectedError(ReadingError):
    """The model refused the request with a 4xx status."""

    def __init__(self, detail: str) -> None:
        super().__init__("model_rejected", detail)


class RetryLaterError(ScorerError):
    """The call failed for a reason that no single reading causes.

    Parameters
    ----------
    cause : str
        Error code, and where it came from; kept as the detail if the attempts run out.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause[:DETAIL]


def snippet(text: object) -> str:
    """Return at most `SNIPPET` printable ASCII characters of foreign text, quoted."""
    return ascii(str(text)[:SNIPPET])[: SNIPPET + 2]
