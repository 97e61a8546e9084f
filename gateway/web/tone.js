const TONE_HZ = 440;
const TONE_S = 0.18;
const LOUDNESS = 0.12;

/** A soft 440 Hz tone at each whole second of the wall clock, as an audio track; nothing is heard here. */
export class Tone {
  #context = new AudioContext();
  #output = this.#context.createMediaStreamDestination();
  #timer = 0;

  get track() {
    return this.#output.stream.getAudioTracks()[0];
  }

  start() {
    // Chromium's track stops while nothing is connected to it: then no packet is sent, and its clock stands still.
    const silence = new ConstantSourceNode(this.#context, { offset: 0 });
    silence.connect(this.#output);
    silence.start();
    this.#context.resume();
    this.#beepAtTheNextSecond();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#context.close();
  }

  #beepAtTheNextSecond() {
    const waitMs = 1000 - (Date.now() % 1000);
    this.#beep(this.#context.currentTime + waitMs / 1000);
    this.#timer = setTimeout(() => this.#beepAtTheNextSecond(), waitMs + 500);
  }

  #beep(at) {
    const oscillator = new OscillatorNode(this.#context, { frequency: TONE_HZ });
    const volume = new GainNode(this.#context, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, at + TONE_S / 2);
    volume.gain.linearRampToValueAtTime(0, at + TONE_S);
    oscillator.connect(volume).connect(this.#output);
    oscillator.start(at);
    oscillator.stop(at + TONE_S);
  }
}
