/** ArticlePage: the ideas of the article "Hello, Streaming Systems!", each beside the running system that carries it out. */
import type { JSX } from "preact";
import { link } from "../route.ts";
import { useHealth } from "../state/health.ts";
import { useJobs } from "../state/jobs.ts";
import { Comparison } from "./comparison/comparison.tsx";
import { Contents } from "./contents.tsx";
import { hasSlowLane, keyedViews, toldBy } from "./deployment.ts";
import { Exercises } from "./exercises/exercises.tsx";
import { Excerpt, Idea } from "./idea.tsx";
import { JourneyPanel } from "./journey/journey-panel.tsx";
import { LoopPanel } from "./journey/loop-panel.tsx";
import { Blocks } from "./live/blocks.tsx";
import { Needs } from "./live/needs.tsx";
import { PipelinePanel } from "./live/pipeline-panel.tsx";
import { QueuePanel } from "./live/queue-panel.tsx";

const IDEAS = [
  { id: "waiting", title: "To wait, or to be told" },
  { id: "queue", title: "A queue in between" },
  { id: "pipeline", title: "Source, stream, operator" },
  { id: "blocks", title: "Five building blocks" },
  { id: "loop", title: "The executor’s loop" },
  { id: "journey", title: "The journey of one event" },
  { id: "exercises", title: "Six exercises" },
  { id: "further", title: "What real work needs" },
] as const;

type IdeaId = (typeof IDEAS)[number]["id"];

function titled(id: IdeaId): { readonly id: IdeaId; readonly title: string } {
  return { id, title: IDEAS.find((idea) => idea.id === id)?.title ?? id };
}

export function ArticlePage(): JSX.Element {
  const { jobs, views, problem } = useJobs();
  const health = useHealth();
  const told = toldBy(jobs);
  const keyed = keyedViews(told?.first ?? [], views);
  const here = { told, jobs, views, health: health.health };
  return (
    <article class="article">
      <header class="article-head">
        <h1>Streaming, by looking at it</h1>
        <p class="lede">
          The article “Hello, Streaming Systems!” builds a streaming system from nothing, to count the views
          of a site’s pages. Here its ideas stand beside a system that runs: this one. Every number below
          comes from it, now, and below each idea is the file that carries it out.
        </p>
      </header>
      <div class="article-body">
        <Contents ideas={IDEAS} />
        <div class="ideas">
          <Idea
            {...titled("waiting")}
            wide
            files={[
              "workers/jobs/slow-lane/slow-lane-job.ts",
              "src/cloudflare/ingest/app.ts",
              "src/cloudflare/query/tickets.ts",
            ]}
            live={<Comparison source={told?.source} slow={hasSlowLane(jobs)} />}
          >
            <p>
              The plain way to count a view is to do it while the visitor waits: the request goes to the
              backend, the backend works, the answer comes. As long as there is little to do, nothing is
              simpler, and the result is there with the answer. But the visits queue up all the same, in front
              of the backend, and each visitor stands in that queue himself. If the work becomes slow, all of
              them do.
            </p>
            <Excerpt name="synchronous" />
            <p>
              A streaming system moves the queue behind the answer. The visit is written down, the visitor
              hears that it is safe (202), and the work is done in its turn. Nothing is done faster by that.
              What changes is who waits, and that a busy hour is work for later instead of an error.
            </p>
          </Idea>
          <Idea
            {...titled("queue")}
            files={["src/engine/memory-queue.ts", "src/cloudflare/queue.ts"]}
            live={<QueuePanel health={health.health} />}
          >
            <p>
              The article’s stream is a queue in memory: first in, first out, with room for so many. In a
              test, or with the job starter, ours is just that. Deployed, it is a queue that survives its
              machines, and that has a price: it delivers at least once, and in any order.
            </p>
            <p>
              So order ends at the queue. Behind it, nothing may depend on what came first: the events of one
              request keep the order of their key, whatever goes by time has its time from before the queue,
              and counts do not mind.
            </p>
            <Excerpt name="queue" />
          </Idea>
          <Idea
            {...titled("pipeline")}
            files={["workers/jobs/clickstream/clickstream-job.ts", "src/engine/source-executor.ts"]}
            live={<PipelinePanel told={told} known={jobs !== undefined} problem={problem} health={health} />}
          >
            <p>
              A source takes in what comes from outside, a stream carries it, an operator does something with
              it. That is the whole shape, and it stays the same when there are more of each: a stream may
              have several readers, an operator may feed another, and neither knows of the others.
            </p>
            <p>
              A visit enters at the left and never goes back. That is why each part can fail, wait or be
              replaced by itself.
            </p>
          </Idea>
          <Idea
            {...titled("blocks")}
            files={["src/event.ts", "src/source.ts", "src/stream.ts", "src/operator.ts", "src/job.ts"]}
            live={<Blocks told={told} />}
          >
            <p>
              Five words are enough to write any such system down, and each is a file. Who uses them writes a
              source, an operator and the job that connects them; what runs them is somebody else’s code, and
              the same job runs in a test, on this server and on many machines.
            </p>
            <p>Where the running job has one of them, it is named beside it.</p>
          </Idea>
          <Idea
            {...titled("loop")}
            files={["src/engine/operator-executor.ts", "src/engine/shard/commit.ts"]}
            live={<LoopPanel told={told} views={keyed} health={health.health} />}
          >
            <p>
              What makes it run is a loop that knows nothing of clicks: take what is there, apply the
              operator, hand on what it emits, and again. The article’s executor takes one event; ours takes a
              batch, and tells the queue that it is done only after every shard has written its part down. If
              it dies before that, the queue delivers again, and the shards skip what they have.
            </p>
            <Excerpt name="loop" />
          </Idea>
          <Idea
            {...titled("journey")}
            files={[
              "src/engine/source-executor.ts",
              "src/engine/shard/shard.ts",
              "src/cloudflare/query/tickets.ts",
            ]}
            live={<JourneyPanel told={told} views={keyed} />}
          >
            <p>
              Send a view and watch where it is. The answer 202 comes with a ticket, and the ticket can be
              asked at any time what became of the event: in flight, or applied, by which shard, with which
              commit, and when. What a ticket calls applied is in the view, for everybody.
            </p>
            <p>
              More of it, with many events at once, is on{" "}
              <a href={link({ page: "try" })}>the page to try it</a>.
            </p>
          </Idea>
          <Idea
            {...titled("exercises")}
            wide
            files={["workers/jobs/exercises/README.md"]}
            live={<Exercises {...here} />}
          >
            <p>
              The article ends with six things to try. Each is a job here, with tests, that runs alone with
              one command; some of them run in this deployment as well.
            </p>
          </Idea>
          <Idea
            {...titled("further")}
            wide
            files={[
              "src/engine/shard/shard.ts",
              "src/cloudflare/objects/gate.ts",
              "src/cloudflare/high-water.ts",
            ]}
            live={<Needs {...here} />}
          >
            <p>
              The article’s system fits on a page, and leaves out what makes the difference between an example
              and something to rely on. This is what it names at its end, and where it stands here.
            </p>
          </Idea>
        </div>
      </div>
    </article>
  );
}
