"""What one device is to run, assembled from resources."""

from fleet.configuration.assembly import assemble, configure, sections_of
from fleet.configuration.document import Configuration
from fleet.configuration.errors import ConfigurationError, Problem
from fleet.configuration.references import Lookup, References
from fleet.configuration.workload_index import Workload, WorkloadIndex

__all__ = [
    "Configuration",
    "ConfigurationError",
    "Lookup",
    "Problem",
    "References",
    "Workload",
    "WorkloadIndex",
    "assemble",
    "configure",
    "sections_of",
]
