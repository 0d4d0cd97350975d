-- Heartbeats and what follows from them.
--
-- Tables ending in _log hold a row for each position in the heartbeats topic, so that a replay writes the same row
-- again; tables ending in _state hold the newest row of a key, by its position. Analysts read the views, which are
-- de-duplicated. Retention is set by storage/schema.py from the settings.

CREATE TABLE IF NOT EXISTS {database}.heartbeats_log
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat, UTC, to the millisecond',
    partition UInt16 COMMENT 'Position: partition of the topic',
    sequence UInt64 COMMENT 'Position: epoch (10 bits), offset (38) and batch_index (15) in one number that orders a partition',
    status LowCardinality(String) COMMENT 'Status as the device spelt it, mostly up or degraded; empty when it gave none',
    version String COMMENT 'Version of the configuration the device runs, as it reported; empty when it gave none',
    wanted_version String COMMENT 'Version of the configuration the device should run; empty when the API did not know it',
    is_registered Bool COMMENT 'Whether the device was registered in the namespace; if not, the row counts nowhere else',
    is_repeat Bool COMMENT 'Whether this is the same heartbeat sent again within moments, as the Edge API does after an error',
    is_changed Bool COMMENT 'Whether the device said something else than in its last heartbeat',
    content_hash UInt64 COMMENT 'Equal when a device says the same again: xxh3-64 of the body without its time',
    body String COMMENT 'What the device sent, JSON; empty when it said the same as in its last heartbeat' CODEC(ZSTD(3)),
    epoch UInt16 ALIAS toUInt16(bitShiftRight(sequence, 53)) COMMENT 'Position: life of the topic, counted from 1',
    offset UInt64 ALIAS bitAnd(bitShiftRight(sequence, 15), 274877906943) COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 ALIAS toUInt16(bitAnd(sequence, 32767)) COMMENT 'Position: index in the Kafka record'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(received_at)
ORDER BY (namespace, device_id, received_at, partition, sequence)
COMMENT 'Every accepted heartbeat; a replay writes the same row again; read the view heartbeats';

CREATE OR REPLACE VIEW {database}.heartbeats
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat, UTC, to the millisecond',
    status LowCardinality(String) COMMENT 'Status as the device spelt it, mostly up or degraded; empty when it gave none',
    version String COMMENT 'Version of the configuration the device runs, as it reported; empty when it gave none',
    wanted_version String COMMENT 'Version of the configuration the device should run; empty when the API did not know it',
    is_registered Bool COMMENT 'Whether the device was registered in the namespace; if not, the row counts nowhere else',
    is_repeat Bool COMMENT 'Whether this is the same heartbeat sent again within moments, as the Edge API does after an error',
    is_changed Bool COMMENT 'Whether the device said something else than in its last heartbeat',
    content_hash UInt64 COMMENT 'Equal when a device says the same again: xxh3-64 of the body without its time',
    body String COMMENT 'What the device sent, JSON; empty when it said the same as in its last heartbeat',
    epoch UInt16 COMMENT 'Position: life of the topic, counted from 1',
    partition UInt16 COMMENT 'Position: partition of the topic',
    offset UInt64 COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 COMMENT 'Position: index in the Kafka record'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    namespace,
    device_id,
    received_at,
    status,
    version,
    wanted_version,
    is_registered,
    is_repeat,
    is_changed,
    content_hash,
    body,
    epoch,
    partition,
    offset,
    batch_index
FROM {database}.heartbeats_log FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Every accepted heartbeat, once';

CREATE TABLE IF NOT EXISTS {database}.device_transitions_log
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat, UTC, to the millisecond',
    partition UInt16 COMMENT 'Position: partition of the topic',
    sequence UInt64 COMMENT 'Position: epoch (10 bits), offset (38) and batch_index (15) in one number that orders a partition',
    status LowCardinality(String) COMMENT 'Status as the device spelt it, mostly up or degraded; empty when it gave none',
    previous_status LowCardinality(String) COMMENT 'Status before; empty when none was known',
    version String COMMENT 'Version of the configuration the device runs, as it reported; empty when it gave none',
    previous_version String COMMENT 'Version before; empty when none was known',
    epoch UInt16 ALIAS toUInt16(bitShiftRight(sequence, 53)) COMMENT 'Position: life of the topic, counted from 1',
    offset UInt64 ALIAS bitAnd(bitShiftRight(sequence, 15), 274877906943) COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 ALIAS toUInt16(bitAnd(sequence, 32767)) COMMENT 'Position: index in the Kafka record'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (namespace, device_id, received_at, partition, sequence)
