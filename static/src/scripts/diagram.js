// Picking in the diagram: a click (or Enter) selects, a second one or the context menu offers what can be done. Acts go through the
// terminal wherever kubectl has a word for them, so that the learner sees the command.

const MENUS = {
  pods: (ref, name, ns) => [
    ["왜?", { action: "select", ref, view: "why" }],
    ["자세히 보기", { action: "select", ref, view: "describe" }],
    ["로그 보기", `kubectl logs ${name}${ns}`],
    ["셸 열기", `kubectl exec -it ${name}${ns} -- sh`],
    ["파드 지우기", `kubectl delete pod ${name}${ns}`],
  ],
  containers: (ref, name, ns, container) => [
    ["왜?", { action: "select", ref, view: "why" }],
    ["로그 보기", `kubectl logs ${name} -c ${container}${ns}`],
    ["지난 로그 보기", `kubectl logs ${name} -c ${container} --previous${ns}`],
    ["셸 열기", `kubectl exec -it ${name} -c ${container}${ns} -- sh`],
    ["프로세스 죽이기", { action: "fault", pod: ref.split("#")[0].split("/").slice(1).join("/"), container }],
  ],
  nodes: (ref, name) => [
    ["왜?", { action: "select", ref, view: "why" }],
    ["자세히 보기", { action: "select", ref, view: "describe" }],
    ["전원 끄기", { action: "fault", node: name, power: "off" }],
    ["전원 켜기", { action: "fault", node: name, power: "on" }],
    ["kubelet 멈추기", { action: "fault", node: name, power: "silent" }],
  ],
  other: (ref) => [
    ["왜?", { action: "select", ref, view: "why" }],
    ["자세히 보기", { action: "select", ref, view: "describe" }],
    ["YAML 보기", { action: "select", ref, view: "yaml" }],
  ],
};

export function installDiagram(document, socket, tabs, terminal) {
  const board = document.getElementById("board");
  const menu = document.getElementById("menu");
  let opener = null;

  const select = (ref, view) => {
    tabs.open("inspector");
    socket.send({ action: "select", ref, view });
    document.getElementById("inspected").textContent = `: ${ref.split("#")[0].split("/").at(-1)}`;
    mark(ref);
  };
  let marked = "";
  const mark = (ref) => {
    marked = ref;
    for (const element of board.querySelectorAll("[data-ref]")) element.classList.toggle("selected", element.dataset.ref === ref);
  };
  const close = ({ refocus = true } = {}) => {
    if (menu.hidden) return;
    menu.hidden = true;
    if (refocus) opener?.focus();
  };
  const open = (element, x, y) => {
    const ref = element.dataset.ref;
    const [path, container] = ref.split("#");
    const parts = path.split("/");
    const name = parts.at(-1);
    const ns = parts.length === 3 && parts[1] !== "default" ? ` -n ${parts[1]}` : "";
    const make = container ? MENUS.containers : (MENUS[parts[0]] ?? MENUS.other);
    menu.replaceChildren(
      ...make(ref, name, ns, container).map(([label, act]) => {
        const item = document.createElement("button");
        item.type = "button";
        item.setAttribute("role", "menuitem");
        item.textContent = label;
        item.addEventListener("click", () => {
          close({ refocus: false });
          if (typeof act === "string") terminal.run(act);
          else if (act.action === "select") select(act.ref, act.view);
          else socket.send(act);
        });
        return item;
      }),
    );
    opener = element;
    menu.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = menu;
    menu.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 8))}px`;
    menu.style.top = `${Math.max(4, Math.min(y, innerHeight - height - 8))}px`;
    menu.firstElementChild.focus();
  };

  board.addEventListener("click", (event) => {
    const element = event.target.closest("[data-ref]");
    if (!element) return;
    select(element.dataset.ref, "describe");
    open(element, event.clientX + 6, event.clientY + 6);
  });
  board.addEventListener("contextmenu", (event) => {
    const element = event.target.closest("[data-ref]");
    if (!element) return;
    event.preventDefault();
    open(element, event.clientX, event.clientY);
  });
  board.addEventListener("keydown", (event) => {
    const element = event.target.closest?.("[data-ref]");
    if (!element || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    const box = element.getBoundingClientRect();
    open(element, box.left + Math.min(box.width, 40), box.top + Math.min(box.height, 40));
  });
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      close();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("#menu")) close({ refocus: false });
  });
  // The inspector's own tabs, and "왜?" anywhere.
  document.addEventListener("click", (event) => {
    const inspect = event.target.closest("[data-inspect]");
    if (inspect) {
      const box = inspect.closest("#inspector");
      select(box.dataset.ref, inspect.dataset.inspect);
    }
    const why = event.target.closest("[data-why]");
    if (why) select(why.dataset.why, "why");
  });
  document.addEventListener("htmx:oobAfterSwap", () => marked && mark(marked));
}
