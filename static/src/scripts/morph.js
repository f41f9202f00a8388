// hx-swap="morph" and hx-swap-oob="morph": idiomorph as an htmx extension, without the eval of idiomorph's own (our
// Content-Security-Policy forbids it). Elements with the same id persist, with their focus and scroll.
import { Idiomorph } from "idiomorph";

const STYLES = { morph: "outerHTML", "morph:outerHTML": "outerHTML", "morph:innerHTML": "innerHTML" };
// What belongs to the page itself, of which the server's HTML knows nothing: inline styles (our Content-Security-Policy forbids the server's),
// whether a <details> is open, what is written in a field and not yet sent, and what an element names in its data-own.
const isDraft = (node) => node === document.activeElement || node.value !== node.defaultValue;
let drafts = new Set(); // the fields of the element that is morphed just now; asked before, for a morph changes what they are compared with
const isOwn = (name, node) =>
  name === "style" ||
  (name === "open" && node.tagName === "DETAILS") ||
  (name === "value" && drafts.has(node)) ||
  node.dataset?.own === name ||
  (name === "selected" && node.closest?.('select[data-own="selected"]') != null);
const callbacks = { beforeAttributeUpdated: (name, node) => !isOwn(name, node) };
const around = new Map(); // id -> callback(target) called before a morph; it returns what to do after

/** `before` is called with the element of this id before it is morphed; the function that it returns is called after. */
export function aroundMorph(id, before) {
  around.set(id, before);
}

/** Call what watches this element; run what it returns after the morph. */
export const runAround = (target) => around.get(target.id)?.(target);

export function installMorph(htmx) {
  htmx.defineExtension("morph", {
    isInlineSwap: (swapStyle) => STYLES[swapStyle] === "outerHTML",
    handleSwap: (swapStyle, target, fragment) => {
      const morphStyle = STYLES[swapStyle];
      if (!morphStyle) return undefined;
      const after = runAround(target);
      drafts = new Set([...target.querySelectorAll("input")].filter(isDraft));
      const morphed = Idiomorph.morph(target, fragment.children, { morphStyle, callbacks });
      after?.();
      return morphed;
    },
  });
}
