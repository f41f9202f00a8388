// The page's one websocket (htmx opens and reopens it). Buttons with data-send='{"action": ...}' send that when pressed.

export function installSocket(document) {
  let wrapper = null;
  const onOpen = [];
  const socket = {
    send(message) {
      if (!wrapper) return false;
      wrapper.send(JSON.stringify(message));
      return true;
    },
    whenOpen: (callback) => onOpen.push(callback),
  };
  const offline = document.getElementById("offline");
  document.addEventListener("htmx:wsOpen", (event) => {
    wrapper = event.detail.socketWrapper;
    offline.hidden = true;
    for (const callback of onOpen) callback();
  });
  document.addEventListener("htmx:wsClose", () => {
    wrapper = null;
    offline.hidden = false;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-send]");
    if (!button) return;
    if (button.dataset.confirm && !window.confirm(button.dataset.confirm)) return;
    socket.send(JSON.parse(button.dataset.send));
  });
  // A notice leaves by itself, unless somebody reads it.
  new MutationObserver((records) => {
    for (const record of records) {
      for (const notice of record.addedNodes) {
        if (notice.nodeType !== 1) continue;
        const leave = () => (notice.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : notice.remove());
        setTimeout(leave, notice.classList.contains("bad") ? 14000 : 6000);
      }
    }
  }).observe(document.getElementById("notices"), { childList: true });
  return socket;
}
