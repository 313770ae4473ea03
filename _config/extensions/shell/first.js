// Stands in the head of every page: light or dark must be known before anything is drawn.
// A font that came later than the formulas would move the lines below them; from a folder a browser
// lets nobody ask for it beforehand. Some browsers refuse storage to pages that are read from a folder.
{
  let mode = "auto";
  try { mode = localStorage.getItem("mode") || mode; } catch {}
  const data = document.documentElement.dataset;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  data.mode = mode === "light" || mode === "dark" ? mode : "auto";
  data.theme = data.mode !== "auto" ? data.mode : dark ? "dark" : "light";
  if (data.font && location.protocol !== "file:") {
    const link = document.createElement("link");
    const what = { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "anonymous" };
    document.head.append(Object.assign(link, what, { href: data.font }));
  }
}
