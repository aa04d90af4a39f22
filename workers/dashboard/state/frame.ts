/** Frame: puts off what the screen shows to its next picture, so that many messages cost one. */

/** Calls `work` once for any number of calls until the next picture; at once where no picture is drawn. */
export function framed(work: () => void): () => void {
  let waiting = false;
  const run = () => {
    if (!waiting) return;
    waiting = false;
    work();
  };
  return () => {
    if (waiting) return;
    waiting = true;
    // A hidden page draws nothing, but its title and its state go on.
    if (document.hidden) setTimeout(run, 0);
    else {
      requestAnimationFrame(run);
      // A page that is hidden before its next picture gets none.
      setTimeout(run, 250);
    }
  };
}
