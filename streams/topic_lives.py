"""The life of a worker's topic, as set-up noted it and as the brokers confirm it."""

from clickhouse_connect.driver import Client
from confluent_kafka.admin import AdminClient

from fleet.errors import NotFoundError
from storage.epochs import TopicLife, read_epochs, topic_lives
from streams.epoch_watch import refuse_other_topics


def known_life(client: Client, database: str, admin: AdminClient, topic: str) -> TopicLife:
    """The epoch and id to work with. Blocks.

    Raises NotFoundError when set-up does not know the topic, ConflictError when it is another one now, UnavailableError
    when no broker answers, and clickhouse_connect's errors.
    """
    life = topic_lives(read_epochs(client, database)).get(topic)
    if life is None:
        raise NotFoundError(f"the database {database} does not know the topic {topic}: run `muster setup`")
    refuse_other_topics(admin, {topic: life.topic_id})
    return life