COMMENT 'Heartbeats in which status or version changed; read the view device_transitions';

CREATE OR REPLACE VIEW {database}.device_transitions
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat, UTC, to the millisecond',
    status LowCardinality(String) COMMENT 'Status as the device spelt it, mostly up or degraded; empty when it gave none',
    previous_status LowCardinality(String) COMMENT 'Status before; empty when none was known',
    version String COMMENT 'Version of the configuration the device runs, as it reported; empty when it gave none',
    previous_version String COMMENT 'Version before; empty when none was known',
    epoch UInt16 COMMENT 'Position: life of the topic, counted from 1',
    partition UInt16 COMMENT 'Position: partition of the topic',
    offset UInt64 COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 COMMENT 'Position: index in the Kafka record'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    namespace,
    device_id,
    received_at,
    status,
    previous_status,
    version,
    previous_version,
    epoch,
    partition,
    offset,
    batch_index
FROM {database}.device_transitions_log FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Changes of a device''s status or version, a first heartbeat included';

CREATE TABLE IF NOT EXISTS {database}.workload_transitions_log
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    workload String COMMENT 'Name of the workload',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat, UTC, to the millisecond',
    partition UInt16 COMMENT 'Position: partition of the topic',
    sequence UInt64 COMMENT 'Position: epoch (10 bits), offset (38) and batch_index (15) in one number that orders a partition',
    status LowCardinality(String) COMMENT 'Status as the device spelt it; removed when the device no longer reports the workload',
    previous_status LowCardinality(String) COMMENT 'Status before; empty when the workload is new on the device',
    previous_since Nullable(DateTime64(3, 'UTC')) COMMENT 'When the status before began, UTC, to the millisecond; null when the workload is new on the device',
    epoch UInt16 ALIAS toUInt16(bitShiftRight(sequence, 53)) COMMENT 'Position: life of the topic, counted from 1',
    offset UInt64 ALIAS bitAnd(bitShiftRight(sequence, 15), 274877906943) COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 ALIAS toUInt16(bitAnd(sequence, 32767)) COMMENT 'Position: index in the Kafka record'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (namespace, device_id, workload, received_at, partition, sequence)
COMMENT 'Changes of workloads'' statuses; read the view workload_transitions';

CREATE OR REPLACE VIEW {database}.workload_transitions
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    workload String COMMENT 'Name of the workload',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat, UTC, to the millisecond',
    status LowCardinality(String) COMMENT 'Status as the device spelt it; removed when the device no longer reports the workload',
    previous_status LowCardinality(String) COMMENT 'Status before; empty when the workload is new on the device',
    previous_since Nullable(DateTime64(3, 'UTC')) COMMENT 'When the status before began, UTC, to the millisecond; null when the workload is new on the device',
    epoch UInt16 COMMENT 'Position: life of the topic, counted from 1',
    partition UInt16 COMMENT 'Position: partition of the topic',
    offset UInt64 COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 COMMENT 'Position: index in the Kafka record'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    namespace,
    device_id,
    workload,
    received_at,
    status,
    previous_status,
    previous_since,
    epoch,
    partition,
    offset,
    batch_index
FROM {database}.workload_transitions_log FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Changes of workloads'' statuses on devices: new, changed, removed';

CREATE TABLE IF NOT EXISTS {database}.device_events_log
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat, or the change was decided, UTC, to the millisecond',
    source LowCardinality(String) COMMENT 'device: reported in a heartbeat; muster: seen by the service',
    partition UInt16 COMMENT 'Position: partition of the topic',
    sequence UInt64 COMMENT 'Position: epoch (10 bits), offset (38) and batch_index (15) in one number that orders a partition',
    event_index UInt32 COMMENT 'Index among the events of the same heartbeat or change',
    type LowCardinality(String) COMMENT 'Importance, info or warn, as spelt by its source',
    reason LowCardinality(String) COMMENT 'What the event is about, in a word',
    message String COMMENT 'What happened',
    epoch UInt16 ALIAS toUInt16(bitShiftRight(sequence, 53)) COMMENT 'Position: life of the topic, counted from 1',
    offset UInt64 ALIAS bitAnd(bitShiftRight(sequence, 15), 274877906943) COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 ALIAS toUInt16(bitAnd(sequence, 32767)) COMMENT 'Position: index in the Kafka record'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (namespace, device_id, received_at, source, partition, sequence, event_index)
