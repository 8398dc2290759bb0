// Loads a machine with XState, lists what it holds, and sends the first event of the first state.
import { readFileSync } from "node:fs";
import { createActor, setup } from "xstate";

const config = JSON.parse(readFileSync(0, "utf8"));
const types = ["set", "send", "tell", "request", "open", "raise_event", "extend", "assign_to"];
const delays = Object.fromEntries(
  Object.values(config.states).flatMap((state) => Object.keys(state.after ?? {})).map((name) => [name, 60000]),
);
const machine = setup({
  guards: { cel: () => true },
  actions: Object.fromEntries(types.map((type) => [type, () => {}])),
  delays,
}).createMachine(config);

const moves = [];
for (const [name, node] of Object.entries(machine.states)) {
  for (const group of node.transitions.values()) {
    for (const each of group) {
      for (const target of each.target ?? []) moves.push([name, target.key]);
    }
  }
}
const actor = createActor(machine).start();
const begins = actor.getSnapshot().value;
const first = Object.entries(config.states[begins].on).find(([, group]) => group[0].target)[0];
actor.send({ type: first });
const after_first_event = actor.getSnapshot().value;
actor.stop();
console.log(JSON.stringify({ states: Object.keys(machine.states), moves, begins, after_first_event }));
