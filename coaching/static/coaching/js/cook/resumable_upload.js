// Sends a file to an upload URL in chunks and goes on wherever the server says it is, however often it is cut off.
// The URL is a capability: no cookie goes with it, to our own server or to Cloud Storage.

import { choosePauseSeconds, describeChunk, describeQuery, judgeAnswer } from "./upload_protocol.js";

const STALL_MS = 45_000; // a connection that carries nothing for so long is dead, whatever the phone believes
const ROUNDS_WITHOUT_PROGRESS = 4;

// One PUT. Resolves to {status, range}; status 0 when no answer came.
function put(url, { contentRange, body, contentType, onProgress, signal }) {
  if (signal.aborted) {
    return Promise.resolve({ status: 0, range: null });
  }
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let stall = 0;
    const watch = () => {
      clearTimeout(stall);
      stall = setTimeout(() => request.abort(), STALL_MS);
    };
    const end = () => {
      clearTimeout(stall);
      signal.removeEventListener("abort", abort);
      resolve({ status: request.status, range: request.status ? request.getResponseHeader("Range") : null });
    };
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    request.open("PUT", url);
    request.setRequestHeader("Content-Range", contentRange);
    if (body) {
      request.setRequestHeader("Content-Type", contentType || "application/octet-stream");
    }
    request.upload.addEventListener("progress", (event) => {
      watch();
      onProgress?.(event.loaded);
    });
    request.addEventListener("loadend", end);
    watch();
    request.send(body ?? null);
  });
}

export class UnreadableFile extends Error {}

export class ResumableUpload {
  #abort = new AbortController();
  #paused = null; // a promise while paused
  #unpause = null;
  #failures = 0;

  // `onChange` gets {phase, sentBytes}; phase: sending, waiting (the network is away), paused, done.
  constructor({ file, url, chunkBytes, onChange }) {
    Object.assign(this, { file, url, chunkBytes, onChange });
    this.sentBytes = 0;
    this.phase = "sending";
  }

  // Resolves to "done", "gone", "refused" or "stopped"; throws UnreadableFile when the file was moved or changed.
  async run() {
    let idleRounds = 0;
    let received = -1;
    let verdict = await this.#ask();
    for (;;) {
      if (this.#paused) {
        this.#tell("paused");
        await this.#paused;
        verdict = await this.#ask();
        continue;
      }
      if (this.#abort.signal.aborted) {
        return "stopped";
      }
      if (verdict.kind === "done") {
        this.sentBytes = this.file.size;
        this.#tell("done");
      }
      if (!["more", "ask", "again"].includes(verdict.kind)) {
        return verdict.kind;
      }
      if (verdict.kind === "more") {
        idleRounds = verdict.receivedBytes > received ? 0 : idleRounds + 1;
        received = verdict.receivedBytes;
        this.sentBytes = received;
      } else {
        idleRounds += 1;
      }
      if (verdict.kind === "again" || idleRounds > ROUNDS_WITHOUT_PROGRESS) {
        idleRounds = 0;
        await this.#waitForNetwork();
        verdict = await this.#ask();
      } else {
        verdict = verdict.kind === "more" ? await this.#sendFrom(received) : await this.#ask();
      }
    }
  }

  pause() {
    if (!this.#paused) {
      this.#paused = new Promise((resolve) => {
        this.#unpause = resolve;
      });
      this.#abort.abort();
    }
  }

  resume() {
    this.#abort = new AbortController();
    this.#paused = null;
    this.#unpause?.();
    this.#tell("sending");
  }

  stop() {
    this.#paused = null;
    this.#abort.abort();
    this.#unpause?.();
  }

  #tell(phase) {
    this.phase = phase;
    this.onChange({ phase, sentBytes: this.sentBytes });
  }

  async #ask() {
    const answer = await put(this.url, { contentRange: describeQuery(this.file.size), signal: this.#abort.signal });
    return this.#judge(answer);
  }

  async #sendFrom(firstByte) {
    const chunk = this.file.slice(firstByte, Math.min(firstByte + this.chunkBytes, this.file.size));
    let body;
    try {
      body = await chunk.arrayBuffer(); // read here, so that a file that is gone is told from a network that is
    } catch (error) {
      throw new UnreadableFile(String(error));
    }
    this.#tell("sending");
    const answer = await put(this.url, {
      contentRange: describeChunk(firstByte, body.byteLength, this.file.size),
      body,
      contentType: this.file.type,
      signal: this.#abort.signal,
      onProgress: (loaded) => {
        this.sentBytes = firstByte + Math.min(loaded, body.byteLength);
        this.#tell("sending");
      },
    });
    return this.#judge(answer);
  }

  #judge(answer) {
    const verdict = judgeAnswer({ ...answer, totalBytes: this.file.size });
    this.#failures = verdict.kind === "again" ? this.#failures + 1 : 0;
    return verdict;
  }

  // Until the pause is over; a network that comes back or a learner who looks at the page again end it early.
  async #waitForNetwork() {
    if (this.#abort.signal.aborted) {
      return;
    }
    this.#tell("waiting");
    const woken = new AbortController();
    await new Promise((resolve) => {
      const wake = () => resolve();
      const wakeWhenSeen = () => document.visibilityState === "visible" && resolve();
      setTimeout(wake, choosePauseSeconds(this.#failures) * 1000);
      window.addEventListener("online", wake, { signal: woken.signal });
      document.addEventListener("visibilitychange", wakeWhenSeen, { signal: woken.signal });
      this.#abort.signal.addEventListener("abort", wake, { signal: woken.signal });
    });
    woken.abort();
  }
}
