/** Blocks: the five building blocks: what each is, what it is called in the running job, and its code. */
import type { ComponentChildren, JSX } from "preact";
import type { Told } from "../deployment.ts";
import type { ExcerptName } from "../excerpts.ts";
import type { FilePath } from "../files.ts";
import { Excerpt, File } from "../idea.tsx";

interface Block {
  readonly word: string;
  readonly is: string;
  readonly file: FilePath;
  readonly excerpt: ExcerptName;
  readonly here: (told: Told) => ComponentChildren;
}

const BLOCKS: readonly Block[] = [
  {
    word: "Event",
    is: "Something that happened: a record that never changes, with an id, a time and, from a certain point on, a key.",
    file: "src/event.ts",
    excerpt: "event",
    here: ({ source }) => <>whatever comes in at {names([source])}</>,
  },
  {
    word: "Source",
    is: "Brings data in and makes events of it. It decides what is no event, and says why.",
    file: "src/source.ts",
    excerpt: "source",
    here: ({ job }) => names(job.sources.map(({ source }) => source)),
  },
  {
    word: "Stream",
    is: "What lies between two steps: events without an end. In the code it is an edge of the graph, and its type says what may follow.",
    file: "src/stream.ts",
    excerpt: "job",
    here: ({ job, source }) => {
      const queue = job.sources.find((one) => one.source === source)?.queue;
      return <>behind the source, the queue {names(queue === undefined ? [] : [queue])}</>;
    },
  },
  {
    word: "Operator",
    is: "Does something with each event: lets it pass, changes it, counts it. One that counts keeps a state for each key.",
    file: "src/operator.ts",
    excerpt: "operator",
    here: ({ job }) => names(job.operators.map(({ operator }) => operator)),
  },
  {
    word: "Job",
    is: "The graph of them, by name. The names stay: state, queues and addresses are found by them.",
    file: "src/job.ts",
    excerpt: "job",
    here: ({ job }) => names([job.job]),
  },
];

export function Blocks({ told }: { readonly told: Told | undefined }): JSX.Element {
  return (
    <dl class="blocks">
      {BLOCKS.map(({ word, is, file, excerpt, here }) => (
        <div key={word} class="block">
          <dt>{word}</dt>
          <dd>
            <p>{is}</p>
            <p class="block-here">
              Here: {told === undefined ? "–" : here(told)} · <File path={file} />
            </p>
            {word === "Job" ? null : (
              <details>
                <summary>The code</summary>
                <Excerpt name={excerpt} />
              </details>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function names(all: readonly string[]): ComponentChildren {
  return all.map((name, i) => (
    <>
      {i === 0 ? "" : ", "}
      <code key={name}>{name}</code>
    </>
  ));
}
