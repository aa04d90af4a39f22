/** The test projects: what runs in Node, inside workerd, against whole Workers, in a browser, and in the type checker. */
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const workerd = ["test/**/*.workerd.test.ts"];
const endToEnd = ["test/e2e/**/*.test.ts"];
/** What waits more than it works, for slow operators and for holds of the dead. */
const waiting = ["test/e2e/{event-time,exercises,exercises-page}.test.ts"];
const browser = ["test/browser/**/*.test.ts"];

// Vitest warns that type tests are experimental and asks to pin its version, which this project does.
process.env.VITEST_DISABLE_EXPERIMENTAL_LOG = "1";

export default defineConfig({
  // Quiet about dependencies that name source maps which they do not ship.
  logLevel: "error",
  test: {
    reporters: [
      "default",
      ...(process.env.GITHUB_ACTIONS ? ["github-actions"] : []),
      "./test/support/summary-reporter.ts",
    ],
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...workerd, ...endToEnd, ...browser],
          maxWorkers: "100%",
          // The order of the projects is spelled out, since with one core Vitest's own order is another one.
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./workers/operator/wrangler.toml" } })],
        logLevel: "error",
        test: {
          name: "workerd",
          include: workerd,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "e2e-waiting",
          include: waiting,
          // Side by side they take what the longest of them takes.
          maxWorkers: 3,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "e2e",
          include: endToEnd,
          exclude: waiting,
          // Each file starts whole Workers: side by side they would compete for the cores and time out.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "browser",
          include: browser,
          globalSetup: ["./test/browser/setup.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 5 },
        },
      },
      {
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ["test/**/*.test-d.ts"],
            tsconfig: "./tsconfig.node.json",
            // `npm run types` reports those; here they would only hide which promise broke.
            ignoreSourceErrors: true,
          },
        },
      },
    ],
  },
});
