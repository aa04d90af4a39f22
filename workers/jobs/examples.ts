/** The register of examples: `npm start -- --job sensors` runs one alone. They are no part of the deployment. */
import type { Plan } from "../../src/index.ts";
import { exercises } from "./exercises/index.ts";
import { queries } from "./nexmark/index.ts";
import * as sensors from "./sensors/sensors-job.ts";
import * as ysb from "./ysb/ysb-job.ts";

/** Each is a deployment of its own, with a state folder of its own. */
export interface Example {
  /** In this folder. A module that exports `plan`, like the register of the deployment. */
  readonly file: string;
  readonly plan: Plan;
  /** Variables of the shell that it reads, when they are set. */
  readonly variables?: readonly string[];
}

/** By the name of their job. */
export const examples: ReadonlyMap<string, Example> = new Map<string, Example>([
  ...[...exercises].map(
    ([name, { file, plan }]) => [name, { file: `exercises/${file}`, plan }] satisfies [string, Example],
  ),
  ["sensors", { file: "sensors/sensors-job.ts", ...sensors }],
  ["ysb", { file: "ysb/ysb-job.ts", ...ysb }],
  ...[...queries].map(
    ([name, { file, plan }]) => [name, { file: `nexmark/${file}`, plan }] satisfies [string, Example],
  ),
]);
