// Simulated time between two renders: the clock, every countdown (data-until, virtual ms), and the dots of the time track (data-t).

export function installClock(document) {
  let anchor = null; // {virtual, real, rate, start}
  let read = "";
  const now = () => anchor.virtual + (performance.now() - anchor.real) * anchor.rate;
  const pad = (n) => String(n).padStart(2, "0");

  const anchorAgain = () => {
    const { now: virtual, start, rate } = document.getElementById("clock").dataset;
    const key = `${virtual} ${start} ${rate}`;
    if (key === read) return;
    read = key;
    anchor = { virtual: Number(virtual), start: Number(start), rate: Number(rate), real: performance.now() };
    document.documentElement.classList.toggle("is-paused", anchor.rate === 0);
  };
  const tick = () => {
    anchorAgain();
    if (!anchor.virtual) return;
    const at = now();
    const seconds = Math.max(0, Math.floor((at - anchor.start) / 1000));
    const text = `T+${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
    const shown = document.getElementById("clock-text");
    if (shown.textContent !== text) shown.textContent = text;
    for (const element of document.querySelectorAll("#board [data-until]")) {
      const left = String(Math.max(0, Math.ceil((Number(element.dataset.until) - at) / 1000)));
      if (element.textContent !== left) element.textContent = left;
    }
  };
  const place = () => {
    if (!anchor?.virtual) return;
    const span = Math.max(now() - anchor.start, 1);
    for (const dot of document.querySelectorAll("#track [data-t]")) {
      dot.style.left = `${Math.min(100, Math.max(0, ((Number(dot.dataset.t) - anchor.start) / span) * 100)).toFixed(2)}%`;
    }
  };
  const both = () => {
    tick();
    place();
  };
  setInterval(tick, 250);
  setInterval(place, 2000);
  document.addEventListener("htmx:wsAfterMessage", both);
  return () => (anchor?.virtual ? now() : null);
}
