"use strict";
(() => {
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const split = (text) => plain(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

  // How well a word that was typed fits a word of the text: 1 the same, less for a beginning or a shared stem.
  const likeness = (typed, word) => {
    if (word === typed) return 1;
    if (typed.length > 1 && word.startsWith(typed)) return 0.8;
    if (word.length > 3 && typed.startsWith(word)) return 0.6;
    let shared = 0;
    while (shared < typed.length && typed[shared] === word[shared]) shared += 1;
    return shared >= 4 && shared >= 0.7 * Math.min(typed.length, word.length) ? 0.4 : 0;
  };

  const WEIGHTS = { t: 10, s: 9, e: 5, o: 4, w: 3 };

  const search = (entries, query, stop) => {
    const all = split(query);
    const kept = all.filter((word) => !stop.has(word));
    const typed = kept.length ? kept : all;
    const found = [];
    for (const entry of entries) {
      let score = 0;
      let hits = 0;
      for (const word of typed) {
        let best = 0;
        for (const [field, weight] of Object.entries(WEIGHTS)) {
          for (const known of entry.words[field]) best = Math.max(best, weight * likeness(word, known));
        }
        if (best) hits += 1;
        score += best;
      }
      if (hits) found.push({ entry, score: score * (hits / typed.length) ** 2 });
    }
    found.sort((a, b) => b.score - a.score || a.entry.place - b.entry.place);
    const least = found.length ? found[0].score / 5 : 0;
    return found.filter((each) => each.score >= least).slice(0, 12).map((each) => each.entry);
  };

  const startSearch = (input) => {
    const index = window.HANDBOOK_INDEX || [];
    const entries = index.map((each, place) => ({
      ...each,
      place,
      words: Object.fromEntries(Object.keys(WEIGHTS).map((field) => [field, split(each[field] || "")])),
    }));
    const stop = new Set(split(input.dataset.stop));
    const forms = JSON.parse(input.dataset.found);
    const plural = new Intl.PluralRules(document.documentElement.lang);
    const counted = (number) => (forms[plural.select(number)] || forms.other).replace("{}", number);
    const list = document.getElementById("found");
    const count = document.getElementById("found-count");

    const show = () => {
      const query = input.value.trim();
      const found = query ? search(entries, query, stop) : [];
      list.replaceChildren(...found.map((each) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        const title = document.createElement("strong");
        const about = document.createElement("span");
        link.href = each.u;
        title.textContent = each.t;
        about.textContent = [each.k, each.f, each.o].filter(Boolean).join(" · ");
        link.append(title, about);
        item.append(link);
        return item;
      }));
      count.textContent = !query ? "" : found.length ? counted(found.length) : input.dataset.none;
    };

    const move = (event) => {
      const stops = [input, ...list.querySelectorAll("a")];
      const at = stops.indexOf(document.activeElement);
      if (event.key === "ArrowDown" && at < stops.length - 1) stops[at + 1].focus();
      else if (event.key === "ArrowUp" && at > 0) stops[at - 1].focus();
      else if (event.key === "Escape" && at >= 0) {
        input.value = "";
        input.focus();
        show();
      } else if (event.key === "Enter" && at === 0 && stops.length > 1) stops[1].click();
      else return;
      event.preventDefault();
    };

    input.addEventListener("input", show);
    document.getElementById("search").addEventListener("keydown", move);
    show();
  };

  const input = document.getElementById("query");
  if (input) startSearch(input);
})();
