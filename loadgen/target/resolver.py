"""Addresses of the target as they were when they were permitted: a name must not lead elsewhere once the run is on."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from loadgen.target.safety import IpAddress, Permission


class PermittedResolver(AbstractResolver):
    """For `aiohttp.TCPConnector(resolver=...)`. It also spares the name server a thousand questions."""

    def __init__(self, permission: Permission) -> None:
        self._permission = permission
        self._of_others = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """OSError for a host that the run may not talk to, or that has no address of `family`."""
        if not self._permission.may_send_requests_to(host):
            raise OSError(f"{host} is not the target of this run.")
        if not self._permission.is_target(host):
            return await self._of_others.resolve(host, port, family)
        in_order = sorted(self._permission.addresses, key=lambda address: (address.version, int(address)))
        results = [_result(host, port, address) for address in in_order]
        matching = [each for each in results if family in (socket.AF_UNSPEC, each["family"])]
        if not matching:
            raise OSError(f"{host} has no such address.")
        return matching

    async def close(self) -> None:
        """See `AbstractResolver`."""
        await self._of_others.close()


def _result(host: str, port: int, address: IpAddress) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=str(address),
        port=port,
        family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
        proto=0,
        flags=socket.AI_NUMERICHOST,
    )
