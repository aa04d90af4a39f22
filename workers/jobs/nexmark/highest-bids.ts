/** HighestBids: the bids with the highest price, all of them where several have it. */
import type { Event, WindowResult } from "../../../src/index.ts";
import { Aggregate } from "../../../src/index.ts";
import type { Bid } from "./model.ts";

/** What query 7 asks of a bid. */
export type HighestBid = Pick<Bid, "auction" | "bidder" | "price" | "dateTime">;

/** All of one price, in their order: so that any grouping of the same bids gives the same JSON. */
type Highest = HighestBid[];

abstract class Highests<In> extends Aggregate<In, Highest> {
  create(): Highest {
    return [];
  }

  merge(left: Highest, right: Highest): Highest {
    const [a, b] = [left[0]?.price ?? Number.NEGATIVE_INFINITY, right[0]?.price ?? Number.NEGATIVE_INFINITY];
    if (a !== b) return a > b ? left : [...right];
    return [...left, ...right].sort(inOrder);
  }

  result(highest: Highest): Highest {
    return highest;
  }
}

/** Of bids. */
export class HighestBids extends Highests<Bid> {
  override get signature(): string {
    return "highest-bids@1";
  }

  add(highest: Highest, { data }: Event<Bid>): Highest {
    const { auction, bidder, price, dateTime } = data;
    return this.merge(highest, [{ auction, bidder, price, dateTime }]);
  }
}

/** Of what HighestBids found in parts of them. Windows of the parts must fire once: without lateness and early results. */
export class HighestOfAll extends Highests<WindowResult<HighestBid[]>> {
  override get signature(): string {
    return "highest-of-all@1";
  }

  add(highest: Highest, { data }: Event<WindowResult<HighestBid[]>>): Highest {
    return this.merge(highest, data.value);
  }
}

function inOrder(a: HighestBid, b: HighestBid): number {
  return a.dateTime - b.dateTime || a.auction - b.auction || a.bidder - b.bidder;
}
