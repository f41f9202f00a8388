// The tiles of a class: found by name, filtered and put in order, without asking the server. Which tile stands where is only CSS
// `order`, so nothing is moved in the document and a morphed tile keeps its focus.
const REST_MS = 300; // between two arrangings: two hundred learners who all type must not keep the page from scrolling
const NEEDS = (d) => Number(d.hand) * 1000 + Number(d.stuck) * 100 + (d.mood === "bad" ? 50 : 0) + (d.online === "1" ? 1 : 0);
const ORDERS = {
  need: (d) => -NEEDS(d),
  number: () => 0,
  share: (d) => -d.share,
  behind: (d) => Number(d.share),
  recent: (d) => -d.at,
}; // the smaller the earlier; equal ones stand by number and name
const COMPACT = "compact"; // the view in which two hundred tiles need two screens instead of ten
const collator = new Intl.Collator("ko", { numeric: true });
const byName = (a, b) =>
  !a.dataset.number - !b.dataset.number || // who has no number comes last
  collator.compare(a.dataset.number, b.dataset.number) ||
  collator.compare(a.dataset.name, b.dataset.name);
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
  const noneFits = document.getElementById("nobody-fits");
  let named = ""; // whose names `rank` holds: Hangul is put in order only when somebody comes, goes or is renamed
  let rank = new Map();

  const arrange = () => {
    if (socket.pressed()) {
      setTimeout(arrange, REST_MS);
      return;
    }
    planned = false;
    arranged = performance.now();
    const words = find.value.trim().toLowerCase();
    const tiles = [...document.querySelectorAll("[data-learner]")];
    const names = tiles.map((tile) => `${tile.id} ${tile.getAttribute("data-number")} ${tile.getAttribute("data-name")}`).join("\n");
    if (names !== named) {
      named = names;
      rank = new Map(tiles.slice().sort(byName).map((tile, place) => [tile.id, place]));
    }
    const fits = (tile) =>
      (!tile.matches(".tile") || FILTERS[filter](tile.dataset)) && (!words || tile.textContent.toLowerCase().includes(words));
    const found = tiles.map((tile) => ({ tile, weight: ORDERS[order.value](tile.dataset), rank: rank.get(tile.id), fits: fits(tile) }));
    found.sort((a, b) => a.weight - b.weight || a.rank - b.rank);
    // Styles and not attributes: a tile that is morphed keeps them (morph.js), so it neither jumps nor comes out from under a filter.
    found.forEach(({ tile, fits: shown }, place) => {
      const display = shown ? "" : "none";
      if (tile.style.display !== display) tile.style.display = display;
      if (tile.style.order !== String(place)) tile.style.order = place;
    });
    for (const bar of document.querySelectorAll("i[data-share]")) {
      const width = `${bar.getAttribute("data-share")}%`;
      if (bar.style.width !== width) bar.style.width = width;
    }
    noneFits.hidden = tiles.length === 0 || found.some((one) => one.fits);
    nobody.hidden = tiles.length > 0;
    for (const act of after) act();
  };
  const plan = () => {
    if (!planned) setTimeout(() => requestAnimationFrame(arrange), Math.max(0, arranged + REST_MS - performance.now()));
    planned = true;
  };

  find.addEventListener("input", plan);
  order.addEventListener("change", plan);
  let lesson = ""; // whose matrix the server draws; none: tiles, of either size
  const look = () => {
    document.body.classList.toggle(COMPACT, view.value === COMPACT);
    const wanted = view.value === COMPACT ? "" : view.value;
    if (wanted !== lesson && socket.send({ action: "view", lesson: wanted })) lesson = wanted;
  };
  view.addEventListener("change", look);
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
      const input = document.getElementById("announcement");
      if (socket.send({ action: "wish", announcement: input.value })) input.defaultValue = input.value; // sent: no draft any more
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
    lesson = "";
    look();
    setTimeout(plan, 1500);
  });
  return {
    shown: () => [...document.querySelectorAll(".tile")].filter((tile) => tile.style.display !== "none"),
    plan: (act) => after.push(act),
  };
}
