// The list of recent requests: what somebody has opened stays open while new ones come in above it.
import { aroundMorph } from "./morph.js";

export function installRequests(document) {
  const open = (list) => [...list.querySelectorAll("details[open]")].map((one) => one.id);
  aroundMorph("requests", (list) => {
    const before = open(list);
    return () => before.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  });
}
