// The buttons that copy a program. clipboard.js, which comes with sphinx-copybutton, does the work.
"use strict";

addEventListener("load", () => {
  if (typeof ClipboardJS === "undefined") return;

  for (const button of document.querySelectorAll(".program button")) button.hidden = false;
  for (const button of document.querySelectorAll(".cell_input .copybtn")) {
    button.dataset.tooltip = "Copy this cell only";
    button.setAttribute("aria-label", "Copy this cell only");
  }

  const say = (event, words) => {
    const place = event.trigger.nextElementSibling;
    place.dataset.size ??= place.textContent;
    place.textContent = words;
    clearTimeout(place.timer);
    place.timer = setTimeout(() => (place.textContent = place.dataset.size), 2000);
    event.clearSelection();
  };
  const clipboard = new ClipboardJS(".program button");
  clipboard.on("success", (event) => say(event, "copied"));
  clipboard.on("error", (event) => say(event, "this browser does not let a page copy"));
});
