// What moves in the diagram between two renders, besides the countdowns of clock.js: rings and bars that run out
// (data-begin, data-end in virtual ms), times that count up (data-from), and requests that run along their way.

const TRAVEL_MS = 900; // real time a request takes on the screen, whatever the pace of the simulated clock
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** `now()` gives the present in virtual milliseconds, or null before the clock is known. */
export function installBoard(document, now) {
  const shown = new Set(); // ids of requests already shown: a render may bring them again

  const clock = (ms) => {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };

  const tick = () => {
    const at = now();
    if (at === null) return;
    for (const element of document.querySelectorAll(".podlab-board [data-end]")) {
      const { begin, end, width } = element.dataset;
      const left = Math.min(1, Math.max(0, (end - at) / Math.max(end - begin, 1)));
      if (width) element.setAttribute("width", (width * left).toFixed(1));
      else element.setAttribute("stroke-dasharray", `${(left * 100).toFixed(1)} 100`);
    }
    for (const element of document.querySelectorAll(".podlab-board [data-from]")) {
      element.textContent = clock(at - element.dataset.from);
    }
  };

  // The hops of one request run one after the other.
  const run = (request) => {
    if (shown.has(request.id)) return;
    shown.add(request.id);
    setTimeout(() => travel(request), request.dataset.step * TRAVEL_MS * 0.7);
  };

  const travel = (request) => {
    const way = document.getElementById(request.dataset.way);
    if (!way || !request.isConnected) return;
    request.animate({ opacity: [1, 1, 0] }, { duration: TRAVEL_MS * 1.6 });
    if (calm.matches) return;
    const length = way.getTotalLength();
    const began = performance.now();
    const step = (time) => {
      const share = Math.min(1, (time - began) / TRAVEL_MS);
      const point = way.getPointAtLength(length * share);
      request.setAttribute("transform", `translate(${point.x.toFixed(1)},${point.y.toFixed(1)})`);
      if (share < 1 && request.isConnected) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  };

  setInterval(tick, 250);
  const look = () => document.querySelectorAll(".podlab-board .req").forEach(run);
  const board = document.getElementById("board");
  new MutationObserver(look).observe(board, { childList: true, subtree: true });
  tick();
  look();
}
