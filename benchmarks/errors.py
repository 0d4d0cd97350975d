"""Why a benchmark cannot run."""


class BenchmarkError(Exception):
    """Something is missing or did not start; the message says what to do."""
