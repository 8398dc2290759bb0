// Runs the handbook's own search in Node: reads {search, languages: {tag: {index, stop, steps, queries}}} and writes what
// each query finds, best first.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const { search, languages } = JSON.parse(readFileSync(0, "utf8"));
const answers = {};
for (const [tag, { index, stop, steps, queries }] of Object.entries(languages)) {
  const window = {};
  const context = vm.createContext({ window, document: { getElementById: () => null }, Intl });
  vm.runInContext(index, context);
  vm.runInContext(search, context);
  const { prepared, search: find, split } = window.handbookSearch;
  const ready = prepared(window.HANDBOOK_INDEX, new Set(split(stop)), new Set(split(steps)));
  answers[tag] = queries.map((query) => {
    const { sure, hits } = find(ready, query);
    return { sure, hits: hits.map(({ entry, said }) => ({ address: entry.u, number: entry.n || 0, kind: entry.c, title: entry.t, said })) };
  });
}
console.log(JSON.stringify(answers));
