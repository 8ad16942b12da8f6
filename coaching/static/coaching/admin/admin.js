// The admin's own behaviour. Everything works without it: it only saves clicks and reloads.

// A choice that changes the plan shows the new plan at once.
for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// While a run is in progress, the part of the page that changes is fetched anew; players elsewhere play on.
const live = document.getElementById("mc-live");

async function refresh() {
  if (document.hidden) return schedule();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return; // logged out, or gone: the page stays as it was
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("mc-live");
    if (!fresh) return;
    const open = new Set([...live.querySelectorAll("details:not([open]) > summary")].map((s) => s.textContent));
    live.replaceChildren(...fresh.childNodes);
    for (const summary of live.querySelectorAll("summary")) {
      if (open.has(summary.textContent)) summary.parentElement.open = false;
    }
    if (!fresh.dataset.liveSeconds) return location.reload(); // over: films, buttons and costs have changed too
  } catch (error) {
    console.warn("the run could not be looked up, trying again", error);
  }
  schedule();
}

function schedule() {
  setTimeout(refresh, Number(live.dataset.liveSeconds) * 1000);
}

if (live?.dataset.liveSeconds) schedule();
