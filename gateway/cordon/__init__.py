"""Tells the gateway beside it that its node is cordoned: `python -m gateway.cordon`, or `railbird-cordon`; a sidecar.

`kubectl drain --ignore-daemonsets` leaves the pods of a DaemonSet where they are, so a gateway would go on taking
players on a node that is about to stop. Every few seconds this process reads its own Node from the API server and,
while that takes no new pods, keeps the drain file, which is an order of its own to the gateway (`drain.file`). What
cannot be read changes nothing: an API server that is down neither empties an edge nor fills one.
"""
