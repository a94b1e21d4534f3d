// The models as ListModels tells them: rows are arrays, a field's index is its number less one.

export const CAPABILITY = {
  chat: 1,
  codeExecution: 9,
  functions: 10,
  search: 12,
  urlContext: 13,
  thinking: 25,
  thinkingBudget: 35,
  mediaResolution: 43,
  thinkingLevel: 52,
};

const DEFAULT_ID = "gemini-3-flash-preview";

/** Read a ListModels answer. */
export function readModels([rows]) {
  return rows.map((row) => ({
    id: row[0].replace("models/", ""),
    title: row[3],
    description: row[4],
    outputLimit: row[6],
    chats: (row[7] ?? []).includes("generateContent"),
    temperature: row[8] ?? null,
    topP: row[9] ?? null,
    topK: row[10] ?? null,
    capabilities: new Set(row[64] ?? []),
    thinking: row[71] ?? null,
  }));
}

/** Choose the model to start with: the address's, else the preferred one, else the service's own choice. */
export function startModel(models, address, preferred) {
  const chatModels = models.filter((model) => model.chats);
  const byId = (id) => chatModels.find((model) => model.id === id);
  return byId(address) ?? byId(preferred?.replace("models/", "")) ?? byId(DEFAULT_ID) ?? chatModels[0];
}
