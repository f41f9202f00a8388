// Panels that can be resized with pointer or arrow keys; the sizes are kept in this browser. The server is told how wide the diagram is.

export function installLayout(document, socket, storage) {
  const root = document.documentElement;
  const lab = document.querySelector(".lab");
  const grid = document.getElementById("lab");
  const board = document.getElementById("board");
  for (const splitter of document.querySelectorAll("[data-split]")) {
    const name = splitter.dataset.split;
    const vertical = splitter.getAttribute("aria-orientation") === "vertical";
    const limits = () => (vertical ? [280, grid.clientWidth - 520] : [120, lab.clientHeight - 240]);
    const set = (size) => {
      const [low, high] = limits();
      const fit = Math.round(Math.max(low, Math.min(size, Math.max(low, high))));
      root.style.setProperty(name, `${fit}px`);
      splitter.setAttribute("aria-valuemax", String(Math.max(low, high)));
      splitter.setAttribute("aria-valuenow", String(fit));
      return fit;
    };
    const keep = (size) => storage.set(name, String(set(size)));
    const present = () => (vertical ? splitter.getBoundingClientRect().left : document.querySelector(".panel").offsetHeight);
    const kept = Number(storage.get(name));
    if (kept) set(kept);
    splitter.setAttribute("aria-valuenow", String(Math.round(present())));
    splitter.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      splitter.focus();
      splitter.setPointerCapture(event.pointerId);
      const from = vertical ? event.clientX : event.clientY;
      const size = present();
      const move = (moved) => keep(vertical ? size + moved.clientX - from : size - (moved.clientY - from));
      const end = () => splitter.removeEventListener("pointermove", move);
      splitter.addEventListener("pointermove", move);
      splitter.addEventListener("pointerup", end, { once: true });
      splitter.addEventListener("pointercancel", end, { once: true });
    });
    splitter.addEventListener("dblclick", () => {
      root.style.removeProperty(name);
      storage.set(name, "");
    });
    const keys = vertical ? { ArrowRight: 24, ArrowLeft: -24 } : { ArrowUp: 24, ArrowDown: -24 };
    splitter.addEventListener("keydown", (event) => {
      const [low, high] = limits();
      const to = { Home: low, End: high }[event.key] ?? (keys[event.key] ? present() + keys[event.key] : null);
      if (to === null) return;
      event.preventDefault();
      keep(to);
    });
  }
  let told = 0;
  const tell = () => {
    const { paddingLeft, paddingRight } = getComputedStyle(board);
    const width = board.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    if (Math.abs(width - told) > 20 && socket.send({ action: "width", width })) told = width;
  };
  let later = null; // while a splitter is dragged the picture only scales; it is laid out anew when the hand rests
  new ResizeObserver(() => {
    clearTimeout(later);
    later = setTimeout(tell, 150);
  }).observe(board);
  socket.whenOpen(() => {
    told = 0;
    tell();
  });

  // On a phone the cluster lies under the prose: a button leads there, and back to where one was reading.
  const jump = document.getElementById("jump");
  let reading = 0;
  let leaving = false; // on the way down by the button: the places passed are not where one was reading
  new IntersectionObserver(
    (entries) => {
      const entry = entries.at(-1); // a busy page hears of going away and coming back at once: the last word counts
      const below = entry.isIntersecting || entry.boundingClientRect.top < 0;
      jump.textContent = below ? "글로 돌아가기" : "클러스터 보기";
      root.classList.toggle("is-below", below);
      if (below) leaving = false;
    },
    { rootMargin: "0px 0px -40% 0px" },
  ).observe(lab);
  jump.addEventListener("click", () => {
    if (root.classList.contains("is-below")) return window.scrollTo({ top: reading, behavior: "instant" });
    reading = window.scrollY;
    leaving = true;
    lab.scrollIntoView({ block: "start", behavior: "instant" }); // a long way past every step, and none of them is being read
  });
  addEventListener("scroll", () => leaving || root.classList.contains("is-below") || (reading = window.scrollY), { passive: true });

  const toggle = document.getElementById("twin-toggle");
  const twin = document.getElementById("twin");
  toggle.addEventListener("click", () => {
    twin.hidden = !twin.hidden;
    toggle.setAttribute("aria-expanded", String(!twin.hidden));
    if (!twin.hidden) twin.focus();
  });
  twin.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    twin.hidden = true;
    toggle.setAttribute("aria-expanded", "false");
    toggle.focus();
  });
}
