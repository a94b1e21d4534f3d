// Runs in every document before the page's own scripts, which read this preference at start only.
// Keys the page knows and we don't set are kept. What an earlier page kept of a system instruction of ours goes.
({ origin, values, title }) => {
  if (location.origin !== origin || window.top !== window) return;
  const read = (key, otherwise) => {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? otherwise;
    } catch {
      return otherwise; // Not ours to repair: the page writes a new one.
    }
  };
  const key = "aiStudioUserPreference";
  const preference = { ...read(key, {}), ...values };
  if (preference.selectedSystemInstructionsConfigName === title) preference.selectedSystemInstructionsConfigName = null;
  localStorage.setItem(key, JSON.stringify(preference));

  const saved = "aistudio_all_system_instructions";
  const all = read(saved, []);
  const others = Array.isArray(all) ? all.filter((each) => each?.title !== title) : all;
  if (others.length < all.length) localStorage.setItem(saved, JSON.stringify(others));
}
