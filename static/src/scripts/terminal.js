// The terminal: a log and a form. Composition (Hangul) is never cut short, history and completion are the shell's.

const HISTORY_MAX = 300;

export function installTerminal(document, socket, tabs) {
  const form = document.getElementById("terminal-form");
  const input = document.getElementById("terminal-input");
  const log = document.getElementById("terminal-log");
  const scroll = document.getElementById("terminal-scroll");
  const key = `podlab-history ${location.pathname}`;
  let history = JSON.parse(localStorage.getItem(key) ?? "[]");
  let at = history.length;
  let draft = "";

  const grow = () => {
    input.rows = Math.min(12, input.value.split("\n").length);
  };
  const bottom = () => (scroll.scrollTop = scroll.scrollHeight);
  const echo = (text) => {
    const prompt = document.getElementById("terminal-prompt");
    const line = document.createElement("span");
    line.className = "t-in";
    const shown = document.createElement("span");
    shown.className = "t-prompt";
    shown.textContent = prompt.textContent;
    line.append(shown, `${text}\n`);
    log.append(line);
    bottom();
  };
  const run = (line) => {
    tabs.open("terminal");
    if (!socket.send({ action: "terminal", line })) return false;
    echo(line);
    if (line.trim() && line !== history.at(-1)) history = [...history, line].slice(-HISTORY_MAX);
    localStorage.setItem(key, JSON.stringify(history));
    at = history.length;
    return true;
  };
  const show = (text) => {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
    grow();
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", grow);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const oneLine = !input.value.includes("\n");
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (run(input.value)) show("");
    } else if (event.key === "ArrowUp" && oneLine && at > 0) {
      event.preventDefault();
      if (at === history.length) draft = input.value;
      show(history[--at]);
    } else if (event.key === "ArrowDown" && oneLine && at < history.length) {
      event.preventDefault();
      at += 1;
      show(at === history.length ? draft : history[at]);
    } else if (event.key === "Tab" && !event.shiftKey && input.value.trim()) {
      event.preventDefault();
      socket.send({ action: "complete", line: input.value });
    } else if (event.ctrlKey && event.key === "c" && input.selectionStart === input.selectionEnd) {
      event.preventDefault();
      echo(`${input.value}^C`);
      show("");
      socket.send({ action: "interrupt" });
    } else if (event.ctrlKey && event.key === "l") {
      event.preventDefault();
      log.replaceChildren();
    } else if (event.key === "Escape") {
      input.blur();
    }
  });
  // A click anywhere in the terminal means "type here", unless text is being selected.
  scroll.addEventListener("click", () => {
    if (!String(window.getSelection())) input.focus();
  });
  new MutationObserver(() => {
    while (log.childNodes.length > 2000) log.firstChild.remove();
    bottom();
  }).observe(log, { childList: true });

  const complete = (box) => {
    const words = box.dataset.words ? box.dataset.words.split("\n") : [];
    if (!words.length || input.value !== box.dataset.line) return;
    const stem = input.value.replace(/\S*$/, "");
    if (words.length === 1) {
      show(stem + words[0] + (words[0].endsWith("/") ? "" : " "));
      return;
    }
    let common = words[0];
    for (const word of words) while (!word.startsWith(common)) common = common.slice(0, -1);
    if ((stem + common).length > input.value.length) show(stem + common);
    else {
      echo(input.value);
      const list = document.createElement("span");
      list.className = "t-out";
      list.textContent = `${words.join("  ")}\n`;
      log.append(list);
    }
  };
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target?.id === "terminal-completions") complete(document.getElementById("terminal-completions"));
  });
  // Commands shown in the prose can be put into the terminal.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-type]");
    if (!button) return;
    tabs.open("terminal");
    show(button.dataset.type);
    input.focus();
  });
  return { run, show };
}