COMMENT 'Events of devices; read the view device_events';

CREATE OR REPLACE VIEW {database}.device_events
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat, or the change was decided, UTC, to the millisecond',
    source LowCardinality(String) COMMENT 'device: reported in a heartbeat; muster: seen by the service',
    event_index UInt32 COMMENT 'Index among the events of the same heartbeat or change',
    type LowCardinality(String) COMMENT 'Importance, info or warn, as spelt by its source',
    reason LowCardinality(String) COMMENT 'What the event is about, in a word',
    message String COMMENT 'What happened',
    epoch UInt16 COMMENT 'Position: life of the topic, counted from 1',
    partition UInt16 COMMENT 'Position: partition of the topic',
    offset UInt64 COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 COMMENT 'Position: index in the Kafka record'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    namespace,
    device_id,
    received_at,
    source,
    event_index,
    type,
    reason,
    message,
    epoch,
    partition,
    offset,
    batch_index
FROM {database}.device_events_log FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'What devices reported and what the service saw about them; the position is in the heartbeats or the commands topic, by source';

CREATE TABLE IF NOT EXISTS {database}.hardware_state
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the description''s newest part, UTC, to the millisecond',
    partition UInt16 COMMENT 'Position: partition of the topic',
    sequence UInt64 COMMENT 'Position: epoch (10 bits), offset (38) and batch_index (15) in one number that orders a partition',
    hostname String COMMENT 'Host name; empty when not known',
    cpu_architecture LowCardinality(String) COMMENT 'Such as x86_64; empty when not known',
    cpu_model LowCardinality(String) COMMENT 'Model of the processor; empty when not known',
    cpu_count Int64 COMMENT 'Number of processors; 0 when not known',
    memory_bytes Int64 COMMENT 'Physical memory in bytes; 0 when not known',
    manufacturer LowCardinality(String) COMMENT 'Who made the system; empty when not known',
    product LowCardinality(String) COMMENT 'Name of the system; empty when not known',
    serial_number String COMMENT 'Serial number of the system; empty when not known',
    description String COMMENT 'All that is known of the hardware, JSON with the names of the device''s message' CODEC(ZSTD(3)),
    epoch UInt16 ALIAS toUInt16(bitShiftRight(sequence, 53)) COMMENT 'Position: life of the topic, counted from 1',
    offset UInt64 ALIAS bitAnd(bitShiftRight(sequence, 15), 274877906943) COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 ALIAS toUInt16(bitAnd(sequence, 32767)) COMMENT 'Position: index in the Kafka record'
)
ENGINE = ReplacingMergeTree(sequence)
ORDER BY (namespace, device_id)
COMMENT 'Hardware of each device, newest row counts; read the view hardware';

CREATE OR REPLACE VIEW {database}.hardware
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the description''s newest part, UTC, to the millisecond',
    hostname String COMMENT 'Host name; empty when not known',
    cpu_architecture LowCardinality(String) COMMENT 'Such as x86_64; empty when not known',
    cpu_model LowCardinality(String) COMMENT 'Model of the processor; empty when not known',
    cpu_count Int64 COMMENT 'Number of processors; 0 when not known',
    memory_bytes Int64 COMMENT 'Physical memory in bytes; 0 when not known',
    manufacturer LowCardinality(String) COMMENT 'Who made the system; empty when not known',
    product LowCardinality(String) COMMENT 'Name of the system; empty when not known',
    serial_number String COMMENT 'Serial number of the system; empty when not known',
    description String COMMENT 'All that is known of the hardware, JSON with the names of the device''s message',
    epoch UInt16 COMMENT 'Position: life of the topic, counted from 1',
    partition UInt16 COMMENT 'Position: partition of the topic',
    offset UInt64 COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 COMMENT 'Position: index in the Kafka record'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    namespace,
    device_id,
    received_at,
    hostname,
    cpu_architecture,
    cpu_model,
    cpu_count,
    memory_bytes,
    manufacturer,
    product,
    serial_number,
    description,
    epoch,
    partition,
    offset,
    batch_index
