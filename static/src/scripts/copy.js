// <button data-copy="#id">: copies that element's text and says so on the button. Hidden where there is no clipboard.
export function installCopy(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      const label = button.textContent;
      await navigator.clipboard.writeText(root.querySelector(button.dataset.copy).textContent.trim());
      button.textContent = "복사했습니다";
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
}
