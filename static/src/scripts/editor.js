// The YAML tab: the learner's files, which the terminal sees too. CodeMirror is fetched when the tab is opened for the first time.

const SAVE_AFTER_MS = 600;
const REFUSED_AFTER_MS = 5000; // a file that is still open then was not taken: what is typed in it is not lost with its command

export function installEditor(document, socket, tabs) {
  const select = document.getElementById("yaml-file");
  const state = document.getElementById("yaml-state");
  const host = document.getElementById("yaml-editor");
  const panel = document.getElementById("panel-yaml");
  const files = JSON.parse(document.getElementById("yaml-files").textContent);
  let editor = null;
  let opening = null;
  let saving = null;
  let edits = null; // the file that a command in the terminal waits for: {number, name, text, sent}
  let asked = 0; // number of the last question to the server
  const answers = new Map(); // question -> resolve

  const ask = (action, text) =>
    new Promise((resolve) => {
      asked += 1;
      const id = String(asked);
      for (const [older, give] of answers) {
        if (!older.startsWith(action)) continue;
        answers.delete(older);
        give(null);
      }
      answers.set(`${action} ${id}`, resolve);
      if (!socket.send({ action, id, text })) resolve(null);
    });
  const answer = (action, box, value) => {
    const key = `${action} ${box.dataset.request}`;
    answers.get(key)?.(value(box));
    answers.delete(key);
  };
  document.addEventListener("htmx:wsAfterMessage", () => {
    answer("lint", document.getElementById("yaml-problems"), (box) =>
      [...box.querySelectorAll("[data-line]")].map((one) => ({ line: Number(one.dataset.line), message: one.dataset.message })),
    );
    answer("suggest", document.getElementById("yaml-words"), (box) => JSON.parse(box.dataset.words));
  });

  const save = () => {
    clearTimeout(saving);
    saving = null;
    const name = select.value;
    files[name] = editor.text();
    state.textContent = socket.send({ action: "save", name, text: files[name] }) ? "저장했습니다" : "아직 저장하지 못했습니다";
  };
  const keep = () => {
    if (edits) {
      edits.sent = false;
      return;
    }
    clearTimeout(saving);
    state.textContent = "";
    saving = setTimeout(save, SAVE_AFTER_MS);
  };
  const apply = () => {
    if (edits) {
      close(editor.text());
      return;
    }
    clearTimeout(saving);
    saving = null;
    const name = select.value;
    files[name] = editor.text();
    if (socket.send({ action: "apply", name, text: files[name] })) tabs.open("terminal");
    else state.textContent = "서버와 이어지지 않아 적용하지 못했습니다";
  };
  // `text` null: nothing is saved. The file stays open until the server says that the command has it.
  const close = (text) => {
    const file = edits;
    file.sent = socket.send({ action: "edited", number: file.number, text });
    if (file.sent) setTimeout(() => (file.sent = false), REFUSED_AFTER_MS);
    else state.textContent = "서버와 이어지지 않아 닫지 못했습니다";
  };
  const add = (name) => {
    if (![...select.options].some((option) => option.value === name)) select.add(new Option(name));
  };
  const show = (name) => {
    if (saving) save();
    add(name);
    select.value = name;
    editor?.setText(files[name] ?? "");
    state.textContent = "";
  };
  const create = async () => {
    const { createEditor } = await import("./codemirror.js");
    host.replaceChildren();
    if (!select.options.length) add("my.yaml");
    editor = createEditor(host, files[select.value] ?? "", {
      onChange: keep,
      onApply: apply,
      lint: (text) => (edits ? [] : ask("lint", text)),
      suggest: (text) => ask("suggest", text),
    });
  };
  // The server was put up anew since this page was opened, and has another editor now; or the line is down.
  const apologise = () => {
    const text = Object.assign(document.createElement("p"), {
      textContent: "편집기를 불러오지 못했습니다. 그사이에 PodLab이 새로 설치되었을 수 있습니다. 새로 고치면 열립니다. 클러스터와 저장한 파일은 그대로 있습니다.",
    });
    const again = Object.assign(document.createElement("button"), { type: "button", className: "primary", textContent: "페이지 새로 고치기" });
    again.addEventListener("click", () => location.reload());
    const words = Object.assign(document.createElement("div"), { className: "yaml-gone" });
    words.setAttribute("role", "alert");
    words.append(text, again);
    host.replaceChildren(words);
  };
  const open = async () => {
    try {
      await (opening ??= create());
    } catch {
      opening = null;
      apologise();
    }
    editor?.focus();
  };
  let shown = select.value;
  select.addEventListener("change", () => {
    const chosen = select.value;
    if (saving) {
      select.value = shown;
      save();
    }
    show(chosen);
    shown = chosen;
  });
  document.getElementById("yaml-new").addEventListener("click", async () => {
    const name = window.prompt("새 파일의 이름", "my.yaml")?.trim();
    if (!name) return;
    files[name] ??= "";
    show(name);
    await open();
  });
  for (const id of ["yaml-apply", "yaml-done"]) document.getElementById(id).addEventListener("click", () => editor && apply());
  document.getElementById("yaml-drop").addEventListener("click", () => close(null));
  panel.addEventListener("click", (event) => {
    const line = event.target.closest("[data-line]");
    if (line) editor?.goTo(Number(line.dataset.line));
  });
  tabs.whenOpened("yaml", open);

  // A command in the terminal (kubectl edit, vi) opens a file here and waits until it is closed.
  const begin = async (file) => {
    if (saving) save();
    edits = file;
    document.getElementById("yaml-name").textContent = file.name;
    panel.classList.add("edits");
    state.textContent = "닫으면 터미널의 명령이 이어집니다";
    tabs.open("yaml");
    tabs.reveal();
    await open();
    if (edits === file) editor?.setText(file.text);
  };
  const end = () => {
    const { name, text, sent } = edits;
    const typed = editor?.text() ?? text;
    edits = null;
    panel.classList.remove("edits");
    state.textContent = "";
    if (!sent && typed !== text) { // the command ended, or the line: what was typed is not lost
      const kept = name.split("/").at(-1);
      files[kept] = typed;
      show(kept);
      save();
      state.textContent = `명령이 끝나 버려 쓰던 내용을 ${kept}에 남겼습니다`;
      return;
    }
    editor?.setText(files[select.value] ?? "");
    if (tabs.current() === "yaml") tabs.open("terminal");
    document.getElementById("terminal-input").focus({ preventScroll: true });
  };
  let opened = document.getElementById("yaml-opened");
  document.addEventListener("htmx:wsAfterMessage", () => {
    const box = document.getElementById("yaml-opened");
    if (box === opened) return;
    opened = box;
    if (edits) end();
    const { number, name, text } = box.dataset;
    if (number) begin({ number: Number(number), name, text, sent: false });
  });
  socket.whenOpen(() => {
    if (edits) end(); // the machine that waited is another now
    else if (editor) save(); // what was typed while the line was down
  });

  // The shell made, changed or removed files.
  let seen = null;
  document.addEventListener("htmx:wsAfterMessage", () => {
    const box = document.getElementById("file-changes");
    if (box === seen || !box.dataset.files) return;
    seen = box;
    for (const [name, text] of Object.entries(JSON.parse(box.dataset.files))) {
      if (text === null) {
        delete files[name];
        for (const option of [...select.options]) if (option.value === name) option.remove();
      } else {
        files[name] = text;
        add(name);
        if (select.value === name && !saving && !edits && editor && editor.text() !== text) editor.setText(text);
      }
    }
  });
  // "YAML에서 열기" in the prose: a manifest of the lesson comes into the editor.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-yaml]");
    if (!button) return;
    if (edits) {
      tabs.open("yaml");
      state.textContent = "열려 있는 파일을 먼저 닫아 주세요";
      return;
    }
    const name = button.dataset.yamlName ?? "lesson.yaml";
    const kept = files[name];
    if (kept?.trim() && kept.trim() !== button.dataset.yaml.trim()
        && !window.confirm(`${name} 파일을 고쳐 두셨습니다. 글에 있는 내용으로 바꿀까요?`)) {
      show(name);
    } else {
      files[name] = `${button.dataset.yaml}\n`;
      show(name);
    }
    tabs.open("yaml");
    tabs.reveal();
    await open();
    if (editor) save();
  });
}