FROM {database}.hardware_state FINAL
COMMENT 'Hardware of each device: what its registration and heartbeats described, added up';

CREATE TABLE IF NOT EXISTS {database}.workload_state
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    workload String COMMENT 'Name of the workload',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat that said so first, UTC, to the millisecond',
    partition UInt16 COMMENT 'Position: partition of the topic',
    sequence UInt64 COMMENT 'Position: epoch (10 bits), offset (38) and batch_index (15) in one number that orders a partition',
    status LowCardinality(String) COMMENT 'Status as the device spelt it; removed when the device no longer reports the workload',
    since DateTime64(3, 'UTC') COMMENT 'When this status began, by the heartbeats, UTC, to the millisecond',
    last_data_upload Nullable(DateTime64(3, 'UTC')) COMMENT 'When the workload last uploaded data, by the device''s clock, UTC, to the millisecond; null for never',
    epoch UInt16 ALIAS toUInt16(bitShiftRight(sequence, 53)) COMMENT 'Position: life of the topic, counted from 1',
    offset UInt64 ALIAS bitAnd(bitShiftRight(sequence, 15), 274877906943) COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 ALIAS toUInt16(bitAnd(sequence, 32767)) COMMENT 'Position: index in the Kafka record'
)
ENGINE = ReplacingMergeTree(sequence)
ORDER BY (namespace, device_id, workload)
COMMENT 'Last change of each workload on each device, newest row counts; read the view workload_status';

CREATE OR REPLACE VIEW {database}.workload_status
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    workload String COMMENT 'Name of the workload',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the heartbeat that said so first, UTC, to the millisecond',
    status LowCardinality(String) COMMENT 'Status as the device spelt it; removed when the device no longer reports the workload',
    since DateTime64(3, 'UTC') COMMENT 'When this status began, by the heartbeats, UTC, to the millisecond',
    last_data_upload Nullable(DateTime64(3, 'UTC')) COMMENT 'When the workload last uploaded data, by the device''s clock, UTC, to the millisecond; null for never',
    epoch UInt16 COMMENT 'Position: life of the topic, counted from 1',
    partition UInt16 COMMENT 'Position: partition of the topic',
    offset UInt64 COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 COMMENT 'Position: index in the Kafka record'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    namespace,
    device_id,
    workload,
    received_at,
    status,
    since,
    last_data_upload,
    epoch,
    partition,
    offset,
    batch_index
FROM {database}.workload_state FINAL
COMMENT 'Each workload on each device as last reported; removed ones stay, with status removed';

CREATE TABLE IF NOT EXISTS {database}.device_content_state
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the last heartbeat that changed anything here, UTC, to the millisecond',
    partition UInt16 COMMENT 'Position: partition of the topic',
    sequence UInt64 COMMENT 'Position: epoch (10 bits), offset (38) and batch_index (15) in one number that orders a partition',
    content_hash UInt64 COMMENT 'Of that heartbeat, see heartbeats_log',
    status LowCardinality(String) COMMENT 'Status as the device spelt it, mostly up or degraded; empty when it gave none',
    status_since DateTime64(3, 'UTC') COMMENT 'When this status began, by the heartbeats, UTC, to the millisecond',
    version String COMMENT 'Version of the configuration the device runs, as it reported; empty when it gave none',
    wanted_version String COMMENT 'Version last wanted, as far as known',
    drifted_since Nullable(DateTime64(3, 'UTC')) COMMENT 'Since when the reported version is not the wanted one, by the heartbeats, UTC; null when it is',
    upgrade_commit_id String COMMENT 'Commit of the operating system''s image; empty when not reported',
    upgrade_status LowCardinality(String) COMMENT 'Outcome of its last upgrade, succeeded or failed; empty when not reported',
    upgrade_time String COMMENT 'When that was, as the device spelt it; empty when not reported',
    has_events Bool COMMENT 'Whether that heartbeat carried events',
    workload_names Array(String) COMMENT 'Workloads in that heartbeat, each once',
    workload_statuses Array(LowCardinality(String)) COMMENT 'Their statuses',
    workload_since Array(DateTime64(3, 'UTC')) COMMENT 'When those began, UTC',
    workload_uploads Array(Nullable(DateTime64(3, 'UTC'))) COMMENT 'When they last uploaded data, UTC; null for never',
    epoch UInt16 ALIAS toUInt16(bitShiftRight(sequence, 53)) COMMENT 'Position: life of the topic, counted from 1',
    offset UInt64 ALIAS bitAnd(bitShiftRight(sequence, 15), 274877906943) COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 ALIAS toUInt16(bitAnd(sequence, 32767)) COMMENT 'Position: index in the Kafka record'
)
ENGINE = ReplacingMergeTree(sequence)
ORDER BY (namespace, device_id)
COMMENT 'What each device said last, for the comparison with what it says next; newest row counts';

