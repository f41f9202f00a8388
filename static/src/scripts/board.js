// What moves in the diagram between two renders, besides the countdowns of clock.js: rings and bars that run out
// (data-begin, data-end in virtual ms), times that count up (data-from), and requests that run along their way.

const TRAVEL_MS = 900; // real time a request takes on the screen, whatever the pace of the simulated clock
const WORDS_AT = 9; // beside the dot, as projection/routes.py puts them
const WORDS_HIGH = 15;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** `now()` gives the present in virtual milliseconds, or null before the clock is known. */
export function installBoard(document, now) {
  const shown = new Set(); // ids of requests already shown: a render may bring them again
  const travelling = []; // requests on their way, the earliest first: {words, from, to, y}, where their words stand

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
    const words = request.querySelector("text");
    const own = { words, wide: words.getComputedTextLength(), from: 0, to: 0, y: 0, arrived: false };
    travelling.push(own);
    const ends = request.animate({ opacity: [1, 1, 0] }, { duration: TRAVEL_MS * 1.6 }).finished;
    ends.catch(() => {}).finally(() => travelling.splice(travelling.indexOf(own), 1));
    const stands = request.transform.baseVal.consolidate().matrix;
    const length = way.getTotalLength();
    const began = performance.now();
    const step = (time) => {
      if (!request.isConnected || !travelling.includes(own)) return;
      const point = calm.matches ? { x: stands.e, y: stands.f } : way.getPointAtLength(length * Math.min(1, (time - began) / TRAVEL_MS));
      request.setAttribute("transform", `translate(${point.x.toFixed(1)},${point.y.toFixed(1)})`);
      speak(own, point);
      own.arrived = time - began > TRAVEL_MS; // then its words fade, and another's may stand there
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  };

  // A request's words stay inside the picture, and are silent while they would stand on those of one that left earlier.
  const speak = (own, { x, y }) => {
    const turned = x + WORDS_AT + own.wide > own.words.ownerSVGElement.viewBox.baseVal.width;
    own.words.setAttribute("text-anchor", turned ? "end" : "start");
    own.words.setAttribute("x", turned ? -WORDS_AT : WORDS_AT);
    own.from = turned ? x - WORDS_AT - own.wide : x + WORDS_AT;
    own.to = own.from + own.wide;
    own.y = y;
    const earlier = travelling.slice(0, travelling.indexOf(own));
    const covered = earlier.some((one) => !one.arrived && Math.abs(one.y - y) < WORDS_HIGH && one.from < own.to + WORDS_AT && own.from < one.to + WORDS_AT);
    own.words.setAttribute("visibility", covered ? "hidden" : "visible");
  };

  setInterval(tick, 250);
  const look = () => document.querySelectorAll(".podlab-board .req").forEach(run);
  const board = document.getElementById("board");
  new MutationObserver(look).observe(board, { childList: true, subtree: true });
  tick();
  look();
}
