// Simulated time between two renders: the clock, and every countdown (an element with data-until, in virtual milliseconds).

export function installClock(document) {
  let anchor = null; // {virtual, real, rate, start}
  const now = () => anchor.virtual + (performance.now() - anchor.real) * anchor.rate;
  const read = () => {
    const clock = document.getElementById("clock");
    const { now: virtual, start, rate } = clock.dataset;
    const key = `${virtual} ${rate}`;
    if (clock.dataset.read === key) return;
    clock.dataset.read = key;
    anchor = { virtual: Number(virtual), start: Number(start), rate: Number(rate), real: performance.now() };
  };
  const pad = (n) => String(n).padStart(2, "0");
  const tick = () => {
    read();
    if (!anchor || !anchor.virtual) return;
    const at = now();
    const seconds = Math.max(0, Math.floor((at - anchor.start) / 1000));
    const text = `T+${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
    const shown = document.getElementById("clock-text");
    if (shown.textContent !== text) shown.textContent = text;
    for (const element of document.querySelectorAll("#board [data-until]")) {
      const left = Math.max(0, Math.ceil((Number(element.dataset.until) - at) / 1000));
      const label = (element.dataset.format ?? "%").replace("%", String(left));
      if (element.textContent !== label) element.textContent = label;
    }
  };
  setInterval(tick, 250);
  const place = () => {
    for (const dot of document.querySelectorAll("#track [data-x]")) dot.style.left = `${dot.dataset.x / 10}%`;
  };
  new MutationObserver(place).observe(document.querySelector(".bar"), { childList: true, subtree: true });
  return () => (anchor?.virtual ? now() : 0);
}
