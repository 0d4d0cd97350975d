-- The desired state: what was decided at each place of the command log.
--
-- Of one revision the row stored first counts, whoever stores another later: a worker that was cut off and comes back
-- cannot change what has been said. The engine numbers the parts of a table in the order in which they are committed,
-- and keeps that number in merges (enable_block_number_column), so every reader takes the row of the lowest number.

CREATE TABLE IF NOT EXISTS {database}.decisions
(
    revision UInt64 COMMENT 'Place in the command log: epoch (10 bits), offset (38) and batch_index (15) in one number',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the command, UTC, to the millisecond',
    request_id String COMMENT 'Id the caller gave the request; empty for a record that could not be read',
    first_revision UInt64 COMMENT 'Where the request was decided: less than revision when this is a retry, which has no content of its own',
    author String COMMENT 'Who asked',
    issued_at DateTime64(3, 'UTC') COMMENT 'When the API took the request, by its clock, UTC, to the millisecond',
    result LowCardinality(String) COMMENT 'accepted, unchanged, repeated, or why it was refused: invalid, forbidden, not-found, conflict',
    message String COMMENT 'What the caller was told; empty when accepted',
    changes Nested
    (
        kind LowCardinality(String),
        namespace LowCardinality(String),
        name String,
        body String
    ) COMMENT 'Resources as this left them: JSON, Secrets sealed; an empty body means gone',
    events String COMMENT 'Events this caused, JSON; they are rows of device_events too',
    decider String COMMENT 'Which run of the deciding worker stored the row',
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the row was stored, UTC, to the millisecond',
    epoch UInt16 ALIAS toUInt16(bitShiftRight(revision, 53)) COMMENT 'Place: life of the topic, counted from 1',
    offset UInt64 ALIAS bitAnd(bitShiftRight(revision, 15), 274877906943) COMMENT 'Place: offset of the Kafka record',
    batch_index UInt16 ALIAS toUInt16(bitAnd(revision, 32767)) COMMENT 'Place: index in the Kafka record'
)
ENGINE = MergeTree
ORDER BY revision
SETTINGS enable_block_number_column = 1
COMMENT 'Outcome of every request, by its place in the command log; the row stored first counts';

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
COMMENT 'Every change of every resource, with its author';

CREATE OR REPLACE VIEW {database}.enrolments
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device, or the one it asks to join',
    device_id String COMMENT 'Id of the device, unique in the installation',
    state LowCardinality(String) COMMENT 'pending, declined, approved, registered, deleting, removed or revoked',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the last change of this, UTC, to the millisecond',
    requested_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the device asked to join, UTC, to the millisecond; null when it never did',
    approved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was approved, UTC, to the millisecond; null when it is not',
    registered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it registered its key, UTC, to the millisecond; null when it never did',
    deleting_since Nullable(DateTime64(3, 'UTC')) COMMENT 'Since when it is being deleted, UTC, to the millisecond; null when it is not',
    key_fingerprint String COMMENT 'SHA-256 of the registered public key, hex; empty before registration',
    is_key_proven Bool COMMENT 'Whether the device has used its certificate',
    hardware_labels Map(String, String) COMMENT 'Labels that follow from the hardware the device reported'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    JSONExtractString(identity, 'namespace') AS namespace,
    device_id,
    JSONExtractString(identity, 'state') AS state,
    changed_at AS received_at,
    if(JSONHas(identity, 'requested_at_ms'), fromUnixTimestamp64Milli(JSONExtractInt(identity, 'requested_at_ms'), 'UTC'), NULL) AS requested_at,
    if(JSONHas(identity, 'approved_at_ms'), fromUnixTimestamp64Milli(JSONExtractInt(identity, 'approved_at_ms'), 'UTC'), NULL) AS approved_at,
    if(JSONHas(identity, 'registered_at_ms'), fromUnixTimestamp64Milli(JSONExtractInt(identity, 'registered_at_ms'), 'UTC'), NULL) AS registered_at,
    if(JSONHas(identity, 'deleting_since_ms'), fromUnixTimestamp64Milli(JSONExtractInt(identity, 'deleting_since_ms'), 'UTC'), NULL) AS deleting_since,
    JSONExtractString(identity, 'key_fingerprint') AS key_fingerprint,
    JSONExtractBool(identity, 'is_key_proven') AS is_key_proven,
    CAST(JSONExtractKeysAndValues(identity, 'hardware_labels', 'String') AS Map(String, String)) AS hardware_labels
FROM
(
    SELECT
        name AS device_id,
        argMax(content, revision) AS identity,
        argMax(received_at, revision) AS changed_at
    FROM
    (
        SELECT
            revision,
            received_at,
            result,
            `changes.kind` AS kinds,
            `changes.name` AS names,
            `changes.body` AS bodies
        FROM {database}.decisions
        ORDER BY revision, _block_number
        LIMIT 1 BY revision
    )
    ARRAY JOIN
        kinds AS kind,
        names AS name,
        bodies AS content
    WHERE result = 'accepted' AND kind = 'DeviceIdentity'
    GROUP BY name
)
WHERE identity != ''
COMMENT 'Where each device that ever asked to join stands'
