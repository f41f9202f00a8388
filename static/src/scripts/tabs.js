// Tabs by the ARIA pattern: arrows move, the panel follows. The server is told, so that it sends only what is looked at.

const STEPS = { ArrowRight: (at) => at + 1, ArrowLeft: (at) => at - 1, Home: () => 0, End: () => -1 };

export function installTabs(document, socket) {
  const list = document.querySelector(".panel .tabs");
  const buttons = [...list.querySelectorAll("[role=tab]")];
  const onOpen = {};
  let told = ""; // the tab that the server knows of
  const tabs = {
    open(name, { focus = false } = {}) {
      for (const button of buttons) {
        const on = button.dataset.tab === name;
        button.setAttribute("aria-selected", String(on));
        button.tabIndex = on ? 0 : -1;
        document.getElementById(button.getAttribute("aria-controls")).hidden = !on;
        if (on && focus) button.focus();
      }
      if (name !== told) socket.send({ action: "tab", tab: (told = name) });
      onOpen[name]?.();
    },
    whenOpened: (name, callback) => (onOpen[name] = callback),
    current: () => buttons.find((button) => button.getAttribute("aria-selected") === "true").dataset.tab,
    /** On a phone the tools lie below the fold: what somebody asked for there comes into view. At once: a smooth scroll would pass the
     * quiz slowly enough to make it the step being read, and what is then typed would count for nothing (lesson.js). */
    reveal() {
      const box = list.getBoundingClientRect();
      if (box.bottom > innerHeight || box.top < 0) list.scrollIntoView({ block: "start", behavior: "instant" });
    },
  };
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[role=tab]");
    if (button) tabs.open(button.dataset.tab);
  });
  list.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const next = step(buttons.indexOf(document.activeElement));
    tabs.open(buttons.at(next % buttons.length).dataset.tab, { focus: true });
  });
  socket.whenOpen(() => socket.send({ action: "tab", tab: (told = tabs.current()) }));
  return tabs;
}
