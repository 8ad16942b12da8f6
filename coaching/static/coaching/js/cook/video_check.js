// A first look at a video before a byte is sent. The server decides; this saves a wasted upload.

import { formatBytes } from "./upload_protocol.js";

const METADATA_TIMEOUT_MS = 8000;

// Seconds, or null where this browser cannot tell (a codec that it does not know, a recording without a length).
export function measureSeconds(file) {
  return new Promise((resolve) => {
    const url = URL.createObjectURL(file);
    const video = document.createElement("video");
    const end = (seconds) => {
      clearTimeout(timeout);
      video.removeAttribute("src");
      URL.revokeObjectURL(url);
      resolve(seconds);
    };
    const timeout = setTimeout(() => end(null), METADATA_TIMEOUT_MS);
    video.preload = "metadata";
    video.onloadedmetadata = () => end(Number.isFinite(video.duration) ? video.duration : null);
    video.onerror = () => end(null);
    video.src = url;
  });
}

// What is wrong with the video in words for the learner, or null. Limits as the page's form states them.
export function findFault({ type, size, seconds }, limits) {
  const plainType = type.split(";")[0].trim().toLowerCase();
  if (size === 0) {
    return "この動画ファイルは空でした。撮った動画を選び直してください。";
  }
  if (plainType && plainType !== "application/octet-stream" && !limits.videoTypes.includes(plainType)) {
    return "このファイルは動画として受け取れません。スマホで撮った動画を選んでください。";
  }
  if (size > limits.videoMaxBytes) {
    return `動画が大きすぎます（${formatBytes(limits.videoMaxBytes)}まで）。画質を少し下げて撮り直してみてください。`;
  }
  if (seconds !== null && seconds < limits.videoMinSeconds) {
    return "動画が短すぎるようです。料理の様子がわかる長さの動画を選んでください。";
  }
  if (seconds !== null && seconds > limits.videoMaxSeconds) {
    return `動画が長すぎます（${Math.floor(limits.videoMaxSeconds / 60)}分まで）。火を使う場面を中心に、短めの動画を選んでください。`;
  }
  return null;
}

export function findMemoFault({ type, size }, limits) {
  const plainType = type.split(";")[0].trim().toLowerCase();
  if (size === 0) {
    return "音声ファイルが空でした。選び直すか、もう一度録音してください。";
  }
  if (size > limits.memoMaxBytes) {
    return `音声ファイルが大きすぎます（${formatBytes(limits.memoMaxBytes)}まで）。短めに録音してみてください。`;
  }
  if (plainType && plainType !== "application/octet-stream" && !limits.memoTypes.includes(plainType)) {
    return "この音声ファイルは受け取れません。録音するか、別の音声ファイルを選んでください。";
  }
  return null;
}
