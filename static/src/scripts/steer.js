// What a teacher does to many: which tiles are picked, the dialog of faults, and the call to a step. Every act is asked about once more.

export function installSteer(document, socket, { shown, plan }) {
  const picked = new Set(); // learner ids; they stay picked while their tiles come and go
  const byId = (id) => document.getElementById(id);
  const bar = byId("picked");
  const dialog = byId("fault-dialog");
  const lesson = byId("fault-lesson");
  const node = byId("fault-node");
  const targets = byId("fault-targets");
  const tiles = () => [...document.querySelectorAll(".tile")];
  let whom = "all";

  const show = () => {
    const present = tiles();
    if (present.length) {
      const here = new Set(present.map((tile) => tile.dataset.learner));
      for (const id of picked) if (!here.has(id)) picked.delete(id);
    }
    for (const tile of present) {
      const on = String(picked.has(tile.dataset.learner));
      const button = tile.querySelector(".pick");
      if (button.getAttribute("aria-pressed") !== on) button.setAttribute("aria-pressed", on);
    }
    bar.hidden = picked.size === 0;
    byId("picked-count").textContent = `${picked.size}명을 골랐습니다`;
  };
  const number = () => (whom === "picked" ? picked.size : Number(document.querySelector("#counts .all dd")?.textContent ?? 0));
  const choose = (wish) => {
    whom = wish === "picked" && picked.size ? "picked" : "all";
    for (const button of targets.children) {
      const on = button.dataset.targets === whom;
      button.classList.toggle("on", on);
      button.setAttribute("aria-pressed", String(on));
      if (button.dataset.targets === "picked") {
        button.textContent = `고른 사람 ${picked.size}명`;
        button.disabled = picked.size === 0;
      } else button.textContent = `모두 ${document.querySelector("#counts .all dd")?.textContent ?? ""}명`;
    }
  };
  // Where most of them are just now.
  const usual = () => {
    const counts = new Map();
    for (const tile of tiles()) {
      const slug = tile.dataset.lesson;
      if (slug && (!picked.size || picked.has(tile.dataset.learner))) counts.set(slug, (counts.get(slug) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  };
  const nodes = () => {
    const names = lesson.selectedOptions[0]?.dataset.nodes.split(" ") ?? [];
    node.replaceChildren(new Option("모든 노드", ""), ...names.map((name) => new Option(name, name)));
  };
  const direct = (message, label) => {
    const where = lesson.selectedOptions[0].textContent;
    if (!window.confirm(`${number()}명의 ‘${where}’ 클러스터에 합니다: ${label}. 할까요?`)) return;
    const learners = whom === "picked" ? [...picked] : null;
    if (socket.send({ action: "direct", ...message, node: node.value, lesson: lesson.value, learners })) dialog.close();
  };
  const prepare = () => {
    choose("picked");
    lesson.value = usual() ?? lesson.value;
    nodes();
  };

  document.addEventListener("click", (event) => {
    const pick = event.target.closest(".pick");
    if (pick) {
      const id = pick.closest(".tile").dataset.learner;
      if (!picked.delete(id)) picked.add(id);
      show();
    }
    if (event.target.closest('[data-opens="fault-dialog"]')) prepare();
    const wish = event.target.closest("[data-targets]");
    if (wish) choose(wish.dataset.targets);
    const fault = event.target.closest("[data-fault]");
    if (fault) direct(JSON.parse(fault.dataset.fault), `${fault.closest("[role=group]").getAttribute("aria-label")} ${fault.textContent}`);
  });
  lesson.addEventListener("change", nodes);
  byId("picked-none").addEventListener("click", () => {
    picked.clear();
    show();
  });
  byId("picked-reset").addEventListener("click", () => {
    prepare();
    direct({ kind: "reset" }, "처음으로 돌려놓기");
  });
  byId("pick-shown").addEventListener("click", () => {
    for (const tile of shown()) picked.add(tile.dataset.learner);
    show();
  });
  byId("call").addEventListener("submit", (event) => {
    event.preventDefault();
    const [slug, step] = byId("call-step").value.split(" ");
    if (socket.send({ action: "wish", lesson: slug, step, minutes: Number(byId("call-minutes").value) })) byId("call-dialog").close();
  });
  plan(show);
}
