// What the server tells this page: where its services are, and which build of the real page to play.

export const options = JSON.parse(document.getElementById("simulator").textContent);

/** Whether the page is of a generation, or of a later one: g1, g2, g3. */
export const since = (generation) => options.generation >= generation;
