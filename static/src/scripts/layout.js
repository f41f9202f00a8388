// Panels that can be resized with pointer or arrow keys; the sizes are kept in this browser. The server is told how wide the diagram is.

export function installLayout(document, socket) {
  const root = document.documentElement;
  const lab = document.getElementById("lab");
  const board = document.getElementById("board");
  for (const splitter of document.querySelectorAll("[data-split]")) {
    const name = splitter.dataset.split;
    const vertical = splitter.getAttribute("aria-orientation") === "vertical";
    const limits = () => (vertical ? [280, lab.clientWidth - 480] : [120, lab.clientHeight - 220]);
    const set = (size) => {
      const [low, high] = limits();
      const fit = Math.round(Math.max(low, Math.min(size, Math.max(low, high))));
      root.style.setProperty(name, `${fit}px`);
      splitter.setAttribute("aria-valuenow", String(fit));
      localStorage.setItem(`podlab${name}`, String(fit));
    };
    const present = () => parseInt(getComputedStyle(root).getPropertyValue(name), 10) || (vertical ? 400 : 280);
    const kept = Number(localStorage.getItem(`podlab${name}`));
    if (kept) set(kept);
    splitter.addEventListener("pointerdown", (event) => {
      splitter.setPointerCapture(event.pointerId);
      const from = vertical ? event.clientX : event.clientY;
      const size = present();
      const move = (moved) => set(vertical ? size + moved.clientX - from : size - (moved.clientY - from));
      splitter.addEventListener("pointermove", move);
      splitter.addEventListener("pointerup", () => splitter.removeEventListener("pointermove", move), { once: true });
    });
    splitter.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 24, ArrowLeft: -24, ArrowUp: 24, ArrowDown: -24 }[event.key];
      if (!step) return;
      event.preventDefault();
      set(present() + step);
    });
  }
  let told = 0;
  const tell = () => {
    const width = board.clientWidth;
    if (Math.abs(width - told) > 40 && socket.send({ action: "width", width })) told = width;
  };
  new ResizeObserver(() => requestAnimationFrame(tell)).observe(board);
  socket.whenOpen(() => {
    told = 0;
    tell();
  });
}
