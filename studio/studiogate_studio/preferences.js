// Runs in every document before the page's own scripts, which read this preference at start only.
// Keys the page knows and we don't set are kept.
({ origin, values }) => {
  if (location.origin !== origin || window.top !== window) return;
  const key = "aiStudioUserPreference";
  let preference = {};
  try {
    preference = JSON.parse(localStorage.getItem(key) ?? "{}") ?? {};
  } catch {
    // Not ours to repair: the page writes a new one.
  }
  localStorage.setItem(key, JSON.stringify({ ...preference, ...values }));
}
