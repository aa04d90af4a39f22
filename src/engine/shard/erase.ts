/**
 * Erase: a shard forgets a key, and then wipes what is left of it where nobody looks.
 *
 * Forgetting is one commit: the key, its timers and its dead letters are gone, and reads see it at once. The text of the
 * key is still there after it: in slots of the log that are waiting to be written over, in outputs that are on their
 * way, in a sink's buffer. So wiping waits until all that was emitted or buffered has been handed over, has a checkpoint
 * rewrite the pages, and empties every slot of the log that the checkpoint makes superfluous.
 *
 * Both may be repeated at any time, and cut off at any write: what is done stays done, and what is not is done again.
 */
import { isView } from "../../plan.ts";
import { scrubCheckpoint } from "./checkpoint.ts";
import type { Commit, NumberedLetter } from "./commit.ts";
import { numeric } from "./processors/aggregate.ts";
import type { KeyEntry } from "./processors/key-state.ts";
import { parseTimerKey, timerKey } from "./processors/timer-index.ts";
import type { DeadLetter, EraseMarks, Forgotten, Wiped } from "./protocol.ts";
import type { Shard } from "./shard.ts";
import { flushBatch } from "./sink-batches.ts";
import { readWindows } from "./window-reader.ts";
import { indexKey, isTimerOf } from "./windows/window-keys.ts";

const LETTERS_PAGE = 100;
/** Dead letters of one commit. */
const LETTERS_AT_ONCE = 1000;

/**
 * Takes a key out of a view's shard, with its timers, and the dead letters of that key out of any shard.
 *
 * A letter's events count as applied from then on. One that has been released, since somebody is sending it again, is
 * left until that has been finished, or the count would lose it; its number is in the answer.
 *
 * @param released takes those out as well: to send them again was tried.
 */
export function forgetKey(shard: Shard, key: string, released = false): Forgotten {
  const forgotten = { keys: 0, timers: 0, deadLetters: 0 };
  const letters = lettersOf(shard, key);
  const held = letters.filter(({ letter }) => !released && isOnItsWay(letter));
  const gone = letters.filter((letter) => !held.includes(letter));
  const places = placesOf(shard, key);
  // A pane's timer may outlive the windows of its key.
  const known = places.length > 0 || windowTimersOf(shard, key).length > 0;
  for (let at = 0; at < gone.length || (at === 0 && known); at += LETTERS_AT_ONCE) {
    const some = gone.slice(at, at + LETTERS_AT_ONCE);
    shard.transact(places, (commit) => {
      if (at === 0 && known) {
        forgotten.keys++;
        forgotten.timers += forgetState(shard, key, places, commit);
      }
      for (const { number, letter } of some) commit.eraseDeadLetter(number, letter);
    });
    forgotten.deadLetters += some.length;
  }
  return { ...forgotten, redriving: held.map(({ number }) => number) };
}

/**
 * Wipes what has been deleted from where it can still be read in storage.
 *
 * @param marks what the answer before said to wait for; by default all that is on its way now.
 * @returns `marks` while something is on its way: call it again with them. A sink's buffer is being written meanwhile.
 */
export function wipe(shard: Shard, marks = marksOf(shard)): Wiped {
  // A shard that never committed holds nothing, and is not to be born by this.
  if (shard.lsn === 0) return { rows: 0 };
  const waitingFor = whatIsLeft(shard, marks);
  if (waitingFor !== undefined) {
    flushBatch(shard);
    return { rows: 0, marks, waitingFor };
  }
  // Also if nothing has changed: the newest record may hold outputs that have been confirmed since.
  do shard.checkpoint();
  while (shard.checkpointLsn < shard.lsn);
  const rows = shard.log.scrub(shard.checkpointLsn);
  return { rows: rows + scrubCheckpoint(shard.options.store) };
}

/** Where a shard has something of a key: under the key itself, or in each of its windows. */
function placesOf(shard: Shard, key: string): string[] {
  const { operator } = shard.options;
  if (!isView(operator)) return [];
  if (operator.kind === "window") {
    return readWindows(shard, { key, limit: Number.POSITIVE_INFINITY }).map(({ place }) => place);
  }
  return shard.state.get(key) === undefined ? [] : [key];
}

/** @returns timers. */
function forgetState(shard: Shard, key: string, places: readonly string[], commit: Commit): number {
  const { operator } = shard.options;
  if (operator.kind === "window") return forgetWindows(shard, key, places, commit);
  const value = commit.get(key);
  commit.put(key, null);
  commit.counters.keys--;
  if (operator.kind === "aggregate") commit.counters.total -= numeric(operator.aggregate.result(value));
  if (operator.kind !== "process") return 0;
  const { t = {}, e = {} } = value as KeyEntry;
  for (const [name, time] of Object.entries(t)) commit.deleteTimer(timerKey({ key, name, time }));
  for (const [name, time] of Object.entries(e))
    commit.deleteTimer(timerKey({ key, name, time, domain: "event" }));
  return Object.keys(t).length + Object.keys(e).length;
}

/** The timers of a window that other keys share stay. @returns timers. */
function forgetWindows(shard: Shard, key: string, places: readonly string[], commit: Commit): number {
  for (const place of places) commit.put(place, null);
  commit.counters.keys -= places.length;
  if (shard.state.get(indexKey(key)) !== undefined) commit.put(indexKey(key), null);
  const timers = windowTimersOf(shard, key);
  for (const timer of timers) commit.deleteTimer(timer);
  return timers.length;
}

/** The timers of a key's own windows and panes. All are looked at: they are sorted by time. */
function windowTimersOf(shard: Shard, key: string): string[] {
  if (shard.options.operator.kind !== "window") return [];
  const timers = [...shard.timers.entries()].map((timer) => timer.key);
  return timers.filter((timer) => isTimerOf(parseTimerKey(timer).key, key));
}

function lettersOf(shard: Shard, key: string): NumberedLetter[] {
  const { store } = shard.options;
  // Most letters can be told to be another key's without reading them.
  const text = JSON.stringify(key);
  const found: NumberedLetter[] = [];
  for (let after = 0; ; ) {
    const rows = store.listDeadLetters(after, LETTERS_PAGE);
    for (const { number, data } of rows) {
      after = number;
      if (!data.includes(text)) continue;
      const letter = JSON.parse(data) as DeadLetter;
      const { event, record, timer } = letter;
      if ([event?.key, record?.key, timer?.key].includes(key)) found.push({ number, letter });
    }
    if (rows.length < LETTERS_PAGE) return found;
  }
}

/** A timer is set again by the release itself. */
function isOnItsWay({ released = false, timer }: DeadLetter): boolean {
  return released && timer === undefined;
}

function marksOf(shard: Shard): EraseMarks {
  const channels: Record<string, number> = {};
  for (const { destination, sequence } of shard.outbox.entries()) channels[destination] = sequence + 1;
  const { sink } = shard.counters;
  return { channels, ...(sink === undefined || sink.last < sink.first ? {} : { sink: sink.last }) };
}

/** What is still on its way of what was when the marks were made, in words; undefined when nothing is. */
function whatIsLeft(shard: Shard, { channels, sink: last }: EraseMarks): string | undefined {
  const { outbox, counters } = shard;
  for (const { destination, sequence } of outbox.entries()) {
    if (sequence < (channels[destination] ?? 0)) return `outputs on their way to ${destination}`;
  }
  const { sink } = counters;
  if (last !== undefined && sink !== undefined && sink.first <= last) return "events to be written";
  return undefined;
}
