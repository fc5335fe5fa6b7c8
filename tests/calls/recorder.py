"""Notes what each AWS call of the product met in a test: moto or a Stubber, its page, and its error."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.calls import api, gaps, trouble
from tests.calls.scan import ROOT, TREES, Call

_HOMES = tuple(f"{ROOT / tree}/" for tree in TREES)
_HANDLERS = f"{ROOT / 'lambda_src' / 'handlers'}/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One call of one test."""

    test: str
    call: Call
    handler: str | None
    how: str
    page: int  # 1, or 2 for any further page
    answered: bool = True  # at last
    code: str | None = None
    result: str | None = None


class Recorder:
    """Takes down the calls that come from the product's own code; those of a test itself are not the product's."""

    def __init__(self) -> None:
        self.test = ""
        self.seen: list[Seen] = []
        self.failed: set[str] = set()
        self._stubbed = threading.local()

    def passed(self) -> list[Seen]:
        """Return what the tests that passed have seen."""
        return [one for one in self.seen if one.test not in self.failed]

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Take down every call of every client."""
        call, answer = BaseClient._make_api_call, Stubber._get_response_handler  # type: ignore[attr-defined]

        def make_call(client: BaseClient, operation: str, given: dict[str, Any]) -> Any:
            return self._call(call, client, operation, given)

        def stubbed(stubber: Stubber, *given: Any, **more: Any) -> Any:
            self._stubbed.now = True
            return answer(stubber, *given, **more)

        with (
            mock.patch.object(BaseClient, "_make_api_call", make_call),
            mock.patch.object(Stubber, "_get_response_handler", stubbed),
        ):
            yield

    def _call(self, call: Any, client: BaseClient, operation: str, given: dict[str, Any]) -> Any:
        place = _place(sys._getframe(2))
        if place is None:
            return call(client, operation, given)
        file, handler = place
        service = client.meta.service_model.service_name
        page = 2 if api.tokens(service, operation) & given.keys() else 1
        self._stubbed.now = False
        before = [(one, one.hits) for one in trouble.active]
        seen = Seen(
            test=self.test,
            call=Call(file=file, service=service, operation=operation),
            handler=handler,
            how="added to moto" if (service, operation) in gaps.ADDED else "moto",
            page=page,
        )
        try:
            answered = call(client, operation, given)
        except ClientError as error:
            failed = replace(seen, answered=False)
            self._note(failed, before, code=str(error.response["Error"]["Code"]))
            raise
        self._note(seen, before, code=None)
        return answered

    def _note(self, seen: Seen, before: list[tuple[trouble.Trouble, int]], *, code: str | None) -> None:
        how = "Stubber" if self._stubbed.now else seen.how
        hit = next((one for one, hits in before if one.hits > hits and one.operation == seen.call.operation), None)
        if hit is None and code is not None:
            hit = next((one for one in trouble.active if one.code == code and one.stubbed), None)
        result = None if hit is None else hit.result
        self.seen.append(replace(seen, how=how, code=code if hit is None else hit.code, result=result))


def _place(frame: FrameType | None) -> tuple[str, str | None] | None:
    """Return the product's file that makes a call, and the handler behind it.

    A thread of a pool, of a handler or of s3transfer, works for what the main thread is waiting in.
    """
    own, behind = list(_files(frame)), []
    if threading.current_thread() is not threading.main_thread():
        behind = list(_files(sys._current_frames().get(threading.main_thread().ident or 0)))
    files = [*own, *behind]
    if not files:
        return None
    handlers = [file for file in files if file.startswith(_HANDLERS)]
    handler = handlers[-1].removeprefix(_HANDLERS).removesuffix(".py") if handlers else None
    return files[0].removeprefix(f"{ROOT}/"), handler


def _files(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_HOMES):
            yield file
        frame = frame.f_back
