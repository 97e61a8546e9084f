/**
 * What carries bet signals: a data channel beside the media, or a WebSocket where there is none. Both have
 *
 *     kind        "data_channel" or "websocket"
 *     isOpen
 *     send(text)  whether it could be sent
 *     close()
 *
 * and call `opened()`, `received(text)` and `closed()`, the last one once at most and not after `close`.
 */

/** Of a WebSocket the subprotocol, of a data channel the protocol. */
const PROTOCOL = "railbird.signals.v1";

/** The channel to ask for with each offer. A message that is lost is not worth a wait: bets are sent again. */
export function newChannel(peer) {
  return peer.createDataChannel("signals", { ordered: false, maxRetransmits: 0, protocol: PROTOCOL });
}

class Carrier {
  #calls;

  constructor(line, calls) {
    this.line = line;
    this.#calls = calls;
    const listeners = { open: () => calls.opened(), message: ({ data }) => calls.received(data), close: () => this.#end() };
    this.close = () => {
      for (const [name, listener] of Object.entries(listeners)) line.removeEventListener(name, listener);
      line.close();
    };
    for (const [name, listener] of Object.entries(listeners)) line.addEventListener(name, listener);
  }

  send(text) {
    if (!this.isOpen) return false;
    try {
      this.line.send(text);
      return true;
    } catch {
      return false; // Its buffer is full, or it has just closed.
    }
  }

  #end() {
    this.close();
    this.#calls.closed();
  }
}

export class ChannelCarrier extends Carrier {
  kind = "data_channel";

  get isOpen() {
    return this.line.readyState === "open";
  }
}

export class SocketCarrier extends Carrier {
  kind = "websocket";

  /** Browsers let no page set a header of a WebSocket: the token goes as a subprotocol, which is not in the address. */
  constructor(endpoint, token, calls) {
    const address = new URL(endpoint);
    address.protocol = address.protocol.replace("http", "ws");
    super(new WebSocket(address, token ? [PROTOCOL, `bearer.${encoded(token)}`] : [PROTOCOL]), calls);
  }

  get isOpen() {
    return this.line.readyState === WebSocket.OPEN;
  }
}

/** A subprotocol has not every character: percent-encoded. A JSON Web Token stays as it is. */
function encoded(token) {
  return encodeURIComponent(token).replace(/[()]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}
