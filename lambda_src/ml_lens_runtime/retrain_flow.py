"""How retraining goes on from where it stands: every step is one conditional write, every start is by a fixed name."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from ml_lens_runtime import strict_json
from ml_lens_runtime.retrain_events import MANUAL, Ended
from ml_lens_runtime.retrain_setup import (
    DatasetError,
    RetrainClients,
    Setup,
    current_uri,
    newest_dataset,
    read_dataset,
)
from ml_lens_runtime.retrain_state import Cause, Dataset, Run, State
from ml_lens_runtime.retrain_store import StateStore

REFUSED = "CandidateRefused"  # error of the pipeline: the data was trained on and judged, more of the same is no use
LOST_SECONDS = 86_400  # a start is visible long before; an execution that is not found then has been forgotten
REST_SECONDS = 900  # from a preparation that brought too little to the next one for the same drift
ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """One look at a moment; ``fresh`` is the cause that brought it, if one did."""

    setup: Setup
    clients: RetrainClients
    now: float
    fresh: Cause | None = None

    @property
    def store(self) -> StateStore:
        """The state's home."""
        return StateStore(table=self.setup.table, client=self.clients.ledger)

    def settle(self, state: State, ended: Ended | None) -> State:
        """Bring the run as far as it goes: start what was claimed, note what has ended."""
        while state.run is not None:
            run = state.run
            if not run.started:
                self._start(run)
                return self.store.save(replace(state, run=replace(run, started=True)))
            end = self._end(run, ended)
            if end is None:
                return state
            state = self.store.save(self._after(state, run, end))
        return state

    def proceed(self, state: State) -> State:
        """Claim a run for the causes that wait, if there is none and its time has come."""
        if state.run is not None or not state.waiting or self._cools(state):
            return state
        standing = self._standing(state.waiting)
        if not standing:
            gone = self._tell(state, "Retraining Skipped", state.waiting, reason="the alarm is over")
            return self.store.save(replace(gone, waiting=()))
        if self.setup.preparation_arn and not any(cause.dataset for cause in standing):
            return self._claim(state, standing, None)
        try:
            dataset = self._newest(standing)
            reason = self._lack(state, standing, dataset)
        except DatasetError as error:
            return self._skip(state, standing, str(error))
        return self._claim(state, standing, dataset) if reason is None else self._skip(state, standing, reason)

    def _claim(self, state: State, causes: tuple[Cause, ...], dataset: Dataset | None) -> State:
        run = Run(name=_name(causes, self.now), causes=causes, claimed_at=self.now, dataset=dataset)
        claimed = replace(state, run=run, waiting=(), claimed_at=self.now)
        if dataset is not None:
            claimed = self._tell(claimed, "Retraining Started", causes, run=run.name, dataset=asdict(dataset))
        return self.store.save(claimed)

    def _start(self, run: Run) -> None:
        """Start by the run's name: the same start twice is one execution.

        Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
        """
        arn, given = self.setup.preparation_arn, "{}"
        if run.dataset is not None:
            arn, given = self.setup.machine_arn, strict_json.dumps({"dataset": run.dataset.uri, "cause": _text(run)})
        try:
            self.clients.state_machine.start_execution(stateMachineArn=arn, name=run.name, input=given)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def _end(self, run: Run, ended: Ended | None) -> Ended | None:
        """Return how the run's execution ended, None if it runs; the event is sure, a look may be a little behind."""
        machine = self.setup.preparation_arn if run.dataset is None else self.setup.machine_arn
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{run.name}"
        if ended is not None and ended.execution == arn and ended.status in ENDS:
            return ended
        try:
            found: dict[str, Any] = self.clients.state_machine.describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            found = {"status": "LOST" if self.now - run.claimed_at > LOST_SECONDS else "RUNNING"}
        if found["status"] not in (*ENDS, "LOST"):
            return None
        return Ended(execution=arn, status=found["status"], error=found.get("error", ""))

    def _after(self, state: State, run: Run, end: Ended) -> State:
        """Return the state after an execution's end: training follows a preparation that brought enough."""
        if run.dataset is None:
            return self._prepared(state, run, end)
        judged = end.status == "SUCCEEDED" or end.error == REFUSED
        told = self._tell(state, "Retraining Ended", run.causes, run=run.name, status=end.status, error=end.error)
        return replace(told, run=None, trained=run.dataset if judged else state.trained)

    def _prepared(self, state: State, run: Run, end: Ended) -> State:
        free, rest = replace(state, run=None), self.now + REST_SECONDS
        if end.status != "SUCCEEDED":
            failed = f"the preparation ended as {end.status} {end.error}".strip()
            return self._put_down(free, run.causes, failed, rest=rest)
        try:
            dataset = read_dataset(self.clients.artifacts, self.setup, current_uri(self.setup))
            reason = self._lack(state, run.causes, dataset)
        except DatasetError as error:
            return self._put_down(free, run.causes, str(error), rest=rest)
        if reason is not None:
            return self._put_down(free, run.causes, reason, rest=rest)
        told = self._tell(state, "Retraining Started", run.causes, run=run.name, dataset=asdict(dataset))
        return replace(told, run=replace(run, dataset=dataset, started=False))

    def _skip(self, state: State, causes: tuple[Cause, ...], reason: str) -> State:
        """Write that causes are put down; what only goes on waiting is written and told once."""
        after = self._put_down(replace(state, waiting=()), causes, reason)
        same = after.waiting == state.waiting and (self.fresh is None or self.fresh not in causes)
        return state if same else self.store.save(after)

    def _put_down(self, state: State, causes: tuple[Cause, ...], reason: str, *, rest: float = 0.0) -> State:
        """Drop causes, but drift: it waits for data as long as its alarm stands."""
        for cause in causes:
            newer = any(one.slot == cause.slot for one in state.waiting)
            if cause.kind == "drift" and not newer:
                state = state.with_waiting(replace(cause, rest_until=rest))
        return self._tell(state, "Retraining Skipped", causes, reason=reason)

    def _cools(self, state: State) -> bool:
        if all(cause.rest_until > self.now for cause in state.waiting):
            return True
        by_hand = any(cause.kind == MANUAL for cause in state.waiting)
        return not by_hand and state.claimed_at is not None and self.now < self.cool_at(state.claimed_at)

    def cool_at(self, claimed_at: float) -> float:
        """Return when the cool-down of a run that was claimed then is over."""
        return claimed_at + self.setup.cool_down_seconds

    def _standing(self, waiting: tuple[Cause, ...]) -> tuple[Cause, ...]:
        """Leave out drift that has passed since it was told."""
        asked = {cause.alarm for cause in waiting if cause.kind == "drift" and cause != self.fresh}
        standing: set[str] = set()
        if asked:
            found = self.clients.watch.describe_alarms(AlarmNames=sorted(asked))["MetricAlarms"]
            standing = {alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"}
        return tuple(cause for cause in waiting if cause.alarm not in asked - standing)

    def _newest(self, causes: tuple[Cause, ...]) -> Dataset:
        """Return what a person named, else the newest; what arrived counts where nothing keeps the newest."""
        client, named = self.clients.artifacts, {cause.kind: cause.dataset for cause in causes if cause.dataset}
        if MANUAL in named:
            return read_dataset(client, self.setup, named[MANUAL])
        if "data" in named:
            return newest_dataset(client, self.setup, named["data"])
        return read_dataset(client, self.setup, current_uri(self.setup))

    def _lack(self, state: State, causes: tuple[Cause, ...], dataset: Dataset) -> str | None:
        """Return why a dataset is not worth a run, None if it is; what is asked for by hand is."""
        if state.trained is None or any(cause.kind == MANUAL for cause in causes):
            return None
        if dataset.version == state.trained.version:
            return f"dataset {dataset.version} was trained on already"
        new, least = dataset.rows - state.trained.rows, self.setup.minimum_new_rows
        return None if new >= least else f"{new} new rows in dataset {dataset.version}, at least {least} are needed"

    def _tell(self, state: State, type: str, causes: tuple[Cause, ...], **detail: Any) -> State:
        base = {"retraining": self.setup.name, "causes": [cause.text for cause in causes], "at": self.now}
        return replace(state, outbox=(*state.outbox, {"type": type, "detail": base | detail}))


def _name(causes: tuple[Cause, ...], now: float) -> str:
    """Return a name that no other run has, short enough for the names of jobs made from it."""
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    mark = hashlib.sha256("\n".join(cause.id for cause in causes).encode()).hexdigest()[:6]
    return f"{causes[0].kind}-{moment}-{mark}"


def _text(run: Run) -> str:
    return "; ".join(cause.text for cause in run.causes)
