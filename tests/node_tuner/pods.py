"""A third namespace: a pod, whose traffic the `near` end of a pair forwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.node_tuner.namespaces import End, namespace

_INTERFACE, _PEER = "eth0", "pod0"
_IPV4, _IPV6, _MAC = "10.199.1.2", "fd00:199:1::2", "02:00:00:00:01:02"
_GATEWAYS = {
    "-4": ("10.199.1.1", "10.199.1.1/24", f"{_IPV4}/24"),
    "-6": ("fd00:199:1::1", "fd00:199:1::1/64", f"{_IPV6}/64"),
}


@contextmanager
def pod(node: End) -> Iterator[End]:
    """Its way out is the node, which forwards; nothing is translated."""
    with namespace() as inside:
        inside.run("ip", "link", "add", _INTERFACE, "type", "veth", "peer", "name", _PEER, "netns", node.namespace.name)
        inside.run("ip", "link", "set", _INTERFACE, "address", _MAC, "up")
        node.namespace.run("ip", "link", "set", _PEER, "up")
        for family, (gateway, outer, inner) in _GATEWAYS.items():
            node.namespace.run("ip", family, "address", "add", outer, "dev", _PEER, "nodad")
            inside.run("ip", family, "address", "add", inner, "dev", _INTERFACE, "nodad")
            inside.run("ip", family, "route", "add", "default", "via", gateway)
        for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            node.namespace.run("tee", f"/proc/sys/net/{setting}", stdin="1")
        yield End(inside, _IPV4, _IPV6, _MAC, _INTERFACE)
