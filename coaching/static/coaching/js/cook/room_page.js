// A chat room: opens at what is unread or newest, keeps its place when older messages come in above, keeps films alive.

import { keepFresh } from "./fresh_links.js";

const room = document.querySelector("[data-room]");

function setUpPlayers(root) {
  for (const video of root.querySelectorAll("video[data-player]:not([data-is-set-up])")) {
    video.dataset.isSetUp = "1";
    const fault = video.parentElement.querySelector("[data-player-fault]");
    keepFresh(video, { onFault: (isShown) => (fault.hidden = !isShown) });
  }
}

if (room) {
  history.scrollRestoration = "manual";
  setUpPlayers(room);
  if (!location.hash && !location.search) {
    (document.getElementById("unread") ?? room.lastElementChild)?.scrollIntoView({ block: "end" });
  }

  // What is read stays where it is on the screen, in browsers that do not anchor it by themselves, too.
  let anchor = null;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const below = event.detail.target.nextElementSibling;
    anchor = below && { element: below, top: below.getBoundingClientRect().top };
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    if (anchor?.element.isConnected) {
      scrollBy({ top: anchor.element.getBoundingClientRect().top - anchor.top, behavior: "instant" });
      anchor = null;
    }
    setUpPlayers(room);
  });
}
