"use strict";
// What has been read of the changes: kept in this browser alone, and sent nowhere.
(() => {
  const keyOf = (element) => `carepolicy handbook, read: ${element.dataset.book}`;

  const readOf = (element) => {
    try {
      const kept = JSON.parse(window.localStorage.getItem(keyOf(element)) || "[]");
      return new Set(Array.isArray(kept) ? kept : []);
    } catch {
      return new Set();
    }
  };
  const keep = (element, read) => {
    window.localStorage.setItem(keyOf(element), JSON.stringify([...read]));
    show();
  };

  const counts = [...document.querySelectorAll(".unread")];
  const entries = [...document.querySelectorAll(".entry")];

  const show = () => {
    for (const count of counts) {
      const read = readOf(count);
      const open = JSON.parse(count.dataset.changes).filter((key) => !read.has(key)).length;
      const forms = JSON.parse(count.dataset.forms);
      const form = new Intl.PluralRules(document.documentElement.lang).select(open);
      count.querySelector("a").textContent = open ? (forms[form] || forms.other).replace("{}", open) : count.dataset.none;
      count.querySelector("button").hidden = !open;
      count.hidden = false;
    }
    for (const entry of entries) {
      const read = readOf(entry).has(entry.dataset.change);
      entry.classList.toggle("is-unread", !read);
      entry.querySelector(".unread-tag").hidden = read;
      entry.querySelector("input").checked = read;
      entry.querySelector(".mark").hidden = false;
    }
    for (const note of document.querySelectorAll(".read-here")) note.hidden = false;
  };

  try {
    window.localStorage.getItem("");
  } catch {
    return; // a browser that keeps nothing: the lists are there without marks
  }
  for (const count of counts) {
    count.querySelector("button").addEventListener("click", () => {
      keep(count, new Set([...readOf(count), ...JSON.parse(count.dataset.changes)]));
      count.querySelector("a").focus();
    });
  }
  for (const entry of entries) {
    entry.querySelector("input").addEventListener("change", (event) => {
      const read = readOf(entry);
      if (event.target.checked) read.add(entry.dataset.change);
      else read.delete(entry.dataset.change);
      keep(entry, read);
    });
  }
  window.addEventListener("storage", show);
  show();
})();
