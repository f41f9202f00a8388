// The page's one websocket. htmx opens it and reopens it after some close codes; the rest is done here, so that a page always
// comes back by itself unless its session is over. Buttons with data-send='{"action": ...}' send that when pressed.

const HTMX_REOPENS = [1006, 1011, 1012, 1013]; // hx-ws-2.js
const NO_SESSION = 4403; // podlab/labs/consumers.py
const NO_LESSON = 4404;
const NO_TEACHER = 4401; // podlab/classroom/consumers.py
const MEMBER_LEFT = 4410; // podlab/classroom/guests.py
const ENDINGS = {
  [NO_SESSION]: ["이 브라우저의 세션이 끝났습니다. 이어하기 코드가 있으면 돌아올 수 있습니다.", "/", "첫 화면으로"],
  [NO_LESSON]: ["이 화면은 이제 없습니다.", "/", "첫 화면으로"],
  [MEMBER_LEFT]: ["이 사람은 이제 이 자리에 없습니다. 내보냈거나 다른 자리와 합쳤습니다.", "/teacher/", "교실로"],
  [NO_TEACHER]: ["로그인이 끝났습니다. 다시 로그인하면 이어서 볼 수 있습니다.", "/teacher/sign-in/", "로그인"],
};
const MESSAGE_MAX = 700_000; // characters: at most three bytes each, within what the server takes in (serve.py)
const PRESS_MS = 1500; // for which what comes may wait for the end of a press, which can go unseen (on a scrollbar, beside the window)
const CLICK_MS = 30; // from the end of a press to its click, where it is a finger's
const DELAYS = [300, 600, 1200, 2000, 3000]; // ms before a try; a little chance is added, so that a class does not come back at once

// Between a press and its release nothing is swapped: the browser gives no click to an element that was replaced or has moved away from
// under the pointer meanwhile, and the learner would have pressed in vain. What comes waits, in its order.
function holdWhilePressed(document, htmx) {
  let pressed = null; // the timer of its end
  let held = [];
  const release = () => {
    clearTimeout(pressed);
    pressed = null;
    const waiting = held;
    held = [];
    for (const [line, data] of waiting) line.dispatchEvent(new MessageEvent("message", { data }));
  };
  const end = (ms) => {
    clearTimeout(pressed);
    pressed = setTimeout(release, ms);
  };
  document.addEventListener("pointerdown", () => end(PRESS_MS), true);
  for (const type of ["pointerup", "pointercancel"]) document.addEventListener(type, () => pressed !== null && end(CLICK_MS), true);
  htmx.createWebSocket = (url) => {
    const line = new WebSocket(url);
    line.addEventListener("message", (event) => {
      if (pressed === null || !event.isTrusted) return;
      event.stopImmediatePropagation();
      held.push([line, event.data]);
    });
    line.addEventListener("close", release);
    return line;
  };
  return () => pressed !== null;
}

export function installSocket(document, htmx) {
  const pressed = holdWhilePressed(document, htmx);
  htmx.config.wsReconnectDelay = (tries) => DELAYS[Math.min(tries, DELAYS.length - 1)] * (0.7 + Math.random() * 0.6);
  let wrapper = null;
  let tries = 0;
  let ended = false;
  const onOpen = [];
  const socket = {
    send(message) {
      if (!wrapper) return false;
      const text = JSON.stringify(message);
      if (text.length > MESSAGE_MAX) window.alert("너무 커서 보내지 못했습니다. 매니페스트라면 여러 파일로 나누어 주세요.");
      else wrapper.send(text);
      return true;
    },
    whenOpen: (callback) => onOpen.push(callback),
    pressed, // whether something is being pressed just now: it shall not move
  };

  const banner = document.getElementById("offline");
  const say = (text, link) => {
    banner.replaceChildren(text);
    if (link) banner.append(" ", Object.assign(document.createElement("a"), link));
    banner.hidden = false;
  };
  let patience = null; // a blink of the line is not worth a word
  document.addEventListener("htmx:wsOpen", (event) => {
    wrapper = event.detail.socketWrapper;
    tries = 0;
    clearTimeout(patience);
    banner.hidden = true;
    document.documentElement.classList.remove("is-offline");
    for (const callback of onOpen) callback();
  });
  document.addEventListener("htmx:wsClose", (event) => {
    wrapper = null;
    const { code } = event.detail.event;
    const again = event.detail.socketWrapper;
    document.documentElement.classList.add("is-offline");
    clearTimeout(patience);
    if (code in ENDINGS) {
      ended = true;
      const [text, home, name] = ENDINGS[code];
      say(text, { href: `${home}?next=${encodeURIComponent(location.pathname)}`, textContent: name });
      return;
    }
    patience = setTimeout(() => say("서버와 연결이 끊겼습니다. 다시 잇는 중입니다…"), 700);
    if (!HTMX_REOPENS.includes(code)) setTimeout(() => again.reconnect(), htmx.config.wsReconnectDelay(tries++));
  });
  window.addEventListener("pageshow", (event) => {
    // A page that the browser had put aside has lost its line without being told.
    if (event.persisted && !wrapper && !ended) location.reload();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-send]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    if (button.dataset.confirm && !window.confirm(button.dataset.confirm)) return;
    if (!socket.send(JSON.parse(button.dataset.send))) say("서버와 이어지지 않아 하지 못했습니다. 다시 이어지면 한 번 더 해 주세요.");
  });

  // A notice leaves by itself, unless somebody reads it, and at a press of its button.
  const notices = document.getElementById("notices");
  new MutationObserver((records) => {
    for (const notice of records.flatMap((record) => [...record.addedNodes])) {
      if (notice.nodeType !== 1) continue;
      const leave = () => (notice.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : notice.remove());
      setTimeout(leave, notice.classList.contains("bad") ? 14000 : 6000);
      while (notices.children.length > 3) notices.firstElementChild.remove();
    }
  }).observe(notices, { childList: true });
  notices.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest(".notice").remove());
  return socket;
}
