"""Where the records of DTLS begin and end (RFC 6347 section 4.1)."""

_RECORD_HEADER_BYTES = 13


def records_of(datagram: bytes) -> list[bytes]:
    """Cut a datagram into its records; what is cut short is left out."""
    records: list[bytes] = []
    start = 0
    while start + _RECORD_HEADER_BYTES <= len(datagram):
        end = start + _RECORD_HEADER_BYTES + int.from_bytes(datagram[start + 11 : start + 13], "big")
        if end > len(datagram):
            break
        records.append(datagram[start:end])
        start = end
    return records


def datagrams_of_records(flight: bytes, mtu_bytes: int) -> list[bytes]:
    """Cut a flight at record borders into datagrams of at most `mtu_bytes` where the records allow it."""
    datagrams: list[bytes] = []
    start = end = 0
    while end + _RECORD_HEADER_BYTES <= len(flight):
        record_end = end + _RECORD_HEADER_BYTES + int.from_bytes(flight[end + 11 : end + 13], "big")
        if record_end - start > mtu_bytes and end > start:
            datagrams.append(flight[start:end])
            start = end
        end = record_end
    if end > start:
        datagrams.append(flight[start:end])
    return datagrams
