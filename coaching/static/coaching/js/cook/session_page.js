// /sessions/{id}/: sets up what the page shows now, and again when the poll brings the finished film.

import { playFrom, setUpFilm } from "./film_player.js";
import { setUpMoments } from "./moments.js";

const status = document.querySelector("[data-stage-status]");
let told = null;

function setUp(root) {
  const room = root.querySelector("[data-film-room]");
  if (room) {
    setUpFilm(room);
    setUpMoments(root);
    const asked = /^#t=(\d{1,5}(?:\.\d{1,3})?)$/.exec(location.hash); // a link to a second of the footage
    const raw = root.querySelector("[data-raw]");
    if (asked && raw) {
      raw.scrollIntoView({ block: "center" });
      playFrom(raw, Number(asked[1]));
    }
  }
  tell(root);
}

// What is read out: a stage when it begins, and the end; not every percent.
function tell(root) {
  const news = { completed: "コーチング動画ができました。", failed: "コーチング動画をつくれませんでした。" }[root.dataset.status] ?? root.dataset.doing ?? "";
  if (told !== null && news !== told) {
    status.textContent = news;
  }
  told = news;
}

setUp(document.getElementById("session"));

document.body.addEventListener("htmx:afterSwap", () => {
  const root = document.getElementById("session");
  if (root.dataset.isSetUp) {
    return;
  }
  root.dataset.isSetUp = "1";
  setUp(root);
});

// Nobody looks: nobody asks.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.id === "session") {
    event.preventDefault();
  }
});

// A principle that a text names opens when it is asked for.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#principle-"]');
  if (link) {
    document.getElementById(link.hash.slice(1))?.setAttribute("open", "");
  }
});
