// Schemas as people write them, the subset of OpenAPI that the editors take, and as they go over the wire.

import { message } from "./message.js";

const TYPES = ["string", "number", "integer", "boolean", "array", "object"];
const REFUSED = ["$schema", "$ref", "additionalProperties", "default", "anyOf", "oneOf"];
const PLAIN = {
  format: 1,
  description: 2,
  nullable: 3,
  enum: 4,
  required: 7,
  minProperties: 8,
  maxProperties: 9,
  minimum: 10,
  maximum: 11,
  minLength: 12,
  maxLength: 13,
  pattern: 14,
  example: 15,
  maxItems: 20,
  minItems: 21,
  propertyOrdering: 22,
};
const ITEMS = 5;
const PROPERTIES = 6;

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const kindOf = ({ type }) => (typeof type === "string" ? TYPES.indexOf(type.toLowerCase()) + 1 : 0);

/** Tell what is wrong with a schema; null if nothing is. */
export function schemaProblem(schema, path = "schema") {
  if (!isObject(schema)) return `${path} must be an object.`;
  const refused = REFUSED.find((key) => key in schema);
  if (refused) return `${path}: "${refused}" is not supported.`;
  if (!kindOf(schema)) return `${path}: a type is required, one of ${TYPES.join(", ")}.`;
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const problem = schemaProblem(child, `${path}.${name}`);
    if (problem) return problem;
  }
  return schema.items === undefined ? null : schemaProblem(schema.items, `${path}.items`);
}

/** Tell what is wrong with function declarations; null if nothing is. */
export function declarationsProblem(declarations) {
  if (!Array.isArray(declarations)) return "Function declarations must be an array.";
  for (const [index, declaration] of declarations.entries()) {
    if (typeof declaration?.name !== "string" || !declaration.name) return `Function ${index + 1}: a name is required.`;
    const { name, parameters } = declaration;
    const problem = parameters === undefined ? null : schemaProblem(parameters, `${name}.parameters`);
    if (problem) return problem;
  }
  const names = declarations.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice ? `Function ${twice} is declared twice.` : null;
}

/** Encode a schema for the wire. */
export function encodeSchema(schema) {
  const properties = schema.properties && Object.entries(schema.properties).map(([name, child]) => [name, encodeSchema(child)]);
  return message(
    [0, kindOf(schema)],
    ...Object.entries(PLAIN).map(([name, index]) => [index, schema[name]]),
    [ITEMS, schema.items && encodeSchema(schema.items)],
    [PROPERTIES, properties],
  );
}

/** Encode a function declaration for the wire. */
export const encodeDeclaration = ({ name, description, parameters }) =>
  message([0, name], [1, description], [2, parameters && encodeSchema(parameters)]);
