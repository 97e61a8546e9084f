/** SDP fragments (RFC 8840) for an ICE restart: new credentials out of an offer, new credentials into an answer. */

/** The fragment that announces the ICE credentials of `offerSdp`. */
export function restartFragment(offerSdp) {
  const lines = offerSdp.split(/\r?\n/);
  const first = (prefix) => lines.find((line) => line.startsWith(prefix));
  const wanted = [
    first("a=group:BUNDLE"),
    first("m="),
    first("a=mid:"),
    first("a=ice-ufrag:"),
    first("a=ice-pwd:"),
  ];
  return wanted.filter(Boolean).join("\r\n") + "\r\n";
}

/**
 * The standing answer with the server's new credentials, and its new candidates where it sent some.
 * Throws where the fragment has no credentials.
 */
export function answerAfterRestart(answerSdp, fragment) {
  const lines = fragment.split(/\r?\n/);
  const ufrag = lines.find((line) => line.startsWith("a=ice-ufrag:"));
  const pwd = lines.find((line) => line.startsWith("a=ice-pwd:"));
  if (!ufrag || !pwd) throw new Error("The server's answer to the ICE restart has no credentials.");
  const candidates = lines.filter((line) => line.startsWith("a=candidate:"));
  const renewed = answerSdp.split(/\r?\n/).flatMap((line) => {
    if (line.startsWith("a=ice-ufrag:")) return [ufrag];
    if (line.startsWith("a=ice-pwd:")) return [pwd];
    if (line.startsWith("a=candidate:") && candidates.length) return [];
    if (line.startsWith("a=mid:")) return [line, ...candidates];
    return [line];
  });
  return renewed.join("\r\n");
}
