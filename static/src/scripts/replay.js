// The replay's list of acts: the last that has happened is marked, and kept in view.
export function installReplay(document) {
  if (!document.getElementById("replay-at")) return;
  let shown = "";
  document.addEventListener("htmx:wsAfterMessage", () => {
    const { act } = document.getElementById("replay-at").dataset;
    const list = document.getElementById("replay-acts");
    const key = `${act} ${list.children.length}`;
    if (key === shown) return;
    shown = key;
    for (const line of list.children) {
      const here = line.dataset.act === act;
      line.classList.toggle("done", Number(line.dataset.act) <= Number(act));
      if (here) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
      if (here) line.scrollIntoView({ block: "nearest" });
    }
  });
}
