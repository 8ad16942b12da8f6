// What every page does: tells in words when a request did not get through, keeps a form from being sent twice, offers
// the offline page. Every page works without it.

const notice = document.getElementById("notice");

function showNotice(templateId) {
  const template = document.getElementById(templateId);
  notice.replaceChildren(template.content.cloneNode(true));
  notice.scrollIntoView({ block: "nearest" });
}

document.body.addEventListener("htmx:sendError", () => showNotice("network-notice"));
document.body.addEventListener("htmx:timeout", () => showNotice("network-notice"));

// A second tap on a slow network sends nothing twice; coming back to the page opens the form again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if ("repeatable" in form.dataset) {
    return; // a download leaves the page as it is
  }
  if (event.defaultPrevented || form.dataset.sending) {
    event.preventDefault();
    return;
  }
  form.dataset.sending = "1";
  event.submitter?.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) {
    delete form.dataset.sending;
  }
  for (const button of document.querySelectorAll("button[aria-busy]")) {
    button.removeAttribute("aria-busy");
  }
});

// The first field at fault is where a learner goes on.
document.querySelector("[aria-invalid='true']")?.focus();

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/service-worker.js");
}
