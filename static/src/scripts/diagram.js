// Picking in the diagram: a click selects an object and offers what can be done with it. By keyboard one object at a time takes part
// in the tab order; arrows go to the neighbour, Enter opens the menu, Space shows the object below, Escape lets go.
// Acts go through the terminal wherever kubectl has a word for them, so that the learner sees the command.

import { installBelow } from "./below.js";

const look = (label, ref, view) => [label, { select: { ref, view } }];
const MENUS = {
  pods: ({ ref, name, ns }) => [
    look("왜?", ref, "why"),
    look("자세히 보기", ref, "describe"),
    ["로그 보기", { run: `kubectl logs ${name}${ns}` }],
    ["셸 열기", { run: `kubectl exec -it ${name}${ns} -- sh` }],
    ["파드 지우기", { run: `kubectl delete pod ${name}${ns}`, busy: { action: "delete", ref } }, "grave"],
  ],
  containers: ({ ref, name, ns, container, alive, path }) => [
    look("왜?", ref, "why"),
    ["로그 보기", { run: `kubectl logs ${name} -c ${container}${ns}` }],
    ["지난 실행의 로그 보기", { run: `kubectl logs ${name} -c ${container} --previous${ns}` }],
    ...(alive
      ? [
          ["셸 열기", { run: `kubectl exec -it ${name} -c ${container}${ns} -- sh` }],
          ["프로세스 죽이기", { send: { action: "fault", pod: path.split("/").slice(1).join("/"), container } }, "grave"],
        ]
      : []),
  ],
  nodes: ({ ref, name, down }) => [
    look("왜?", ref, "why"),
    look("자세히 보기", ref, "describe"),
    ...(down
      ? [["전원 켜기", { send: { action: "fault", node: name, power: "on" } }]]
      : [
          ["전원 끄기", { send: { action: "fault", node: name, power: "off" } }, "grave"],
          ["kubelet 멈추기", { send: { action: "fault", node: name, power: "silent" } }, "grave"],
        ]),
  ],
  other: ({ ref }) => [look("왜?", ref, "why"), look("자세히 보기", ref, "describe"), look("YAML 보기", ref, "yaml")],
};
const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

