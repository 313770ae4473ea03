// Before Sphinx's searchtools.js: what it can do from a folder, and that its result is spoken.
"use strict";

if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; // an excerpt would be read from another page
  document.getElementById("search-folder").hidden = false;
}
new MutationObserver((changes, observer) => {
  const summary = document.querySelector(".search-summary");
  summary?.setAttribute("role", "status");
  if (summary) observer.disconnect();
}).observe(document.getElementById("search-results"), { childList: true });
