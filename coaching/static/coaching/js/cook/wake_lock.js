// Keeps the screen on while something must not be interrupted: uploading, recording. Browsers let go of the lock when
// the page is hidden, so it is asked for again.

const reasons = new Set();
let lock = null;

async function refresh() {
  const isWanted = reasons.size > 0 && document.visibilityState === "visible";
  if (isWanted && lock === null && "wakeLock" in navigator) {
    try {
      lock = await navigator.wakeLock.request("screen");
      lock.addEventListener("release", () => {
        lock = null;
      });
    } catch (error) {
      console.info("the screen may go dark", error.name); // low battery, or not allowed: nothing depends on it
    }
  }
  if (reasons.size === 0) {
    lock?.release();
  }
}

document.addEventListener("visibilitychange", refresh);

export function keepAwake(reason) {
  reasons.add(reason);
  refresh();
}

export function letSleep(reason) {
  reasons.delete(reason);
  refresh();
}
