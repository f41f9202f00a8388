// The diagram follows what happens: a Pod that is new, or in trouble for the first time, comes into view by itself. Only the diagram
// scrolls, never the page, and not while the learner is busy in it: whoever scrolls there looks at something else.

const QUIET_MS = 5000; // that the learner has left the diagram alone
const FOLLOWED_MS = 4000; // for which one is kept in view: a Pod stands somewhere else once it has a node
const REST_MS = 400; // until what moved has arrived where it stands (motion.js)
const MARGIN = 12;
const TROUBLE = ".is-backoff, .is-pullfail, .is-blocked, .is-failed"; // not .is-partial: so does every Pod begin
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** `from`, `to`: where it begins and ends in a pane from 0 to `length`. How far to scroll for it to be seen, its beginning at least. */
const short = (from, to, length) => {
  if (from < MARGIN || to - from > length - 2 * MARGIN) return from - MARGIN;
  return Math.max(0, to - length + MARGIN);
};

export function installFollow(document) {
  const board = document.getElementById("board");
  const menu = document.getElementById("menu");
  const known = new Map(); // ref of a Pod -> whether it has been in trouble
  let followed = [];
  let until = 0;
  let touched = -Infinity;
  let later = null;

  const busy = () => !menu.hidden || board.contains(document.activeElement) || performance.now() - touched < QUIET_MS;

  const bring = () => {
    later = null;
    if (busy() || !followed.length) return;
    const pane = board.getBoundingClientRect();
    const boxes = followed.map((ref) => board.querySelector(`.pod[data-ref="${CSS.escape(ref)}"]`)?.getBoundingClientRect()).filter(Boolean);
    if (!boxes.length || !pane.height) return;
    // All of them if they fit, from the first on if they do not.
    const top = short(Math.min(...boxes.map((box) => box.top)) - pane.top, Math.max(...boxes.map((box) => box.bottom)) - pane.top, board.clientHeight);
    const left = short(Math.min(...boxes.map((box) => box.left)) - pane.left, Math.max(...boxes.map((box) => box.right)) - pane.left, board.clientWidth);
    if (Math.abs(top) > 1 || Math.abs(left) > 1) board.scrollBy({ top, left, behavior: calm.matches ? "instant" : "smooth" });
  };

  const look = () => {
    const first = !known.size;
    const now = performance.now();
    const drawn = [...board.querySelectorAll(".pod[data-ref]")];
    const news = [];
    for (const pod of drawn) {
      const { ref } = pod.dataset;
      const trouble = pod.matches(TROUBLE);
      if (!known.has(ref) || (trouble && !known.get(ref))) news.push(ref);
      known.set(ref, known.get(ref) || trouble);
    }
    const standing = new Set(drawn.map((pod) => pod.dataset.ref));
    for (const ref of known.keys()) if (!standing.has(ref)) known.delete(ref);
    if (first) return; // what stood there when the page opened is no news
    if (news.length) {
      followed = now < until ? [...new Set([...followed, ...news])] : news;
      until = now + FOLLOWED_MS;
    }
    if (now < until) later ??= setTimeout(bring, REST_MS);
  };

  for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    board.addEventListener(type, () => (touched = performance.now()), { passive: true });
  }
  document.addEventListener("htmx:wsAfterMessage", look);
}
