// Shows, while a record is being written, how Bonsai would tag it; Ctrl+Enter sends the form. Works without, too.
"use strict";
const form = document.getElementById("record");
const shown = document.getElementById("suggestion");
const first = Object.fromEntries(["language", "category"].map((name) => [name, form.elements[name].options[0]]));
const automatic = first.language.textContent;
let waiting = 0;
let newest = 0;

async function suggest() {
  const number = ++newest;
  const texts = new URLSearchParams(["instruction", "output", "input"].map((name) => [name, form.elements[name].value]));
  let found = {};
  try {
    const answer = await fetch(form.dataset.suggest, { method: "POST", body: texts, headers: { Accept: "application/json" } });
    found = answer.ok ? await answer.json() : {};
  } catch {
    return; // the server is not there: the form says so when it is sent
  }
  if (number !== newest) return;
  for (const name of ["language", "category"]) {
    first[name].textContent = found[name] ? `${automatic}: ${found[name]}` : automatic;
  }
  const words = [found.language, found.category].filter(Boolean).join(", ");
  shown.textContent = words ? `${form.dataset.suggested} ${words}` : "";
}

for (const name of ["instruction", "output", "input"]) {
  form.elements[name].addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(suggest, 400);
  });
}
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
