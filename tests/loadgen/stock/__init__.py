"""An independent WHIP and WHEP server, for tests of the load generator: stock aiortc and aiohttp, nothing of ours.

`python -m tests.loadgen.stock --port 0` prints its URL and serves until its standard input closes, or for 15 minutes;
`process.StockServer` does that for a test. A viewer costs some 5 % of a core.

- `POST /whip/{stream}` takes a publisher of H264 and Opus (RFC 9725); a later one takes the stream over.
- `POST /whep/{stream}` shows it: aiortc decodes, each picture is made small, and is encoded once for each viewer. So no
  SEI and no RTP timestamp of the studio survives. When the publisher leaves, the viewers' sessions stay, without media.
  With `--own-picture` every stream shows a small moving picture, and silence, without any publisher.
- `DELETE` on the session's Location ends it. `PATCH` is 405: aiortc can neither trickle nor restart ICE.
- `GET /metrics` has prometheus_client's standard process metrics.
- `--leak BYTES` keeps every session after its DELETE, and that much memory with each.

How aiortc 1.16 answers the offer of Chromium to watch:

- Status 201, `Content-Type: application/sdp; charset=utf-8`, Location an absolute path, no ETag.
- `a=setup:active`: it is the DTLS client. Fingerprints of SHA-256, SHA-384 and SHA-512, in this order. It offers SRTP
  by AES-256-GCM, AES-128-GCM and AES128_CM_SHA1_80.
- No ice-lite: full ICE, controlled. ufrag of 4 and pwd of 22 characters, all candidates in each section, then
  end-of-candidates, no trickle. One host candidate for each address except 127.0.0.1, ::1 and IPv6 link-local ones, all
  of the same priority: a client on loopback reaches it by another address of this machine, and where there is none, not
  at all. The port of m= and the address of c= are those of the first candidate.
- Video: H264 42001f and 42e01f of packetization mode 1, by the payload types offered (102, 108), each with its rtx
  (103, 109); `nack`, `nack pli`, `goog-remb` where offered, no `ccm fir`, no transport-cc. `a=ssrc-group:FID` and an
  `a=ssrc` with a cname alone for both. It sends the first of the payload types, and retransmits by RTX.
- Audio: opus first, then the G722, PCMU and PCMA offered.
- Extensions: abs-send-time (video), ssrc-audio-level (audio) and mid, with the ids offered; no abs-capture-time.
- BUNDLE, rtcp-mux, no rtcp-rsize, no rtcp-xr, and RRTR is not answered. Lines end with CR LF.

The answer to a publisher is the same with `a=recvonly`, H264 only of the profiles offered, and an `a=ssrc` although
nothing is sent.
"""
