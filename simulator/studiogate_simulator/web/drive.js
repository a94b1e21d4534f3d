// Uploads to the account's Drive: a session is opened with the metadata, then all bytes go there at once.

import { options } from "./options.js";
import { call } from "./rpc.js";

const UPLOADS = `https://${options.driveHost}/upload/drive/v3/files?uploadType=resumable`;

let access = null;

// Asked for once; a page does not live as long as its token.
async function authorize() {
  access ??= Promise.all([call("GenerateAccessToken", ["users/me"]), call("GetAppFolder", [])]);
  const [[token], [folder]] = await access;
  return { token, folder };
}

/** Upload a file and give its id; `onProgress` gets the share that is done, `signal` aborts. */
export async function uploadToDrive(file, type, { onProgress, signal }) {
  const { token, folder } = await authorize();
  const opened = await fetch(UPLOADS, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json; charset=UTF-8",
      "X-Upload-Content-Length": String(file.size),
      "X-Upload-Content-Type": type,
    },
    body: JSON.stringify({ name: file.name, mimeType: type, parents: [folder] }),
    signal,
  });
  if (!opened.ok) throw new Error(`Drive: HTTP ${opened.status}`);
  return put(opened.headers.get("Location"), file, token, onProgress, signal);
}

function put(address, file, token, onProgress, signal) {
  // Only XMLHttpRequest tells how far an upload is.
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.open("PUT", address);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / Math.max(total, 1));
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText).id);
      else reject(new Error(`Drive: HTTP ${request.status}`));
    };
    request.onerror = () => reject(new Error("Drive: no answer"));
    request.onabort = () => reject(new Error("Drive: aborted"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
