"""The device's own sections, rule by rule."""

import pytest

from fleet.configuration import ConfigurationError
from tests.fleet.configuration.parts import base64, config_map, configured, device, device_set, secret, sections
from tests.fleet.resources.documents import Document

BUCKET = {"BUCKET_NAME": "b", "BUCKET_HOST": "h", "BUCKET_PORT": "443", "BUCKET_REGION": ""}
KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
S3 = {"storage": {"s3": {"configMapName": "bucket", "secretName": "keys"}}}


def failing(spec: Document, **resources: object) -> ConfigurationError:
    """The error of a device with this spec."""
    with pytest.raises(ConfigurationError) as failure:
        configured(device(spec), **resources)  # type: ignore[arg-type]
    return failure.value


def test_heartbeat_defaults_to_a_minute_with_an_empty_profile() -> None:
    """An agent crashes without `heartbeat` and without `hardware_profile` in it."""
    default = {"period_seconds": 60, "hardware_profile": {}}
    for spec in ({}, {"heartbeat": {}}, {"heartbeat": {"hardwareProfile": {}}}):
        assert sections(configured(device(spec)))["heartbeat"] == default


def test_heartbeat_is_as_given() -> None:
    """Period and profile."""
    spec = {"heartbeat": {"periodSeconds": 5, "hardwareProfile": {"include": True, "scope": "delta"}}}
    given = {"period_seconds": 5, "hardware_profile": {"include": True, "scope": "delta"}}
    assert sections(configured(device(spec)))["heartbeat"] == given


def test_os_and_mounts_are_as_given() -> None:
    """In the device's spelling; without `osInformation` there is no `os`."""
    spec = {
        "osInformation": {"automaticallyUpgrade": False, "commitID": "c", "hostedObjectsURL": "u"},
        "mounts": [{"device": "/dev/b", "folder": "/b", "type": "ext4", "options": "rw"}, {"device": "/dev/a"}],
    }
    made = sections(configured(device(spec)))
    assert made["os"] == {"automatically_upgrade": False, "commit_id": "c", "hosted_objects_url": "u"}
    assert made["mounts"] == [
        {"device": "/dev/b", "directory": "/b", "type": "ext4", "options": "rw"},
        {"device": "/dev/a"},
    ]
    assert "os" not in sections(configured())


def test_set_replaces_every_section_even_by_nothing() -> None:
    """The device's own metrics vanish where its set has none."""
    spec = {"heartbeat": {"periodSeconds": 5}, "metrics": {"system": {}}, "mounts": [{"device": "/dev/a"}]}
    made = configured(device(spec), in_set=device_set({"heartbeat": {"periodSeconds": 15}}))
    assert made.content == configured(device({"heartbeat": {"periodSeconds": 15}})).content
    assert configured(device(spec), in_set=device_set({})).content == configured().content


def test_receiver_is_there_with_its_defaults() -> None:
    """With no metrics at all, and where numbers are not given or not positive."""
    default = {"receiver": {"request_num_samples": 30_000, "timeout_seconds": 10}}
    for spec in ({}, {"metrics": {}}, {"metrics": {"receiverConfiguration": {"timeoutSeconds": 0, "url": ""}}}):
        assert sections(configured(device(spec)))["metrics"] == default


def test_receiver_is_as_given() -> None:
    """Numbers and address."""
    spec = {"metrics": {"receiverConfiguration": {"url": "http://r", "requestNumSamples": 5, "timeoutSeconds": 6}}}
    receiver = sections(configured(device(spec)))["metrics"]["receiver"]
    assert receiver == {"url": "http://r", "request_num_samples": 5, "timeout_seconds": 6}


def test_receiver_gets_the_certificate_authority_for_https_alone() -> None:
    """As text; over http the Secret is not even looked for."""
    spec = {"metrics": {"receiverConfiguration": {"url": "https://r", "caSecretName": "ca"}}}
    made = configured(device(spec), secrets={"ca": secret(**{"ca.crt": "PEM"})})
    assert sections(made)["metrics"]["receiver"]["caCert"] == "PEM"
    spec["metrics"]["receiverConfiguration"]["url"] = "http://r"
    assert "caCert" not in sections(configured(device(spec)))["metrics"]["receiver"]


@pytest.mark.parametrize("secrets", [{}, {"ca": secret(other="x")}, {"ca": secret(**{"ca.crt": ""})}])
def test_missing_certificate_authority_fails_the_configuration(secrets: dict[str, Document]) -> None:
    """The error names Secret, key and who wants it."""
    spec = {"metrics": {"receiverConfiguration": {"url": "https://r", "caSecretName": "ca"}}}
    error = failing(spec, secrets=secrets)
    assert str(error.resource) == "Secret ns/ca"
    assert error.key in ("", "ca.crt")
    assert "metrics.receiverConfiguration" in str(error)


def test_retention_system_and_data_transfer_are_as_given() -> None:
    """With the spelling of the device's side."""
    spec = {
        "metrics": {
            "retention": {"maxHours": 0, "maxMiB": 7},
            "system": {"interval": 5, "disabled": True},
            "dataTransfer": {"allowList": {"name": "list"}},
        }
    }
    lists = {"list": config_map({"metrics_list.yaml": "names:\n- b\n- a\n"})}
    metrics = sections(configured(device(spec), config_maps=lists))["metrics"]
    assert metrics["retention"] == {"max_hours": 0, "max_mib": 7}
    assert metrics["system"] == {"interval": 5, "disabled": True}
    assert metrics["data-transfer"] == {"interval": 60, "allow_list": {"names": ["b", "a"]}}


