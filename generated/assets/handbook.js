"use strict";
(() => {
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // A page from a folder may not use the clipboard in some browsers; the older way works there.
      const area = document.createElement("textarea");
      area.value = text;
      area.style.position = "fixed";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };

  const startCopying = (button) => {
    const label = button.textContent;
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    status.className = "quiet";
    button.after(" ", status);
    button.hidden = false;
    button.addEventListener("click", async () => {
      await copied(document.getElementById(button.dataset.copy).textContent);
      status.textContent = button.dataset.done;
      setTimeout(() => { status.textContent = ""; }, 2000);
    });
  };

  // A link into something that is folded opens it.
  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details");
    if (folded) folded.open = true;
  };

  const unfold = () => {
    for (const each of document.querySelectorAll("details.letter")) each.open = true;
  };

  document.querySelectorAll("button.copy").forEach(startCopying);
  window.addEventListener("hashchange", openTarget);
  window.addEventListener("beforeprint", unfold);
  openTarget();
})();
