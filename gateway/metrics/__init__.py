"""Every metric of the gateway: name, type, labels, buckets, meaning. Labels are bounded: never a viewer, never an
address.

What is counted is a plain integer on its object, read at scrape time through `FAMILIES`; what has a distribution is one
of the `Histograms`.
"""

from gateway.metrics import access, drain, hls, media, node, play, process, quality
from gateway.metrics.family import Family, Sample
from gateway.metrics.histograms import Histograms

__all__ = ["FAMILIES", "Family", "Histograms", "Sample"]

FAMILIES = {
    family.name: family
    for group in (media, hls, play, quality, access, process, drain, node)
    for family in group.FAMILIES
}
