// The browser tab. The server goes there; this only carries addresses there and puts the page that came back into its frame, which has
// no origin, no scripts and no way out (docs/decisions/browser-tab.md).
import { aroundMorph } from "./morph.js";

export function installBrowser(document, socket, tabs) {
  const bar = document.getElementById("browser-bar");
  const address = document.getElementById("browser-url");
  const frame = document.getElementById("browser-frame");
  const buttons = [...bar.querySelectorAll("[data-step]")];
  let shown = "";
  let number = "";

  const open = (url) => {
    tabs.open("browser");
    tabs.reveal();
    address.value = url;
    socket.send({ action: "browse", url });
  };
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    address.blur();
    open(address.value);
  });
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    socket.send(button.dataset.loading ? { action: "browse_stop" } : { action: "browse_step", by: Number(button.dataset.step) });
  });
  address.addEventListener("focus", () => address.select());

  // What the learner has unfolded stays unfolded from page to page.
  aroundMorph("browser-side", (side) => {
    const unfolded = [...side.querySelectorAll("details[open]")].map((one) => one.id);
    return () => {
      for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    };
  });
  document.addEventListener("htmx:wsAfterMessage", () => {
    const side = document.getElementById("browser-side");
    if (side.dataset.number === number) return;
    number = side.dataset.number;
    if (document.activeElement !== address) address.value = side.dataset.url;
    const able = { "-1": side.dataset.back, 0: side.dataset.url, 1: side.dataset.forward };
    for (const button of buttons) button.setAttribute("aria-disabled", String(!able[button.dataset.step]));
    const reload = buttons.find((button) => button.dataset.step === "0");
    reload.dataset.loading = side.dataset.loading;
    reload.textContent = side.dataset.loading ? "✕" : "↻";
    reload.setAttribute("aria-label", side.dataset.loading ? "멈추기" : "새로 고침");
    frame.hidden = !side.dataset.frame;
    frame.title = side.dataset.title ? `페이지: ${side.dataset.title}` : "열어 둔 페이지";
    if (side.dataset.frame === shown) return;
    shown = side.dataset.frame;
    if (shown) frame.contentWindow.location.replace(shown); // replace: the window's own history stays the lesson's
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("button[data-open]");
    if (link) open(link.dataset.open);
  });
  return { open };
}
