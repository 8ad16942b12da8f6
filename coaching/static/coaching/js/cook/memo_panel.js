// The memo's part of the page: recorded here or chosen as a file, kept in the browser until the server has it.

import { callApi, insist } from "./api.js";
import { canRecord, MemoRecorder } from "./memo_recorder.js";
import { formatClock } from "./upload_protocol.js";
import { findMemoFault } from "./video_check.js";
import { keepAwake, letSleep } from "./wake_lock.js";

const SUFFIXES = { "audio/webm": "webm", "audio/mp4": "m4a" };
const KEEP_EVERY_PIECES = 3;
const WHY_NOT = {
  NotAllowedError: "マイクの使用が許可されていません。ブラウザの設定で許可するか、音声ファイルを選んでください。",
  NotFoundError: "マイクが見つかりません。音声ファイルを選ぶこともできます。",
  NotReadableError: "マイクを使えませんでした。ほかのアプリで使っていないか、ご確認ください。",
};

export class MemoPanel {
  #recorder = null;
  #pieces = 0;
  #playbackUrl = null;

  constructor({ form, keeper, limits, onChange, announce, onTrouble }) {
    Object.assign(this, { form, keeper, limits, onChange, announce, onTrouble });
    this.part = (name) => form.querySelector(`[data-${name}]`);
    this.part("recorder").hidden = !canRecord();
    this.part("record").addEventListener("click", () => this.#record());
    this.part("stop").addEventListener("click", () => this.#recorder?.stop());
    this.part("memo-remove").addEventListener("click", () => this.#remove());
    this.part("memo-input").addEventListener("change", (event) => this.#choose(event.target.files[0]));
  }

  get isRecording() {
    return Boolean(this.#recorder?.isRecording);
  }

  restore() {
    const { memo } = this.keeper.record;
    const early = this.part("memo-input").files[0]; // chosen before this script came
    if (early) {
      this.#choose(early);
    } else if (memo) {
      this.#play(memo);
    } else if (this.form.dataset.hasMemo) {
      this.#sayClock("前回の音声メモが届いています。録音し直すと、置きかわります。");
    }
  }

  // Send what there is to the session, and remember that it is there.
  async send(sessionId) {
    const { memo } = this.keeper.record;
    if (!memo || memo.sentTo === sessionId) {
      return;
    }
    const form = new FormData();
    form.append("memo", memo.blob, memo.name);
    await insist(() => callApi("POST", `/api/sessions/${sessionId}/voice-memo/`, { form }), this.onTrouble);
    await this.keeper.change({ memo: { ...memo, sentTo: sessionId } });
  }

  showFault(text) {
    const fault = this.part("memo-fault");
    fault.textContent = text;
    fault.hidden = !text;
  }

  async #record() {
    if (this.#recorder) {
      return;
    }
    this.showFault("");
    this.#pieces = 0;
    this.#recorder = new MemoRecorder({
      maxSeconds: this.limits.memoMaxSeconds,
      onTick: (seconds, level) => {
        this.part("level").value = level;
        this.part("clock").textContent = `${formatClock(seconds)} / ${formatClock(this.limits.memoMaxSeconds)}`;
      },
      onPiece: (blob, seconds) => {
        this.#pieces += 1;
        if (this.#pieces % KEEP_EVERY_PIECES === 0) {
          this.#keep(blob, seconds);
        }
      },
      onEnd: (blob, seconds) => this.#finish(blob, seconds),
    });
    try {
      await this.#recorder.start();
    } catch (error) {
      this.#recorder = null;
      this.showFault(WHY_NOT[error.name] ?? "録音をはじめられませんでした。音声ファイルを選ぶこともできます。");
      return;
    }
    this.#stopPlaying();
    this.#showRecording(true);
    this.part("stop").focus();
    keepAwake("recording");
    this.announce("録音しています。");
  }

  #keep(blob, seconds) {
    const name = `memo.${SUFFIXES[blob.type] ?? "webm"}`;
    const memo = { blob, seconds, name };
    this.keeper.change({ memo });
    return memo;
  }

  #finish(blob, seconds) {
    this.#recorder = null;
    letSleep("recording");
    this.#showRecording(false);
    if (blob.size === 0) {
      this.showFault("何も録音されませんでした。もう一度お試しください。");
      return;
    }
    this.part("memo-input").value = "";
    this.#play(this.#keep(blob, seconds));
    this.announce("録音しました。聞き直すことも、録音し直すこともできます。");
    this.part("record").focus();
    this.onChange();
  }

  #choose(file) {
    if (!file) {
      return;
    }
    const fault = findMemoFault(file, this.limits);
    this.showFault(fault ?? "");
    if (fault) {
      this.part("memo-input").value = "";
      return;
    }
    const memo = { blob: file, seconds: null, name: file.name };
    this.keeper.change({ memo });
    this.#play(memo);
    this.onChange();
  }

  #remove() {
    this.keeper.change({ memo: null });
    this.part("memo-input").value = "";
    this.#stopPlaying();
    this.#sayClock("");
    this.showFault("");
    this.part("record").focus();
    this.announce("音声メモを消しました。");
    this.onChange();
  }

  #play(memo) {
    this.#stopPlaying();
    this.#playbackUrl = URL.createObjectURL(memo.blob);
    this.part("playback").src = this.#playbackUrl;
    this.part("playback").hidden = false;
    this.part("memo-remove").hidden = false;
    this.part("record-label").textContent = "録音し直す";
    this.#sayClock(memo.seconds ? `${formatClock(memo.seconds)} の音声メモ` : `「${memo.name}」`);
  }

  #stopPlaying() {
    this.part("playback").hidden = true;
    this.part("playback").removeAttribute("src");
    this.part("memo-remove").hidden = true;
    this.part("record-label").textContent = "録音する";
    if (this.#playbackUrl) {
      URL.revokeObjectURL(this.#playbackUrl);
      this.#playbackUrl = null;
    }
  }

  #sayClock(text) {
    this.part("clock").textContent = text;
  }

  #showRecording(isOn) {
    this.form.dataset.recording = isOn ? "on" : "";
    this.part("record").hidden = isOn;
    this.part("stop").hidden = !isOn;
    this.part("level").hidden = !isOn;
  }
}
