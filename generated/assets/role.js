"use strict";
// The role that somebody chose is kept in the browser, and the home page leads to it.
(() => {
  const KEY = "carepolicy.role";
  const chosen = () => { try { return localStorage.getItem(KEY) || ""; } catch { return ""; } };
  const keep = (role) => {
    try {
      if (role) localStorage.setItem(KEY, role);
      else localStorage.removeItem(KEY);
    } catch { /* no storage, no choice */ }
  };

  const button = document.querySelector("button.choose");
  if (button) {
    const yes = button.textContent;
    const show = () => { button.textContent = chosen() === button.dataset.role ? button.dataset.no : yes; };
    button.hidden = false;
    button.addEventListener("click", () => {
      keep(chosen() === button.dataset.role ? "" : button.dataset.role);
      show();
    });
    show();
  }

  for (const link of document.querySelectorAll("li > a[data-role]")) {
    if (link.dataset.role === chosen()) link.setAttribute("aria-current", "true");
  }

  const home = document.getElementById("my-role");
  if (home) {
    const roles = JSON.parse(home.dataset.roles);
    const mine = roles[chosen()];
    if (mine) {
      home.href = mine.u;
      home.textContent = home.dataset.text.replace("{}", mine.t);
    }
  }
})();
