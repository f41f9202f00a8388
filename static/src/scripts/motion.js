// Motion in the diagram: what moved glides from where it stood, what died fades where it was. (What is born fades in by board.css.)
// Done here and not by CSS transitions, because not every browser runs those when an SVG's transform attribute changes.
import { aroundMorph } from "./morph.js";

const MOVES = ".pod, .node, .wish, .ct, .step, .vol";
const EASE = "cubic-bezier(.2, .7, .2, 1)";
const GLIDE_MS = 340;
const FADE_MS = 380;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const place = (element) => {
  const [, x, y] = /translate\(([-\d.]+)[ ,]+([-\d.]+)\)/.exec(element.getAttribute("transform") ?? "") ?? [0, 0, 0];
  return { x: Number(x), y: Number(y) };
};

export function installMotion(document) {
  aroundMorph("board-svg", (board) => {
    if (calm.matches || document.hidden || !board.hasAttribute("viewBox")) return undefined;
    const { width } = board.viewBox.baseVal;
    const before = new Map();
    for (const element of board.querySelectorAll(MOVES)) if (element.id) before.set(element.id, { element, ...place(element) });
    const dying = new Map();
    for (const { element } of before.values()) if (element.matches(".pod, .wish")) dying.set(element.id, element.cloneNode(true));
    return () => {
      const now = document.getElementById("board-svg");
      if (now.viewBox.baseVal.width !== width) return; // laid out for another page width: nothing in the cluster moved
      for (const [id, was] of before) {
        const element = document.getElementById(id);
        if (!element) continue;
        dying.delete(id);
        const is = place(element);
        if (is.x === was.x && is.y === was.y) continue;
        const frames = [was, is].map(({ x, y }) => ({ transform: `translate(${x}px, ${y}px)` }));
        element.animate(frames, { duration: GLIDE_MS, easing: EASE });
      }
      for (const ghost of dying.values()) {
        ghost.removeAttribute("id");
        for (const inner of ghost.querySelectorAll("[id]")) inner.removeAttribute("id");
        for (const inner of [ghost, ...ghost.querySelectorAll("[data-ref], [tabindex]")]) {
          inner.removeAttribute("data-ref");
          inner.removeAttribute("tabindex");
        }
        ghost.setAttribute("aria-hidden", "true");
        ghost.classList.add("leaving");
        now.append(ghost);
        const { x, y } = place(ghost);
        const frames = [
          { opacity: 1, transform: `translate(${x}px, ${y}px)` },
          { opacity: 0, transform: `translate(${x}px, ${y + 14}px)` },
        ];
        ghost.animate(frames, { duration: FADE_MS, easing: "ease-in" }).finished.finally(() => ghost.remove());
      }
    };
  });
}
