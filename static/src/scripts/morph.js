// hx-swap="morph" and hx-swap-oob="morph": idiomorph as an htmx extension, without the eval of idiomorph's own (our
// Content-Security-Policy forbids it). Elements with the same id persist, so CSS transitions animate what changed.
import { Idiomorph } from "idiomorph";

const STYLES = { morph: "outerHTML", "morph:outerHTML": "outerHTML", "morph:innerHTML": "innerHTML" };

export function installMorph(htmx) {
  htmx.defineExtension("morph", {
    isInlineSwap: (swapStyle) => STYLES[swapStyle] === "outerHTML",
    handleSwap: (swapStyle, target, fragment) => {
      const morphStyle = STYLES[swapStyle];
      return morphStyle ? Idiomorph.morph(target, fragment.children, { morphStyle }) : undefined;
    },
  });
}
