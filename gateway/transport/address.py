"""Socket addresses as the kernel gives them, and as people read them."""

Address = tuple[str, int] | tuple[str, int, int, int]
"""What recvfrom returns: (host, port) on an IPv4 socket, (host, port, flow, scope) on an IPv6 one."""

_V4_MAPPED_PREFIX = "::ffff:"


def host_of(address: Address) -> str:
    """The host, an IPv4 peer of a dual-stack socket in its IPv4 form."""
    return address[0].removeprefix(_V4_MAPPED_PREFIX) if "." in address[0] else address[0]


def family_of(address: Address) -> str:
    """`ipv4` or `ipv6`, for logs and the API."""
    return "ipv6" if ":" in host_of(address) else "ipv4"
