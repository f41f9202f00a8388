// The YAML tab: the learner's files, which the terminal sees too. CodeMirror is fetched when the tab is opened for the first time.

const SAVE_AFTER_MS = 600;

export function installEditor(document, socket, tabs) {
  const select = document.getElementById("yaml-file");
  const state = document.getElementById("yaml-state");
  const host = document.getElementById("yaml-editor");
  const files = JSON.parse(document.getElementById("yaml-files").textContent);
  let editor = null;
  let opening = null;
  let saving = null;
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
    clearTimeout(saving);
    state.textContent = "";
    saving = setTimeout(save, SAVE_AFTER_MS);
  };
  const apply = () => {
    clearTimeout(saving);
    saving = null;
    const name = select.value;
    files[name] = editor.text();
    if (socket.send({ action: "apply", name, text: files[name] })) tabs.open("terminal");
    else state.textContent = "서버와 이어지지 않아 적용하지 못했습니다";
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
      lint: (text) => ask("lint", text),
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
  document.getElementById("yaml-apply").addEventListener("click", () => editor && apply());
  document.getElementById("panel-yaml").addEventListener("click", (event) => {
    const line = event.target.closest("[data-line]");
    if (line) editor?.goTo(Number(line.dataset.line));
  });
  tabs.whenOpened("yaml", open);
  socket.whenOpen(() => editor && save()); // what was typed while the line was down

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
        if (select.value === name && !saving && editor && editor.text() !== text) editor.setText(text);
      }
    }
  });
  // "YAML에서 열기" in the prose: a manifest of the lesson comes into the editor.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-yaml]");
    if (!button) return;
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
