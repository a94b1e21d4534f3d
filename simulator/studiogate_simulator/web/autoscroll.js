// Keeps the end of a chat in view while it grows, unless somebody scrolled up.

const NEAR = 40;

/** Let `scroller` follow the growth of `content`. */
export function followEnd(scroller, content) {
  let following = true;
  scroller.addEventListener("scroll", () => {
    following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  });
  new ResizeObserver(() => {
    if (following) scroller.scrollTop = scroller.scrollHeight;
  }).observe(content);
}
