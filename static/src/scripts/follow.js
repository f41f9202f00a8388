// The diagram follows what happens: a Pod that is new, or in trouble for the first time, comes into view by itself. Only the diagram
// scrolls, never the page, and not while the learner is busy in it: whoever scrolls there looks at something else. Of trouble that is
// out of sight again below.js tells.

const QUIET_MS = 5000; // that the learner has left the diagram alone
const FOLLOWED_MS = 4000; // for which one is kept in view: a Pod stands somewhere else once it has a node
const REST_MS = 400; // until what moved has arrived where it stands (motion.js)
const MARGIN = 12;
const TROUBLE = ".is-backoff, .is-pullfail, .is-blocked, .is-failed"; // not .is-partial: so does every Pod begin
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** `from`, `to`: where it begins and ends in a pane from 0 to `length`. How far to scroll for it to be seen, its beginning at least. */
const short = ([from, to], length) => (from < MARGIN || to - from > length - 2 * MARGIN ? from - MARGIN : Math.max(0, to - length + MARGIN));

/** What to show of these spans, the newest last: as many as fit together, and the newest in any case. */
const together = (spans, length) => {
  let [from, to] = spans.at(-1);
  for (const [low, high] of [...spans].reverse()) {
    if (Math.max(to, high) - Math.min(from, low) > length - 2 * MARGIN) break;
    [from, to] = [Math.min(from, low), Math.max(to, high)];
  }
  return [from, to];
};

export function installFollow(document) {
  const board = document.getElementById("board");
  const menu = document.getElementById("menu");
  const head = document.querySelector(".top");
  const known = new Map(); // ref of a Pod -> whether it has been in trouble
  let opened = false; // whether the diagram was drawn before
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
    const under = Math.max(0, head.getBoundingClientRect().bottom - pane.top); // on a phone the diagram begins under the page's head
    const foot = (parseFloat(getComputedStyle(board).scrollPaddingBottom) || MARGIN) - MARGIN; // where below.js has its words
    const [from, high, wide] = [pane.top + under, board.clientHeight - under - foot, board.clientWidth];
    const top = short(together(boxes.map((box) => [box.top - from, box.bottom - from]), high), high);
    const left = short(together(boxes.map((box) => [box.left - pane.left, box.right - pane.left]), wide), wide);
    if (Math.abs(top) > 1 || Math.abs(left) > 1) board.scrollBy({ top, left, behavior: calm.matches ? "instant" : "smooth" });
  };

  const look = () => {
    const first = !opened;
    opened ||= Boolean(board.querySelector("#board-svg[viewBox]"));
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
      followed = now < until ? [...followed.filter((ref) => !news.includes(ref)), ...news] : news;
      until = now + FOLLOWED_MS;
    }
    if (now < until) later ??= setTimeout(bring, REST_MS);
  };

  // What is pressed shall not glide on from under the pointer, nor take the menu that it opens with it.
  board.addEventListener("pointerdown", () => board.scrollTo({ top: board.scrollTop, left: board.scrollLeft, behavior: "instant" }), true);
  for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    board.addEventListener(type, () => (touched = performance.now()), { passive: true });
  }
  document.addEventListener("click", (event) => event.target.closest("[data-why]") && (touched = performance.now())); // it brings its own (diagram.js)
  document.addEventListener("htmx:wsAfterMessage", look);
}
