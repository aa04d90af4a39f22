/**
 * Recounts of Nexmark's queries, by plain arithmetic; they know nothing of the engine. Its generator makes nothing that
 * comes late.
 */
import type { Auction, NexmarkEvent, Person } from "../../../workers/jobs/nexmark/model.ts";
import type { Recount } from "../recount.ts";

// As the queries say, and not as the jobs have them: a slip there is to show here.
const WINDOW_MS = 10_000;
const SLIDE_MS = 2_000;
const GAP_MS = 10_000;

type Events = Iterable<NexmarkEvent>;

/** For each ten seconds that end on an even second, and that have a bid: the auctions with the most. */
export function hotItems(events: Events): Recount {
  const windows = new Map<number, Map<number, number>>();
  for (const event of events) {
    if (event.type !== "bid") continue;
    const { auction, dateTime } = event;
    const firstEnd = (Math.floor(dateTime / SLIDE_MS) + 1) * SLIDE_MS;
    for (let end = firstEnd; end - WINDOW_MS <= dateTime; end += SLIDE_MS) {
      const counts = getOrAdd(windows, end, () => new Map<number, number>());
      counts.set(auction, (counts.get(auction) ?? 0) + 1);
    }
  }
  const results: string[] = [];
  for (const [end, counts] of windows) {
    const most = [...counts.values()].reduce((a, b) => Math.max(a, b));
    for (const [auction, bids] of counts) {
      if (bids === most) results.push(`${end - WINDOW_MS} ${end} ${auction} ${bids}`);
    }
  }
  return { results, late: [] };
}

/** For each ten seconds that have a bid: those with the highest price. */
export function highestBids(events: Events): Recount {
  const windows = new Map<number, { readonly price: number; readonly rows: string[] }>();
  for (const event of events) {
    if (event.type !== "bid") continue;
    const { auction, bidder, price, dateTime } = event;
    const start = Math.floor(dateTime / WINDOW_MS) * WINDOW_MS;
    const row = `${start} ${auction} ${bidder} ${price} ${dateTime}`;
    const highest = windows.get(start);
    if (highest === undefined || price > highest.price) windows.set(start, { price, rows: [row] });
    else if (price === highest.price) highest.rows.push(row);
  }
  return { results: [...windows.values()].flatMap(({ rows }) => rows), late: [] };
}

/** Each person with each auction that they opened in the ten seconds in which they registered. */
export function newUsers(events: Events): Recount {
  const people = new Map<number, Person>();
  const auctions: Auction[] = [];
  for (const event of events) {
    if (event.type === "person") people.set(event.id, event);
    else if (event.type === "auction") auctions.push(event);
  }
  const results: string[] = [];
  for (const { id, seller, dateTime, reserve } of auctions) {
    const person = people.get(seller);
    if (person === undefined) continue;
    const start = Math.floor(dateTime / WINDOW_MS) * WINDOW_MS;
    if (Math.floor(person.dateTime / WINDOW_MS) * WINDOW_MS !== start) continue;
    results.push(`${start} ${seller} ${person.name} ${id} ${reserve}`);
  }
  return { results, late: [] };
}

/** Each person's bids, parted where more than ten seconds lie between two; a session ends ten seconds after its last. */
export function userSessions(events: Events): Recount {
  const bidders = new Map<number, number[]>();
  for (const event of events) {
    if (event.type === "bid") getOrAdd(bidders, event.bidder, () => []).push(event.dateTime);
  }
  const results: string[] = [];
  for (const [bidder, times] of bidders) {
    times.sort((a, b) => a - b);
    let from = 0;
    for (let n = 1; n <= times.length; n++) {
      const [last, next] = [times[n - 1] as number, times[n]];
      if (next !== undefined && next - last <= GAP_MS) continue;
      results.push(`${bidder} ${times[from]} ${last + GAP_MS} ${n - from}`);
      from = n;
    }
  }
  return { results, late: [] };
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
