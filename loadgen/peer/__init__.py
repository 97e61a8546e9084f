"""One WebRTC session as a browser has it: its socket, ICE, DTLS, SRTP."""
