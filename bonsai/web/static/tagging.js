// Presses, for a key, the button, radio button or link that names it; only while one of them has the focus.
"use strict";
const page = document.getElementById("tagging");
page.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.target.type === "radio" && event.key.startsWith("Arrow")) return; // they move among radio buttons
  const pressed = [...page.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key.toLowerCase() || one.dataset.key === event.key);
  if (!pressed) return;
  event.preventDefault();
  pressed.click();
});
