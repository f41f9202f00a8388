// The terminal: a log and a form. Composition (Hangul) is never cut short, history and completion are the shell's.

const HISTORY_MAX = 300;
const CHARACTERS_MAX = 500_000; // of the log; the oldest go first

export function installTerminal(document, socket, tabs, storage) {
  const form = document.getElementById("terminal-form");
  const input = document.getElementById("terminal-input");
  const log = document.getElementById("terminal-log");
  const scroll = document.getElementById("terminal-scroll");
  const prompt = () => document.getElementById("terminal-prompt");
  let history = [];
  try {
    history = JSON.parse(storage.get("history") || "[]");
  } catch {
    // not ours
  }
  let at = history.length;
  let draft = "";
  let sticks = true; // to the end: unless the learner has scrolled up to read

  // As high as what is in it: a long command of the prose can be read whole before it is entered, on a phone too.
  const grow = () => {
    input.rows = 1;
    const lines = input.clientHeight ? Math.round(input.scrollHeight / input.clientHeight) : input.value.split("\n").length;
    input.rows = Math.min(12, lines);
  };
  const bottom = () => (scroll.scrollTop = scroll.scrollHeight);
  const line = (text, kind, { prompted = false } = {}) => {
    const element = document.createElement("span");
    element.className = kind;
    if (prompted) {
      const shown = document.createElement("span");
      shown.className = "t-prompt";
      shown.textContent = prompt().textContent;
      element.append(shown);
    }
    element.append(`${text}\n`);
    log.append(element);
  };
  const echo = (text) => {
    sticks = true;
    line(text, "t-in", { prompted: true });
  };
  const show = (text) => {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
    grow();
    if (sticks) bottom();
  };
  const note = (text) => {
    tabs.open("terminal");
    line(text, "t-note");
  };
  const run = (text, { focus = false } = {}) => {
    tabs.open("terminal");
    tabs.reveal();
    if (!socket.send({ action: "terminal", line: text })) {
      note("서버와 이어지지 않아 보내지 못했습니다.");
      return false;
    }
    echo(text);
    if (focus) input.focus({ preventScroll: true });
    if (text.trim() && text !== history.at(-1)) history = [...history, text].slice(-HISTORY_MAX);
    storage.set("history", JSON.stringify(history.filter((one) => one.length < 2000)));
    at = history.length;
    return true;
  };
  const interrupt = () => {
    echo(`${input.value}^C`);
    show("");
    socket.send({ action: "interrupt" });
  };
  const busy = () => prompt().dataset.busy === "1";
  const recall = (to) => {
    if (to < 0 || to > history.length) return;
    if (at === history.length) draft = input.value;
    at = to;
    show(at === history.length ? draft : history[at]);
  };
  const acts = {
    Enter: () => run(input.value) && show(""),
    ArrowUp: () => recall(at - 1),
    ArrowDown: () => recall(at + 1),
    Tab: () => socket.send({ action: "complete", line: input.value }),
    interrupt,
  };
  const meant = (event) => {
    const oneLine = !input.value.includes("\n");
    if (event.ctrlKey && !event.altKey && !event.metaKey) {
      if (event.key === "c" && input.selectionStart === input.selectionEnd && !String(getSelection())) return interrupt;
      if (event.key === "l") return () => log.replaceChildren();
      if (event.key === "d" && !input.value && busy()) return () => run("exit");
      if (event.key === "u") return () => show("");
      return undefined;
    }
    if (event.key === "Enter") return event.shiftKey ? undefined : acts.Enter;
    if (event.key.startsWith("Arrow")) return oneLine ? { ArrowUp: acts.ArrowUp, ArrowDown: acts.ArrowDown }[event.key] : undefined;
    if (event.key === "Tab") return event.shiftKey || !input.value.trim() ? undefined : acts.Tab; // an empty line lets Tab go on
    return event.key === "Escape" ? () => scroll.focus() : undefined;
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", grow);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const does = meant(event);
    if (!does) return;
    event.preventDefault();
    does();
  });
  document.querySelector(".term-keys").addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (!key) return;
    acts[key]();
    input.focus({ preventScroll: true });
  });
  // A click anywhere in the terminal means "type here", unless text is being selected.
  scroll.addEventListener("click", () => {
    if (!String(getSelection())) input.focus({ preventScroll: true });
  });
  scroll.addEventListener("keydown", (event) => {
    if (event.target === scroll && event.key.length === 1 && !event.ctrlKey && !event.metaKey && event.key !== " ") input.focus();
  });
  scroll.addEventListener("scroll", () => (sticks = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 48), { passive: true });
  new MutationObserver(() => {
    let held = 0;
    for (let child = log.lastChild; child; child = child.previousSibling) {
      held += child.textContent.length + 40;
      if (held > CHARACTERS_MAX && child !== log.lastChild) {
        while (log.firstChild !== child) log.firstChild.remove();
        child.remove();
        break;
      }
    }
    if (sticks) bottom();
  }).observe(log, { childList: true });
  new ResizeObserver(() => sticks && bottom()).observe(scroll);

  let completed = null;
  const complete = (box) => {
    if (box === completed) return;
    completed = box;
    const words = box.dataset.words ? box.dataset.words.split("\n") : [];
    if (!words.length || input.value !== box.dataset.line) return;
    const stem = input.value.replace(/\S*$/, "");
    if (words.length === 1) {
      show(stem + words[0] + (/[/=]$/.test(words[0]) ? "" : " "));
      return;
    }
    let common = words[0];
    for (const word of words) while (!word.startsWith(common)) common = common.slice(0, -1);
    if ((stem + common).length > input.value.length) show(stem + common);
    else {
      echo(input.value);
      line(words.join("  "), "t-out");
    }
  };
  document.addEventListener("htmx:wsAfterMessage", () => {
    const box = document.getElementById("terminal-completions");
    if (box.dataset.line !== undefined) complete(box);
    input.placeholder = busy() || history.length ? "" : "kubectl get pods";
  });
  // Commands shown in the prose can be put into the terminal.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-type]");
    if (!button) return;
    tabs.open("terminal");
    tabs.reveal();
    show(button.dataset.type);
    input.focus({ preventScroll: true });
  });
  return { run, note, busy };
}
