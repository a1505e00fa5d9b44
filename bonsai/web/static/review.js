// Keys for the blind review: left, right, s or down, u. The buttons do the same without a script.
"use strict";
const form = document.getElementById("review");
const asked = document.getElementById("asked");
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "same", s: "same", S: "same", u: "undo", U: "undo" };
let sent = false;

form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault(); // a key that is held down answers one question
  sent = true;
});
document.addEventListener("keydown", (event) => {
  const side = KEYS[event.key];
  if (!side || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key.length === 1 && !asked.contains(document.activeElement)) return; // letters only there (WCAG 2.1.4)
  const button = form.querySelector(`button[value="${side}"]`);
  if (!button) return;
  event.preventDefault();
  form.requestSubmit(button);
});
window.addEventListener("pageshow", () => {
  sent = false;
  asked.focus({ preventScroll: true });
});
