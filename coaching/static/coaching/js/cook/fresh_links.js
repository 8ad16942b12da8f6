// Signed links end. A player whose link has ended asks for a new one and goes on where it was.

import { callApi } from "./api.js";

const NOT_BEFORE_MS = 20_000; // a file that is gone, or of a kind that this device cannot play, is not asked for again and again

export function keepFresh(video, { onFault }) {
  let askedAt = -Infinity;
  const refresh = async () => {
    const { currentTime, playbackRate } = video;
    const wasPlaying = !video.paused;
    askedAt = performance.now();
    let url = null;
    try {
      const session = await callApi("GET", `/api/sessions/${video.dataset.session}/`);
      url = session[video.dataset.link];
    } catch (error) {
      console.warn("no new link", error);
    }
    if (!url) {
      onFault(true);
      return;
    }
    onFault(false);
    video.src = url;
    video.load();
    video.addEventListener(
      "loadedmetadata",
      () => {
        video.currentTime = currentTime;
        video.playbackRate = playbackRate;
        if (wasPlaying) {
          video.play().catch(() => {});
        }
      },
      { once: true },
    );
  };
  video.addEventListener("error", () => {
    if (performance.now() - askedAt < NOT_BEFORE_MS) {
      onFault(true);
    } else {
      refresh();
    }
  });
  // It may have failed before this script came.
  if (video.error) {
    refresh();
  }
  return refresh;
}