CREATE TABLE IF NOT EXISTS {database}.device_seen_state
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the device''s last heartbeat, UTC, to the millisecond',
    partition UInt16 COMMENT 'Position: partition of the topic',
    sequence UInt64 COMMENT 'Position: epoch (10 bits), offset (38) and batch_index (15) in one number that orders a partition',
    epoch UInt16 ALIAS toUInt16(bitShiftRight(sequence, 53)) COMMENT 'Position: life of the topic, counted from 1',
    offset UInt64 ALIAS bitAnd(bitShiftRight(sequence, 15), 274877906943) COMMENT 'Position: offset of the Kafka record',
    batch_index UInt16 ALIAS toUInt16(bitAnd(sequence, 32767)) COMMENT 'Position: index in the Kafka record'
)
ENGINE = ReplacingMergeTree(sequence)
ORDER BY (namespace, device_id)
COMMENT 'When each device was seen last, newest row counts; written after everything else of a batch';

CREATE OR REPLACE VIEW {database}.device_status
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the device''s last heartbeat, UTC, to the millisecond; the same as last_seen',
    last_seen DateTime64(3, 'UTC') COMMENT 'When the broker took the device''s last heartbeat, UTC, to the millisecond',
    status LowCardinality(String) COMMENT 'Status as the device spelt it, mostly up or degraded; empty when it gave none',
    status_since DateTime64(3, 'UTC') COMMENT 'When this status began, by the heartbeats, UTC, to the millisecond',
    version String COMMENT 'Version of the configuration the device runs, as it reported; empty when it gave none',
    upgrade_commit_id String COMMENT 'Commit of the operating system''s image; empty when not reported',
    upgrade_status LowCardinality(String) COMMENT 'Outcome of its last upgrade, succeeded or failed; empty when not reported',
    upgrade_time String COMMENT 'When that was, as the device spelt it; empty when not reported',
    workloads UInt32 COMMENT 'Number of workloads the device reports',
    epoch UInt16 COMMENT 'Position of the last heartbeat: life of the topic, counted from 1',
    partition UInt16 COMMENT 'Position of the last heartbeat: partition of the topic',
    offset UInt64 COMMENT 'Position of the last heartbeat: offset of the Kafka record',
    batch_index UInt16 COMMENT 'Position of the last heartbeat: index in the Kafka record'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    namespace,
    device_id,
    if(seen.sequence > content.sequence, seen.received_at, content.received_at) AS received_at,
    if(seen.sequence > content.sequence, seen.received_at, content.received_at) AS last_seen,
    content.status AS status,
    content.status_since AS status_since,
    content.version AS version,
    content.upgrade_commit_id AS upgrade_commit_id,
    content.upgrade_status AS upgrade_status,
    content.upgrade_time AS upgrade_time,
    toUInt32(length(content.workload_names)) AS workloads,
    toUInt16(bitShiftRight(greatest(seen.sequence, content.sequence), 53)) AS epoch,
    if(seen.sequence > content.sequence, seen.partition, content.partition) AS partition,
    bitAnd(bitShiftRight(greatest(seen.sequence, content.sequence), 15), 274877906943) AS offset,
    toUInt16(bitAnd(greatest(seen.sequence, content.sequence), 32767)) AS batch_index
