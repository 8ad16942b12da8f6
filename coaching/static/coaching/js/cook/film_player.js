// The film's player: chapters, speeds, frame by frame, and a transcript whose lines lead to their second.

import { keepFresh } from "./fresh_links.js";
import { formatClock } from "./upload_protocol.js";

const FRAMES_PER_SECOND = 30; // of every film that the product makes

function readTrack(video, kind) {
  const element = video.querySelector(`track[kind="${kind}"]`);
  if (!element) {
    return Promise.resolve([]);
  }
  if (kind !== "captions" || element.track.mode === "disabled") {
    element.track.mode = kind === "captions" ? "showing" : "hidden"; // a disabled track is never read
  }
  return new Promise((resolve) => {
    const give = () => resolve([...(element.track.cues ?? [])]);
    if (element.readyState >= 2) {
      give();
    } else {
      element.addEventListener("load", give, { once: true });
      element.addEventListener("error", give, { once: true });
    }
  });
}

function makeButton(text, className, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = className;
  button.append(...(Array.isArray(text) ? text : [text]));
  button.addEventListener("click", onClick);
  return button;
}

function makeSpan(text, className) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

// A cue's own text is its source, with "&lt;" for "<".
function readText(cue) {
  return cue.getCueAsHTML().textContent;
}

export function playFrom(video, seconds) {
  const start = () => {
    video.currentTime = seconds;
    video.play().catch(() => {}); // a browser may ask for a tap first
  };
  if (video.readyState >= 1) {
    start();
  } else {
    video.addEventListener("loadedmetadata", start, { once: true });
    video.load();
  }
}

// Marks the entry of the moment; entries are [cue, element] in order.
function followAlong(video, entries) {
  let marked = null;
  const mark = () => {
    const now = video.currentTime + 0.05;
    const current = entries.find(([cue]) => cue.startTime <= now && now < cue.endTime)?.[1] ?? marked;
    if (current !== marked) {
      marked?.removeAttribute("aria-current");
      current?.setAttribute("aria-current", "true");
      marked = current;
    }
  };
  video.addEventListener("timeupdate", mark);
  video.addEventListener("seeked", mark);
}

export async function setUpFilm(room) {
  const video = room.querySelector("[data-film]");
  const part = (name) => room.querySelector(`[data-${name}]`);
  const showFault = (isShown) => {
    part("film-fault").hidden = !isShown;
  };
  const refresh = keepFresh(video, { onFault: showFault });
  part("film-reload").addEventListener("click", refresh);

  for (const button of room.querySelectorAll("[data-speed]")) {
    button.addEventListener("click", () => {
      video.playbackRate = Number(button.dataset.speed);
    });
  }
  video.addEventListener("ratechange", () => {
    for (const button of room.querySelectorAll("[data-speed]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === video.playbackRate));
    }
  });
  for (const button of room.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => {
      video.pause();
      video.currentTime = Math.max(0, video.currentTime + Number(button.dataset.step) / FRAMES_PER_SECOND);
    });
  }

  const [chapters, lines] = await Promise.all([readTrack(video, "chapters"), readTrack(video, "captions")]);
  const chapterButtons = chapters.map((cue) => [cue, makeButton(readText(cue), "tool chapter", () => playFrom(video, cue.startTime))]);
  part("chapters").replaceChildren(...chapterButtons.map(([, button]) => button));
  followAlong(video, chapterButtons);
  if (lines.length) {
    const lineButtons = lines.map((cue) => {
      const label = [makeSpan(formatClock(cue.startTime), "line-time"), makeSpan(readText(cue).replaceAll("\n", ""), "line-text")];
      return [cue, makeButton(label, "line", () => playFrom(video, cue.startTime))];
    });
    part("transcript").replaceChildren(...lineButtons.map(([, button]) => button));
    followAlong(video, lineButtons);
  }
  part("player-bar").hidden = false;
  room.dataset.ready = "1";
}
