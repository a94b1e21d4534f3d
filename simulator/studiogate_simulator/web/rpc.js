// The page's RPC client: cross-origin XMLHttpRequests with the account's cookies and the headers that make them real.

import { options } from "./options.js";

const SERVICE = `https://${options.rpcHost}/$rpc/google.internal.alkali.applications.makersuite.v1.MakerSuiteService/`;
const API_KEY = "AIzaSySimulatedKeyThatOpensNothing00000";
const LOGGING_CONTEXT = "CAASA1JVQRgBMAE4BEAA";

/** What tells this page apart from others, until it is loaded anew. */
export const VISIT_ID = `v1_${btoa(options.visitId)}`;

/** What may stand before an answer, so that it is no script. */
const GUARD = /^\)\]\}'\n/;
const WITH_CONTEXT = new Set(["GenerateContent", "CountTokens", "GenerateTitle"]);

function cookie(name) {
  const found = document.cookie.split("; ").find((entry) => entry.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

async function sapisidHash(scheme, cookieName, seconds) {
  const value = cookie(cookieName);
  if (!value) return null;
  const text = new TextEncoder().encode(`${seconds} ${value} ${location.origin}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", text));
  return `${scheme} ${seconds}_${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

async function authorization() {
  const seconds = Math.floor(Date.now() / 1000);
  const hashes = await Promise.all([
    sapisidHash("SAPISIDHASH", "SAPISID", seconds),
    sapisidHash("SAPISID1PHASH", "__Secure-1PAPISID", seconds),
    sapisidHash("SAPISID3PHASH", "__Secure-3PAPISID", seconds),
  ]);
  return hashes.filter(Boolean).join(" ");
}

/** Open a request to a method, headers set; the caller adds its listeners and sends. */
export async function openRequest(method) {
  const proofOfAccount = await authorization();
  const request = new XMLHttpRequest();
  request.open("POST", SERVICE + method);
  request.withCredentials = true;
  request.setRequestHeader("Content-Type", "application/json+protobuf");
  request.setRequestHeader("X-Goog-Api-Key", API_KEY);
  request.setRequestHeader("X-Goog-AuthUser", "0");
  request.setRequestHeader("X-User-Agent", "grpc-web-javascript/0.1");
  request.setRequestHeader("X-AIStudio-Visit-Id", VISIT_ID);
  if (proofOfAccount) request.setRequestHeader("Authorization", proofOfAccount);
  if (WITH_CONTEXT.has(method)) request.setRequestHeader("X-Goog-Ext-519733851-bin", LOGGING_CONTEXT);
  return request;
}

/** Call a unary method and give its answer, or throw with the HTTP status. */
export async function call(method, message) {
  const request = await openRequest(method);
  return new Promise((resolve, reject) => {
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText.replace(GUARD, "")));
      else reject(new Error(`${method}: HTTP ${request.status}`));
    };
    request.onerror = () => reject(new Error(`${method}: no answer`));
    request.send(JSON.stringify(message));
  });
}

/** Report an error to the page's own host, as upstream does; nobody waits for the answer. */
export function reportError(text) {
  void fetch(`/_/MakerSuite/jserror?${new URLSearchParams({ error: text })}`, { method: "POST" }).catch(() => {});
}
