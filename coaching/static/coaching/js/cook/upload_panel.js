// The video's part of the page: choosing, checking, sending at once, going on after whatever came between.

import { callApi, insist, Problem } from "./api.js";
import { describeFile, isSameFile } from "./keeper.js";
import { ResumableUpload, UnreadableFile } from "./resumable_upload.js";
import { formatBytes, formatTimeLeft, SpeedGauge } from "./upload_protocol.js";
import { findFault, measureSeconds } from "./video_check.js";
import { keepAwake, letSleep } from "./wake_lock.js";

const REOPENINGS = 3;
const TEXT_EVERY_MS = 400;

export class UploadPanel {
  #upload = null;
  #gauge = new SpeedGauge();
  #texted = 0;
  #turn = 0; // raised with every choice: what an earlier one still does no longer counts

  // onChange() after every change of `state`; announce(text) for whoever listens to the page; onTrouble as in api.js.
  constructor({ form, keeper, limits, onChange, announce, onTrouble, onSubmittedElsewhere }) {
    Object.assign(this, { form, keeper, limits, onChange, announce, onTrouble, onSubmittedElsewhere });
    this.state = "empty"; // empty, checking, sending, waiting, paused, done, wanted (the same file again), elsewhere
    this.part = (name) => form.querySelector(`[data-${name}]`);
    for (const input of [this.part("video-input"), this.part("camera-input")]) {
      input.addEventListener("change", () => input.files[0] && this.choose(input.files[0]));
      input.addEventListener("click", () => {
        input.value = ""; // choosing the same file again is a choice too
      });
    }
    this.part("camera-input").addEventListener("click", () => keepAwake("filming"));
    window.addEventListener("focus", () => letSleep("filming"));
    this.part("pause").addEventListener("click", () => this.#togglePause());
    this.part("take-over").addEventListener("click", () => this.#takeOver());
  }

  get sessionId() {
    return this.keeper.record.sessionId ?? null;
  }

  get isBusy() {
    return ["checking", "sending", "waiting", "paused"].includes(this.state);
  }

  // What an earlier visit left: on the server a draft, here perhaps the video itself.
  async restore() {
    const draftId = Number(this.form.dataset.session) || null;
    if (this.sessionId !== draftId) {
      await this.keeper.change({ sessionId: draftId, video: null, file: undefined });
    }
    if (!draftId) {
      return;
    }
    if (this.form.dataset.wholeVideo) {
      this.#show("done", "動画は届いています。");
      return;
    }
    const { upload } = await insist(() => callApi("GET", `/api/sessions/${draftId}/`), this.onTrouble);
    const { file, video } = this.keeper.record;
    if (upload && file) {
      this.announce("前回の続きから、アップロードを再開します。");
      this.#send(file, upload);
    } else if (upload) {
      const name = video ? `「${video.name}」` : "";
      this.#show("wanted", `${name}のアップロードが途中です。同じ動画をもう一度選ぶと、続きから送ります。`);
    }
  }

  async choose(file) {
    const turn = ++this.#turn;
    this.#say("video-fault", "");
    this.#upload?.stop();
    this.#show("checking", "動画を確かめています…");
    const seconds = await measureSeconds(file);
    if (turn !== this.#turn) {
      return;
    }
    const fault = findFault({ type: file.type, size: file.size, seconds }, this.limits);
    if (fault) {
      this.#refuse(fault);
      return;
    }
    try {
      const upload = (await this.#findUploadOf(file)) ?? (await this.#open(file));
      if (turn === this.#turn) {
        this.#send(file, upload);
      }
    } catch (error) {
      this.#refuse(error instanceof Problem ? error.detail : String(error));
    }
  }

  #refuse(fault) {
    this.#say("video-fault", fault);
    this.#show("empty", "");
    this.part("video-input").focus();
  }

  // The open upload that this very file belongs to, if there is one.
  async #findUploadOf(file) {
    if (!this.sessionId) {
      return null;
    }
    const { upload } = await insist(() => callApi("GET", `/api/sessions/${this.sessionId}/`), this.onTrouble);
    const { video } = this.keeper.record;
    const isSame = upload && upload.size_bytes === file.size && (!video || isSameFile(file, video));
    return isSame ? upload : null;
  }

  // A new upload: in the draft that there is, else in a new session. A draft whose making was never answered counts.
  async #open(file) {
    const video = { size_bytes: file.size, content_type: file.type };
    const upload = await insist(async () => {
      const sessionId = this.sessionId ?? (await this.#findDraft());
      if (sessionId) {
        await this.keeper.change({ sessionId });
        return callApi("POST", `/api/sessions/${sessionId}/uploads/`, { json: video });
      }
      const session = await callApi("POST", "/api/sessions/", { json: { dish: this.form.dataset.dish, video } });
      await this.keeper.change({ sessionId: session.id });
      return session.upload;
    }, this.onTrouble);
    await this.keeper.change({ video: describeFile(file), file: undefined });
    this.keeper.keepVideo(file);
    return upload;
  }

  async #findDraft() {
    const { results } = await callApi("GET", "/api/sessions/");
    return results.find((session) => session.status === "draft" && session.dish.slug === this.form.dataset.dish)?.id;
  }

