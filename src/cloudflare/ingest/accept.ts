/** Accept: the way of one request, from its first header to the 202 that promises that its events are durable. */
import type { Clock } from "../../clock.ts";
import type { EventQueue } from "../../engine/event-queue.ts";
import type { Producer } from "../../engine/producer.ts";
import type { SegmentId, SegmentTime } from "../../engine/segment.ts";
import { ProducerKind } from "../../engine/segment.ts";
import type { Packed } from "../../engine/source/packer.ts";
import type { SourceExecutor } from "../../engine/source-executor.ts";
import type { Held } from "../../engine/watermark/holds.ts";
import { timeOf } from "../../engine/watermark/holds.ts";
import type { Credential } from "../http/keys.ts";
import { Problem } from "../http/problem.ts";
import { encodeTicket, ticketOf } from "../http/ticket.ts";
import type { ClaimsRpc, CoordinatorRpc, GateRpc, Namespace } from "../rpc.ts";
import { accepted, checkOutcome, outcomeOf, sending, tooLarge } from "./answers.ts";
import type { Gauge } from "./backpressure.ts";
import { checkBacklogs, ownGauge } from "./backpressure.ts";
import { readBody } from "./body.ts";
import type { ReplayHeaders, SourceHolds } from "./event-time.ts";
import { admitted, replayOf, outcomeOf as sendOutcome } from "./event-time.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Claim, Prefixes } from "./identity.ts";
import { admit, claimOf } from "./identity.ts";
import type { OwnUsage } from "./own-usage.ts";
import type { Records } from "./records.ts";
import { recordsOf } from "./records.ts";

/** What a request for one source works with. */
export interface Intake {
  readonly executor: SourceExecutor;
  readonly queue: EventQueue;
  readonly group: GroupCommit;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** This isolate's, for this source. */
  readonly producer: Producer;
  readonly prefixes: Prefixes;
  /** For this source. */
  readonly usage: OwnUsage;
  /** Where something behind the source goes by event time. */
  readonly eventTime: IntakeTime | undefined;
  readonly gates: Namespace<GateRpc>;
  readonly claims: Namespace<ClaimsRpc>;
  /** Messages that may wait in the source's own queue. */
  readonly highWater: number;
  /** The queues of the stages behind the source. */
  readonly behind: readonly Gauge[];
  readonly clock: Clock;
  readonly random: () => number;
}

export interface IntakeTime {
  readonly holds: SourceHolds;
  readonly coordinator: CoordinatorRpc;
}

/**
 * Answers 202 when what is accepted is durable; whatever else is the answer, nothing of it is (or, after a 503 of
 * outcome `unknown`, nobody knows).
 *
 * @throws Problem for every other answer.
 */
export async function accept(
  request: Request,
  credential: Credential,
  strict: boolean,
  intake: Intake,
): Promise<Response> {
  try {
    return await answer(request, credential, strict, intake);
  } catch (refusal) {
    // It is billed all the same, and no segment tells of it.
    intake.usage.add({ requests: 1 });
    throw refusal;
  }
}

async function answer(
  request: Request,
  credential: Credential,
  strict: boolean,
  intake: Intake,
): Promise<Response> {
  const { executor, queue, random } = intake;
  const source = executor.source.name;
  const claim = await claimOf(request.headers, credential, source);
  const replay = replayOf(request.headers, claim);
  const own = ownGauge(queue, executor.source.queue.queue, intake.highWater);
  await checkBacklogs(own, intake.behind, random);
  const body = await readBody(request);
  const records = recordsOf(body);
  switch (claim.by) {
    case "isolate":
      return byIsolate(records, strict, intake);
    case "client":
      await intake.prefixes.check(claim, intake.claims);
      return byClient(records, strict, intake, claim, replay);
    case "key":
      return byKey(records, strict, intake, claim.hash, () =>
        admit(claim.hash, source, body, strict, intake),
      );
  }
}

/** Without a name of its own, a request takes the isolate's next numbers. */
async function byIsolate(records: Records, strict: boolean, intake: Intake): Promise<Response> {
  const { executor, producer, queue, usage } = intake;
  // No await from here to `send`: another request would take the same numbers.
  const held = enter(intake);
  const id = producer.next;
  const arrival = arrivalOf(held, intake);
  const reading = executor.read(records.arrivals, `${id.producer}.${id.sequence}`, arrival);
  const outcome = outcomeOf(records, reading);
  leavingIf(held, () => checkOutcome(outcome, strict));
  const identity = {
    ...id,
    kind: ProducerKind.isolate,
    arrival,
    before: producer.counted,
    single: false,
    used: usage.open,
    ...timeOf(held, reading.watermark),
  };
  const packed = leavingIf(held, () => tooLarge(() => executor.pack(reading, identity, queue.limits)));
  producer.advance(packed.segments.length, reading.accepted);
  await send(packed, intake, { by: "isolate" }, held);
  return accepted(outcome, ticket(intake, packed));
}

