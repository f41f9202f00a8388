// Times that go on by themselves: <time data-since="unix seconds"> says how long ago, <… class="ticking" data-ends> how long still.
const WORDS = [[60, 1, "초"], [3600, 60, "분"], [86400, 3600, "시간"], [Infinity, 86400, "일"]];

function ago(seconds) {
  if (seconds < 5) return "방금";
  const [, unit, word] = WORDS.find(([limit]) => seconds < limit);
  return `${Math.floor(seconds / unit)}${word} 전`;
}

export function tick(root, now = Date.now() / 1000) {
  for (const one of root.querySelectorAll("time[data-since]")) {
    const text = ago(Math.max(0, now - Number(one.dataset.since)));
    if (one.textContent !== text) one.textContent = text;
  }
  for (const one of root.querySelectorAll(".ticking[data-ends]")) {
    const left = Math.ceil(Number(one.dataset.ends) - now);
    const shown = Math.abs(left);
    one.textContent = `${left < 0 ? "+" : ""}${Math.floor(shown / 60)}:${String(shown % 60).padStart(2, "0")}`;
    one.classList.toggle("over", left < 0);
    one.setAttribute("aria-label", left < 0 ? "시간이 다 되었습니다" : `${Math.floor(left / 60)}분 ${left % 60}초 남았습니다`);
  }
}

export function installTicking(document) {
  setInterval(() => tick(document), 1000);
  document.addEventListener("htmx:wsAfterMessage", () => tick(document));
  tick(document);
}
