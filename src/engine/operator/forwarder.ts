/**
 * Forwarder: hands what a batch holds for stages on to their queues, under the identity that it came with.
 *
 * Segments that hold nothing for a stage travel along bare, so that the stage's shards can close their prefixes; those
 * that nothing goes with wait for the next message, or are forgotten with the isolate, which costs a shard some bits.
 */
import { byteLength } from "../../byte-length.ts";
import type { Plan, StagePlan } from "../../plan.ts";
import type { SealedSegment } from "../envelope.ts";
import { bytesInMessage, encodeSealed } from "../envelope.ts";
import type { EventQueue } from "../event-queue.ts";
import type { Message } from "./message.ts";

/** A queue bills by 64 KB; a message that is larger was so when it came. */
const MESSAGE_BYTES = 60_000;
const MAX_BARE = 200;

interface Group {
  readonly stage: StagePlan;
  readonly header: { readonly generation: number; readonly fingerprint: string; readonly source: string };
  readonly segments: SealedSegment[];
  readonly messages: Set<Message>;
}

export class Forwarder {
  readonly #plan: Plan;
  readonly #queue: (stage: StagePlan) => EventQueue;
  readonly #bare = new Map<string, SealedSegment[]>();

  constructor(plan: Plan, queue: (stage: StagePlan) => EventQueue) {
    this.#plan = plan;
    this.#queue = queue;
  }

  /** Sends what stages are to get. @param failed is told of each message of which something was not sent. */
  async forward(
    messages: readonly Message[],
    failed: (message: Message, error: unknown) => void,
  ): Promise<void> {
    const groups = this.#group(messages);
    await Promise.all(
      groups.map(async (group) => {
        try {
          await this.#send(group);
        } catch (error) {
          for (const message of group.messages) failed(message, error);
        }
      }),
    );
  }

  #group(messages: readonly Message[]): Group[] {
    const groups = new Map<string, Group>();
    for (const message of messages) {
      const { generation, fingerprint, source } = message.envelope;
      for (const segment of message.segments) {
        for (const stage of this.#stagesOf(source, segment)) {
          const id = `${stage.name} ${source} ${fingerprint}`;
          const parts = segment.parts.filter(({ operator }) => operator === stage.name);
          if (parts.length === 0) {
            const bare = this.#bare.get(id) ?? [];
            this.#bare.set(id, bare);
            if (bare.length < MAX_BARE) bare.push({ ...segment, parts });
            continue;
          }
          let group = groups.get(id);
          if (group === undefined) {
            group = { stage, header: { generation, fingerprint, source }, segments: [], messages: new Set() };
            groups.set(id, group);
          }
          group.segments.push({ ...segment, parts });
          group.messages.add(message);
        }
      }
    }
    for (const [id, group] of groups) {
      group.segments.push(...(this.#bare.get(id) ?? []));
      this.#bare.delete(id);
    }
    return [...groups.values()];
  }

  /** The stages that the source feeds now, and those that the segment was routed to: a deploy may lie between. */
  #stagesOf(source: string, segment: SealedSegment): StagePlan[] {
    const fed = this.#plan.sources.get(source)?.targets ?? [];
    const named = segment.parts.map(({ operator }) => this.#plan.operators.get(operator));
    return [...new Set([...fed, ...named])].filter((target) => target?.kind === "stage");
  }

  async #send({ stage, header, segments }: Group): Promise<void> {
    const queue = this.#queue(stage);
    const { limits } = queue;
    const messages: string[] = [];
    let sum = 0;
    let open: SealedSegment[] = [];
    const close = async () => {
      if (open.length === 0) return;
      const message = encodeSealed({ ...header, segments: open });
      open = [];
      const bytes = byteLength(message);
      if (messages.length === limits.messages || sum + bytes > limits.sendBytes) {
        await queue.send(messages.splice(0));
        sum = 0;
      }
      messages.push(message);
      sum += bytes;
    };
    let size = 0;
    for (const segment of segments) {
      const bytes = sizeOf(segment);
      if (size + bytes > MESSAGE_BYTES) {
        await close();
        size = 0;
      }
      open.push(segment);
      size += bytes;
    }
    await close();
    await queue.send(messages);
  }
}

function sizeOf({ parts }: SealedSegment): number {
  const contents = parts.flatMap(({ byShard }) => byShard.map(({ content }) => bytesInMessage(content)));
  return contents.reduce((sum, bytes) => sum + bytes + 50, 150);
}
