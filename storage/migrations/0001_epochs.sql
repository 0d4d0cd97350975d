CREATE TABLE IF NOT EXISTS {database}.epochs
(
    epoch UInt16 COMMENT 'Counts the lives of the topics, from 1; raised by set-up when a topic has another id',
    topic_ids Map(String, String) COMMENT 'Kafka''s ids of the topics in this epoch, by topic name',
    created_at DateTime64(3, 'UTC') COMMENT 'When set-up began the epoch, UTC, to the millisecond'
)
ENGINE = ReplacingMergeTree
ORDER BY epoch
COMMENT 'Lives of the Kafka topics: offsets are only comparable within one epoch'
