// The array notation of the wire: a message is an array with field N at index N-1, its trailing unset fields cut off.

/** Build a message from [index, value] pairs. */
export function message(...fields) {
  const set = fields.filter(([, value]) => value !== null && value !== undefined);
  const built = Array(Math.max(-1, ...set.map(([index]) => index)) + 1).fill(null);
  for (const [index, value] of set) built[index] = value;
  return built;
}

/** Encode a JSON object as a Struct. */
export function encodeStruct(values) {
  const entries = Object.entries(values).map(([key, value]) => [key, encodeValue(value)]);
  return entries.length ? [entries] : [];
}

function encodeValue(value) {
  if (value === null) return [0];
  if (typeof value === "boolean") return message([3, Number(value)]);
  if (typeof value === "number") return message([1, value]);
  if (typeof value === "string") return message([2, value]);
  if (Array.isArray(value)) return message([5, value.length ? [value.map(encodeValue)] : []]);
  return message([4, encodeStruct(value)]);
}

/** Decode a Struct to a JSON object. */
export function readStruct(struct) {
  return Object.fromEntries((struct?.[0] ?? []).map(([key, value]) => [key, readValue(value)]));
}

function readValue(value) {
  if (value[5]) return (value[5][0] ?? []).map(readValue);
  if (value[4]) return readStruct(value[4]);
  if (value[3] !== null && value[3] !== undefined) return Boolean(value[3]);
  return value[2] ?? value[1] ?? null;
}
