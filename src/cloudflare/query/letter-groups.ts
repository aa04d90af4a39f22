/** Letter groups: the places that keep dead letters, each shard and the graveyard, behind one contract. */
import { Problem, shorten } from "../http/problem.ts";
import type { BuriedEntry, NumberedDeadLetter, ShardRpc } from "../rpc.ts";
import type { QueryContext, QueryEnv } from "./env.ts";
import { ask, askGraveyard } from "./shards.ts";

export type Letter =
  | { readonly kind: "event"; readonly number: number; readonly letter: NumberedDeadLetter }
  | { readonly kind: "message"; readonly number: number; readonly message: BuriedEntry };

export interface LetterGroup {
  /** Whose letters it keeps; absent for buried messages. */
  readonly operator?: string;
  /** `page-views/3` or `messages`; with a number behind it, the id of a letter. */
  readonly name: string;
  /** By number, above `after`. @throws Problem 503. */
  list(after: number, limit: number): Promise<Letter[]>;
  /** @returns how many were sent again. @throws Problem 503. */
  redrive(numbers: readonly number[]): Promise<number>;
}

/** All groups in the order in which letters are listed. */
export function letterGroups(env: QueryEnv, context: QueryContext): LetterGroup[] {
  const groups = [...context.plan.operators.values()].flatMap((operator) =>
    Array.from({ length: operator.shards }, (_, shard): LetterGroup => {
      const askThis = <T>(question: (rpc: ShardRpc) => Promise<T>) =>
        ask(env, context, operator, shard, question);
      return {
        operator: operator.name,
        name: `${operator.name}/${shard}`,
        list: async (after, limit) => {
          const letters = await askThis((rpc) => rpc.deadLetters(after, limit));
          return letters.map((letter) => ({ kind: "event", number: letter.number, letter }));
        },
        redrive: (numbers) => askThis((rpc) => rpc.redrive(numbers)),
      };
    }),
  );
  groups.push({
    name: "messages",
    list: async (after, limit) => {
      const messages = await askGraveyard(env, context, (rpc) => rpc.list(after, limit));
      return messages.map((message) => ({ kind: "message", number: message.number, message }));
    },
    redrive: (numbers) => askGraveyard(env, context, (rpc) => rpc.redrive(numbers)),
  });
  return groups;
}

/** Which letters are meant; all when nothing is said. */
export interface LetterChoice {
  readonly kind?: Letter["kind"] | undefined;
  readonly operator?: string | undefined;
}

/** @throws Problem 400 for an operator that the plan does not have, or that goes with messages. */
export function chosenGroups(
  groups: readonly LetterGroup[],
  { kind, operator }: LetterChoice,
): readonly LetterGroup[] {
  if (operator !== undefined && kind === "message") {
    throw new Problem(400, "operator: buried messages belong to a queue, not to an operator");
  }
  const chosen = groups.filter(
    (group) =>
      (kind === undefined || (kind === "message") === (group.operator === undefined)) &&
      (operator === undefined || group.operator === operator),
  );
  if (operator !== undefined && chosen.length === 0) {
    throw new Problem(400, `operator: there is none named ${JSON.stringify(shorten(operator))}`);
  }
  return chosen;
}

/** The group's name and the number in an id; undefined when it is none. */
export function parseLetterId(id: string): { group: string; number: number } | undefined {
  const [, group, digits] = /^([a-z][a-z0-9-]*\/\d{1,3}|messages)\/([1-9]\d{0,14})$/.exec(id) ?? [];
  return group === undefined ? undefined : { group, number: Number(digits) };
}
