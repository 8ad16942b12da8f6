// Footage as it was sent: the key moment on loop while it is in sight, then and now; and events that lead to a second.

import { playFrom } from "./film_player.js";
import { keepFresh } from "./fresh_links.js";

const prefersStillness = matchMedia("(prefers-reduced-motion: reduce)");

function loop(video) {
  const start = Number(video.dataset.start);
  const end = Number(video.dataset.end);
  let isTouched = false; // whoever takes the controls keeps them
  const fault = video.parentElement.querySelector("[data-moment-fault]");
  keepFresh(video, { onFault: (isShown) => (fault.hidden = !isShown) });
  const goBack = () => {
    video.currentTime = start;
    video.play().catch(() => {});
  };
  video.addEventListener("timeupdate", () => video.currentTime >= end && !video.paused && goBack());
  video.addEventListener("ended", goBack);
  video.addEventListener("pause", () => {
    // The media fragment (#t=) pauses at its end by itself: that is no learner's pause.
    if (video.currentTime >= end - 0.3 && !isTouched) {
      goBack();
    }
  });
  video.addEventListener("pointerdown", () => (isTouched = true));
  new IntersectionObserver(
    ([entry]) => {
      if (!entry.isIntersecting) {
        video.pause();
      } else if (!isTouched && !prefersStillness.matches) {
        video.play().catch(() => {});
      }
    },
    { threshold: 0.4 },
  ).observe(video);
}

export function setUpMoments(root) {
  root.querySelectorAll("[data-moment]").forEach(loop);
  const raw = root.querySelector("[data-raw]");
  if (raw) {
    const fault = root.querySelector("[data-raw-fault]");
    keepFresh(raw, { onFault: (isShown) => (fault.hidden = !isShown) });
    for (const button of root.querySelectorAll("[data-seek]")) {
      button.addEventListener("click", () => {
        raw.scrollIntoView({ block: "nearest", behavior: prefersStillness.matches ? "auto" : "smooth" });
        playFrom(raw, Number(button.dataset.seek));
      });
    }
  }
}
