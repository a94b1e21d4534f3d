// The GenerateContent request, and what the parts of its answer are.

import { encodeStruct, message, readStruct } from "./message.js";
import { CAPABILITY } from "./models.js";
import { makeProof } from "./proof.js";
import { encodeDeclaration, encodeSchema } from "./schema.js";

const HARM_CATEGORIES = [7, 8, 9, 10];
const THRESHOLD_OFF = 5;
const INLINE = 2;
const CODE = 7;
const CODE_RESULT = 8;
const CALL = 10;
const RESPONSE = 11;
const THOUGHT = 12;
const PYTHON = 1;
const OK = 1;
const JSON_MIME = "application/json";

/** Build a user's content: files first, then the text, which may be missing beside files. */
export const userContent = (text, files = []) => [[...files, ...(text || !files.length ? [[null, text]] : [])], "user"];

/** Build the content that answers function calls: [{name, id, answer}], the answers as they were typed. */
export const responsesContent = (responses) => [
  responses.map(({ name, id, answer }) => message([RESPONSE, message([0, name], [1, encodeStruct(asObject(answer))], [2, id])])),
  "user",
];

function asObject(text) {
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    return { output: value };
  } catch {
    return { output: text };
  }
}

/** Build the whole request; it is async because the proof is. */
export async function generateRequest(contents, settings, previousResponseId) {
  const { model, system } = settings;
  const searches = settings.isOn("search");
  return message(
    [0, `models/${model.id}`],
    [1, contents],
    [2, HARM_CATEGORIES.map((category) => [null, null, category, THRESHOLD_OFF])],
    [3, generationConfig(settings)],
    [4, await makeProof(contents)],
    [5, system ? userContent(system) : null],
    [6, tools(settings)],
    [10, 1],
    [11, previousResponseId],
    [13, searches ? [[null, null, Intl.DateTimeFormat().resolvedOptions().timeZone]] : null],
  );
}

function generationConfig(settings) {
  const { model, stops, maxOutputTokens, temperature, topP, thinking, schema, mediaResolution } = settings;
  const structured = settings.isOn("structured");
  return message(
    [1, stops.length ? stops : null],
    [3, maxOutputTokens],
    [4, temperature],
    [5, topP],
    [6, model.topK],
    [7, structured ? JSON_MIME : null],
    [8, structured && schema ? encodeSchema(schema) : null],
    [13, 1],
    [16, thinkingConfig(model, thinking)],
    [17, mediaResolution],
  );
}

function thinkingConfig(model, { enabled, budget, level }) {
  if (!model.capabilities.has(CAPABILITY.thinking)) return null;
  if (model.capabilities.has(CAPABILITY.thinkingLevel)) return [1, null, null, level];
  if (!enabled) return [null, 0];
  return message([0, 1], [1, budget]);
}

function tools(settings) {
  const chosen = [];
  if (settings.isOn("codeExecution")) chosen.push([[]]);
  // Without declarations there is nothing to call, and an empty list would be refused.
  if (settings.isOn("functions") && settings.declarations.length) chosen.push([null, settings.declarations.map(encodeDeclaration)]);
  if (settings.isOn("search")) chosen.push([null, null, null, [null, [[]]]]);
  if (settings.isOn("urlContext")) chosen.push(message([7, []]));
  return chosen.length ? chosen : null;
}

/** Tell what a part of an answer is, by the index that is set. */
export function readPart(part) {
  if (part[CALL]) return { kind: "call", name: part[CALL][0], args: readStruct(part[CALL][1]), id: part[CALL][2] };
  // A thought in a picture is a draft.
  if (part[INLINE] && part[THOUGHT]) return { kind: "other" };
  if (part[INLINE]) return { kind: "media", mime: part[INLINE][0], data: part[INLINE][1] };
  if (part[CODE]) return { kind: "code", language: part[CODE][0] === PYTHON ? "python" : "", code: part[CODE][1] };
  if (part[CODE_RESULT]) return { kind: "result", succeeded: part[CODE_RESULT][0] === OK, output: part[CODE_RESULT][1] ?? "" };
  if (!part[1]) return { kind: "other" };
  return { kind: part[THOUGHT] ? "thought" : "text", text: part[1] };
}
