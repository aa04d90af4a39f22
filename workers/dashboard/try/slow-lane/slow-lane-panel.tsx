/** SlowLanePanel: feeds a stage faster than it works, and shows what its queue, its mark and its ledger say of it. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { describe } from "../../api/problem.ts";
import { Button } from "../../parts/button.tsx";
import { Card } from "../../parts/card.tsx";
import { formatNumber } from "../../parts/format.ts";
import type { Tone } from "../../parts/pill.tsx";
import { Pill } from "../../parts/pill.tsx";
import { useNow } from "../../parts/time.tsx";
import { link } from "../../route.ts";
import { useHealth } from "../../state/health.ts";
import { FeedNote } from "../feed/feed-note.tsx";
import type { FeedState } from "../feed/feed-state.ts";
import { RateSlider } from "../feed/rate-slider.tsx";
import { useTemplates } from "../feed/templates.ts";
import { useFeeder } from "../feed/use-feeder.ts";
import type { SlowStage } from "../sources.ts";
import type { Look } from "./backlog.ts";
import { withLook } from "./backlog.ts";
import { BacklogChart } from "./backlog-chart.tsx";
import type { Ledger } from "./ledger.ts";
import { isEven, ledgerOf, since, withUnheard } from "./ledger.ts";
import { LedgerText } from "./ledger-text.tsx";

const MAX_RATE = 100;
/** Small requests: it is messages that wait, and each is one. */
const PER_REQUEST = 5;

export function SlowLanePanel({ slow }: { readonly slow: SlowStage }): JSX.Element {
  const { source, stage, highWater, job } = slow;
  const rate = useSignal(40);
  const looks = useSignal<readonly Look[]>([]);
  const before = useSignal<Ledger | undefined>(undefined);
  const templates = useTemplates();
  const trouble = useSignal<string | undefined>(undefined);
  const feeder = useFeeder();
  const state = feeder.state.value;
  const { health, rates } = useHealth();
  const now = useNow();
  const queueOf = (name: string) => health?.queues.find((queue) => queue.name === name)?.backlog?.messages;
  const waiting = queueOf(stage);
  useEffect(() => {
    if (waiting !== undefined) looks.value = withLook(looks.value, { at: Date.now(), messages: waiting });
  }, [health, waiting, looks]);

  const total = health && ledgerOf(health, slow);
  const ledger =
    total && before.value && withUnheard(since(before.value, total), before.value.inFlight + state.accepted);
  const start = async () => {
    trouble.value = undefined;
    try {
      const template = await templates.ask(source);
      if (template === null) {
        trouble.value = `The source ${source} takes no pages: feed it with the generator and a template.`;
        return;
      }
      before.value = total;
      feeder.start({ source, template, rate: () => rate.value, perRequest: PER_REQUEST });
    } catch (thrown) {
      trouble.value = describe(thrown);
    }
  };
  const phase = phaseOf(state, { stage: waiting ?? 0, source: queueOf(source) ?? 0, highWater }, ledger);

  return (
    <Card
      title="The slow lane"
      class="try-slow"
      hint={
        <>
          {`The stage ${stage} of the job `}
          <a href={link({ page: "graph", job })}>{job}</a>
          {
            " really waits for each event, one at a time. Feed it faster than it works, watch its queue fill up to its mark, and let go."
          }
        </>
      }
      actions={<Pill tone={phase.tone}>{phase.name}</Pill>}
    >
      <div class="try-controls">
        <RateSlider
          label="Events a second"
          value={rate.value}
          max={MAX_RATE}
          onChange={(value) => (rate.value = value)}
        />
        <Button
          kind={state.running ? "plain" : "strong"}
          onClick={() => (state.running ? feeder.stop() : void start())}
        >
          {state.running ? "Stop feeding" : "Feed it"}
        </Button>
      </div>
      <BacklogChart looks={looks.value} highWater={highWater} refusals={state.refusals} now={now} />
      <dl class="try-facts">
        <Fact name="Waiting" id="waiting">
          {waiting === undefined ? "–" : `${formatNumber(waiting)} of ${highWater} messages`}
        </Fact>
        <Fact name="The source's own queue">
          {queueOf(source) === undefined ? "–" : formatNumber(queueOf(source) ?? 0)}
        </Fact>
        <Fact name="The stage works off">{`${formatNumber(Math.round(rates.applied(source, stage)))}/s`}</Fact>
        <Fact name="Refused (429)" id="refused">
          {formatNumber(state.refusalCount)}
        </Fact>
      </dl>
      <LedgerText accepted={state.accepted} ledger={ledger} even={phase.even} />
      <FeedNote state={state} {...(trouble.value === undefined ? {} : { trouble: trouble.value })} />
    </Card>
  );
}

function Fact({
  name,
  id,
  children,
}: {
  readonly name: string;
  readonly id?: string;
  readonly children: string;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-fact={id}>{children}</dd>
    </div>
  );
}

interface Phase {
  readonly name: string;
  readonly tone: Tone;
  /** Everything has been worked off. */
  readonly even: boolean;
}

function phaseOf(
  { running, accepted, waitingUntil, startedAt }: FeedState,
  waiting: Readonly<Record<"stage" | "source" | "highWater", number>>,
  ledger: Ledger | undefined,
): Phase {
  const over = waiting.stage >= waiting.highWater;
  // What others had put into the queues before, no shard has told of.
  const empty = waiting.stage + waiting.source === 0;
  const even = !running && accepted > 0 && empty && ledger !== undefined && isEven(ledger);
  if (running && (waitingUntil !== undefined || over)) return { name: "over its mark", tone: "bad", even };
  if (running)
    return {
      name: waiting.stage > 1 ? "filling" : "keeping up",
      tone: waiting.stage > 1 ? "busy" : "good",
      even,
    };
  if (even) return { name: "recovered", tone: "good", even };
  if (startedAt > 0 && accepted > 0) return { name: "draining", tone: "busy", even };
  return { name: "at rest", tone: "quiet", even };
}
