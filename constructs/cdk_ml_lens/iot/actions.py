"""What follows an anomaly: tell people, command the device, or invoke a function or state machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.nag import acknowledge, explain, finding_of
from cdk_ml_lens.iot.fleet import DeviceFleet

_MAIL = (
    "SNS tries an address for six hours. The mail only tells: the alarm keeps its state, and the prediction log and "
    "the devices' topics have each anomaly. Subscribe a queue to `topic` where a program must get every message."
)


class NotifyTopic(Construct):
    """An encrypted SNS topic that people or systems subscribe to.

    Parameters
    ----------
    scope, id
        As for every construct.
    encryption_key : IKey, optional
        Customer managed key. Default: a new one. Your own must let ``cloudwatch.amazonaws.com`` use it if alarms
        publish to this topic.
    emails : sequence of str
        Addresses that SNS asks to confirm a subscription. Default: none.

    Raises
    ------
    PropError
        When an address has no ``@``.
    """

    def __init__(
        self, scope: Construct, id: str, *, encryption_key: kms.IKey | None = None, emails: Sequence[str] = ()
    ) -> None:
        _check_emails(emails)
        super().__init__(scope, id)
        self._key = key_or_new(self, encryption_key, description="Encrypts notifications")
        self.topic = sns.Topic(self, "Topic", master_key=self._key, enforce_ssl=True)
        for number, email in enumerate(emails):
            subscription = sns.Subscription(
                self,
                f"Email{number}",
                topic=self.topic,
                protocol=sns.SubscriptionProtocol.EMAIL,
                endpoint=email,
            )
            explain(subscription, {"SNSRedrivePolicy": _MAIL})

    def grant_publish(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``sns:Publish`` on this topic and the use of its key."""
        grants.use_key(grantee, self._key, "kms:GenerateDataKey", "kms:Decrypt")
        return grants.allow(grantee, ["sns:Publish"], [self.topic.topic_arn])

    def bind(self, scorer: iam.Role) -> Mapping[str, str]:
        """Let the scorer publish; see `ReadingAction`."""
        self.grant_publish(scorer)
        return {"type": "notify", "name": "notify", "topic_arn": self.topic.topic_arn}


@dataclass(frozen=True, kw_only=True)
class CommandDevice:
    """Publish the alert on the command topic of the very device that sent the reading.

    Parameters
    ----------
    fleet : DeviceFleet
        Fleet whose devices are commanded.
    """

    fleet: DeviceFleet

    def bind(self, scorer: iam.Role) -> Mapping[str, str]:
        """Let the scorer publish to command topics of this fleet and to no other topic."""
        stack = cdk.Stack.of(self.fleet)
        topics = stack.format_arn(service="iot", resource="topic", resource_name=self.fleet.command_topic("*"))
        grants.allow(scorer, ["iot:Publish"], [topics])
        acknowledge(
            scorer,
            f"IAM5[{finding_of(self.fleet, topics)}]",
            "Devices join after deployment: the scorer may publish to any device's command topic, and to nothing else.",
        )
        return {"type": "command", "name": "command", "topic": self.fleet.command_topic("{device_id}")}


@dataclass(frozen=True, kw_only=True)
class Invoke:
    """Start a state machine or call a function with the alert. Make one with the static factories."""

    name: str
    function: lambda_.IFunction | None = None
    machine: sfn.IStateMachine | None = None

    @staticmethod
    def lambda_function(function: lambda_.IFunction, *, name: str = "invoke") -> Invoke:
        """Call ``function`` asynchronously; its own retries and failure destination apply."""
        return Invoke(name=name, function=function)

    @staticmethod
    def state_machine(machine: sfn.IStateMachine, *, name: str = "start") -> Invoke:
        """Start one execution per alert; its name comes from the reading, so a duplicate starts nothing."""
        return Invoke(name=name, machine=machine)

    def bind(self, scorer: iam.Role) -> Mapping[str, str]:
        """Let the scorer start the target; see `ReadingAction`."""
        if self.machine is not None:
            grants.allow(scorer, ["states:StartExecution"], [self.machine.state_machine_arn])
            return {"type": "state_machine", "name": self.name, "arn": self.machine.state_machine_arn}
        faults = Faults("action Invoke")
        faults.unless(self.function is not None, "function", "be given", None, "use Invoke.lambda_function")
        faults.raise_any()
        assert self.function is not None
        grants.allow(scorer, ["lambda:InvokeFunction"], [self.function.function_arn])
        return {"type": "function", "name": self.name, "arn": self.function.function_arn}


def _check_emails(emails: Sequence[str]) -> None:
    faults = Faults("notify topic")
    for email in emails:
        local, at, domain = email.partition("@")
        faults.unless(bool(local and at and "." in domain), "emails", "be e-mail addresses", email)
    faults.raise_any()
