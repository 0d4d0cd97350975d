"""`GET` and `PUT …/registration`: the gate through which a device gets its certificate.

The Edge API signs for whatever namespace a 200 to GET carries, and hands the certificate out after a 200 to PUT; so
both say 200 only to devices an operator approved, and PUT only to the key that may (CONTRACT.md “Who may register”).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Final, NamedTuple, Protocol

import msgspec

from api.answers import DONE, Answer, json_answer
from api.desired_state.outcomes import outcome_of, require_accepted
from api.devices.certificate_requests import key_fingerprint
from api.devices.enrolment import Commands
from api.devices.heartbeat_batch import StoredRecord, Waiter
from api.devices.paths import DevicePath
from api.devices.plane import Later
from api.devices.reads import Assembled
from api.devices.recent_registrations import RecentRegistrations, digest_of
from api.devices.standing import Standings, refuse_registration_status
from fleet.decisions.commands import Outcome, RegisterDevice
from fleet.devices.hardware import NO_HARDWARE, encode_hardware
from fleet.devices.labels import hardware_labels
from fleet.devices.registration import read_registration
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.errors import ForbiddenError, MusterError, UnavailableError
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.position import Position

_REFUSED_AGAIN_S: Final = 60.0
"""A key refused is refused from memory for this long, so that a stranger's repeats do not fill the log."""

_REMEMBERED_KEYS: Final = 10_000


class _Refused(NamedTuple):
    """A key that a device may not have, as long as the device stands where it stood (`revision`)."""

    device_id: str
    fingerprint: str
    revision: int


_encode = msgspec.json.Encoder().encode


class Publisher(Protocol):
    """Where hardware goes: `api.devices.heartbeat_publisher.HeartbeatPublisher`."""

    def hand_over(self, entry: HeartbeatEntry, waiter: Waiter) -> None:
        """The waiter is told once it is stored, or that it is not. Raises UnavailableError."""


class Feed(Protocol):
    """How current this process is: `api.desired_state.fleet_view.FleetView`."""

    def is_lost(self) -> bool:
        """Whether changes may have been missed."""

    def is_stale(self) -> bool:
        """Whether the feed has been lost for longer than registrations may rely on it."""


@lru_cache(maxsize=1024)
def _stands(status: str, namespace: str) -> Answer:
    """What many devices are told alike."""
    return json_answer(_encode({"status": status, "message": ""} | ({"namespace": namespace} if namespace else {})))


