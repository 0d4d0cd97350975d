"""What callers may expect: deadlines of the API, changes, and who may join."""

from typing import Annotated

from msgspec import Meta, Struct


class ApiSettings(Struct, frozen=True):
    """Deadlines of the API. The device hangs up after 1 s and the Edge API wants errors too within 700 ms."""

    device_deadline_ms: Annotated[int, Meta(ge=50, le=1000, description="longest answer to a device's call")] = 600
    operator_deadline_ms: Annotated[
        int, Meta(ge=100, description="longest wait for an operator's change to be applied before 504")
    ] = 10_000
    feed_stale_after_s: Annotated[
        int, Meta(ge=1, description="a process that lost its feed for longer refuses registrations")
    ] = 60
    status_deadline_ms: Annotated[
        int, Meta(ge=50, description="longest wait for what devices reported before they are shown without it")
    ] = 3000
    status_queries: Annotated[
        int, Meta(ge=1, le=64, description="pages whose reports a process reads from ClickHouse at a time")
    ] = 4
    remembered_configurations: Annotated[
        int, Meta(ge=1, description="devices whose assembled configuration a process remembers; equal ones are shared")
    ] = 1_000_000
    watches: Annotated[
        int, Meta(ge=1, le=10_000, description="watches (kubectl get -w) a process follows at a time; more get 503")
    ] = 200
    remembered_changes: Annotated[
        int, Meta(ge=1, description="changes a process holds for watches; a client away for longer lists again")
    ] = 10_000


class CommandSettings(Struct, frozen=True):
    """The way of changes."""

    window_ms: Annotated[int, Meta(ge=1, le=100, description="changes are collected and decided this long")] = 20
    remembered_requests: Annotated[
        int, Meta(ge=1000, description="how many of the last request ids are recognised as retries")
    ] = 100_000


class DeviceSettings(Struct, frozen=True):
    """Who may join."""

    initial_namespace: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
            description="namespace that devices ask for before they are registered; always exists",
        ),
    ] = "default"
    auto_approve: Annotated[bool, Meta(description="approve every device that enrols")] = False
    pending_limit: Annotated[
        int, Meta(ge=1, description="undecided enrolments kept at most, since anyone may enrol any id")
    ] = 100_000
    pending_expiry_h: Annotated[
        int, Meta(ge=1, description="hours after which an undecided enrolment is forgotten")
    ] = 7 * 24
    deletion_timeout_s: Annotated[
        int, Meta(ge=1, description="a device being deleted is removed after this, had it reported or not")
    ] = 3600
