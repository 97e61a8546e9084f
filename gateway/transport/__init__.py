"""One UDP port for every session: socket, demultiplexing, ICE-lite, DTLS and SRTP."""
