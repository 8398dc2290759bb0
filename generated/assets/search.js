"use strict";
// Finds flows, steps, messages, people and words of the glossary by what a customer says, in any language of the set:
// see docs/decisions/0051. window.HANDBOOK_INDEX holds the entries; nothing is fetched.
(() => {
  const LETTERS = { "ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i" };

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
    .replace(/[ßœæøłđı]/g, (letter) => LETTERS[letter]);

  // Scripts that set no space between words are taken in pairs of signs.
  const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]+/gu;

  const pairs = (run) => {
    const signs = [...run];
    return signs.length < 2 ? signs : signs.slice(1).map((sign, at) => signs[at] + sign);
  };

  const split = (text) => {
    const words = plain(text).replace(UNSPACED, (run) => ` ${pairs(run).join(" ")} `).match(/[\p{L}\p{N}]+/gu) || [];
    return words.map((word) => word.replace(/[^\P{Nd}0-9]/gu, numeral));
  };

  // Digits of any script as ASCII has them: each block of ten begins at a zero that is no digit's successor.
  const numeral = (digit) => {
    let value = 0;
    for (let code = digit.codePointAt(0) - 1; value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code)); code -= 1) value += 1;
    return String(value);
  };

  // Whether two words are at most so many letters put in, left out, changed or swapped apart (Damerau and Levenshtein).
  const distance = (one, other, most) => {
    if (Math.abs(one.length - other.length) > most) return most + 1;
    let last = [];
    let row = Array.from({ length: other.length + 1 }, (_, at) => at);
    for (let i = 1; i <= one.length; i += 1) {
      const next = [i];
      let least = i;
      for (let j = 1; j <= other.length; j += 1) {
        const same = one[i - 1] === other[j - 1];
        next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0 : 1));
        if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
          next[j] = Math.min(next[j], last[j - 2] + 1);
        }
        least = Math.min(least, next[j]);
      }
      if (least > most) return most + 1;
      last = row;
      row = next;
    }
    return row[other.length];
  };

  const shared = (one, other) => {
    let count = 0;
    while (count < one.length && one[count] === other[count]) count += 1;
    return count;
  };

  // How well a word that was typed fits a word of the set: 1 the same, less for another ending, a beginning that is still
  // being typed, or a part of a compound. The endings of all languages are short, so no language is asked.
  const likeness = (typed, word, unfinished) => {
    if (word === typed) return 1;
    const same = shared(typed, word);
    if (same < 3 && !unfinished && Math.min(typed.length, word.length) < 5) return 0;
    const [short, long] = typed.length < word.length ? [typed.length, word.length] : [word.length, typed.length];
    const stem = same >= 4 ? same >= (same === 4 && same < short ? 0.7 : 0.6) * long && long - same <= 3 : same === 3 && short === 3 && long === 4;
    if (stem) return 0.5 + 0.8 * same / (short + long);
    if (unfinished && typed.length > 1 && same === typed.length) return 0.75;
    if (short >= 5 && (word.includes(typed) || typed.includes(word))) return 0.55;
    return 0;
  };

  const mistyped = (typed, word) => {
    if (typed.length < 4 || word.length < 4) return 0;
    const most = typed.length < 8 ? 1 : 2;
    const apart = distance(typed, word, most);
    return apart > most ? 0 : apart === 1 ? 0.8 : 0.6;
  };

  const PHRASES = { s: 10, t: 10, x: 9, p: 9, e: 4 };
  const WORDS = { s: 5, t: 5, p: 4, o: 2, e: 2.5, w: 1.5 };
  const ABROAD = { x: 4 };
  const ALIKE = 0.85; // words of other languages have to be as like as that: no slips, no parts of compounds
  const SMALL = 0.15; // what a small word ("the", "is") weighs beside another
  const KINDS = { flow: 1.25, step: 1, end: 0.9, message: 0.8, role: 0.6, term: 0.9 };
  const NAMED = 1.2; // a role one of whose people is named: behind the flows that it owns, before its steps
  const TOGETHER = 0.5;
  const FROM_STEPS = 0.4;
  const BAG = 1;
  const SURE = 0.45;

  const listed = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

  const placed = (entries, fields) => {
    const places = new Map();
    entries.forEach((entry, number) => {
      for (const [field, weight] of Object.entries(fields)) {
        for (const word of listed(entry[field]).flatMap(split)) {
          if (!places.has(word)) places.set(word, new Map());
          const at = places.get(word);
          at.set(number, Math.max(weight, at.get(number) || 0));
        }
      }
    });
    return places;
  };

  const weighed = (index, word, count) => {
    const weight = Math.log(1 + index.entries.length / Math.max(count, 1));
    return index.stop.has(word) ? SMALL * weight : weight;
  };

  // The index in the form in which it is searched: of each word where it stands, and every phrase with its words.
  const prepared = (entries, stop, steps) => {
    const phrases = [];
    const inPhrases = new Map();
    const flows = new Map();
    let flow = -1;
    entries.forEach((entry, number) => {
      if (entry.c === "flow") flow = number;
      if (["flow", "step", "end", "message"].includes(entry.c)) flows.set(number, flow);
      for (const [field, weight] of Object.entries(PHRASES)) {
        for (const text of listed(entry[field])) {
          const words = [...new Set(split(text))];
          for (const word of words) {
            if (!inPhrases.has(word)) inPhrases.set(word, []);
            inPhrases.get(word).push(phrases.length);
          }
          phrases.push({ number, field, weight, text, words });
        }
      }
    });
    const [places, abroad] = [placed(entries, WORDS), placed(entries, ABROAD)];
    const index = { entries, stop, steps, places, abroad, phrases, inPhrases, flows, known: new Map(), rare: new Map() };
    for (const word of inPhrases.keys()) index.rare.set(word, weighed(index, word, (places.get(word) || abroad.get(word)).size));
    for (const phrase of phrases) phrase.whole = phrase.words.reduce((sum, word) => sum + index.rare.get(word), 0);
    return index;
  };

  // The words of the set that a typed one is like, and how much. Slips of the fingers count only where nothing else does.
  const neighbours = (index, typed, unfinished) => {
    const key = unfinished ? `${typed}*` : typed;
    if (index.known.has(key)) return index.known.get(key);
    const near = new Map();
    let sound = false;
    for (const word of index.places.keys()) {
      const like = likeness(typed, word, unfinished);
      if (like) near.set(word, like);
      sound = sound || like > 0.7;
    }
    for (const word of index.abroad.keys()) {
      const like = near.has(word) ? 0 : likeness(typed, word, false);
      if (like >= ALIKE) near.set(word, like);
      sound = sound || like >= ALIKE;
    }
    for (const word of sound ? [] : index.places.keys()) {
      const like = mistyped(typed, word);
      if (like > (near.get(word) || 0)) near.set(word, like);
    }
    index.known.set(key, near);
    return near;
  };

  // Where a word stands, with the weight of the field: in other languages only where it is very like.
  const standing = function* (index, word, like) {
    yield* index.places.get(word) || [];
    if (like >= ALIKE) yield* index.abroad.get(word) || [];
  };

  // What is looked for: each word of a query with those that it is like, and how much it weighs. A rare one weighs more.
  const terms = (index, words) => words.map((typed, at) => {
    const near = neighbours(index, typed, at === words.length - 1);
    const found = new Set();
    for (const [word, like] of near) if (like >= 0.55) for (const [number] of standing(index, word, like)) found.add(number);
    return { typed, near, weight: weighed(index, typed, found.size) };
  });

  const scored = (index, query) => {
    const total = query.reduce((sum, term) => sum + term.weight, 0);
    const bags = new Map();
    const touched = new Map();
    query.forEach((term, at) => {
      for (const [word, like] of term.near) {
        for (const [number, weight] of standing(index, word, like)) {
          const own = bags.get(number) || bags.set(number, []).get(number);
          own[at] = Math.max(own[at] || 0, weight * like);
          const flow = index.flows.get(number);
          if (flow !== undefined && flow !== number) {
            const above = bags.get(flow) || bags.set(flow, []).get(flow);
            above[at] = Math.max(above[at] || 0, FROM_STEPS * weight * like);
          }
        }
        for (const phrase of index.inPhrases.get(word) || []) {
          if (index.phrases[phrase].field === "x" && like < ALIKE) continue;
          const words = touched.get(phrase) || touched.set(phrase, []).get(phrase);
          words.push([at, word, like]);
        }
      }
    });
    const found = new Map();
    for (const [number, bag] of bags) {
      let sum = 0;
      let covered = 0;
      bag.forEach((value, at) => { sum += value * query[at].weight; covered += query[at].weight; });
      found.set(number, { number, score: BAG * sum / total * (covered / total) ** 2, covered: covered / total, exact: false });
    }
    for (const [at, words] of touched) {
      const phrase = index.phrases[at];
      const said = new Map();
      const heard = new Map();
      for (const [term, word, like] of words) {
        said.set(term, Math.max(like, said.get(term) || 0));
        heard.set(word, Math.max(like, heard.get(word) || 0));
      }
      let covered = 0;
      for (const [term, like] of said) covered += query[term].weight * like;
      let matched = 0;
      for (const [word, like] of heard) matched += index.rare.get(word) * like;
      const [ofQuery, ofPhrase] = [covered / total, matched / phrase.whole];
      const score = phrase.weight * ofQuery ** 1.5 * ofPhrase;
      const entry = found.get(phrase.number);
      if (score > (entry.phrase || 0)) {
        Object.assign(entry, { phrase: score, field: phrase.field, text: phrase.text, exact: ofQuery > 0.75 && ofPhrase > 0.75, whole: ofPhrase > 0.9 });
      }
    }
    for (const each of found.values()) {
      const named = each.field === "p" && index.entries[each.number].c === "role";
      each.score = (each.score + (each.phrase || 0)) * (named ? NAMED : KINDS[index.entries[each.number].c]);
    }
    return found;
  };

  // A step counts more where its flow is named as well. A flow stands before its steps, unless a step is called as the
  // query says.
  const lifted = (index, found) => {
    const steps = [...found.values()].filter((each) => ![undefined, each.number].includes(index.flows.get(each.number)));
    const above = (each) => found.get(index.flows.get(each.number));
    for (const each of steps) if (each.phrase) each.score += TOGETHER * (above(each).phrase || 0);
    for (const each of steps) {
      const flow = above(each);
      if ((each.exact && "ts".includes(each.field)) || each.score <= flow.score) continue;
      flow.score = each.score * 1.001;
      if (!flow.text) Object.assign(flow, { text: each.text, field: each.field });
    }
    return found;
  };

  // "step 4" and "complaint step 4": the number, and the words beside it; null where no step is asked for.
  const askedStep = (index, words) => {
    for (let at = 0; at < words.length; at += 1) {
      const glued = /^(\p{L}+)(\d+)$/u.exec(words[at]);
      if (glued && index.steps.has(glued[1])) return { number: Number(glued[2]), rest: words.filter((_, other) => other !== at) };
      if (!index.steps.has(words[at])) continue;
      for (const beside of [at + 1, at - 1]) {
        if (/^\d+$/.test(words[beside] || "")) {
          return { number: Number(words[beside]), rest: words.filter((_, other) => other !== at && other !== beside) };
        }
      }
    }
    return null;
  };

  const ranked = (found) => [...found.values()].sort((a, b) => b.score - a.score || a.number - b.number);

  const found = (index, words) => {
    const query = terms(index, [...new Set(words)]);
    return query.some((term) => term.near.size) ? ranked(lifted(index, scored(index, query))) : [];
  };

  // What a query finds, best first: entries with the phrase that fits. ``sure`` is false where little of it fits.
  const search = (index, query, most = 12) => {
    const words = split(query);
    const step = askedStep(index, words);
    const rest = step ? step.rest : words;
    let all = rest.length ? found(index, rest) : [];
    if (step) {
      const flows = rest.length ? all.filter((each) => index.entries[each.number].c === "flow") : null;
      const place = flows && new Map(flows.map((each, at) => [each.number, at]));
      const steps = index.entries.map((entry, number) => ({ number, covered: 1, score: 1 }))
        .filter(({ number }) => index.entries[number].n === step.number && (!place || place.has(index.flows.get(number))));
      if (place) steps.sort((a, b) => place.get(index.flows.get(a.number)) - place.get(index.flows.get(b.number)));
      all = place ? [...steps.slice(0, 3), ...all] : steps;
    }
    const best = all.length ? all[0].score : 0;
    const shown = all.filter((each, at) => each.score >= best / 5 && all.findIndex((other) => other.number === each.number) === at);
    return {
      sure: shown.length > 0 && (shown[0].covered >= SURE || shown[0].whole === true),
      hits: shown.slice(0, most).map((each) => ({
        entry: index.entries[each.number],
        said: each.text && each.field !== "t" && each.field !== "e" ? each.text : "",
      })),
    };
  };

  window.handbookSearch = { prepared, search, split };

  const start = (input) => {
    const data = input.dataset;
    let index = null;
    const ready = () => {
      index ||= prepared(window.HANDBOOK_INDEX || [], new Set(split(data.stop)), new Set(split(data.steps)));
      return index;
    };
    const forms = JSON.parse(data.found);
    const plural = new Intl.PluralRules(document.documentElement.lang);
    const counted = (number) => (forms[plural.select(number)] || forms.other).replace("{}", number);
    const list = document.getElementById("found");
    const count = document.getElementById("found-count");
    const missing = document.getElementById("found-missing");

    const row = ({ entry, said }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      const title = document.createElement("strong");
      const about = document.createElement("span");
      link.href = entry.u;
      title.textContent = entry.t;
      const kind = entry.n ? `${entry.k} ${entry.n}` : entry.k;
      about.textContent = [kind, entry.f, entry.o, said && data.quoted.replace("{}", said)].filter(Boolean).join(" · ");
      link.append(title, about);
      item.append(link);
      return item;
    };

    const show = () => {
      const query = input.value.trim();
      const { sure, hits } = query ? search(ready(), query) : { sure: true, hits: [] };
      list.replaceChildren(...hits.map(row));
      count.textContent = !query ? "" : !hits.length ? data.none : sure ? counted(hits.length) : data.nearest;
      missing.hidden = !query || (sure && hits.length > 0);
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
  if (input) start(input);
})();
