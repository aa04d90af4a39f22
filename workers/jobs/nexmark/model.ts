/** Nexmark's model: an online auction of people, what they offer and what they bid. Field names are Nexmark's. */
import * as v from "valibot";

/** Epoch milliseconds. */
const time = v.pipe(v.number(), v.safeInteger("not whole milliseconds"));
const id = v.pipe(v.number(), v.safeInteger("not a whole number"));
/** Cents. */
const money = v.pipe(v.number(), v.finite("not a finite number"));

export const personSchema = v.object({
  type: v.literal("person"),
  id,
  name: v.string(),
  emailAddress: v.string(),
  creditCard: v.string(),
  city: v.string(),
  state: v.string(),
  dateTime: time,
  extra: v.string(),
});

export const auctionSchema = v.object({
  type: v.literal("auction"),
  id,
  itemName: v.string(),
  description: v.string(),
  initialBid: money,
  reserve: money,
  dateTime: time,
  expires: time,
  seller: id,
  category: id,
  extra: v.string(),
});

export const bidSchema = v.object({
  type: v.literal("bid"),
  auction: id,
  bidder: id,
  price: money,
  dateTime: time,
  extra: v.string(),
});

export const nexmarkEventSchema = v.variant("type", [personSchema, auctionSchema, bidSchema]);

export type Person = v.InferOutput<typeof personSchema>;
export type Auction = v.InferOutput<typeof auctionSchema>;
export type Bid = v.InferOutput<typeof bidSchema>;
export type NexmarkEvent = v.InferOutput<typeof nexmarkEventSchema>;

export function isPerson(event: NexmarkEvent): event is Person {
  return event.type === "person";
}

export function isAuction(event: NexmarkEvent): event is Auction {
  return event.type === "auction";
}

export function isBid(event: NexmarkEvent): event is Bid {
  return event.type === "bid";
}
