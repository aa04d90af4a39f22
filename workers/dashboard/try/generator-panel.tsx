/** GeneratorPanel: feeds a source at a rate that one sets, and shows what becomes of it. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { describe } from "../api/problem.ts";
import { Button } from "../parts/button.tsx";
import { Card } from "../parts/card.tsx";
import { formatNumber, formatRate, formatSpan } from "../parts/format.ts";
import { Pill } from "../parts/pill.tsx";
import { Stat } from "../parts/stat.tsx";
import { useNow } from "../parts/time.tsx";
import { useHealth } from "../state/health.ts";
import { FeedNote } from "./feed/feed-note.tsx";
import { acceptedRate, median } from "./feed/feed-state.ts";
import { RateSlider } from "./feed/rate-slider.tsx";
import { PLACEHOLDERS } from "./feed/template.ts";
import { useTemplates } from "./feed/templates.ts";
import { useFeeder } from "./feed/use-feeder.ts";
import { SourceChoice } from "./source-choice.tsx";
import type { OpenSource } from "./sources.ts";

const MAX_RATE = 1_000;

export function GeneratorPanel({ sources }: { readonly sources: readonly OpenSource[] }): JSX.Element {
  const chosen = useSignal<string | undefined>(undefined);
  const rate = useSignal(20);
  const written = useSignal<string | undefined>(undefined);
  const source = sources.find(({ name }) => name === chosen.value) ?? sources[0];
  const templates = useTemplates();
  const trouble = useSignal<string | undefined>(undefined);
  const feeder = useFeeder();
  const state = feeder.state.value;
  const { health } = useHealth();
  const now = useNow();
  const field = useId();
  const backlog = health?.queues.find(({ name, kind }) => kind === "source" && name === source?.name);
  const template = source === undefined ? undefined : templates.of(source.name);
  const own = written.value ?? source?.example ?? "";
  const ready = template !== null || own.trim() !== "";
  const p50 = median(state.posts);

  const start = async () => {
    if (source === undefined) return;
    trouble.value = undefined;
    try {
      const made = (await templates.ask(source.name)) ?? own;
      if (made.trim() === "") trouble.value = `${source.name} takes no pages: say what one event looks like.`;
      else feeder.start({ source: source.name, template: made, rate: () => rate.value });
    } catch (thrown) {
      trouble.value = describe(thrown);
    }
  };

  return (
    <Card
      title="Generator"
      class="try-generator"
      hint={
        template === null
          ? "Sends events made from your template, several times a second."
          : "Sends views of twenty made-up pages under /try, a few of them much more often than the others."
      }
      actions={
        <Pill tone={state.running ? (state.waitingUntil === undefined ? "good" : "busy") : "quiet"}>
          {state.running ? (state.waitingUntil === undefined ? "feeding" : "told to wait") : "off"}
        </Pill>
      }
    >
      <div class="try-controls">
        <SourceChoice
          sources={sources}
          value={source}
          disabled={state.running}
          onChoose={(name) => {
            chosen.value = name;
            written.value = undefined;
            trouble.value = undefined;
          }}
        />
        <RateSlider
          label="Events a second"
          value={rate.value}
          max={MAX_RATE}
          onChange={(value) => (rate.value = value)}
        />
        <Button
          kind={state.running ? "plain" : "strong"}
          disabled={!state.running && !ready}
          onClick={() => (state.running ? feeder.stop() : void start())}
        >
          {state.running ? "Stop" : "Start"}
        </Button>
      </div>
      {template === null ? (
        <div class="field try-template">
          <label for={field}>
            One event, as text or JSON; placeholders: <code>{PLACEHOLDERS.join(" ")}</code>
          </label>
          <input
            id={field}
            type="text"
            spellcheck={false}
            autocomplete="off"
            placeholder='{"sensor": "s{random}", "value": {random}, "time": {now}}'
            value={own}
            disabled={state.running}
            onInput={(event) => (written.value = event.currentTarget.value)}
          />
        </div>
      ) : null}
      <dl class="stats">
        <Stat
          label="Accepted now"
          value={formatRate(state.running ? acceptedRate(state, now) : 0)}
          unit="/s"
        />
        <Stat label="Accepted" value={<span data-fact="accepted">{formatNumber(state.accepted)}</span>} />
        <Stat
          label="Refused"
          value={formatNumber(state.refusalCount)}
          unit={state.refusalCount === 1 ? "request" : "requests"}
          {...(state.refusalCount > 0 ? { tone: "busy" as const } : {})}
        />
        <Stat label="Request, median" value={p50 === undefined ? "–" : formatSpan(p50)} />
        <Stat
          label="Waiting in its queue"
          value={backlog?.backlog == null ? "–" : formatNumber(backlog.backlog.messages)}
          unit={backlog?.backlog?.messages === 1 ? "message" : "messages"}
        />
      </dl>
      {state.rejected + state.unanswered === 0 ? null : (
        <p class="hint">
          {state.rejected === 0 ? "" : `${formatNumber(state.rejected)} events were rejected. `}
          {state.unanswered === 0
            ? ""
            : `Of ${formatNumber(state.unanswered)} events nobody said whether they arrived.`}
        </p>
      )}
      <FeedNote state={state} {...(trouble.value === undefined ? {} : { trouble: trouble.value })} />
    </Card>
  );
}
