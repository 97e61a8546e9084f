/**
 * The layers of the picture: one video element a transport, one upon the other, and over both the last frame of what was
 * shown, kept while nothing else can be. So a change of transport never shows black, and only what is shown sounds.
 *
 * Both elements stay visible to the browser, the one on top hides the other: a browser may present no frames of an element
 * that is not displayed, and frames are what the change waits for.
 */
export class Stage {
  /** Which video is on top: a key of `videos`; null before the first. */
  shown = null;
  /** The videos by transport. */
  videos;

  #still;
  #muted = true;

  /** `videos`: { webrtc, hls }, `still`: a canvas. All lie in the same box. */
  constructor(videos, still) {
    this.videos = videos;
    this.#still = still;
  }

  /** The video on top, and before the first the one that will most likely be. */
  get video() {
    return this.videos[this.shown ?? Object.keys(this.videos)[0]];
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    for (const video of Object.values(this.videos)) video.muted = muted || video !== this.video;
  }

  /** Put a video on top, which has a frame to show, and let it sound as the one before did. */
  show(transport) {
    this.#still.hidden = true;
    if (this.shown === transport) return;
    this.shown = transport;
    for (const [name, video] of Object.entries(this.videos)) video.classList.toggle("shown", name === transport);
    this.muted = this.#muted;
  }

  /** Keep the frame on top where it is: its video is about to lose it. */
  keep(transport) {
    const video = this.videos[transport];
    if (transport !== this.shown || !video.videoWidth || !this.#still.hidden) return;
    this.#still.width = video.videoWidth;
    this.#still.height = video.videoHeight;
    this.#still.getContext("2d").drawImage(video, 0, 0);
    this.#still.hidden = false;
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