class RegistrationCall:
    """Answers and takes registrations.

    `clock` gives seconds of any steady clock, `epoch` the heartbeats topic's, or None while not known.
    """

    def __init__(
        self,
        standings: Standings,
        commands: Commands,
        publisher: Publisher,
        feed: Feed,
        configurations: Assembled,
        *,
        deadline_s: float,
        clock: Callable[[], float],
        epoch: Callable[[], int | None],
    ) -> None:
        self._standings = standings
        self._commands = commands
        self._publisher = publisher
        self._feed = feed
        self._configurations = configurations
        self._deadline_s = deadline_s
        self._clock = clock
        self._epoch = epoch
        self._refused_keys: OrderedDict[_Refused, float] = OrderedDict()
        self._recent = RecentRegistrations()

    def get(self, path: DevicePath, _body: bytes) -> Answer:
        """`registered` with the namespace once approved, `unregistered` without one after that ended."""
        if self._configurations.settled(path.device_id, path.namespace) is not None:
            return _stands("registered", path.namespace)
        standing = self._standings.asking_to_join(path)
        refuse_registration_status(standing, path)
        status = standing.answers.registration_status
        return _stands(status, standing.identity.namespace if standing.identity and status == "registered" else "")

    def put(self, path: DevicePath, body: bytes, later: Later) -> Answer | None:
        """Store hardware and key of an approved device, hardware first."""
        started_s = self._clock()
        digest = digest_of(body)
        if self._recent.was_last(path.device_id, digest) and self._still_counts(path):
            return DONE
        registration = read_registration(body)
        fingerprint = key_fingerprint(registration.certificate_request)
        self._refuse_if_stale()
        identity, answers = self._standings.registering(path)
        if identity is None or answers.register != DONE.status:
            state = identity.state if identity else DeviceState.UNKNOWN
            raise ForbiddenError(f"the device may not register: it is {state} in namespace {path.namespace}")
        self._refuse_if_refused_lately(_Refused(path.device_id, fingerprint, identity.revision))
        hardware = registration.hardware
        labels = identity.hardware_labels | hardware_labels(hardware or NO_HARDWARE)
        asked = _Asked(path, identity, fingerprint, labels, digest, self._epoch(), started_s)
        registering = _Registering(self, asked, later)
        if hardware is None or _will_be_refused(identity, fingerprint):
            return self.decide(registering, 0)
        # The hardware must be there before the device is seen to be registered.
        described = b'{"hardware":' + encode_hardware(hardware) + b"}"
        self._publisher.hand_over(
            HeartbeatEntry(path.namespace, path.device_id, 0, True, None, described, kind="hardware"), registering
        )
        return None

    def decide(self, registering: "_Registering", sequence: int) -> Answer | None:
        """Go on once the hardware is stored: where is `sequence`, or 0 when there is none or that is not known."""
        asked = registering.asked
        identity, fingerprint, labels = asked.identity, asked.fingerprint, asked.labels
        if _is_renewal(identity, fingerprint, labels) and not self._feed.is_lost():
            self._recent.note(identity, asked.digest)
            return DONE
        rest_s = asked.started_s + self._deadline_s - self._clock()
        if rest_s <= 0:
            raise TimeoutError
        self._commands.hand_over(
            RegisterDevice(identity.device_id, identity.namespace, fingerprint, labels, sequence),
            author=f"device:{identity.device_id}",
            deadline_s=rest_s,
            told=registering.told,
        )
        return None

    def decided(self, asked: "_Asked", told: Outcome | MusterError) -> Answer:
        """Answer by the outcome. Raises what it was refused for."""
        outcome = outcome_of(told)
        if outcome.result == "forbidden":
            identity = asked.identity
            self._remember_refusal(_Refused(identity.device_id, asked.fingerprint, identity.revision))
        require_accepted(outcome)
        registered = self._standings.of(asked.path).identity
        if registered is not None and registered.key_fingerprint == asked.fingerprint:
            self._recent.note(registered, asked.digest)
        return DONE

    def _still_counts(self, path: DevicePath) -> bool:
        """Whether the same bytes as those taken last bring nothing."""
        self._refuse_if_stale()
        if self._feed.is_lost() or self._epoch() is None:
            return False
        identity = self._standings.registering(path).identity
        return identity is not None and self._recent.stands(identity)

    def _refuse_if_stale(self) -> None:
        if self._feed.is_stale():
            raise UnavailableError("this process has lost the feed of changes and cannot judge registrations now")

    def _refuse_if_refused_lately(self, key: _Refused) -> None:
        refused_s = self._refused_keys.get(key)
        if refused_s is not None and self._clock() - refused_s < _REFUSED_AGAIN_S:
            raise ForbiddenError("this key was refused for the device less than a minute ago")

    def _remember_refusal(self, key: _Refused) -> None:
        self._refused_keys[key] = self._clock()
        self._refused_keys.move_to_end(key)
        if len(self._refused_keys) > _REMEMBERED_KEYS:
            self._refused_keys.popitem(last=False)


class _Asked(NamedTuple):
    """A registration that may go on: of whom, with which key and labels, from which bytes, in which epoch."""

    path: DevicePath
    identity: DeviceIdentity
    fingerprint: str
    labels: dict[str, str]
    digest: bytes
    epoch: int | None
    started_s: float


class _Registering:
    """A registration on its way: the hardware into its log, then the key into its own."""

    __slots__ = ("_call", "_later", "asked")

    def __init__(self, call: RegistrationCall, asked: _Asked, later: Later) -> None:
        self._call = call
        self._later = later
        self.asked = asked

    def stored(self, record: StoredRecord, batch_index: int) -> None:
        """The hardware is."""
        epoch = self.asked.epoch
        sequence = Position(epoch, record.partition, record.offset, batch_index).sequence if epoch else 0
        self._later.go_on(partial(self._call.decide, self, sequence))

    def failed(self, error: UnavailableError) -> None:
        """It is not, and nothing is decided."""
        self._later.refuse(error)

    def told(self, told: Outcome | MusterError) -> None:
        """The key is decided about."""
        self._later.go_on(partial(self._call.decided, self.asked, told))


def _is_renewal(identity: DeviceIdentity, fingerprint: str, labels: Mapping[str, str]) -> bool:
    """The key that the device has, and nothing that a decision would change. One approved at once registers twice."""
    return (
        identity.state is DeviceState.REGISTERED
        and identity.key_fingerprint == fingerprint
        and identity.hardware_labels == labels
    )


def _will_be_refused(identity: DeviceIdentity, fingerprint: str) -> bool:
    """Another key than the proven one: nothing may be stored, but the decision must tell the operator of it."""
    return identity.is_key_proven and identity.key_fingerprint not in ("", fingerprint)
