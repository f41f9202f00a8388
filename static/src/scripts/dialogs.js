// <button data-opens="id">: opens that dialog. The browser keeps the focus inside and gives it back; Esc, the dialog's own
// <button data-closes> and a press beside it close it.
export function installDialogs(root) {
  root.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) root.getElementById(opener.dataset.opens).showModal();
    const dialog = event.target.closest("dialog");
    if (dialog && (event.target === dialog || event.target.closest("[data-closes]"))) dialog.close();
  });
  root.addEventListener("close", (event) => { // what was shown once is not left lying in the page
    if (event.target.matches?.("dialog")) event.target.querySelector("[data-forgets]")?.replaceChildren();
  }, true);
}
