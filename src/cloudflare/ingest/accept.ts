/** Accept: the way of one request, from its first header to the 202 that promises that its events are durable. */
import type { Clock } from "../../clock.ts";
import type { EventQueue } from "../../engine/event-queue.ts";
import type { Producer } from "../../engine/producer.ts";
import type { SegmentId } from "../../engine/segment.ts";
import { ProducerKind } from "../../engine/segment.ts";
import type { Packed } from "../../engine/source/packer.ts";
import type { SourceExecutor } from "../../engine/source-executor.ts";
import type { Credential } from "../http/keys.ts";
import { Problem } from "../http/problem.ts";
import { encodeTicket, ticketOf } from "../http/ticket.ts";
import type { ClaimsRpc, GateRpc, Namespace } from "../rpc.ts";
import { accepted, checkOutcome, outcomeOf, sending, tooLarge } from "./answers.ts";
import type { Gauge } from "./backpressure.ts";
import { checkBacklogs, ownGauge } from "./backpressure.ts";
import { readBody } from "./body.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Claim, Prefixes } from "./identity.ts";
import { admit, claimOf } from "./identity.ts";
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
  readonly gates: Namespace<GateRpc>;
  readonly claims: Namespace<ClaimsRpc>;
  /** Messages that may wait in the source's own queue. */
  readonly highWater: number;
  /** The queues of the stages behind the source. */
  readonly behind: readonly Gauge[];
  readonly clock: Clock;
  readonly random: () => number;
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
  const { executor, queue, random } = intake;
  const source = executor.source.name;
  const claim = await claimOf(request.headers, credential, source);
  const own = ownGauge(queue, executor.source.queue.queue, intake.highWater);
  await checkBacklogs(own, intake.behind, random);
  const body = await readBody(request);
  const records = recordsOf(body);
  switch (claim.by) {
    case "isolate":
      return byIsolate(records, strict, intake);
    case "client":
      await intake.prefixes.check(claim, intake.claims);
      return byClient(records, strict, intake, claim);
    case "key":
      return byKey(records, strict, intake, claim.hash, () =>
        admit(claim.hash, source, body, strict, intake.gates),
      );
  }
}

/** Without a name of its own, a request takes the isolate's next numbers. */
async function byIsolate(records: Records, strict: boolean, intake: Intake): Promise<Response> {
  const { executor, producer, queue } = intake;
  // No await from here to `advance`: another request would take the same numbers.
  const id = producer.next;
  const arrival = intake.clock.now();
  const reading = executor.read(records.arrivals, `${id.producer}.${id.sequence}`, arrival);
  const outcome = outcomeOf(records, reading);
  checkOutcome(outcome, strict);
  const identity = {
    ...id,
    kind: ProducerKind.isolate,
    arrival,
    before: producer.counted,
    single: false,
  };
  const packed = tooLarge(() => executor.pack(reading, identity, queue.limits));
  producer.advance(packed.segments.length, reading.accepted);
  await send(packed, intake, { by: "isolate" });
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
): Promise<Response> {
  const { executor, queue } = intake;
  const arrival = intake.clock.now();
  const reading = executor.read(records.arrivals, `${claim.producer}.${claim.sequence}`, arrival);
  const outcome = outcomeOf(records, reading);
  try {
    checkOutcome(outcome, strict, claim);
  } catch (refusal) {
    await send(empty(claim, arrival, intake), intake, claim);
    throw refusal;
  }
  const packed = tooLarge(() => executor.pack(reading, clientIdentity(claim, arrival), queue.limits));
  await send(packed, intake, claim);
  return accepted(outcome, ticket(intake, packed));
}

/** The client names its request, and the gate turns the name into numbers; it is asked only when there is something to send. */
async function byKey(
  records: Records,
  strict: boolean,
  intake: Intake,
  hash: string,
  admitted: () => Promise<SegmentId>,
): Promise<Response> {
  const { executor, queue } = intake;
  const arrival = intake.clock.now();
  const reading = executor.read(records.arrivals, hash, arrival);
  const outcome = outcomeOf(records, reading);
  checkOutcome(outcome, strict);
  const id = await admitted();
  let packed: Packed;
  try {
    packed = tooLarge(() => executor.pack(reading, clientIdentity(id, arrival), queue.limits));
  } catch (refusal) {
    // The gate's number is taken: were it never sent, the shards would wait for it.
    if (refusal instanceof Problem) await send(empty(id, arrival, intake), intake, { by: "key", hash });
    throw refusal;
  }
  await send(packed, intake, { by: "key", hash });
  return accepted(outcome, ticket(intake, packed));
}

function clientIdentity({ producer, sequence }: SegmentId, arrival: number) {
  return { producer, sequence, kind: ProducerKind.client, arrival, before: 0, single: true };
}

/** A segment with nothing in it: its number counts as used. */
function empty(id: SegmentId, arrival: number, { executor, queue }: Intake): Packed {
  return executor.pack(executor.read([], "", arrival), clientIdentity(id, arrival), queue.limits);
}

async function send(packed: Packed, intake: Intake, claim: Claim): Promise<void> {
  const { executor, group, queue, random, waitUntil } = intake;
  const { plan, fingerprint, source } = executor;
  const header = { generation: plan.generation, fingerprint, source: source.name };
  await sending(() => group.send(packed, header, queue, waitUntil), claim, random);
}

function ticket({ executor }: Intake, { segments }: Packed): string {
  return encodeTicket(ticketOf(executor.source.name, segments));
}
