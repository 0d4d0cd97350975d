-- What came of playbooks, kept for the comparison with what the device says next.

ALTER TABLE {database}.device_content_state
    ADD COLUMN IF NOT EXISTS playbook_names Array(String) COMMENT 'Playbook executions in that heartbeat, each once' AFTER workload_uploads,
    ADD COLUMN IF NOT EXISTS playbook_statuses Array(LowCardinality(String)) COMMENT 'Their statuses' AFTER playbook_names