  async #send(file, upload, reopenings = 0) {
    const turn = this.#turn;
    this.#gauge.forget();
    this.#upload = new ResumableUpload({
      file,
      url: upload.url,
      chunkBytes: upload.chunk_bytes,
      onChange: (change) => turn === this.#turn && this.#follow(file, change),
    });
    this.part("video-name").textContent = file.name;
    let outcome;
    try {
      outcome = await this.#upload.run();
    } catch (error) {
      if (!(error instanceof UnreadableFile)) {
        throw error;
      }
      this.#show("wanted", "動画ファイルを読み取れなくなりました。同じ動画をもう一度選ぶと、続きから送ります。");
      return;
    }
    if (turn !== this.#turn || outcome === "stopped" || outcome === "done") {
      return;
    }
    if (outcome === "gone" && reopenings < REOPENINGS) {
      await this.#goOnAfterTheEnd(file, upload, reopenings + 1);
    } else {
      this.#refuse("動画を受け取れませんでした。もう一度、動画を選び直してください。");
    }
  }

  // The upload URL is dead: submitted in another tab, replaced by another screen, or simply too old.
  async #goOnAfterTheEnd(file, upload, reopenings) {
    try {
      const session = await insist(() => callApi("GET", `/api/sessions/${this.sessionId}/`), this.onTrouble);
      if (session.status !== "draft") {
        this.onSubmittedElsewhere(session.id);
      } else if (session.upload && session.upload.url !== upload.url) {
        this.#show("elsewhere", "別の画面で、このセッションのアップロードがはじまっています。");
      } else {
        this.#send(file, await this.#open(file), reopenings);
      }
    } catch (error) {
      this.#refuse(error instanceof Problem ? error.detail : String(error));
    }
  }

  async #takeOver() {
    const { file } = this.keeper.record;
    if (!file) {
      this.#show("wanted", "動画をもう一度選ぶと、この画面から送ります。");
      return;
    }
    this.#turn += 1;
    try {
      this.#send(file, await this.#open(file));
    } catch (error) {
      this.#refuse(error instanceof Problem ? error.detail : String(error));
    }
  }

  #togglePause() {
    if (this.#upload?.phase === "paused" || this.state === "paused") {
      this.#upload.resume();
    } else {
      this.#upload?.pause();
    }
  }

  #follow(file, { phase, sentBytes }) {
    const now = performance.now();
    if (phase === "sending") {
      this.#gauge.add(now, sentBytes);
      if (this.state === "sending" && now - this.#texted < TEXT_EVERY_MS) {
        return;
      }
      this.#texted = now;
    } else {
      this.#gauge.forget();
    }
    const share = `${formatBytes(sentBytes)} / ${formatBytes(file.size)}`;
    const bar = this.part("upload-bar");
    const before = bar.value;
    bar.value = file.size ? sentBytes / file.size : 0;
    bar.textContent = `${Math.floor(bar.value * 100)}%`;
    if (phase === "sending") {
      const speed = this.#gauge.bytesPerSecond;
      const rate = speed ? `・毎秒${formatBytes(speed)}・${formatTimeLeft((file.size - sentBytes) / speed)}` : "";
      this.#show("sending", `${share}${rate}`);
      const quarter = Math.floor(bar.value * 4);
      if (quarter > Math.floor(before * 4) && quarter < 4) {
        this.announce(`動画の${quarter * 25}%を送りました。`);
      }
    } else if (phase === "waiting") {
      this.#show("waiting", `${share}・通信を待っています。つながりしだい、続きから送ります。`);
    } else if (phase === "paused") {
      this.#show("paused", `${share}・一時停止しています。`);
    } else {
      this.#show("done", `${formatBytes(file.size)}・動画は届きました。`);
    }
  }

  #say(part, text) {
    this.part(part).textContent = text;
    this.part(part).hidden = !text;
  }

  #show(state, text) {
    const isNew = state !== this.state;
    this.state = state;
    this.form.dataset.upload = state;
    this.part("upload").hidden = state === "empty";
    this.#say("upload-text", text);
    const canPause = ["sending", "waiting", "paused"].includes(state);
    this.part("upload-bar").hidden = !canPause && state !== "done";
    if (state === "done") {
      this.part("upload-bar").value = 1;
    }
    this.part("pause").hidden = !canPause;
    this.part("pause").textContent = state === "paused" ? "再開する" : "一時停止";
    this.part("take-over").hidden = state !== "elsewhere";
    if (isNew) {
      (canPause ? keepAwake : letSleep)("uploading");
      if (["waiting", "paused", "done", "wanted", "elsewhere"].includes(state)) {
        this.announce(text);
      }
      this.onChange();
    }
  }
}
