"""What a configuration lacks reaches the operator as one event, over the real log, however often the device polls."""

from uuid import uuid4

from settings import load
from settings.keys import read_password
from storage.client import connect
from tests.api.fleet import FLOTTA, Device
from tests.api.installation import until


def test_a_missing_secret_is_one_event_naming_it(variables: dict[str, str], registered: Device) -> None:
    """And its end another; between them polls tell nothing."""
    secret = f"s-{uuid4().hex[:8]}"
    container = {"name": "c", "image": "i", "envFrom": [{"secretRef": {"name": secret}}]}
    spec = {"device": registered.device_id, "type": "pod", "pod": {"spec": {"containers": [container]}}}
    workloads = f"{FLOTTA}/namespaces/default/edgeworkloads"
    registered.operator.create(workloads, {"metadata": {"name": f"w-{secret}"}, "spec": spec})
    settings = load(variables)
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))

    def events() -> list[tuple[str, ...]]:
        query = (
            "SELECT source, reason, message FROM device_events WHERE device_id = {device:String} ORDER BY received_at"
        )
        return [tuple(row) for row in client.query(query, parameters={"device": registered.device_id}).result_rows]

    def polled() -> list[tuple[str, ...]]:
        registered.call("GET", "configuration")
        return events()

    ((source, reason, message),) = until(polled)
    assert (source, reason) == ("muster", "ConfigurationNotAssembled")
    assert f"Secret default/{secret}" in message
    for _ in range(5):
        assert registered.call("GET", "configuration").status == 503
    registered.operator.create(
        "/api/v1/namespaces/default/secrets", {"metadata": {"name": secret}, "data": {"k": "MQ=="}}
    )
    until(lambda: len(polled()) > 1)
    assert [row[1] for row in events()] == ["ConfigurationNotAssembled", "ConfigurationAssembled"]
    client.close()
