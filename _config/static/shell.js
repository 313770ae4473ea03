// What the frame of a page does beyond HTML and CSS: colours, keys, found words, and boxes that scroll.
"use strict";

// Light, dark, or as the system says. The script in the head (extensions/shell/first.js) chose first.
{
  const { dataset } = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = document.querySelector(".theme-switch");
  const modes = { auto: "as the system", light: "light", dark: "dark" };
  const show = () => {
    dataset.theme = dataset.mode !== "auto" ? dataset.mode : dark.matches ? "dark" : "light";
    if (!button) return;
    button.firstElementChild.className = `icon icon-${dataset.mode}`;
    button.ariaLabel = button.title = `Colours: ${modes[dataset.mode]}`;
  };
  button?.addEventListener("click", () => {
    const names = Object.keys(modes);
    dataset.mode = names[(names.indexOf(dataset.mode) + 1) % names.length];
    show();
    try {
      localStorage.setItem("mode", dataset.mode);
    } catch {} // a browser that keeps nothing still shows what was chosen
  });
  dark.addEventListener("change", show);
  show();
}

// A page without formulas asks for their font when all else is there: the next page will need it.
addEventListener("load", () => document.fonts.load('1em "Book Math"'));

// The sidebar and the page's contents are popovers until there is room for them.
{
  const sides = document.querySelectorAll(".side[popover]");
  const close = () => sides.forEach((side) => side.matches(":popover-open") && side.hidePopover());
  for (const side of sides) {
    side.addEventListener("click", (event) => event.target.closest("a") && close());
  }
  for (const room of ["(min-width: 62rem)", "(min-width: 75rem)"]) {
    matchMedia(room).addEventListener("change", close);
  }
}

// The slash, or Ctrl and K, lead to the search.
addEventListener("keydown", (event) => {
  const writing = event.target.closest?.("input, textarea, select, [contenteditable], .explorable");
  const slash = event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!slash && !(event.key === "k" && (event.ctrlKey || event.metaKey) && !event.altKey)) return;
  const box = document.querySelector("main input[name=q], .search-box input");
  if (!box) return;
  event.preventDefault();
  if (!box.checkVisibility()) document.getElementById("chapters").showPopover();
  box.focus();
  box.select();
});

// Words that were searched for are marked, once.
{
  let terms = [];
  try {
    if (!document.getElementById("search-results")) {
      terms = (localStorage.getItem("sphinx_highlight_terms") ?? "").split(/\s+/).filter(Boolean);
      localStorage.removeItem("sphinx_highlight_terms");
    }
  } catch {}
  const article = document.querySelector("article");
  if (terms.length && article) {
    const any = new RegExp(terms.map((term) => term.replace(/[^\p{L}\p{N}_]/gu, "\\$&")).join("|"), "giu");
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
      if (!walker.currentNode.parentElement.closest("svg, math, button, script, select")) texts.push(walker.currentNode);
    }
    for (const text of texts) {
      for (const found of [...text.data.matchAll(any)].reverse()) {
        const word = text.splitText(found.index);
        word.splitText(found[0].length);
        const mark = document.createElement("mark");
        mark.className = "highlighted";
        word.replaceWith(mark);
        mark.append(word);
      }
    }
    const marks = article.querySelectorAll("mark.highlighted");
    if (marks.length) {
      const button = document.createElement("button");
      button.className = "unmark";
      button.textContent = "Unmark what was searched for";
      const unmark = () => {
        for (const mark of marks) mark.replaceWith(...mark.childNodes);
        button.remove();
      };
      button.addEventListener("click", unmark);
      addEventListener("keydown", (event) => event.key === "Escape" && unmark());
      article.prepend(button);
    }
  }
}

// What is wider than its box can be reached, and then moved, by keyboard. While it fits, it is no stop.
{
  const kinds = {
    pre: "Code",
    ".formula > div": "Formula",
    ".pst-scrollable-table-container": "Table",
    ".cell_output > .output": "Output",
  };
  // All are measured before one is changed: to measure after a change lays the page out again.
  const judge = (boxes) => {
    const scrolls = (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight + 1;
    const wide = new Set(boxes.filter(scrolls));
    for (const box of boxes) {
      if (wide.has(box) === box.hasAttribute("tabindex")) continue;
      if (wide.has(box)) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.ariaLabel = `${box.kind}, wider than its box`;
      } else {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      }
    }
  };
  const boxes = [];
  const observer = new ResizeObserver((entries) => judge(entries.map(({ target }) => target)));
  for (const [selector, kind] of Object.entries(kinds)) {
    for (const box of document.querySelectorAll(`main :is(${selector})`)) {
      box.kind = kind;
      boxes.push(box);
      observer.observe(box);
    }
  }
  document.fonts.ready.then(() => judge(boxes));
}

// The contents show which part is being read.
{
  const links = new Map();
  for (const link of document.querySelectorAll("#contents a")) {
    const place = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (place) links.set(place.querySelector("h1, h2, h3, h4, h5, h6") ?? place, link);
  }
  const observer = new IntersectionObserver(
    (entries) => {
      const seen = entries.filter((entry) => entry.isIntersecting).at(-1);
      if (!seen) return;
      for (const [heading, link] of links) {
        if (heading === seen.target) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "0px 0px -70% 0px" },
  );
  for (const heading of links.keys()) observer.observe(heading);
}
