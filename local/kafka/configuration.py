"""What the broker is told: one node, loopback only, broker and controller in one process, nothing created unasked."""

import base64
import uuid
from pathlib import Path

from local.errors import LocalError


def server_properties(data: Path, port: int, record_limit_bytes: int) -> str:
    """The text of `server.properties`; the controller listens on the port after the broker's.

    Names as in Kafka's documentation of broker configurations. The port may be changed between two starts on the same
    data: the quorum's voter is read from here, not from the data.
    """
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{port + 1}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={_escaped(str(data))}

# One node: nothing can be replicated, and Kafka's own topics need few partitions.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4

# Muster may rest for longer than the week after which a group would begin again at the oldest record.
offsets.retention.minutes=525600
# A misspelt topic must fail, not appear.
auto.create.topics.enable=false
# received_at is the broker's time, whatever clock a producer has.
log.message.timestamp.type=LogAppendTime
message.max.bytes={record_limit_bytes}
# Members of a group are started together; waiting for more only delays the first heartbeat.
group.initial.rebalance.delay.ms=0

# Small heap: the default of 128 MiB for compacting would take a quarter of it.
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=4
# An unclean end is read back by as many threads as a small machine has.
num.recovery.threads.per.data.dir=2
"""


def _escaped(text: str) -> str:
    """A value as Java reads it from properties: escaped Latin-1. Raises LocalError for what Kafka takes for two."""
    if "," in text:
        raise LocalError(f"Kafka cannot use a folder with a comma in its name, {text}: set MUSTER_DATA to another one")
    units = text.replace("\\", "\\\\").encode("utf-16-be")
    pairs = (int.from_bytes(units[start : start + 2]) for start in range(0, len(units), 2))
    return "".join(chr(unit) if unit < 128 else f"\\u{unit:04x}" for unit in pairs)  # noqa: PLR2004 - ASCII


def new_cluster_id() -> str:
    """A random id as Kafka spells it: 16 bytes in URL-safe base 64, not beginning like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
