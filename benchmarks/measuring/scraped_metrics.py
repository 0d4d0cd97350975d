"""Metrics that the parts show themselves, read as a scraper reads them."""

import urllib.request
from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families


class Scrape(NamedTuple):
    """Values by sample's name, added up over the labels; cumulative buckets by metric's name and upper bound."""

    values: Mapping[str, float]
    buckets: Mapping[str, Mapping[float, float]]

    def value(self, name: str) -> float:
        """One value; 0 when it is not shown yet."""
        return self.values.get(name, 0.0)


def scrape(address: str) -> Scrape:
    """Read `ADDRESS/metrics`. Raises OSError."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=5) as answer:  # noqa: S310 - our own parts
        text = answer.read().decode()
    values: dict[str, float] = {}
    buckets: dict[str, dict[float, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                bound = float(sample.labels["le"])
                here = buckets.setdefault(family.name, {})
                here[bound] = here.get(bound, 0.0) + sample.value
            else:
                values[sample.name] = values.get(sample.name, 0.0) + sample.value
    return Scrape(values, buckets)


def quantile_between(before: Scrape, after: Scrape, name: str, share: float) -> float:
    """A quantile of what a histogram saw between two scrapes: the upper bound of its bucket; 0 when it saw nothing."""
    earlier = before.buckets.get(name, {})
    counts = {bound: count - earlier.get(bound, 0.0) for bound, count in sorted(after.buckets.get(name, {}).items())}
    total = max(counts.values(), default=0.0)
    return next((bound for bound, count in counts.items() if total and count >= share * total), 0.0)
