// What the server tells this page: where its services are, and which build of the real page to play.

export const options = JSON.parse(document.getElementById("simulator").textContent);
