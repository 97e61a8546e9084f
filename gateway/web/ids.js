/** A name that nobody else gives; crypto.randomUUID is there on secure pages only. */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
