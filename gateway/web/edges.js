/** Edges: gateways that carry the same tables, each known by its origin, e.g. "https://edge-b.example". Pure. */

/**
 * The origin that `text` is, with or without a slash at its end; null for everything else. A page that came by https takes
 * no http: it would show its token to everybody on the way.
 */
export function edgeOf(text) {
  const address = typeof text === "string" ? parsed(text) : null;
  return address !== null && address.href === `${address.origin}/` ? reachable(address) : null;
}

/** The edge of the first rel="alternate" in a Link header (RFC 8288), which `base` sent; null where there is none. */
export function alternateEdge(link, base) {
  for (const [, target, parameters] of (link ?? "").matchAll(/<([^>]*)>([^<]*)/g)) {
    const relations = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters);
    const isAlternate = (relations?.[1] ?? relations?.[2] ?? "").toLowerCase().split(/\s+/).includes("alternate");
    const address = isAlternate ? parsed(target, base) : null;
    if (address !== null) return reachable(address);
  }
  return null;
}

function parsed(text, base = undefined) {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

function reachable({ protocol, origin }) {
  const protocols = location.protocol === "https:" ? ["https:"] : ["https:", "http:"];
  return protocols.includes(protocol) ? origin : null;
}
