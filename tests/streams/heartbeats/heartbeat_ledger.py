"""What every view must show after some heartbeats, worked out one heartbeat at a time and unlike the fold.

It parses bodies with `json`, keeps plain dictionaries, and knows neither batches nor replays.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

NEVER = {"0001-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z", None}


class Taken(NamedTuple):
    """A heartbeat in the log: what was sent, where it stands and when the broker took it."""

    namespace: str
    device_id: str
    body: bytes
    wanted_version: str | None
    is_registered: bool
    kind: str
    partition: int
    offset: int
    batch_index: int
    received_at_ms: int


def expected_views(taken: Iterable[Taken], repeat_within_ms: int, epoch: int = 1) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of each view, sorted, with the columns of `COLUMNS`."""
    ledger = _Ledger(repeat_within_ms, epoch)
    for each in sorted(taken, key=lambda each: (each.partition, each.offset, each.batch_index)):
        ledger.take(each)
    return ledger.views()


COLUMNS = {
    "heartbeats": "namespace, device_id, received_at, status, version, wanted_version, is_registered, is_repeat,"
    " is_changed, body, epoch, partition, offset, batch_index",
    "device_status": "namespace, device_id, last_seen, status, status_since, version, upgrade_commit_id,"
    " workloads, epoch, partition, offset, batch_index",
    "device_transitions": "namespace, device_id, received_at, status, previous_status, version, previous_version,"
    " epoch, partition, offset, batch_index",
    "workload_status": "namespace, device_id, workload, status, since, last_data_upload",
    "workload_transitions": "namespace, device_id, workload, received_at, status, previous_status, previous_since,"
    " epoch, partition, offset, batch_index",
    "device_events": "namespace, device_id, received_at, source, event_index, type, reason, message,"
    " epoch, partition, offset, batch_index",
    "hardware": "namespace, device_id, hostname, cpu_count, serial_number, description",
    "device_configurations": "namespace, device_id, wanted_version, reported_version, drifted_since",
    "fleet_minutes": "namespace, minute, devices, heartbeats, repeats, changes, devices_not_up, devices_drifted",
}
"""Every view of heartbeats, and what is compared of it."""


