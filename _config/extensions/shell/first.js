// Stands in the head of every page: light or dark must be known before anything is drawn.
// Some browsers refuse storage to pages that are read from a folder.
{
  let mode = "auto";
  try { mode = localStorage.getItem("mode") || mode; } catch {}
  const data = document.documentElement.dataset;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  data.mode = mode === "light" || mode === "dark" ? mode : "auto";
  data.theme = data.mode !== "auto" ? data.mode : dark ? "dark" : "light";
}
