// A line between the teacher and one learner. Buttons with data-chat open and close it; a line that was not seen yet opens it by itself.

export function installChat(document, socket) {
  const box = document.getElementById("chat");
  const log = document.getElementById("chat-log");
  const form = document.getElementById("chat-form");
  const input = document.getElementById("chat-text");
  const unseen = () => [...log.querySelectorAll('[data-unseen="1"]')];
  const look = () => {
    log.scrollTop = log.scrollHeight;
    const fresh = unseen();
    for (const line of fresh) line.dataset.unseen = "";
    if (fresh.length) socket.send({ action: "heard" });
  };
  const open = (focus) => {
    box.hidden = false;
    look();
    if (focus) input.focus({ preventScroll: true });
  };
  document.addEventListener("click", (event) => {
    const wish = event.target.closest("[data-chat]")?.dataset.chat;
    if (wish === "open") open(true);
    else if (wish === "close") box.hidden = true;
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") box.hidden = true;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim() && socket.send({ action: "say", text: input.value })) input.value = "";
  });
  new MutationObserver(() => {
    if (!box.hidden || unseen().length) open(false);
  }).observe(log, { childList: true });
}
