-- What heartbeats cost when there are many: narrower rows, and hardware that is found without reading its neighbours'.
--
-- Rows of heartbeats follow each other by device, so differences of times and positions are small and all else repeats.
-- Hardware is looked up by device, and a granule is read as a whole: 8192 descriptions of some kB were hundreds of MB.

ALTER TABLE {database}.heartbeats_log
    MODIFY COLUMN device_id String CODEC(ZSTD(1)),
    MODIFY COLUMN received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN partition UInt16 CODEC(ZSTD(1)),
    MODIFY COLUMN sequence UInt64 CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN version LowCardinality(String),
    MODIFY COLUMN wanted_version LowCardinality(String),
    MODIFY COLUMN is_registered Bool CODEC(ZSTD(1)),
    MODIFY COLUMN is_repeat Bool CODEC(ZSTD(1)),
    MODIFY COLUMN is_changed Bool CODEC(ZSTD(1)),
    MODIFY COLUMN content_hash UInt64 CODEC(ZSTD(1));

ALTER TABLE {database}.device_content_state
    ADD COLUMN IF NOT EXISTS hardware_hashes Array(UInt64) COMMENT 'xxh3-64 of descriptions of the hardware, as sent, that bring nothing new; the latest first' AFTER playbook_statuses;

CREATE TABLE IF NOT EXISTS {database}.device_hardware_state
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
SETTINGS index_granularity = 16
COMMENT 'Hardware of each device, newest row counts; read the view hardware';

INSERT INTO {database}.device_hardware_state
    (namespace, device_id, received_at, partition, sequence, hostname, cpu_architecture, cpu_model, cpu_count, memory_bytes,
    manufacturer, product, serial_number, description)
SELECT
    namespace, device_id, received_at, partition, sequence, hostname, cpu_architecture, cpu_model, cpu_count, memory_bytes,
    manufacturer, product, serial_number, description
FROM {database}.hardware_state;

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
FROM {database}.device_hardware_state FINAL
COMMENT 'Hardware of each device: what its registration and heartbeats described, added up';

TRUNCATE TABLE IF EXISTS {database}.hardware_state
