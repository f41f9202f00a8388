// The YAML tab. CodeMirror is fetched when the tab is opened for the first time; until then a page needs none of it.

export function installEditor(document, socket, tabs) {
  const select = document.getElementById("yaml-file");
  const state = document.getElementById("yaml-state");
  const files = JSON.parse(document.getElementById("yaml-files").textContent);
  let editor = null;
  let saving = null;

  const keep = () => {
    clearTimeout(saving);
    saving = setTimeout(() => {
      const name = select.value;
      files[name] = editor.text();
      socket.send({ action: "save", name, text: files[name] });
      state.textContent = "저장했습니다";
    }, 600);
  };
  const apply = () => {
    clearTimeout(saving);
    const name = select.value;
    files[name] = editor.text();
    if (socket.send({ action: "apply", name, text: files[name] })) tabs.open("terminal");
  };
  const add = (name) => {
    if (![...select.options].some((option) => option.value === name)) select.add(new Option(name));
    select.value = name;
  };
  const open = async () => {
    if (editor) return editor.focus();
    const { createEditor } = await import("./codemirror.js");
    if (!select.options.length) add("my.yaml");
    editor = createEditor(document.getElementById("yaml-editor"), files[select.value] ?? "", { onChange: keep, onApply: apply });
    editor.focus();
  };
  select.addEventListener("change", () => editor?.setText(files[select.value] ?? ""));
  document.getElementById("yaml-new").addEventListener("click", () => {
    const name = window.prompt("새 파일의 이름", "my.yaml");
    if (!name) return;
    add(name);
    files[name] ??= "";
    editor?.setText(files[name]);
  });
  document.getElementById("yaml-apply").addEventListener("click", () => editor && apply());
  tabs.whenOpened("yaml", open);
  // "YAML에서 열기" in the prose: a manifest of the lesson comes into the editor.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-yaml]");
    if (!button) return;
    const name = button.dataset.yamlName ?? "lesson.yaml";
    files[name] = button.dataset.yaml;
    add(name);
    tabs.open("yaml");
    await open();
    editor.setText(files[name]);
    keep();
  });
}
