// Reads BPMN with bpmn-moddle, the reader of bpmn.io, and lists the user tasks and every warning.
import { readFileSync } from "node:fs";
import BpmnModdle from "bpmn-moddle";

const { rootElement, warnings } = await new BpmnModdle().fromXML(readFileSync(0, "utf8"));
const process = rootElement.rootElements.find((each) => each.$type === "bpmn:Process");
const tasks = process.flowElements.filter((each) => each.$type === "bpmn:UserTask").map((each) => each.id.slice(6));
console.log(JSON.stringify({ tasks, warnings: warnings.map((each) => each.message) }));
