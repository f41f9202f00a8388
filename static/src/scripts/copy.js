// <button data-copy="#id" hidden>: copies that element's text and says so on the button. It stays hidden where there is no clipboard.
export function installCopy(root) {
  if (!navigator.clipboard) return;
  const show = (part) => { for (const button of part.querySelectorAll("button[data-copy]")) button.hidden = false; };
  show(root);
  root.addEventListener("htmx:load", (event) => show(event.detail.elt));
  root.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const label = button.dataset.label ?? button.textContent;
    button.dataset.label = label;
    await navigator.clipboard.writeText(root.querySelector(button.dataset.copy).textContent.trim());
    button.textContent = "복사했습니다";
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}
