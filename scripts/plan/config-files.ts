/** Compares the wrangler configs on disk with the plan, and writes them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../../src/index.ts";
import { messageOf } from "../../src/index.ts";
import { cutAtMarker, generatedPart, MARKER, sinkBindingsOf, type WorkerName, workers } from "./configs.ts";
import { difference } from "./difference.ts";
import { CommandError } from "./failure.ts";

const REMEDY = "npm run plan -- --write";

/** What is wrong with each config, as text that names the file and the remedy; empty when all agree with the plan. */
export function checkConfigs(root: string, plan: Plan): string[] {
  return workers.flatMap(({ name, config }) => {
    const { above, below } = cutAtMarker(read(root, config));
    const wanted = generatedPart(name, plan);
    if (below === undefined) {
      return [`${config} has no marker line, so nothing in it follows from the plan: ${REMEDY}\n+ ${MARKER}`];
    }
    const taken = takenBinding(name, config, above, plan);
    if (taken !== undefined) return [taken];
    const actual = below.replaceAll("\r\n", "\n");
    if (actual === wanted) return [];
    return [`${config} is not what the plan asks for: ${REMEDY}\n${difference(actual, wanted).join("\n")}`];
  });
}

/**
 * Writes the generated part of each config; what is above the marker stays as it is.
 *
 * @returns the configs that changed.
 * @throws CommandError when a config has queues but no marker: what of it is hand-written is not for us to guess; or when
 * a sink wants a binding that the hand-written part has.
 */
export function writeConfigs(root: string, plan: Plan): string[] {
  // All are computed before the first is written, so that a failure leaves none half in step.
  const texts = workers.map(({ name, config }) => {
    const old = read(root, config);
    const { above, below } = cutAtMarker(old);
    const wanted = generatedPart(name, plan);
    if (below === undefined && /^\s*\[\[queues\./m.test(old)) {
      throw new CommandError(
        `${config} has queues but no marker line: put this line above the part that follows from the plan, and run ${REMEDY} again.\n${MARKER}`,
      );
    }
    const taken = takenBinding(name, config, above, plan);
    if (taken !== undefined) throw new CommandError(taken);
    if (below !== undefined && above.endsWith("\n")) return { config, old, text: above + wanted };
    const gap = below !== undefined ? "\n" : above.endsWith("\n") ? `\n${MARKER}\n` : `\n\n${MARKER}\n`;
    return { config, old, text: above + gap + wanted };
  });
  const changed = texts.filter(
    ({ old, text }) => old.replaceAll("\r\n", "\n") !== text.replaceAll("\r\n", "\n"),
  );
  for (const { config, text } of changed) writeFileSync(join(root, config), text);
  return changed.map(({ config }) => config);
}

/** What is wrong when a sink wants a name that something hand-written has in the Worker's environment. */
function takenBinding(worker: WorkerName, config: string, above: string, plan: Plan): string | undefined {
  const taken = sinkBindingsOf(worker, plan).find(({ binding }) =>
    new RegExp(`\\b(binding|name) = "${binding}"|^${binding} =`, "m").test(above),
  );
  if (taken === undefined) return undefined;
  return `${config} has something else under ${taken.binding} already, which the sink "${taken.sinks[0]}" wants for itself: give the sink's binding another name.`;
}

function read(root: string, config: string): string {
  try {
    return readFileSync(join(root, config), "utf8");
  } catch (thrown) {
    throw new CommandError(`${config} cannot be read: ${messageOf(thrown)}.`);
  }
}
