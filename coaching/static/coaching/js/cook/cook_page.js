// /sessions/new/{dish}/: the video goes up while the memo is recorded and the plate is rated; then one submit.
// Without JavaScript the same form goes as one multipart request.

import { callApi, insist, Problem } from "./api.js";
import { CookKeeper } from "./keeper.js";
import { MemoPanel } from "./memo_panel.js";
import { UploadPanel } from "./upload_panel.js";

const form = document.querySelector("form[data-cook]");
const part = (name) => form.querySelector(`[data-${name}]`);
const key = `${form.dataset.user}/${form.dataset.dish}`;

function readLimits({ dataset }) {
  return {
    videoTypes: dataset.videoTypes.split(","),
    memoTypes: dataset.memoTypes.split(","),
    videoMaxBytes: Number(dataset.videoMaxBytes),
    videoMinSeconds: Number(dataset.videoMinSeconds),
    videoMaxSeconds: Number(dataset.videoMaxSeconds),
    memoMaxBytes: Number(dataset.memoMaxBytes),
    memoMaxSeconds: Number(dataset.memoMaxSeconds),
  };
}

function announce(text) {
  part("status").textContent = text;
}

function showTrouble(trouble) {
  part("login").hidden = trouble !== "login";
  part("offline").hidden = trouble !== "network";
}

// --- ratings ---------------------------------------------------------------------------------------------------------

function restoreRatings(ratings) {
  for (const [name, value] of Object.entries(ratings ?? {})) {
    const radio = form.querySelector(`input[type="radio"][name="${CSS.escape(name)}"][value="${CSS.escape(String(value))}"]`);
    if (radio) {
      radio.checked = true;
    }
  }
}

function readRatings() {
  const chosen = [...form.querySelectorAll('input[type="radio"]:checked')].filter((radio) => radio.value);
  return Object.fromEntries(chosen.map((radio) => [radio.name, Number(radio.value)]));
}

// --- the one submit --------------------------------------------------------------------------------------------------

class Submission {
  isWanted = false;
  #isRunning = false;

  constructor({ keeper, upload, memo }) {
    Object.assign(this, { keeper, upload, memo });
  }

  // Wanted once, it happens when the video is there.
  want() {
    if (this.memo.isRecording) {
      announce("録音を止めてから、送ってください。");
      part("stop").focus();
      return;
    }
    if (["empty", "wanted", "elsewhere"].includes(this.upload.state)) {
      announce("先に、動画を選んでください。");
      part("video-input").focus();
      return;
    }
    this.isWanted = true;
    this.goOn();
  }

  goOn() {
    if (!this.isWanted && this.upload.state === "done") {
      announce("動画は届きました。よければ「コーチに送る」を押してください。");
    }
    if (this.isWanted && ["empty", "wanted", "elsewhere"].includes(this.upload.state)) {
      this.isWanted = false;
    }
    if (this.isWanted && this.upload.state === "done" && !this.#isRunning) {
      this.#run();
    } else if (this.isWanted && this.upload.isBusy) {
      announce("動画のアップロードが終わりしだい、自動で送ります。この画面を開いたままお待ちください。");
    }
    this.#showButton();
  }

  async #run() {
    this.#isRunning = true;
    this.#showButton();
    announce("送っています…");
    const sessionId = this.upload.sessionId;
    try {
      await insist(() => callApi("PATCH", `/api/sessions/${sessionId}/ratings/`, { json: readRatings() }), showTrouble);
      await this.memo.send(sessionId);
      await insist(() => callApi("POST", `/api/sessions/${sessionId}/submit/`), showTrouble);
      await leaveFor(this.keeper, sessionId);
    } catch (error) {
      await this.#explain(error, sessionId);
    }
  }

  async #explain(error, sessionId) {
    if (!(error instanceof Problem)) {
      throw error;
    }
    if (error.status === 409) {
      // Perhaps another tab sent it, or the answer to our own submit was lost.
      const session = await insist(() => callApi("GET", `/api/sessions/${sessionId}/`), showTrouble);
      if (!["draft", "cancelled"].includes(session.status)) {
        await leaveFor(this.keeper, sessionId);
        return;
      }
    }
    this.isWanted = false;
    this.#isRunning = false;
    this.#showButton();
    const isMemo = error.code === "unusable_media" || error.errors.some((fault) => fault.field === "memo");
    if (isMemo) {
      this.memo.showFault(error.detail);
    }
    announce(error.detail);
  }

  #showButton() {
    const button = part("submit");
    button.setAttribute("aria-busy", String(this.isWanted));
    part("submit-label").textContent = !this.isWanted ? "コーチに送る" : this.#isRunning ? "送っています…" : "届きしだい送ります…";
  }
}

let isLeaving = false;

async function leaveFor(keeper, sessionId) {
  isLeaving = true;
  await keeper.forget();
  location.replace(form.dataset.sessionUrl.replace("/0/", `/${sessionId}/`)); // "back" leads to the dish, not to this form
}

// --- beginning -------------------------------------------------------------------------------------------------------

async function begin() {
  const keeper = await CookKeeper.open(key);
  part("unlasting").hidden = keeper.isLasting;
  const limits = readLimits(form);
  let submission = null;
  const shared = { form, keeper, limits, announce, onTrouble: showTrouble, onChange: () => submission?.goOn() };
  const upload = new UploadPanel({ ...shared, onSubmittedElsewhere: (sessionId) => leaveFor(keeper, sessionId) });
  const memo = new MemoPanel(shared);
  submission = new Submission({ keeper, upload, memo });
  restoreRatings(keeper.record.ratings);
  memo.restore();
  form.addEventListener("change", (event) => event.target.type === "radio" && keeper.change({ ratings: readRatings() }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submission.want();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isLeaving && (upload.isBusy || memo.isRecording)) {
      event.preventDefault();
      event.returnValue = true;
    }
  });
  form.dataset.ready = "1";
  const early = part("video-input").files[0]; // chosen before this script came
  await upload.restore();
  if (early && upload.state === "empty") {
    upload.choose(early);
  }
}

// Kept by the browser and shown again after "back": what it shows may long be sent.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

form.classList.add("has-script");
form.noValidate = true;

// One tab at a time works on a cook; a second one waits, and takes up what the first one leaves.
function takeLock(name) {
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {});
    });
  });
}

if (!navigator.locks || (await takeLock(`cook/${key}`))) {
  await begin();
} else {
  part("other-tab").hidden = false;
  form.dataset.ready = "waiting";
  navigator.locks.request(`cook/${key}`, () => location.reload());
}
