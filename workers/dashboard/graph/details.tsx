/** Details: everything that is known of one node, beside the drawing; on a phone it comes from below. */
import type { JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { View } from "../api/types.ts";
import { Button } from "../parts/button.tsx";
import { link } from "../route.ts";
import { DeadLetters } from "./dead-letters.tsx";
import type { Fact } from "./fact-list.tsx";
import { FactList } from "./fact-list.tsx";
import type { NodeFacts } from "./facts.ts";
import { kindSentence, kindWord } from "./kinds.ts";
import { LevelMark } from "./level-mark.tsx";
import type { GraphNode } from "./model.ts";
import { eventTimeFacts, flowFacts, jobFacts, queueFacts, sinkFacts, windowFacts } from "./node-facts.ts";
import { ShardsTable } from "./shards-table.tsx";
import { stepsWord } from "./words.ts";

export interface DetailsProps {
  readonly node: GraphNode;
  readonly facts: NodeFacts;
  /** What its state is read by. */
  readonly view: View | undefined;
  readonly onClose: () => void;
}

export function Details({ node, facts, view, onClose }: DetailsProps): JSX.Element {
  const title = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  // Another node is another panel, though it is the same element.
  useEffect(() => heading.current?.focus(), [node.name]);
  return (
    <section class="graph-details" aria-labelledby={title}>
      <header class="graph-details-head">
        <p class="graph-kind">{node.type === "steps" ? "stateless" : kindWord(node.kind)}</p>
        <Button kind="quiet" label="Close the details" class="graph-close" onClick={onClose}>
          ✕
        </Button>
        <h2 id={title} ref={heading} tabIndex={-1}>
          {stepsWord(node)}
        </h2>
      </header>
      {node.type === "steps" ? (
        <Steps node={node} facts={facts} />
      ) : (
        <Known node={node} facts={facts} view={view} />
      )}
    </section>
  );
}

type StepsNode = Extract<GraphNode, { type: "steps" }>;

function Steps({ node, facts }: { readonly node: StepsNode; readonly facts: NodeFacts }): JSX.Element {
  return (
    <>
      <p>
        Runs in front of whoever reads it, in the same call: it has no shard, no queue and no counter of its
        own, and nothing can wait here.
      </p>
      <FactList facts={flowFacts(facts)} />
      <FactList
        title={node.steps.length === 1 ? "Step" : "Steps, one after the other"}
        facts={node.steps.map(({ name, kind }): Fact => [name, `${kindWord(kind)}. ${kindSentence(kind)}`])}
      />
    </>
  );
}

interface KnownProps {
  readonly node: Exclude<GraphNode, StepsNode>;
  readonly facts: NodeFacts;
  readonly view: View | undefined;
}

function Known({ node, facts, view }: KnownProps): JSX.Element {
  const { shards, pressure } = facts;
  const names = node.type === "source" ? node.source : node.operator.stage;
  const queues = names === undefined ? [] : [names.queue, names.deadLetterQueue];
  return (
    <>
      <p>{kindSentence(node.kind)}</p>
      <p class="graph-reason">
        <LevelMark pressure={pressure} /> {pressure.reason}
      </p>
      {view === undefined ? null : (
        <p>
          <a href={link({ page: "view", view: view.view })}>See its values</a>
        </p>
      )}
      <FactList title="What flows" facts={flowFacts(facts)} />
      {node.type === "operator" ? (
        <DeadLetters key={node.name} of={{ operator: node.name }} count={facts.totals?.dead} />
      ) : null}
      <FactList title="Event time" facts={eventTimeFacts(facts)} />
      {view?.window === undefined ? null : <FactList title="Windows" facts={windowFacts(view.window)} />}
      <FactList title="Queue" facts={queueFacts(node, facts)} />
      {queues.length === 0 ? null : <DeadLetters key={`${node.name} messages`} of={{ queues }} />}
      <FactList title="Delivery" facts={sinkFacts(facts)} />
      {shards.length === 0 ? null : (
        <>
          <h3>Shards</h3>
          <ShardsTable operator={node.name} shards={shards} />
        </>
      )}
      <FactList title="As the job says" facts={jobFacts(node)} />
    </>
  );
}
