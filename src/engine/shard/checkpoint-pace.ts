/**
 * CheckpointPace: when a shard begins a checkpoint, and how much of it each commit writes.
 *
 * A checkpoint writes each page that has changed, so the longer it waits, the more changes share a page; and whatever has
 * not been written by then, a wake-up replays. So it begins when the log has grown to what a wake-up may take, and with a few
 * rows only when it writes no more of them than the log has. Once begun it is in a hurry: the log grows meanwhile.
 */

export interface PaceLimits {
  /** A checkpoint begins after so many commits, if it writes no more pages than that. */
  readonly checkpointCommits: number;
  /** A checkpoint begins when the log has grown by so many bytes. */
  readonly checkpointBytes: number;
  /** A checkpoint begins when so many keys have changed: a wake-up takes each up. */
  readonly checkpointKeys: number;
  /** Pages that a commit may write, at least, for the checkpoint that is under way. */
  readonly checkpointStepPages: number;
  /** Rows of the log. */
  readonly logRows: number;
}

/** Of the log's rows, how many may be in use however many pages a checkpoint has to write: it needs the others itself. */
const FULL = 3 / 4;
/** In how many commits a checkpoint is to be written, and while the log grows by which part of `checkpointBytes`. */
const WITHIN_COMMITS = 64;
const WITHIN_BYTES = 1 / 4;
/** In how many where memory is short: what waits beside the pages keeps them out meanwhile. */
const WITHIN_COMMITS_CROWDED = 8;

/** What a shard has not written to pages. */
export interface Unwritten {
  readonly commits: number;
  /** A commit takes one, or several when it is large. */
  readonly logRows: number;
  readonly logBytes: number;
  /** Keys that have changed. */
  readonly keys: number;
  /** Pages that a checkpoint would write, about. */
  readonly pages: number;
}

export function isDue({ commits, logRows, logBytes, keys, pages }: Unwritten, limits: PaceLimits): boolean {
  if (logBytes >= limits.checkpointBytes || keys >= limits.checkpointKeys) return true;
  return commits >= commitsBefore(pages, limits) || logRows >= limits.logRows * FULL;
}

/** After how many commits a checkpoint of so many pages is due, where nothing else makes it so. */
export function commitsBefore(pages: number, limits: PaceLimits): number {
  const most = Math.max(limits.checkpointCommits, Math.floor(limits.logRows * FULL));
  return Math.min(Math.max(limits.checkpointCommits, pages), most);
}

/**
 * How many pages a commit writes.
 *
 * @param pages of the whole checkpoint, about.
 * @param bytes by which the commit has made the log grow.
 * @param crowded whether memory is short.
 */
export function stepOf(pages: number, bytes: number, limits: PaceLimits, crowded = false): number {
  const within = crowded ? WITHIN_COMMITS_CROWDED : WITHIN_COMMITS;
  const share = Math.max(1 / within, bytes / (limits.checkpointBytes * WITHIN_BYTES));
  return Math.max(limits.checkpointStepPages, Math.ceil(pages * Math.min(1, share)));
}
