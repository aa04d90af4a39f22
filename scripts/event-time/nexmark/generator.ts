/**
 * Nexmark's events: of each 50, 1 is a person, 3 are auctions and 46 are bids, and the number of an event gives its time and
 * its id. Half of the bids are for a hot auction, three in four by a hot bidder, and three in four auctions are a hot
 * seller's; all others go to those that were created last.
 *
 * Source: the generators of github.com/nexmark/nexmark and of Apache Beam's Nexmark, with their proportions, ratios and
 * sizes. Random numbers are other ones, so that a seed gives the same events everywhere, and texts are of letters only.
 */
import { Random } from "../../../src/testing/random.ts";
import type { Auction, Bid, NexmarkEvent, Person } from "../../../workers/jobs/nexmark/model.ts";

export interface NexmarkOptions {
  readonly events: number;
  /** 1 by default. */
  readonly seed?: number;
  /** Events per second of event time; 1,000 by default. */
  readonly rate?: number;
  /** Events of one group come in another order than they happened; 5,000 by default, 1 for none. Not a multiple of 953. */
  readonly outOfOrderGroupSize?: number;
}

const PERSONS = 1;
const AUCTIONS = 3;
const TOTAL = 50;
const FIRST_ID = 1_000;
const FIRST_CATEGORY = 10;
const CATEGORIES = 5;
const ACTIVE_PEOPLE = 1_000;
const AUCTIONS_IN_FLIGHT = 100;
/** Ids that are not there yet: what refers to one looks as if it came before it. */
const LEAD = 10;
/** One in so many people and auctions is a hot one. */
const HOT_ONE_IN = 100;
const HOT_AUCTION_RATIO = 2;
const HOT_SELLER_RATIO = 4;
const HOT_BIDDER_RATIO = 4;

const STATES = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const CITIES = ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle"];
const FIRST_NAMES = ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Walter"];
const LAST_NAMES = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
/** What an event's fields are filled up to, characters. */
const SIZES = { person: 200, auction: 500, bid: 100 };

/** Not on the border of a window. */
const START = Date.UTC(2015, 6, 15, 0, 0, 3, 141);

/** The same for the same options. */
export function* nexmarkEvents(options: NexmarkOptions): Generator<NexmarkEvent> {
  const { events, seed = 1, rate = 1_000, outOfOrderGroupSize: group = 5_000 } = options;
  const maker = new Maker(seed, rate);
  for (let n = 0; n < events; n++) {
    // 953 is a prime, so each number of a group comes once.
    yield maker.event(Math.floor(n / group) * group + ((n * 953) % group));
  }
}

class Maker {
  readonly #random: Random;
  readonly #rate: number;
  readonly #letters: string;

  constructor(seed: number, rate: number) {
    this.#random = new Random(seed);
    this.#rate = rate;
    this.#letters = Array.from({ length: 2_000 }, () =>
      String.fromCharCode(97 + this.#random.below(26)),
    ).join("");
  }

  event(number: number): NexmarkEvent {
    const rest = number % TOTAL;
    if (rest < PERSONS) return this.#person(number);
    return rest < PERSONS + AUCTIONS ? this.#auction(number) : this.#bid(number);
  }

  #person(number: number): Person {
    const city = this.#pick(CITIES);
    return {
      type: "person",
      id: FIRST_ID + lastPerson(number),
      name: `${this.#pick(FIRST_NAMES)} ${this.#pick(LAST_NAMES)}`,
      emailAddress: `${this.#text(7)}@${this.#text(5)}.com`,
      creditCard: Array.from({ length: 4 }, () => String(1_000 + this.#random.below(9_000))).join(" "),
      ...{ city, state: this.#pick(STATES) },
      dateTime: this.#timeOf(number),
      extra: this.#text(SIZES.person - 80),
    };
  }

  #auction(number: number): Auction {
    const hot = this.#random.below(HOT_SELLER_RATIO) > 0;
    const initialBid = this.#price();
    const dateTime = this.#timeOf(number);
    // On average as long as it takes until so many more are in flight.
    const horizon = this.#timeOf(number + Math.floor((AUCTIONS_IN_FLIGHT * TOTAL) / AUCTIONS)) - dateTime;
    return {
      type: "auction",
      id: FIRST_ID + lastAuction(number),
      itemName: this.#text(20),
      description: this.#text(100),
      initialBid,
      reserve: initialBid + this.#price(),
      dateTime,
      expires: dateTime + 1 + this.#random.below(Math.max(horizon * 2, 1)),
      seller: FIRST_ID + (hot ? firstOfBatch(lastPerson(number)) : this.#somePerson(number)),
      category: FIRST_CATEGORY + this.#random.below(CATEGORIES),
      extra: this.#text(SIZES.auction - 170),
    };
  }

  #bid(number: number): Bid {
    const hotAuction = this.#random.below(HOT_AUCTION_RATIO) > 0;
    const hotBidder = this.#random.below(HOT_BIDDER_RATIO) > 0;
    return {
      type: "bid",
      auction: FIRST_ID + (hotAuction ? firstOfBatch(lastAuction(number)) : this.#someAuction(number)),
      // The second of its batch: hot sellers are the first.
      bidder: FIRST_ID + (hotBidder ? firstOfBatch(lastPerson(number)) + 1 : this.#somePerson(number)),
      price: this.#price(),
      dateTime: this.#timeOf(number),
      extra: this.#text(SIZES.bid - 32),
    };
  }

  #timeOf(number: number): number {
    return START + Math.floor((number * 1_000) / this.#rate);
  }

  /** Cents: 1 to 1,000,000 dollars, small ones as often as large ones. */
  #price(): number {
    return Math.round(10 ** (this.#random.next() * 6) * 100);
  }

  #somePerson(number: number): number {
    const people = lastPerson(number) + 1;
    const active = Math.min(people, ACTIVE_PEOPLE);
    return people - active + this.#random.below(active + LEAD);
  }

  #someAuction(number: number): number {
    const last = Math.max(lastAuction(number), 0);
    const first = Math.max(last - AUCTIONS_IN_FLIGHT, 0);
    return first + this.#random.below(last - first + 1 + LEAD);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)] as T;
  }

  #text(length: number): string {
    const from = this.#random.below(this.#letters.length - length);
    return this.#letters.slice(from, from + length);
  }
}

/** The person, counted from 0, that was created last when event `number` is: itself, if it is one. */
function lastPerson(number: number): number {
  return Math.floor(number / TOTAL) * PERSONS + Math.min(number % TOTAL, PERSONS - 1);
}

/** The same of auctions; -1 before the first. */
function lastAuction(number: number): number {
  const before = Math.floor(number / TOTAL) * AUCTIONS;
  return before + Math.min((number % TOTAL) - PERSONS, AUCTIONS - 1);
}

function firstOfBatch(last: number): number {
  return Math.floor(Math.max(last, 0) / HOT_ONE_IN) * HOT_ONE_IN;
}
