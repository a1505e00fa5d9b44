// While a record is written: how Bonsai would tag it, other likely categories, what it would repeat; afterwards, how far
// the ones told before are. Ctrl+Enter sends the form, Alt+1 to Alt+3 take another category, Alt+0 the automatic one.
"use strict";
const form = document.getElementById("record");
const shown = document.getElementById("suggestion");
const likely = document.getElementById("likely");
const before = document.getElementById("before");
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
  const words = [found.language, found.category].filter(Boolean).join(form.dataset.comma);
  shown.textContent = words ? `${form.dataset.suggested} ${words}` : "";
  offer(found.likely || []);
  warn(found.before);
}

function offer(others) {
  const choices = others.length ? [["", likely.dataset.automatic], ...others] : [];
  likely.replaceChildren(...choices.map(([value, words], key) => button(value, words, key)));
  likely.hidden = !choices.length;
}

function button(value, words, key) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "second";
  made.textContent = `${words} (Alt+${key})`;
  made.dataset.value = value;
  made.setAttribute("aria-pressed", String(form.elements.category.value === value));
  made.addEventListener("click", () => choose(value));
  return made;
}

function choose(value) {
  form.elements.category.value = value;
  for (const made of likely.children) made.setAttribute("aria-pressed", String(made.dataset.value === value));
}

function warn(told) {
  before.hidden = !told;
  if (!told) return before.replaceChildren();
  const link = document.createElement("a");
  link.href = told.path;
  link.target = "_blank";
  link.textContent = told.link;
  before.replaceChildren(`${told.words} `, link);
}

async function follow() {
  const recent = document.getElementById("recent");
  if (!("waiting" in recent.dataset)) return;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("recent");
    if (now && now.textContent !== recent.textContent) recent.replaceWith(document.adoptNode(now));
  } catch {
    // the server is not there just now
  }
  setTimeout(follow, 1500);
}

for (const name of ["instruction", "output", "input"]) {
  form.elements[name].addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(suggest, 400);
  });
}
form.elements.category.addEventListener("change", () => choose(form.elements.category.value));
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  const digit = event.altKey && /^Digit([0-3])$/.exec(event.code);
  if (digit && likely.children[digit[1]]) {
    event.preventDefault();
    choose(likely.children[digit[1]].dataset.value);
  }
});
setTimeout(follow, 1000);
