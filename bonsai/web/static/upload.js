// Shows how far an upload is: while its bytes are sent, and while it is looked at or taken in. Works without, too.
"use strict";
const form = document.getElementById("upload");
const progress = document.getElementById("progress");

function say(problem) {
  const place = document.getElementById("problem");
  place.textContent = problem;
  place.hidden = !problem;
  document.getElementById("sending").hidden = true;
  form.querySelector("button").disabled = false;
}

function send(event) {
  event.preventDefault();
  const file = form.elements.file.files[0];
  say("");
  if (file.size > Number(form.dataset.most)) return say(form.dataset.tooLarge);
  const request = new XMLHttpRequest(); // fetch cannot tell how much is sent
  const sent = document.getElementById("sent");
  request.upload.onprogress = (told) => {
    sent.value = told.total ? (100 * told.loaded) / told.total : 0;
  };
  request.onload = () => {
    if (request.status < 400) return location.assign(request.responseURL);
    try {
      say(JSON.parse(request.responseText).detail || form.dataset.lost);
    } catch {
      say(form.dataset.lost);
    }
  };
  request.onerror = () => say(form.dataset.lost);
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json, text/html");
  document.getElementById("sending").hidden = false;
  form.querySelector("button").disabled = true;
  request.send(new FormData(form));
}

async function look() {
  let found = null;
  try {
    const answer = await fetch(progress.dataset.status, { headers: { Accept: "application/json" } });
    if (answer.status === 404) return location.reload(); // cancelled elsewhere
    found = answer.ok ? await answer.json() : null;
  } catch {
    // the server is not there just now
  }
  if (found && found.state !== progress.dataset.state) return location.reload();
  if (found) {
    const words = document.getElementById("words");
    if (words.textContent !== found.words) words.textContent = found.words;
    const bar = document.getElementById("bar");
    if (found.done && bar.hasAttribute("max")) bar.value = found.done;
  }
  setTimeout(look, 1000);
}

if (form) form.addEventListener("submit", send);
if (progress && progress.dataset.status) setTimeout(look, 500);