@pytest.mark.parametrize("text", [None, "", "names: x", "names: [5]", "- a", "names: [", "names: []\n---\nx: y"])
def test_missing_or_broken_allow_list_fails_the_configuration(text: str | None) -> None:
    """The error names ConfigMap and key."""
    maps = {} if text is None else {"list": config_map({"metrics_list.yaml": text})}
    error = failing({"metrics": {"system": {"allowList": {"name": "list"}}}}, config_maps=maps)
    assert str(error.resource) == "ConfigMap ns/list"
    assert error.key == ("" if text is None else "metrics_list.yaml")


def test_storage_is_made_of_secret_and_config_map() -> None:
    """Credentials and bundle stay base64; the port is a number; the bundle may be missing."""
    maps, secrets = {"bucket": config_map(BUCKET)}, {"keys": secret(**KEYS, **{"tls.crt": "PEM"})}
    made = configured(device(S3), config_maps=maps, secrets=secrets)
    s3 = {
        "bucket_name": "b",
        "bucket_host": "h",
        "bucket_port": 443,
        "bucket_region": "",
        "aws_access_key_id": base64("id"),
        "aws_secret_access_key": base64("key"),
        "aws_ca_bundle": base64("PEM"),
    }
    assert sections(made)["storage"] == {"s3": s3}
    assert made.problems == []
    del s3["aws_ca_bundle"]
    without = configured(device(S3), config_maps=maps, secrets={"keys": secret(**KEYS)})
    assert sections(without)["storage"] == {"s3": s3}


@pytest.mark.parametrize("key", [*BUCKET, *KEYS])
def test_missing_part_leaves_storage_out_and_is_reported(key: str) -> None:
    """The rest of the configuration stands; the problem names resource and key."""
    maps = {"bucket": config_map({k: v for k, v in BUCKET.items() if k != key})}
    secrets = {"keys": secret(**{k: v for k, v in KEYS.items() if k != key})}
    made = configured(device(S3), config_maps=maps, secrets=secrets)
    assert "storage" not in sections(made)
    (problem,) = made.problems
    assert problem.key == key
    assert str(problem.resource) == ("ConfigMap ns/bucket" if key in BUCKET else "Secret ns/keys")


@pytest.mark.parametrize("spec", [S3, {"storage": {"s3": {"secretName": "keys"}}}])
def test_missing_resource_leaves_storage_out_and_is_reported(spec: Document) -> None:
    """Whether it does not exist or is not named."""
    made = configured(device(spec))
    assert "storage" not in sections(made)
    assert made.problems[0].resource.kind == "ConfigMap"


@pytest.mark.parametrize("port", ["0", "65536", "", "-1", "4x", "9" * 5000, "٣"])
def test_wrong_port_leaves_storage_out_and_is_reported(port: str) -> None:
    """Only 1 to 65535 is a port."""
    maps = {"bucket": config_map({**BUCKET, "BUCKET_PORT": port})}
    made = configured(device(S3), config_maps=maps, secrets={"keys": secret(**KEYS)})
    assert made.problems[0].key == "BUCKET_PORT"


@pytest.mark.parametrize("storage", [{}, {"s3": {}}, {"s3": {"createOBC": True}}])
def test_storage_that_names_nothing_is_no_storage(storage: Document) -> None:
    """And no problem either."""
    made = configured(device({"storage": storage}))
    assert "storage" not in sections(made)
    assert made.problems == []


def test_log_collection_reads_its_config_map() -> None:
    """TCP unless it says UDP; without `syslogConfig` nothing is looked for."""
    spec = {
        "logCollection": {
            "b": {"kind": "syslog", "bufferSize": 5, "syslogConfig": {"name": "udp"}},
            "a": {"kind": "syslog", "syslogConfig": {"name": "plain"}},
            "c": {},
        }
    }
    maps = {"udp": config_map({"Address": "u:1", "Protocol": "udp"}), "plain": config_map({"Address": "p:1"})}
    assert sections(configured(device(spec), config_maps=maps))["log-collection"] == {
        "a": {"kind": "syslog", "buffer_size": 12, "syslog_config": {"address": "p:1", "protocol": "tcp"}},
        "b": {"kind": "syslog", "buffer_size": 5, "syslog_config": {"address": "u:1", "protocol": "udp"}},
        "c": {"buffer_size": 12},
    }


@pytest.mark.parametrize(
    ("data", "key"),
    [(None, ""), ({}, "Address"), ({"Address": ""}, "Address"), ({"Address": "a", "Protocol": "x"}, "Protocol")],
)
def test_missing_syslog_config_map_fails_the_configuration(data: dict[str, str] | None, key: str) -> None:
    """As does a missing address and an unknown protocol."""
    maps = {} if data is None else {"s": config_map(data)}
    error = failing({"logCollection": {"l": {"syslogConfig": {"name": "s"}}}}, config_maps=maps)
    assert (str(error.resource), error.key) == ("ConfigMap ns/s", key)
