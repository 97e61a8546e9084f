/**
 * The layers of the picture: one upon the other, and over all of them the last frame of what was shown, kept while nothing
 * else can be. So neither a change of transport nor one of the edge shows black, and only what is shown sounds.
 *
 * All elements stay visible to the browser, the one on top hides the others: a browser may present no frames of an element
 * that is not displayed, and frames are what a change waits for.
 */
export class Stage {
  #front;
  #muted = true;
  #spare;
  #still;

  /**
   * `front` and `spare`: { webrtc, hls }, two video elements each, the spare ones for the edge that a player moves to;
   * `still`: a canvas. All lie in the same box.
   */
  constructor(front, spare, still) {
    this.#front = new Layers(this, front);
    this.#spare = new Layers(this, spare);
    this.#still = still;
  }

  /** The Layers that are seen. */
  get front() {
    return this.#front;
  }

  /** The Layers behind them. */
  get spare() {
    return this.#spare;
  }

  /** All video elements. */
  get videos() {
    return [this.#front, this.#spare].flatMap(({ videos }) => Object.values(videos));
  }

  /** Which transport's video is on top; null before the first. */
  get shown() {
    return this.#front.shown;
  }

  /** The video on top, and before the first the one that will most likely be. */
  get video() {
    return this.#front.video;
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    for (const video of this.videos) video.muted = muted || video !== this.video;
  }

  /** Let the spare layers, which have a frame to show, take the place of the front ones. */
  swap() {
    [this.#front, this.#spare] = [this.#spare, this.#front];
    this.rearrange();
  }

  /** Put on top what is to be there, and let it sound as the one before did. */
  rearrange() {
    this.#still.hidden = true;
    for (const video of this.videos) video.classList.toggle("shown", this.shown !== null && video === this.video);
    this.muted = this.#muted;
  }

  /** Keep the frame on top where it is: its video is about to lose it. */
  keep() {
    const { video } = this;
    if (this.shown === null || !video.videoWidth || !this.#still.hidden) return;
    this.#still.width = video.videoWidth;
    this.#still.height = video.videoHeight;
    this.#still.getContext("2d").drawImage(video, 0, 0);
    this.#still.hidden = false;
  }
}

/** What one player has of the stage: a video a transport. What it shows is seen while its layers are the front ones. */
class Layers {
  /** Which video is on top of these: a key of `videos`; null before the first. */
  shown = null;
  /** The videos by transport. */
  videos;

  #stage;

  constructor(stage, videos) {
    this.#stage = stage;
    this.videos = videos;
  }

  get video() {
    return this.videos[this.shown ?? Object.keys(this.videos)[0]];
  }

  /** Put a video on top, which has a frame to show. */
  show(transport) {
    this.shown = transport;
    if (this.#isSeen) this.#stage.rearrange();
  }

  /** That transport's video is about to lose its frame. */
  keep(transport) {
    if (this.#isSeen && transport === this.shown) this.#stage.keep();
  }

  /** Let go of what was played: of WebRTC only, as HLS does so by itself. */
  clear() {
    this.shown = null;
    this.videos.webrtc.srcObject = null;
  }

  get #isSeen() {
    return this.#stage.front === this;
  }
}

/** Call `then` once, at the next frame that `video` presents. Returns what calls it off. */
export function atNextFrame(video, then) {
  if (video.requestVideoFrameCallback) {
    const handle = video.requestVideoFrameCallback(then);
    return () => video.cancelVideoFrameCallback(handle);
  }
  // Without that callback: time that moves, with a picture there, has shown one.
  const look = () => {
    if (!video.videoWidth || video.currentTime === 0) return;
    video.removeEventListener("timeupdate", look);
    then();
  };
  video.addEventListener("timeupdate", look);
  return () => video.removeEventListener("timeupdate", look);
}
