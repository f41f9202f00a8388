// The prose: which step is being read (its conditions are watched), and steps that are done by reading them.

export function installLesson(document, socket) {
  const prose = document.getElementById("main");
  const steps = [...prose.querySelectorAll("[data-step]")];
  if (!steps.length) return;
  const rests = 250; // ms that a step stays in view before it is being read: a page that scrolls past on its own (a phone's jump) reads nothing
  let present = "";
  let next = "";
  let waiting = null;
  const read = new Set();
  const tell = () => present && socket.send({ action: "step", step: present });
  // Who presses a button of a step is at that step, wherever the page stands: told before what the button does.
  const press = ({ target }) => {
    const step = target.closest("button") && target.closest("[data-step]")?.dataset.step;
    if (!step || step === present) return;
    clearTimeout(waiting);
    present = step;
    tell();
  };
  const narrow = matchMedia("(max-width: 900px)");
  const watch = () =>
    new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          const step = entry.target.dataset.step;
          if (!entry.isIntersecting) {
            if (next === step) clearTimeout(waiting);
            continue;
          }
          clearTimeout(waiting);
          next = step;
          waiting = setTimeout(() => {
            if (step === present || (narrow.matches && document.documentElement.classList.contains("is-below"))) return;
            present = step;
            tell();
          }, rests);
        }
      },
      { root: narrow.matches ? null : prose, rootMargin: "-35% 0px -60% 0px" },
    );
  const ends = new Map(); // step -> timer, while the end of its text is in view
  const end = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        const { step } = entry.target.closest("[data-step]").dataset;
        clearTimeout(ends.get(step));
        if (!entry.isIntersecting || read.has(step)) continue;
        ends.set(
          step,
          setTimeout(() => socket.send({ action: "read", step }) && read.add(step), rests),
        );
      }
    },
    { root: null }, // the window, less what the prose has scrolled away
  );
  let observer = watch();
  prose.addEventListener("click", press, true);
  const start = () => {
    observer.disconnect();
    observer = watch();
    for (const step of steps) observer.observe(step);
    end.disconnect();
    for (const mark of prose.querySelectorAll("[data-reads]")) end.observe(mark);
  };
  narrow.addEventListener("change", start);
  socket.whenOpen(() => {
    tell();
    start();
  });
}
