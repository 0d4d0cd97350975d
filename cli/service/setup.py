"""`muster setup`: what Muster needs in Kafka and ClickHouse, made once and harmless when run again."""

import logging
import os
from datetime import UTC, datetime
from typing import NamedTuple

from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from rich.console import Console

from cli.errors import CommandError
from fleet.errors import UnavailableError
from settings import Settings, load
from settings.keys import key_mark, make_keys, read_installation_key, read_password
from storage.client import connect
from storage.installation import require_same_key
from storage.schema import set_up_schema
from streams.kafka_security import kafka_security
from streams.setup import SetUpTopics, set_up_topics
from streams.topic_ids import admin_client
from streams.topics import topics_of

# What the driver logs about a failure is what set-up says in a line of its own.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())


class SetUp(NamedTuple):
    """What a set-up made: key files, migrations, topics and perhaps an epoch."""

    keys: list[str]
    migrations: list[str]
    topics: SetUpTopics

    def lines(self) -> list[str]:
        """For a person: one line for each thing that changed."""
        made = [
            ("made key files", self.keys),
            ("applied migrations", self.migrations),
            ("created topics", self.topics.created),
        ]
        lines = [f"{what} {', '.join(names)}" for what, names in made if names]
        if self.topics.is_new_epoch:
            epoch = max(life.epoch for life in self.topics.lives.values())
            lines.append(f"began epoch {epoch} of the topics")
        return lines or ["everything was set up already"]


def setup() -> int:
    """Make keys, tables, topics and epoch where the settings point. Changes nothing that is right already."""
    loaded = load(os.environ)
    console = Console(highlight=False)
    for line in set_up(loaded, datetime.now(UTC)).lines():
        console.print(line)
    return 0


def set_up(settings: Settings, now: datetime) -> SetUp:
    """The same as a function. Blocks for seconds.

    Raises CommandError when ClickHouse cannot be used, MusterError when Kafka cannot or what is there does not fit,
    SettingsError for unusable keys.
    """
    made_keys = make_keys(settings.keys_folder)
    wanted = topics_of(settings)
    password = read_password(settings.clickhouse_password_file)
    try:
        migrations = set_up_schema(settings.clickhouse, password, settings.retention)
        client = connect(settings.clickhouse, password)
        try:
            require_same_key(
                client,
                settings.clickhouse.database,
                key_mark(read_installation_key(settings.keys_folder)),
                str(settings.keys_folder),
            )
            found = set_up_topics(
                admin_client(settings.kafka.bootstrap, kafka_security(settings.kafka)),
                client,
                settings.clickhouse.database,
                wanted,
                replication=settings.kafka.replication,
                now=now,
            )
        finally:
            client.close()
    except OperationalError as error:
        trouble = "does not answer: start it, or see MUSTER_CLICKHOUSE"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            trouble = "shows a certificate that is not trusted: see MUSTER_CLICKHOUSE_CA"
        raise CommandError(f"ClickHouse at {settings.clickhouse.address} {trouble}") from error
    except ClickHouseError as error:
        reason = str(error).partition("\n")[0]
        raise CommandError(
            f"ClickHouse at {settings.clickhouse.address} refuses ({reason}): see MUSTER_CLICKHOUSE,"
            " MUSTER_CLICKHOUSE_USER and MUSTER_CLICKHOUSE_PASSWORD_FILE"
        ) from error
    except UnavailableError as error:
        raise CommandError(f"Kafka at {settings.kafka.bootstrap}: {error}; start it, or see MUSTER_KAFKA") from error
    return SetUp([path.name for path in made_keys], migrations, found)
