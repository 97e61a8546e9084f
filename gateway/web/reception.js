import { bitrateWords, codecName, durationWords } from "./page.js";

/** What the gateway receives, as sentences, from the object that GET /api/v1/streams/{stream} answers with. */
export function receptionWords(stream) {
  if (stream === null) return ["The gateway does not know this table yet."];
  if (stream.state !== "live") return ["The gateway receives nothing.", watchers(stream.viewers)];
  const tracks = stream.tracks ?? [];
  return [
    `The gateway has received this table for ${durationWords(stream.since_s)}.`,
    ...tracks.map((track) => (track.kind === "video" ? pictureWords(track) : soundWords(track))),
    lossWords(tracks),
    pathWords(stream.publisher),
    watchers(stream.viewers),
  ].filter(Boolean);
}

function pictureWords(track) {
  const rate = `${Math.round(track.frame_rate ?? 0)} frames a second`;
  const words = [`Picture: ${track.codec}, ${bitrateWords(track.bitrate_bps)}, ${rate}`];
  if (typeof track.keyframe_age_s === "number") words.push(`last keyframe ${track.keyframe_age_s.toFixed(1)} s ago`);
  return `${words.join(", ")}.`;
}

function soundWords(track) {
  return `Sound: ${codecName(track.codec)}, ${bitrateWords(track.bitrate_bps)}.`;
}

function lossWords(tracks) {
  const total = (name) => tracks.reduce((sum, track) => sum + (track[name] ?? 0), 0);
  if (tracks.length === 0) return "";
  const lost = total("lost");
  const recovered = total("recovered");
  if (lost + recovered === 0) return "No packet was lost.";
  const of = (total("packets") + lost).toLocaleString("en");
  return `${lost.toLocaleString("en")} of ${of} packets lost, ${recovered.toLocaleString("en")} recovered.`;
}

function pathWords(publisher) {
  if (!publisher) return "";
  const over = { ipv4: "IPv4", ipv6: "IPv6" }[publisher.address_family] ?? publisher.address_family;
  const roundTrip = typeof publisher.rtt_s === "number" ? `, round trip ${(publisher.rtt_s * 1000).toFixed(0)} ms` : "";
  return over ? `It comes over ${over}${roundTrip}.` : "";
}

function watchers(viewers) {
  return viewers === 1 ? "One player watches." : `${viewers || "No"} players watch.`;
}