/**
 * The client numbers its requests. Where nothing is accepted, an empty segment takes the number all the same, so that
 * the gap-free prefix goes on; but not for a refusal that could end otherwise when the request is sent again.
 */
async function byClient(
  records: Records,
  strict: boolean,
  intake: Intake,
  claim: Claim & { by: "client" },
  replay: ReplayHeaders | undefined,
): Promise<Response> {
  const { executor, queue, eventTime } = intake;
  const isReplay = replay !== undefined && eventTime !== undefined;
  // A replay has a clock of its own, and holds the frontier itself.
  const held = isReplay ? undefined : enter(intake);
  const arrival = arrivalOf(held, intake);
  const reading = executor.read(records.arrivals, `${claim.producer}.${claim.sequence}`, arrival);
  const time = isReplay
    ? { time: await admitted(eventTime.coordinator, executor.source.name, claim, replay, reading) }
    : timeOf(held, reading.watermark);
  const outcome = outcomeOf(records, reading);
  try {
    checkOutcome(outcome, strict, claim);
  } catch (refusal) {
    await send(empty(claim, arrival, intake, time), intake, claim, held);
    throw refusal;
  }
  const identity = { ...clientIdentity(claim, arrival, intake), ...time };
  const packed = leavingIf(held, () => tooLarge(() => executor.pack(reading, identity, queue.limits)));
  await send(packed, intake, claim, held);
  return accepted(outcome, ticket(intake, packed));
}

/** The client names its request, and the gate turns the name into numbers; it is asked only when there is something to send. */
async function byKey(
  records: Records,
  strict: boolean,
  intake: Intake,
  hash: string,
  gateId: () => Promise<SegmentId>,
): Promise<Response> {
  const { executor, queue } = intake;
  const held = enter(intake);
  const arrival = arrivalOf(held, intake);
  const reading = executor.read(records.arrivals, hash, arrival);
  const outcome = outcomeOf(records, reading);
  leavingIf(held, () => checkOutcome(outcome, strict));
  const id = await gateId().catch((error: unknown) => {
    held?.leave();
    throw error;
  });
  const time = timeOf(held, reading.watermark);
  let packed: Packed;
  try {
    packed = tooLarge(() =>
      executor.pack(reading, { ...clientIdentity(id, arrival, intake), ...time }, queue.limits),
    );
  } catch (refusal) {
    // The gate's number is taken: were it never sent, the shards would wait for it.
    if (refusal instanceof Problem)
      await send(empty(id, arrival, intake, time), intake, { by: "key", hash }, held);
    else held?.leave();
    throw refusal;
  }
  await send(packed, intake, { by: "key", hash }, held);
  return accepted(outcome, ticket(intake, packed));
}

function clientIdentity({ producer, sequence }: SegmentId, arrival: number, { usage }: Intake) {
  const { open: used } = usage;
  return { producer, sequence, kind: ProducerKind.client, arrival, before: 0, single: true, used };
}

/** A segment with nothing in it: its number counts as used. */
function empty(
  id: SegmentId,
  arrival: number,
  intake: Intake,
  time: { readonly time?: SegmentTime },
): Packed {
  const { executor, queue } = intake;
  const identity = { ...clientIdentity(id, arrival, intake), ...time };
  return executor.pack(executor.read({ values: [] }, "", arrival), identity, queue.limits);
}

async function send(packed: Packed, intake: Intake, claim: Claim, held: Held | undefined): Promise<void> {
  const { executor, group, queue, random, usage, waitUntil } = intake;
  const { plan, fingerprint, source } = executor;
  const header = { generation: plan.generation, fingerprint, source: source.name };
  held?.take(packed.segments.length);
  const sent = usage.sayWith(group.send(packed, header, queue, waitUntil));
  // Also when this request is cancelled: whether it was sent is to be known.
  if (held !== undefined)
    waitUntil(
      sent.then(
        () => held.leave(),
        (error: unknown) => held.leave(sendOutcome(error)),
      ),
    );
  await sending(() => sent, claim, random);
}

/** From here on the frontier waits for this request. */
function enter({ eventTime, clock, waitUntil }: Intake): Held | undefined {
  return eventTime?.holds.enter(clock, eventTime.coordinator, waitUntil);
}

function arrivalOf(held: Held | undefined, { clock }: Intake): number {
  return Math.max(clock.now(), held?.start ?? 0);
}

/** Nothing is sent when `work` throws. */
function leavingIf<T>(held: Held | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    held?.leave();
    throw error;
  }
}

function ticket({ executor }: Intake, { segments }: Packed): string {
  return encodeTicket(ticketOf(executor.source.name, segments));
}
