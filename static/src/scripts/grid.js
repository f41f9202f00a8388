// The tiles of a class: found by name, filtered and put in order, without asking the server. Which tile stands where is only CSS
// `order`, so nothing is moved in the document and a morphed tile keeps its focus.
const REST_MS = 300; // between two arrangings: two hundred learners who all type must not keep the page from scrolling
const NEEDS = (d) => Number(d.hand) * 1000 + Number(d.stuck) * 100 + (d.mood === "bad" ? 50 : 0) + (d.online === "1" ? 1 : 0);
const ORDERS = {
  need: (a, b) => NEEDS(b) - NEEDS(a) || byName(a, b),
  number: (a, b) => byName(a, b),
  share: (a, b) => b.share - a.share || byName(a, b),
  behind: (a, b) => a.share - b.share || byName(a, b),
  recent: (a, b) => b.at - a.at || byName(a, b),
};
const COMPACT = "compact"; // the view in which two hundred tiles need two screens instead of ten
const collator = new Intl.Collator("ko", { numeric: true });
const byName = (a, b) => collator.compare(a.number, b.number) || collator.compare(a.name, b.name);
const FILTERS = {
  all: () => true,
  hand: (d) => d.hand === "1",
  stuck: (d) => d.stuck !== "0",
  bad: (d) => d.mood === "bad",
  online: (d) => d.online === "1",
};

export function installGrid(document, socket) {
  const find = document.getElementById("find");
  const order = document.getElementById("order");
  const view = document.getElementById("view");
  const filters = document.getElementById("filters");
  const nobody = document.getElementById("nobody");
  let filter = "all";
  let planned = false;
  let arranged = -REST_MS;
  const after = []; // what else follows every arranging

  const arrange = () => {
    planned = false;
    arranged = performance.now();
    const words = find.value.trim().toLowerCase();
    const tiles = [...document.querySelectorAll("[data-learner]")];
    const fits = (tile) => FILTERS[filter](tile.dataset) && (!words || tile.textContent.toLowerCase().includes(words));
    const data = new Map(tiles.map((tile) => [tile, { ...tile.dataset }]));
    const sorted = tiles.slice().sort((a, b) => ORDERS[order.value](data.get(a), data.get(b)));
    sorted.forEach((tile, place) => {
      const hidden = tile.matches(".tile") ? !fits(tile) : words && !tile.textContent.toLowerCase().includes(words);
      if (tile.hidden !== Boolean(hidden)) tile.hidden = Boolean(hidden);
      if (tile.style.order !== String(place)) tile.style.order = place;
    });
    for (const bar of document.querySelectorAll("i[data-share]")) bar.style.width = `${bar.dataset.share}%`;
    nobody.hidden = tiles.length > 0;
    for (const act of after) act();
  };
  const plan = () => {
    if (!planned) setTimeout(() => requestAnimationFrame(arrange), Math.max(0, arranged + REST_MS - performance.now()));
    planned = true;
  };

  find.addEventListener("input", plan);
  order.addEventListener("change", plan);
  const look = () => {
    const compact = view.value === COMPACT;
    document.body.classList.toggle(COMPACT, compact);
    return { action: "view", lesson: compact ? "" : view.value };
  };
  view.addEventListener("change", () => socket.send(look()));
  filters.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-filter]");
    if (!chosen) return;
    filter = chosen.dataset.filter;
    for (const button of filters.children) {
      button.classList.toggle("on", button === chosen);
      button.setAttribute("aria-pressed", String(button === chosen));
    }
    plan();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id === "announce") {
      event.preventDefault();
      socket.send({ action: "wish", announcement: document.getElementById("announcement").value });
    } else if (event.target.id === "follow-me") {
      event.preventDefault();
      socket.send({ action: "wish", broadcasting: document.getElementById("follow-lesson").value });
    } else if (event.target.id === "ask") {
      event.preventDefault();
      const [lesson, question] = document.getElementById("ask-question").value.split(" ");
      socket.send({ action: "wish", lesson, question });
    }
  });
  document.addEventListener("htmx:wsAfterMessage", plan);
  socket.whenOpen(() => {
    // A page that comes back is sent everything anew.
    document.getElementById("grid-view").innerHTML = '<div id="tiles" class="tiles"></div>';
    if (view.value) socket.send(look());
    setTimeout(plan, 1500);
  });
  return {
    shown: () => [...document.querySelectorAll(".tile:not([hidden])")],
    plan: (act) => after.push(act),
  };
}
