// The resumable protocol of Cloud Storage, as arithmetic: what to say, what an answer means, how long to wait.
// Nothing here touches the network or the page.

export const MAX_PAUSE_SECONDS = 30;

export function describeChunk(firstByte, chunkBytes, totalBytes) {
  return `bytes ${firstByte}-${firstByte + chunkBytes - 1}/${totalBytes}`;
}

export function describeQuery(totalBytes) {
  return `bytes */${totalBytes}`;
}

// How many bytes the server has: `Range: bytes=0-524287` means 524288, no header means none.
export function readReceivedBytes(rangeHeader) {
  const found = /^bytes=0-(\d{1,15})$/.exec((rangeHeader ?? "").trim());
  return found ? Number(found[1]) + 1 : 0;
}

// What to do after an answer (status 0: none came):
//   more     go on from `receivedBytes`           again    wait a little, then ask where the server is
//   done     all has arrived                       gone     this upload is over: open another one
//   ask      ask where the server is, at once      refused  the server wants none of it
export function judgeAnswer({ status, range, totalBytes }) {
  if (status === 308) {
    return { kind: "more", receivedBytes: Math.min(readReceivedBytes(range), totalBytes) };
  }
  if (status === 200 || status === 201) {
    return { kind: "done", receivedBytes: totalBytes };
  }
  if (status === 404 || status === 410 || status === 499) {
    return { kind: "gone" };
  }
  if (status === 409 || status === 412 || status === 416) {
    return { kind: "ask" };
  }
  if (status === 0 || status === 408 || status === 429 || status >= 500) {
    return { kind: "again" };
  }
  return { kind: "refused" };
}

// Doubling from one second, with jitter so that many phones do not come back at once.
export function choosePauseSeconds(failures, random = Math.random) {
  const longest = Math.min(MAX_PAUSE_SECONDS, 2 ** Math.max(0, failures - 1));
  return longest * (0.5 + random() / 2);
}

// The speed over the last seconds. Times are milliseconds of one clock.
export class SpeedGauge {
  #samples = [];

  constructor(windowMs = 12_000) {
    this.windowMs = windowMs;
  }

  add(nowMs, sentBytes) {
    this.#samples.push([nowMs, sentBytes]);
    while (this.#samples.length > 2 && nowMs - this.#samples[0][0] > this.windowMs) {
      this.#samples.shift();
    }
  }

  forget() {
    this.#samples = [];
  }

  get bytesPerSecond() {
    if (this.#samples.length < 2) {
      return null;
    }
    const [firstMs, firstBytes] = this.#samples[0];
    const [lastMs, lastBytes] = this.#samples.at(-1);
    return lastMs - firstMs < 500 || lastBytes < firstBytes ? null : (lastBytes - firstBytes) / ((lastMs - firstMs) / 1000);
  }
}

export function formatBytes(bytes) {
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "KB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

export function formatTimeLeft(seconds) {
  if (seconds < 60) {
    return "あと1分以内";
  }
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `あと約${minutes}分` : `あと約${Math.floor(minutes / 60)}時間${minutes % 60 ? `${minutes % 60}分` : ""}`;
}

export function formatClock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
