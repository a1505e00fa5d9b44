// Renews, while a night runs, what the page says about it; says once, for a screen reader, when that changes.
"use strict";
const live = document.getElementById("live");
const said = document.getElementById("live-said");
const EVERY = 2000;
let state = document.getElementById("live-part").dataset.state;

async function look() {
  let part = null;
  try {
    const answer = document.hidden ? null : await fetch(live.dataset.from);
    const page = answer && answer.ok ? await answer.text() : "";
    part = new DOMParser().parseFromString(page, "text/html").getElementById("live-part");
  } catch {
    // the server is not there: it may come back
  }
  if (part && !live.contains(document.activeElement)) {
    if (part.dataset.state !== state) said.textContent = part.dataset.said;
    state = part.dataset.state;
    if (part.dataset.from) live.dataset.from = part.dataset.from; // one night, to its end
    live.replaceChildren(document.adoptNode(part));
    if (!("goesOn" in part.dataset)) return;
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
