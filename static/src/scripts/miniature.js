// The landing page's cluster goes through its moments, on a phone in a drawing as narrow as the phone. Nothing moves by itself
// where reduced motion is asked for.
import { Idiomorph } from "idiomorph";
import { runAround } from "./morph.js";
import { installMotion } from "./motion.js";

const STAY_MS = 3600;

export function installMiniature(document) {
  const figure = document.getElementById("miniature");
  if (!figure) return;
  const pause = document.getElementById("miniature-pause");
  const told = document.getElementById("miniature-told");
  const frames = [...figure.querySelectorAll("template")];
  if (frames.length < 2) return;
  let at = 0;
  let timer = null;
  const narrow = matchMedia("(max-width: 560px)"); // home.css gives the stage its shape at the same width
  const drawn = () => frames[at].content.children[narrow.matches ? 1 : 0].cloneNode(true);
  const redraw = () => document.getElementById("board-svg").replaceWith(drawn());
  const step = () => {
    at = (at + 1) % frames.length;
    const fresh = drawn();
    const board = document.getElementById("board-svg");
    const after = runAround(board);
    Idiomorph.morph(board, fresh, { morphStyle: "outerHTML" });
    after?.();
    told.textContent = frames[at].dataset.told;
  };
  const go = (on) => {
    clearInterval(timer);
    timer = on ? setInterval(() => document.hidden || step(), STAY_MS) : null;
    pause.textContent = on ? "❚❚" : "▶";
    pause.setAttribute("aria-label", on ? "움직임 멈추기" : "움직이기");
  };
  if (narrow.matches) redraw();
  narrow.addEventListener("change", redraw);
  installMotion(document);
  pause.hidden = false;
  pause.addEventListener("click", () => go(!timer));
  go(!matchMedia("(prefers-reduced-motion: reduce)").matches);
}