export function installDiagram(document, socket, tabs, terminal, browser) {
  const board = document.getElementById("board");
  const menu = document.getElementById("menu");
  const inspected = document.getElementById("inspected");
  let opener = null;
  let stood = ""; // where the diagram was scrolled to when the menu opened
  let marked = "";
  let present = ""; // ref of the object that takes part in the tab order

  const objects = () => [...board.querySelectorAll("[data-ref][tabindex]")];
  const find = (ref) => objects().find((element) => element.dataset.ref === ref);
  const nameOf = (ref) => ref.split("#")[1] ?? ref.split("/").at(-1);

  // After each render: what is selected stays selected, and one object stays in the tab order.
  const settle = () => {
    let held = false;
    for (const element of objects()) {
      element.classList.toggle("selected", element.dataset.ref === marked);
      const on = element.dataset.ref === present && !held;
      element.setAttribute("tabindex", on ? "0" : "-1");
      held ||= on;
    }
    if (!held) objects()[0]?.setAttribute("tabindex", "0");
    for (const element of document.querySelectorAll("#board [data-ref]:not([tabindex])")) {
      element.classList.toggle("selected", element.dataset.ref === marked);
    }
  };
  const select = (ref, view, { open = true } = {}) => {
    marked = ref;
    socket.send({ action: "select", ref, view });
    inspected.textContent = `: ${nameOf(ref)}`;
    settle();
    if (open) {
      tabs.open("inspector");
      tabs.reveal();
    }
  };
  const place = () => `${board.scrollLeft} ${board.scrollTop}`;
  const close = ({ refocus = true } = {}) => {
    if (menu.hidden) return;
    menu.hidden = true;
    if (refocus) (opener?.isConnected ? opener : (find(opener?.dataset?.ref) ?? board)).focus();
  };
  const act = (what) => {
    close({ refocus: Boolean(what.send) });
    if (what.select) select(what.select.ref, what.select.view);
    else if (what.send) socket.send(what.send);
    else if (what.open) browser.open(what.open);
    else if (!terminal.busy()) terminal.run(what.run, { focus: true });
    else if (what.busy) socket.send(what.busy);
    else terminal.note("다른 명령이 실행되고 있습니다. Ctrl-C로 멈추거나 exit로 나온 뒤에 다시 해 주세요.");
  };
  // A node port is open on every node: the first one drawn will do.
  const addressOf = (port) => port.dataset.open.replace("{node}", () => board.querySelector('[data-ref^="nodes/"]')?.dataset.ref.split("/").at(-1) ?? "node-1");
  const portsOf = (element) =>
    [...(element?.querySelectorAll("[data-open]") ?? [])].map((port) => [`브라우저에서 열기: ${port.textContent}`, { open: addressOf(port) }]);
  const open = (from, ref, x, y) => {
    const [path, container] = ref.split("#");
    const parts = path.split("/");
    const drawn = find(ref);
    const facts = {
      ref, path, container, name: parts.at(-1),
      ns: parts.length === 3 && parts[1] !== "default" ? ` -n ${parts[1]}` : "",
      down: drawn?.classList.contains("down") ?? false,
      alive: drawn?.matches(".is-running, .is-unready, .is-starting") ?? true,
    };
    const title = document.createElement("p");
    title.textContent = nameOf(ref);
    title.setAttribute("aria-hidden", "true");
    const whole = (container ? MENUS.containers : (MENUS[parts[0]] ?? MENUS.other))(facts);
    const ports = container || parts[0] === "nodes" ? [] : portsOf(drawn);
    const items = [...whole.slice(0, 2), ...ports, ...whole.slice(2)].map(([label, what, mood]) => {
      const item = document.createElement("button");
      item.type = "button";
      item.tabIndex = -1;
      item.setAttribute("role", "menuitem");
      item.textContent = label;
      if (mood) item.className = mood;
      item.addEventListener("click", () => act(what));
      return item;
    });
    menu.setAttribute("aria-label", `${nameOf(ref)}에 할 일`);
    menu.replaceChildren(title, ...items);
    opener = from;
    stood = place();
    menu.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = menu;
    menu.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 8))}px`;
    menu.style.top = `${Math.max(4, Math.min(y, innerHeight - height - 8))}px`;
    items[0].focus({ preventScroll: true });
  };
  const corner = (element) => {
    const box = element.getBoundingClientRect();
    return [box.left + Math.min(box.width, 40), box.top + Math.min(box.height, 40)];
  };
  const go = (element) => {
    if (!element) return;
    present = element.dataset.ref;
    settle();
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const neighbour = (from, [right, down]) => {
    const anchor = (element) => {
      const box = element.getBoundingClientRect();
      return [box.left + Math.min(box.width / 2, 60), box.top + Math.min(box.height / 2, 16)];
    };
    const [x, y] = anchor(from);
    let best = null;
    let least = Infinity;
    for (const element of objects()) {
      if (element === from) continue;
      const [ex, ey] = anchor(element);
      const along = (ex - x) * right + (ey - y) * down;
      const aside = Math.abs((ex - x) * down) + Math.abs((ey - y) * right);
      if (along > 3 && along + aside * 2.5 < least) {
        least = along + aside * 2.5;
        best = element;
      }
    }
    return best;
  };

  board.addEventListener("click", (event) => {
    const port = event.target.closest("[data-open]");
    if (port) {
      browser.open(addressOf(port));
      return;
    }
    const element = event.target.closest("[data-ref]");
    if (!element) return;
    if (element.hasAttribute("tabindex")) present = element.dataset.ref;
    select(element.dataset.ref, "describe", { open: tabs.current() === "inspector" });
    open(element, element.dataset.ref, event.clientX + 6, event.clientY + 6);
  });
  board.addEventListener("contextmenu", (event) => {
    const element = event.target.closest("[data-ref]");
    if (!element) return;
    event.preventDefault();
    open(element, element.dataset.ref, event.clientX, event.clientY);
  });
  board.addEventListener("keydown", (event) => {
    const element = event.target.closest?.("[data-ref]");
    if (!element) {
      if (ARROWS[event.key] && event.target === board) {
        event.preventDefault();
        go(find(present) ?? objects()[0]);
      }
      return;
    }
    const all = objects();
    const { ref } = element.dataset;
    const acts = {
      Enter: () => open(element, ref, ...corner(element)),
      " ": () => select(ref, "describe"),
      "?": () => select(ref, "why"),
      ContextMenu: () => open(element, ref, ...corner(element)),
      Home: () => go(all[0]),
      End: () => go(all.at(-1)),
      Escape: () => {
        marked = "";
        settle();
        board.focus();
      },
    };
    const step = ARROWS[event.key] ? () => go(neighbour(element, ARROWS[event.key])) : acts[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    step();
  });
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("[role=menuitem]")];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items.at(to % items.length).focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      close();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("#menu")) close({ refocus: false });
  });
  board.addEventListener("scroll", () => place() !== stood && close(), { passive: true }); // not for a scroll that was over before it opened
  installBelow(document, board, go);
  // The inspector's own buttons, and "왜?" anywhere.
  document.addEventListener("click", (event) => {
    const inspect = event.target.closest("[data-inspect]");
    if (inspect) select(inspect.closest("#inspector").dataset.ref, inspect.dataset.inspect);
    const why = event.target.closest("[data-why]");
    if (why?.dataset.why) {
      find(why.dataset.why)?.scrollIntoView({ block: "nearest", inline: "nearest" }); // what is asked about is seen, however far down it stands
      select(why.dataset.why, "why");
    } else if (why) tabs.open("timeline");
    const more = event.target.closest("[data-menu]");
    if (more) open(more, more.dataset.menu, ...corner(more));
  });
  document.addEventListener("htmx:wsAfterMessage", () => {
    document.getElementById("loading")?.toggleAttribute("hidden", document.getElementById("board-svg").hasAttribute("viewBox"));
    settle();
  });
  socket.whenOpen(() => {
    if (marked) socket.send({ action: "select", ref: marked, view: document.getElementById("inspector").dataset.view ?? "describe" });
  });
}
