// The quiz: questions that hang on another answer come and go with it; "nothing in particular" clears the others.
// Without this module all questions stand there, and the server judges.

const form = document.querySelector("form.quiz");

function showWhatApplies() {
  for (const question of form.querySelectorAll("[data-shown-if]")) {
    const wanted = question.dataset.shownValues.split(" ");
    const chosen = [...form.querySelectorAll(`[name="${question.dataset.shownIf}"]:checked`)].map((input) => input.value);
    question.hidden = !chosen.some((value) => wanted.includes(value));
  }
}

form.addEventListener("change", ({ target }) => {
  if (target.type === "checkbox" && target.checked) {
    const isExclusive = "exclusive" in target.dataset;
    for (const other of form.querySelectorAll(`[name="${target.name}"]`)) {
      if (other !== target && (isExclusive || "exclusive" in other.dataset)) {
        other.checked = false;
      }
    }
  }
  showWhatApplies();
});
showWhatApplies();
