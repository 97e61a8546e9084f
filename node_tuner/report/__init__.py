"""`node_tuner report`: what this kernel, these network cards and these privileges allow. It changes nothing.

taking    the table of probes; each is one file or one function: roots in, sections out
finding   what a probe finds, and its JSON
table     the same for people
"""

from node_tuner.report.finding import as_json
from node_tuner.report.table import show
from node_tuner.report.taking import take

__all__ = ["as_json", "show", "take"]
