// Ctrl+Enter sends a question; while one waits, says how far it is and shows the answer when it is there. Works without.
"use strict";
for (const form of document.querySelectorAll("form[data-ctrl-enter]")) {
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

const told = document.querySelector("[data-state]");

async function look() {
  let found = {};
  try {
    const answer = await fetch(told.dataset.state, { headers: { Accept: "application/json" } });
    found = answer.ok ? await answer.json() : { state: answer.status === 503 ? "waiting" : "failed" };
  } catch {
    // the server is not there: look again
  }
  if (found.state === "answered" || found.state === "failed") {
    location.reload();
    return;
  }
  if (found.told && found.told !== told.textContent) told.textContent = found.told;
  setTimeout(look, 700);
}

if (told) setTimeout(look, 300);
