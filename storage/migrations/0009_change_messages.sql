-- Why a change was made, in the words of who made it.

ALTER TABLE {database}.decisions
    ADD COLUMN IF NOT EXISTS change_message String COMMENT 'Why the change was made, as its author said; empty when nothing was said';

CREATE OR REPLACE VIEW {database}.configuration_revisions
(
    revision UInt64 COMMENT 'The resource''s resourceVersion since this change; ordered across namespaces',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the change, UTC, to the millisecond',
    kind LowCardinality(String) COMMENT 'Kind of the resource, such as EdgeWorkload',
    namespace LowCardinality(String) COMMENT 'Namespace of the resource; empty for kinds without one',
    name String COMMENT 'Name of the resource',
    is_deleted Bool COMMENT 'Whether the change removed the resource',
    body String COMMENT 'The whole resource as JSON; empty when removed, and for Secrets',
    author String COMMENT 'Who made the change',
    message String COMMENT 'Why, in the words of who made the change; empty when nothing was said',
    request_id String COMMENT 'Id of the request that made it',
    epoch UInt16 COMMENT 'Place in the commands topic: life of the topic, counted from 1',
    offset UInt64 COMMENT 'Place in the commands topic: offset of the Kafka record',
    batch_index UInt16 COMMENT 'Place in the commands topic: index in the Kafka record'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    revision,
    received_at,
    kind,
    namespace,
    name,
    content = '' AS is_deleted,
    if(kind = 'Secret', '', content) AS body,
    author,
    change_message AS message,
    request_id,
    toUInt16(bitShiftRight(revision, 53)) AS epoch,
    bitAnd(bitShiftRight(revision, 15), 274877906943) AS offset,
    toUInt16(bitAnd(revision, 32767)) AS batch_index
FROM
(
    SELECT
        revision,
        received_at,
        author,
        change_message,
        request_id,
        result,
        `changes.kind` AS kinds,
        `changes.namespace` AS namespaces,
        `changes.name` AS names,
        `changes.body` AS bodies
    FROM {database}.decisions
    ORDER BY revision, _block_number
    LIMIT 1 BY revision
)
ARRAY JOIN
    kinds AS kind,
    namespaces AS namespace,
    names AS name,
    bodies AS content
WHERE result = 'accepted' AND kind != 'DeviceIdentity'
COMMENT 'Every change of every resource, with its author and the reason given'
