// The product's API from a page: JSON or a form in, JSON out, its problems as errors with words for the learner.

export class Problem extends Error {
  constructor({ status, code, detail, errors }) {
    super(code);
    Object.assign(this, { status, code, detail, errors: errors ?? [] });
  }
}

export class NoNetwork extends Error {}

const SORRY = "うまくいきませんでした。少し時間をおいて、もう一度お試しください。";

// From the cookie, not from the page: logging in again in another tab changes it.
function readCsrfToken() {
  return /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}

export async function callApi(method, path, { json, form } = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": readCsrfToken() };
  if (json !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: json === undefined ? form : JSON.stringify(json) });
  } catch (error) {
    throw new NoNetwork(String(error));
  }
  const isJson = (answer.headers.get("Content-Type") ?? "").includes("json");
  if (answer.ok) {
    return isJson ? answer.json() : null;
  }
  const said = isJson ? await answer.json() : {};
  throw new Problem({ status: answer.status, code: said.code ?? "error", detail: said.detail ?? SORRY, errors: said.errors });
}

const LONGEST_WAIT_MS = 20_000;

// Do it until it is done or refused: a network that is away and a server that stumbles are waited for, and so is a
// learner whose login has ended. `onTrouble` gets "network", "login" or null when it is over.
export async function insist(action, onTrouble) {
  for (let failures = 1; ; failures += 1) {
    try {
      const result = await action();
      onTrouble(null);
      return result;
    } catch (error) {
      const isLogin = error instanceof Problem && error.status === 401;
      const isPassing = error instanceof NoNetwork || (error instanceof Problem && (error.status >= 500 || error.status === 429));
      if (!isLogin && !isPassing) {
        onTrouble(null);
        throw error;
      }
      onTrouble(isLogin ? "login" : "network");
      await waitABit(isLogin ? 4000 : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (failures - 1)));
    }
  }
}

// Or until the network is back, or the learner comes back to this page.
function waitABit(milliseconds) {
  return new Promise((resolve) => {
    const woken = new AbortController();
    const wake = () => {
      woken.abort();
      resolve();
    };
    setTimeout(wake, milliseconds);
    window.addEventListener("online", wake, { signal: woken.signal });
    window.addEventListener("focus", wake, { signal: woken.signal });
  });
}
