// The GenerateContent request: a message is an array with field N at index N-1, its trailing unset fields cut off.

import { CAPABILITY } from "./models.js";
import { makeProof } from "./proof.js";

const HARM_CATEGORIES = [7, 8, 9, 10];
const THRESHOLD_OFF = 5;
const THOUGHT = 12;

/** Build a message from [index, value] pairs. */
export function message(...fields) {
  const set = fields.filter(([, value]) => value !== null && value !== undefined);
  const built = Array(Math.max(-1, ...set.map(([index]) => index)) + 1).fill(null);
  for (const [index, value] of set) built[index] = value;
  return built;
}

/** Build a user's content: files first, then the text, which may be missing beside files. */
export const userContent = (text, files = []) => [[...files, ...(text || !files.length ? [[null, text]] : [])], "user"];

/** Build the whole request; it is async because the proof is. */
export async function generateRequest(contents, settings, previousResponseId) {
  const { model, system } = settings;
  const searches = settings.tools.search && model.capabilities.has(CAPABILITY.search);
  return message(
    [0, `models/${model.id}`],
    [1, contents],
    [2, HARM_CATEGORIES.map((category) => [null, null, category, THRESHOLD_OFF])],
    [3, generationConfig(settings)],
    [4, await makeProof(contents)],
    [5, system ? userContent(system) : null],
    [6, tools(settings, searches)],
    [10, 1],
    [11, previousResponseId],
    [13, searches ? [[null, null, Intl.DateTimeFormat().resolvedOptions().timeZone]] : null],
  );
}

function generationConfig({ model, stops, maxOutputTokens, temperature, topP, thinking }) {
  return message(
    [1, stops.length ? stops : null],
    [3, maxOutputTokens],
    [4, temperature],
    [5, topP],
    [6, model.topK],
    [13, 1],
    [16, thinkingConfig(model, thinking)],
  );
}

function thinkingConfig(model, { enabled, budget, level }) {
  if (!model.capabilities.has(CAPABILITY.thinking)) return null;
  if (model.capabilities.has(CAPABILITY.thinkingLevel)) return [1, null, null, level];
  if (!enabled) return [null, 0];
  return message([0, 1], [1, budget]);
}

function tools({ model, tools: on }, searches) {
  const chosen = [];
  if (on.codeExecution && model.capabilities.has(CAPABILITY.codeExecution)) chosen.push([[]]);
  if (searches) chosen.push([null, null, null, [null, [[]]]]);
  if (on.urlContext && model.capabilities.has(CAPABILITY.urlContext)) chosen.push(message([7, []]));
  return chosen.length ? chosen : null;
}

/** Tell what a part of an answer is, by the index that is set. */
export function readPart(part) {
  if (part[10]) return { kind: "call", name: part[10][0], args: readStruct(part[10][1]) };
  if (part[1] === null || part[1] === undefined) return { kind: "other" };
  return { kind: part[THOUGHT] ? "thought" : "text", text: part[1] };
}

function readStruct(struct) {
  return Object.fromEntries((struct?.[0] ?? []).map(([key, value]) => [key, readValue(value)]));
}

function readValue(value) {
  if (value[5]) return (value[5][0] ?? []).map(readValue);
  if (value[4]) return readStruct(value[4]);
  if (value[3] !== null && value[3] !== undefined) return Boolean(value[3]);
  return value[2] ?? value[1] ?? null;
}
