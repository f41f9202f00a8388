// In a crowded diagram what is in trouble may stand below the fold: a button at its lower edge says how many Pods do, and goes to the first.
const TROUBLED = ".pod:is(.k-bad, .k-warn, .lost)"; // podlab/projection/podsvg.py
const SEEN = 40; // pixels of a Pod above the fold: its name and state

export function installBelow(document, board, go) {
  const button = document.getElementById("below");
  const hidden = () => {
    const fold = board.getBoundingClientRect().bottom - SEEN;
    return [...board.querySelectorAll(TROUBLED)].filter((pod) => pod.getBoundingClientRect().top > fold);
  };
  let planned = false;
  const tell = () => {
    planned = false;
    const { length } = hidden();
    const text = `아래에 문제 있는 파드 ${length}개`;
    if (length && button.firstChild.textContent !== text) button.firstChild.textContent = text;
    if (!length && document.activeElement === button) board.focus({ preventScroll: true });
    button.hidden = !length;
  };
  const plan = () => {
    if (!planned) requestAnimationFrame(tell);
    planned = true;
  };
  button.addEventListener("click", () => {
    const [first] = hidden().sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top);
    if (first) go(first);
  });
  board.addEventListener("scroll", plan, { passive: true });
  document.addEventListener("htmx:wsAfterMessage", plan);
  new ResizeObserver(plan).observe(board);
}