class _Ledger:
    def __init__(self, repeat_within_ms: int, epoch: int) -> None:
        self.repeat_within_ms = repeat_within_ms
        self.epoch = epoch
        self.rows: dict[str, list[tuple[Any, ...]]] = {view: [] for view in COLUMNS}
        self.devices: dict[tuple[str, str], dict[str, Any]] = {}
        self.hardware: dict[tuple[str, str], dict[str, Any]] = {}
        self.workloads: dict[tuple[str, str, str], tuple[str, datetime, datetime | None]] = {}
        self.minutes: dict[tuple[str, datetime], dict[str, set[Any]]] = {}

    def take(self, each: Taken) -> None:
        key = (each.namespace, each.device_id)
        if each.kind == "heartbeat" and each.is_registered:
            self._beat(each, key)
        elif each.kind == "heartbeat":
            row = (*key, _time(each.received_at_ms), "", "", each.wanted_version or "")
            self.rows["heartbeats"].append((*row, False, False, True, each.body.decode(), *self._place(each)))
        elif each.is_registered:
            self._describe(key, json.loads(each.body).get("hardware"))

    def _place(self, each: Taken) -> tuple[int, ...]:
        return (self.epoch, each.partition, each.offset, each.batch_index)

    def _beat(self, each: Taken, key: tuple[str, str]) -> None:
        beat = json.loads(each.body)
        at, place, wanted = _time(each.received_at_ms), self._place(each), each.wanted_version or ""
        device = self.devices.get(key)
        is_same = device is not None and device["body"] == each.body
        is_repeat = device is not None and is_same and each.received_at_ms - device["ms"] <= self.repeat_within_ms
        status, version = beat.get("status") or "", beat.get("version") or ""
        body = "" if is_same else each.body.decode()
        self.rows["heartbeats"].append((*key, at, status, version, wanted, True, is_repeat, not is_same, body, *place))
        self._count(each, status, version, wanted, is_repeat=is_repeat, is_changed=not is_same)
        if not is_repeat:
            self._report(key, beat.get("events") or [], at, place)
        self._transit(key, device, (status, version), at, place)
        new = self.devices.setdefault(key, {"since": at, "drifted": None, "wanted": ""})
        if device is not None and new["status"] != status:
            new["since"] = at
        new |= {"body": each.body, "ms": each.received_at_ms, "at": at, "place": place}
        new |= {"status": status, "version": version, "wanted": wanted or new["wanted"]}
        if new["wanted"] in {"", version}:
            new["drifted"] = None
        elif new["drifted"] is None:
            new["drifted"] = at
        new["commit"] = (beat.get("upgrade") or {}).get("current_commit_ID") or ""
        new["workloads"] = self._work(key, beat.get("workloads") or [], at, place)
        if not is_same:
            self._describe(key, beat.get("hardware"))

    def views(self) -> dict[str, list[tuple[Any, ...]]]:
        for key, device in self.devices.items():
            self.rows["device_status"].append(
                (
                    *(*key, device["at"], device["status"], device["since"], device["version"], device["commit"]),
                    *(device["workloads"], *device["place"]),
                )
            )
            self.rows["device_configurations"].append((*key, device["wanted"], device["version"], device["drifted"]))
        for (*key, name), (status, since, upload) in self.workloads.items():
            self.rows["workload_status"].append((*key, name, status, since, upload))
        for key, known in self.hardware.items():
            cpu, vendor = known.get("cpu") or {}, known.get("system_vendor") or {}
            shown = (known.get("hostname") or "", cpu.get("count") or 0, vendor.get("serial_number") or "")
            self.rows["hardware"].append((*key, *shown, json.dumps(known, sort_keys=True)))
        for (namespace, minute), sets in self.minutes.items():
            names = ("devices", "heartbeats", "repeats", "changes", "devices_not_up", "devices_drifted")
            self.rows["fleet_minutes"].append((namespace, minute, *(len(sets[name]) for name in names)))
        return {view: sorted(rows, key=repr) for view, rows in self.rows.items()}

    def _report(self, key: Any, events: list[Any], at: datetime, place: Any) -> None:
        for index, event in enumerate(events):
            if event:
                texts = (event.get(name) or "" for name in ("type", "reason", "message"))
                self.rows["device_events"].append((*key, at, "device", index, *texts, *place))

    def _transit(self, key: Any, device: Any, now: tuple[str, str], at: datetime, place: Any) -> None:
        before = (device["status"], device["version"]) if device else None
        status, version = now
        if before != now:
            was_status, was_version = before or ("", "")
            self.rows["device_transitions"].append((*key, at, status, was_status, version, was_version, *place))

    def _work(self, key: Any, reports: list[Any], at: datetime, place: Any) -> int:
        present = {report["name"]: report for report in reports if report and report.get("name")}
        for name, report in present.items():
            status, upload = report.get("status") or "", _upload(report.get("last_data_upload"))
            before = self.workloads.get((*key, name))
            if before is None or before[0] == "removed":
                self._change((*key, name), at, place, status, None)
                self.workloads[*key, name] = (status, at, upload)
            elif before[0] != status:
                self._change((*key, name), at, place, status, before)
                self.workloads[*key, name] = (status, at, upload)
            else:
                self.workloads[*key, name] = (status, before[1], upload)
        for (*owner, name), (status, since, upload) in list(self.workloads.items()):
            if tuple(owner) == key and name not in present and status != "removed":
                self._change((*key, name), at, place, "removed", (status, since, upload))
                self.workloads[*key, name] = ("removed", at, upload)
        return len(present)

    def _change(self, key: Any, at: datetime, place: Any, status: str, before: Any) -> None:
        was, since = (before[0], before[1]) if before else ("", None)
        self.rows["workload_transitions"].append((*key, at, status, was, since, *place))

    def _describe(self, key: tuple[str, str], sent: dict[str, Any] | None) -> None:
        known = dict(self.hardware.get(key, {}))
        for name, value in (sent or {}).items():
            if isinstance(value, dict):
                known[name] = {
                    **known.get(name, {}),
                    **{each: part for each, part in value.items() if part is not None},
                }
            elif value is not None:
                known[name] = value
        if known:
            self.hardware[key] = known

    def _count(self, each: Taken, status: str, version: str, wanted: str, *, is_repeat: bool, is_changed: bool) -> None:
        minute = _time(each.received_at_ms - each.received_at_ms % 60_000)
        names = ("devices", "heartbeats", "repeats", "changes", "devices_not_up", "devices_drifted")
        sets = self.minutes.setdefault((each.namespace, minute), {name: set() for name in names})
        position = (each.partition, each.offset, each.batch_index)
        sets["devices"].add(each.device_id)
        sets["heartbeats"].add(position)
        if is_repeat:
            sets["repeats"].add(position)
        if is_changed:
            sets["changes"].add(position)
        if status not in {"up", ""}:
            sets["devices_not_up"].add(each.device_id)
        if wanted not in {"", version}:
            sets["devices_drifted"].add(each.device_id)


def _time(unix_ms: int) -> datetime:
    """As ClickHouse's client gives times: UTC without saying so."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).replace(tzinfo=None)


def _upload(text: str | None) -> datetime | None:
    return None if text in NEVER else datetime.fromisoformat(text or "").astimezone(UTC).replace(tzinfo=None)
