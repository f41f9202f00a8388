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
  const end = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        const step = entry.target.dataset.step;
        if (entry.isIntersecting && entry.target.dataset.reads === "1" && !read.has(step) && socket.send({ action: "read", step })) read.add(step);
      }
    },
    { root: narrow.matches ? null : prose, threshold: 0.95 },
  );
  let observer = watch();
  const start = () => {
    observer.disconnect();
    observer = watch();
    for (const step of steps) {
      observer.observe(step);
      end.observe(step);
    }
  };
  narrow.addEventListener("change", start);
  socket.whenOpen(() => {
    tell();
    start();
  });
}
