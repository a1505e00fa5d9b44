// Ctrl+Enter (Cmd+Enter) in a text sends its form.
"use strict";
for (const text of document.querySelectorAll("[data-send]")) {
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) text.form.requestSubmit();
  });
}
