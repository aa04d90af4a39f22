/** Kinds: what each kind of node is, in a word and in a sentence. */

const WORDS: Readonly<Record<string, string>> = {
  keyBy: "key by",
  flatMap: "flat map",
  sideOutput: "late events",
  pull: "pull source",
};

const SENTENCES: Readonly<Record<string, string>> = {
  source: "Takes events in over HTTP and puts them into its queue.",
  pull: "Asks somebody else for events, by the one shard that holds its offset.",
  stage: "Has a queue of its own in front of it: what is slow here waits here, and holds nobody else up.",
  aggregate: "Keeps one value for each key, in shards; each event changes the value of its key once.",
  window: "Keeps one value for each key and window of time, in shards.",
  process: "Keeps whatever state its code wants for each key, in shards, and may set timers.",
  sink: "Collects what it is given and delivers it to the outside, in batches.",
  filter: "Lets some events through.",
  map: "Makes one event of each.",
  keyBy: "Says by which key events go to shards: those of one key always to the same.",
  union: "Puts streams together.",
  sideOutput: "The events that came too late for their windows.",
};

export function kindWord(kind: string): string {
  return WORDS[kind] ?? kind;
}

/** Steps with names of the user's own are stateless operators. */
export function kindSentence(kind: string): string {
  return SENTENCES[kind] ?? "A stateless operator.";
}
