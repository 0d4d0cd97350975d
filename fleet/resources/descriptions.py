"""What each field of the kinds means, by model: what `kubectl explain` tells beside the models' own words."""

from collections.abc import Mapping
from typing import Final

_NAME = "Its name."
_SPEC = "What is asked for."
_INTERVAL = "Seconds between two looks."
_ALLOW_LIST = "ConfigMap whose key metrics_list.yaml names the metrics that are kept; all, without one."
_SECTIONS = {
    "heartbeat": "How often the device reports, and with which hardware.",
    "logCollection": "Where logs are sent, by a name that workloads refer to.",
    "metrics": "What is measured on the device, and where it is sent.",
    "mounts": "What is mounted on the device.",
    "osInformation": "The operating system's image and how it is upgraded.",
    "storage": "Where the device copies data to.",
}
_PLAYBOOK = "A playbook of Ansible, and how it is run."

DESCRIPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "Secret": {
        "data": "Values as base64, by key.",
        "stringData": "Values as they are, by key: written into data, where they win, and never shown.",
        "type": "What it is for, such as kubernetes.io/dockerconfigjson; decides which keys it must have.",
        "immutable": "Noted, and not enforced.",
    },
    "ConfigMap": {
        "data": "Texts, by key.",
        "binaryData": "Bytes as base64, by key.",
        "immutable": "Noted, and not enforced.",
    },
    "EdgeDevice": {"spec": "The device's own sections; those of its set replace them one by one."},
    "EdgeDeviceSpec": _SECTIONS | {"requestTime": "When the device asked to join."},
    "EdgeDeviceSet": {"spec": "Sections for the devices whose label flotta/member-of names this set."},
    "EdgeDeviceSetSpec": _SECTIONS,
    "Heartbeat": {
        "periodSeconds": "Seconds between two heartbeats, 2 at least; 60 unless given.",
        "hardwareProfile": "Which hardware heartbeats carry.",
    },
    "HardwareProfile": {
        "include": "Whether they carry any.",
        "scope": "full: all of it each time; delta: what changed.",
    },
    "SyslogTarget": {
        "kind": "Always syslog.",
        "bufferSize": "Kilobytes held while the target cannot be reached.",
        "syslogConfig": "ConfigMap with Address and, if it is not tcp, Protocol (tcp or udp).",
    },
    "NamedRef": {"name": "Its name, in the same namespace."},
    "Metrics": {
        "dataTransfer": "Metrics of copying data.",
        "receiverConfiguration": "Where metrics are sent.",
        "retention": "How much is kept on the device.",
        "system": "Metrics of the machine.",
    },
    "ComponentMetrics": {
        "interval": _INTERVAL,
        "allowList": _ALLOW_LIST,
        "disabled": "Whether it is left out.",
    },
    "MetricsReceiver": {
        "url": "Address that takes metrics by remote write.",
        "caSecretName": "Secret whose key ca.crt verifies that address, if it is https.",
        "requestNumSamples": "Samples of one request; 30,000 unless given.",
        "timeoutSeconds": "Seconds until a request is given up; 10 unless given.",
    },
    "MetricsRetention": {
        "maxHours": "Hours that metrics are kept.",
        "maxMiB": "Mebibytes that metrics may take.",
    },
    "Mount": {
        "device": "What is mounted, such as /dev/sdb1.",
        "folder": "Where.",
        "options": "Options of mount.",
        "type": "File system.",
    },
    "OsInformation": {
        "automaticallyUpgrade": "Whether the device upgrades when the commit changes.",
        "commitID": "Commit of the image that the device shall run.",
        "hostedObjectsURL": "Where images are fetched from.",
    },
    "Storage": {"s3": "A bucket of S3."},
    "S3": {
        "configMapName": "ConfigMap with BUCKET_NAME, BUCKET_HOST, BUCKET_PORT and BUCKET_REGION.",
        "createOBC": "Taken from Flotta; nothing here makes buckets.",
        "secretName": "Secret with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if needed, tls.crt.",
    },
    "EdgeWorkload": {"spec": "The pod, which devices run it, and what goes with it."},
    "EdgeWorkloadSpec": {
        "type": "Always pod.",
        "pod": "What the devices run.",
        "data": "Folders copied to and from the storage.",
        "device": "The one device that runs it; takes precedence over deviceSelector.",
        "deviceSelector": "Labels of the devices that run it; an empty one selects all of the namespace.",
        "imageRegistries": "How images are pulled.",
        "logCollection": "Name of the target, in the devices' logCollection, that takes its logs.",
        "metrics": "What is measured of it.",
    },
    "Pod": {"spec": "The pod's specification, handed to devices as it is; Secrets and ConfigMaps it names go with it."},
    "Data": {
        "egress": "Folders copied from the device to the storage.",
        "ingress": "Folders copied from the storage to the device.",
    },
    "DataPath": {"source": "Folder copied from.", "target": "Folder copied to."},
    "LabelSelector": {
        "matchExpressions": "Conditions, all of which must hold.",
        "matchLabels": "Labels with values, all of which must be there.",
    },
    "Requirement": {
        "key": "Key of the label.",
        "operator": "In, NotIn, Exists or DoesNotExist.",
        "values": "Values to compare with; none for Exists and DoesNotExist.",
    },
    "ImageRegistries": {"secretRef": "Secret whose key .dockerconfigjson lets devices pull images."},
    "WorkloadMetrics": {
        "allowList": _ALLOW_LIST,
        "containers": "What differs for single containers, by their names.",
        "interval": _INTERVAL,
        "path": "Path that tells metrics.",
        "port": "Port that tells metrics; nothing is measured without one.",
    },
    "ContainerMetrics": {
        "disabled": "Whether the container is left out.",
        "path": "Path that tells metrics.",
        "port": "Port that tells metrics.",
    },
    "SignedRequest": {"spec": "What the device asks for, and whether it may."},
    "EdgeDeviceSignedRequestSpec": {
        "targetNamespace": "Where the device shall be; it must exist.",
        "targetSet": "The set that the device becomes a member of when it is approved.",
        "approved": "Whether the device may register: an operator's word.",
        "features": "What the device told of itself when it asked.",
    },
    "Features": {"hardware": "Its machine.", "modelName": "Its model."},
    "SignedRequestStatus": {
        "conditions": "The answer that holds: pending, approved or declined.",
        "phase": "The same in a word.",
    },
    "SignedRequestCondition": {
        "type": "pending, approved or declined.",
        "status": "True.",
        "lastTransitionTime": "When it was answered.",
        "message": "Why, or by whom.",
    },
    "EdgeConfig": {"spec": "Playbooks for the devices that a label config/… names this EdgeConfig on."},
    "EdgeConfigSpec": {"edgePlaybook": "What is run on each of the devices."},
    "EdgePlaybook": {
        "playbooks": "Playbooks, the most urgent first.",
        "user": "User of the device that runs them.",
    },
    "Playbook": {
        "content": "The playbook's YAML, as base64.",
        "ansibleOptions": "Options of Ansible.",
        "executionStrategy": "When and how often the device runs it.",
        "privilegeEscalationOptions": "As whom it is run.",
        "requiredPrivilegeLevel": "Linux capabilities that it needs.",
        "timeoutSeconds": "Seconds until it is given up.",
    },
    "AnsibleOptions": {"check": "Whether it only tells what it would change."},
    "PrivilegeEscalation": {
        "become": "Whether it is run as another user.",
        "becomeMethod": "By sudo or su.",
        "becomeUser": "Which user.",
    },
    "PrivilegeLevel": {
        "capAdd": "Capabilities added, by number.",
        "capDrop": "Capabilities dropped, by number.",
    },
    "PlaybookExecution": {"spec": "The playbook, on the device that the name begins with."},
    "PlaybookExecutionSpec": {"playbook": _PLAYBOOK, "executionAttempt": "How often it was begun."},
    "ConditionStatus": {"conditions": "What was seen, the last of each type."},
    "Condition": {
        "type": "What is told of, such as Running or SuccessfullyCompleted.",
        "status": "True, False or Unknown.",
        "lastTransitionTime": "When that changed.",
        "message": "For people.",
        "reason": "For programs, in a word.",
    },
    "PlaybookStatus": {"edgePlaybookStatus": "Conditions of its playbooks."},
    "EdgeDeviceStatus": {
        "state": "Where it stands: approved, registered, deleting, …",
        "phase": "What it reports of itself: up or degraded.",
        "lastSeenTime": "When its last heartbeat came.",
        "lastSyncedResourceVersion": "Version of the configuration that it runs.",
        "wantedVersion": "Version of the configuration that it should run.",
        "driftedSince": "Since when these two differ.",
        "workloads": "What it runs, and what it is yet to run.",
        "upgradeInformation": "The operating system's image.",
        "hardware": "Its machine: see the table hardware.",
        "PlaybookExec": "Playbooks: see the resources PlaybookExecution.",
        "dataObc": "Taken from Flotta; nothing here makes buckets.",
    },
    "EdgeWorkloadStatus": {
        "devices": "How many devices report it.",
        "phases": "How many of them say what of it, such as Running.",
    },
    "DeviceWorkload": {
        "name": _NAME,
        "phase": "Deploying until the device has reported it; then what that says.",
        "lastTransitionTime": "Since when it says so.",
        "lastDataUpload": "When it last copied data to the storage.",
    },
    "UpgradeInformation": {
        "currentCommitID": "Commit that runs.",
        "lastUpgradeStatus": "How the last upgrade ended.",
        "lastUpgradeTime": "When that was.",
    },
    "PlaybookExec": {"name": _NAME, "PlaybookExecutionStatus": "How far it came."},
    "Hardware": {
        "boot": "How the machine started.",
        "cpu": "The processor.",
        "disks": "Its disks.",
        "gpus": "Its graphics processors.",
        "hostDevices": "Files under /dev.",
        "hostname": "What it calls itself; a label device.hostname follows from it.",
        "interfaces": "Its network interfaces.",
        "memory": "Its memory.",
        "mounts": "Mounted file systems.",
        "systemVendor": "Who made it.",
    },
}
"""By model and the field's name in YAML. What hardware is made of is told by the names of its fields."""