FROM (SELECT * FROM {database}.device_content_state FINAL) AS content
LEFT JOIN (SELECT * FROM {database}.device_seen_state FINAL) AS seen USING (namespace, device_id)
COMMENT 'Each device as its last heartbeat left it';

CREATE OR REPLACE VIEW {database}.device_configurations
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    device_id String COMMENT 'Id of the device, unique in the installation',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker took the last heartbeat that changed anything here, UTC, to the millisecond',
    wanted_version String COMMENT 'Version of the configuration the device should run, as last known; empty when not known',
    reported_version String COMMENT 'Version of the configuration the device runs, as it reported; empty when it gave none',
    drifted_since Nullable(DateTime64(3, 'UTC')) COMMENT 'Since when the reported version is not the wanted one, by the heartbeats, UTC; null when it is'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    namespace,
    device_id,
    received_at,
    wanted_version,
    version AS reported_version,
    drifted_since
FROM {database}.device_content_state FINAL
COMMENT 'Wanted against reported configuration of each device';

CREATE TABLE IF NOT EXISTS {database}.fleet_minutes_state
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    minute DateTime('UTC') COMMENT 'Start of the minute, UTC',
    devices AggregateFunction(uniq, String) COMMENT 'Devices heard from, as a state that a replay does not change',
    heartbeats AggregateFunction(uniq, UInt16, UInt64) COMMENT 'Heartbeats, repeats included, as a state that a replay does not change',
    repeats AggregateFunction(uniq, UInt16, UInt64) COMMENT 'Heartbeats that the Edge API sent again, as a state that a replay does not change',
    changes AggregateFunction(uniq, UInt16, UInt64) COMMENT 'Heartbeats that said something new, as a state that a replay does not change',
    devices_not_up AggregateFunction(uniq, String) COMMENT 'Devices that reported another status than up, as a state that a replay does not change',
    devices_drifted AggregateFunction(uniq, String) COMMENT 'Devices that reported another version than the wanted one, as a state that a replay does not change'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (namespace, minute)
COMMENT 'Fleet by namespace and minute; read the view fleet_minutes';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.fleet_minutes_writer TO {database}.fleet_minutes_state
AS SELECT
    namespace,
    toStartOfMinute(received_at, 'UTC') AS minute,
    uniqState(device_id) AS devices,
    uniqState(partition, sequence) AS heartbeats,
    uniqStateIf(partition, sequence, is_repeat) AS repeats,
    uniqStateIf(partition, sequence, is_changed) AS changes,
    uniqStateIf(device_id, status NOT IN ('up', '')) AS devices_not_up,
    uniqStateIf(device_id, wanted_version NOT IN ('', version)) AS devices_drifted
FROM {database}.heartbeats_log
WHERE is_registered
GROUP BY namespace, minute;

CREATE OR REPLACE VIEW {database}.fleet_minutes
(
    namespace LowCardinality(String) COMMENT 'Namespace of the device',
    minute DateTime('UTC') COMMENT 'Start of the minute, UTC',
    devices UInt64 COMMENT 'Devices heard from, exact up to some ten thousand, then within about 1 %',
    heartbeats UInt64 COMMENT 'Heartbeats, repeats included, exact up to some ten thousand, then within about 1 %',
    repeats UInt64 COMMENT 'Heartbeats that the Edge API sent again, exact up to some ten thousand, then within about 1 %',
    changes UInt64 COMMENT 'Heartbeats that said something new, exact up to some ten thousand, then within about 1 %',
    devices_not_up UInt64 COMMENT 'Devices that reported another status than up, exact up to some ten thousand, then within about 1 %',
    devices_drifted UInt64 COMMENT 'Devices that reported another version than the wanted one, exact up to some ten thousand, then within about 1 %'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    namespace,
    minute,
    uniqMerge(devices) AS devices,
    uniqMerge(heartbeats) AS heartbeats,
    uniqMerge(repeats) AS repeats,
    uniqMerge(changes) AS changes,
    uniqMerge(devices_not_up) AS devices_not_up,
    uniqMerge(devices_drifted) AS devices_drifted
FROM {database}.fleet_minutes_state
GROUP BY namespace, minute
COMMENT 'The fleet by namespace and minute of the broker''s clock, registered devices only'
