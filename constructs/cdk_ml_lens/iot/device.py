"""FleetDevice: one fixed device with a certificate made from its own signing request."""

from __future__ import annotations

import re

from aws_cdk import aws_iot as iot
from constructs import Construct

from cdk_ml_lens.core.errors import Faults

_THING = re.compile(
    r"[A-Za-z0-9:_-]{1,128}"
)  # https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html
_PEM_HEAD = "-----BEGIN CERTIFICATE REQUEST-----"


class FleetDevice(Construct):
    """A thing, its certificate, and the fleet's policy on it. Made by `DeviceFleet.add_device`.

    Attributes
    ----------
    thing : CfnThing
        The thing.
    certificate : CfnCertificate
        Its active certificate.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        thing_name: str,
        certificate_signing_request: str,
        thing_type: iot.CfnThingType,
        policy: iot.CfnPolicy,
    ) -> None:
        faults = Faults("device")
        faults.unless(
            _THING.fullmatch(thing_name) is not None,
            "thing_name",
            "be 1 to 128 of A-Z a-z 0-9 : _ -",
            thing_name,
        )
        faults.unless(
            certificate_signing_request.lstrip().startswith(_PEM_HEAD),
            "certificate_signing_request",
            "be a PEM that begins with " + _PEM_HEAD,
            certificate_signing_request[:40],
            "openssl req -new makes one",
        )
        faults.raise_any()
        super().__init__(scope, id)
        self.thing = iot.CfnThing(self, "Thing", thing_name=thing_name)
        self.thing.add_property_override("ThingTypeName", thing_type.ref)
        self.certificate = iot.CfnCertificate(
            self, "Certificate", status="ACTIVE", certificate_signing_request=certificate_signing_request
        )
        certificate_arn = self.certificate.attr_arn
        iot.CfnThingPrincipalAttachment(self, "Identity", principal=certificate_arn, thing_name=self.thing.ref)
        iot.CfnPolicyPrincipalAttachment(self, "Permission", principal=certificate_arn, policy_name=policy.ref)
