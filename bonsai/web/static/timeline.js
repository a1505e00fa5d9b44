// Looks for the same, long before, as the button does, and puts what is found below what it is like.
"use strict";

const MOST = 2; // bonsai/curating.py, MOST_EARLIER
const past = document.getElementById("past");

function put(entry, found) {
  for (const one of found) entry.append(one);
  const all = [...entry.querySelectorAll(".earlier")].sort((a, b) => b.dataset.likeness - a.dataset.likeness);
  all.forEach((one, place) => (place < MOST ? entry.append(one) : one.remove()));
}

async function look() {
  for (let form = past.querySelector("form"); form; ) {
    const answer = await fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const entry of page.querySelectorAll(".timeline li")) {
      const mine = document.getElementById(entry.id);
      if (mine) put(mine, entry.querySelectorAll(".earlier"));
    }
    const left = page.getElementById("past");
    form = left.querySelector("form");
    if (!form) past.replaceChildren(...left.childNodes);
  }
}

past.querySelector("form").hidden = true;
past.querySelector(".hint").hidden = false;
look().catch(() => {
  past.querySelector("form").hidden = false; // by hand, then
  past.querySelector(".hint").hidden = true;
});
