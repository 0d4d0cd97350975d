CREATE TABLE IF NOT EXISTS {database}.installation_keys
(
    key_mark String COMMENT 'Keyed digest by which the installation key is recognised without being told',
    noted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When set-up noted it, UTC, to the millisecond'
)
ENGINE = ReplacingMergeTree
ORDER BY key_mark
COMMENT 'The installation key this database belongs to: with another one no Secret in it can be recognised'
