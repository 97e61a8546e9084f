"""`node_tuner watch`: verifies again and again, writes the result file, and exports metrics; a sidecar's work.

It changes nothing in the node. The one thing that only it can do is to hold /dev/cpu_dma_latency open.
"""

from node_tuner.watch.following import Followed
from node_tuner.watch.listen import DEFAULT_LISTEN, Listen
from node_tuner.watch.watching import DEFAULT_EVERY_S, run

__all__ = ["DEFAULT_EVERY_S", "DEFAULT_LISTEN", "Followed", "Listen", "run"]
