/** Banner: what runs, where, and what to do with it. */
import path from "node:path";
import type { Lineage } from "./lineage.ts";

export interface BannerFacts {
  readonly url: URL;
  readonly tcpPort: number;
  /** Absolute. */
  readonly stateDir: string;
  readonly lineage: Lineage;
}

export function banner({ url, tcpPort, stateDir, lineage }: BannerFacts): string {
  const { name, targets, job } = lineage.source;
  const http = `http://localhost:${url.port}`;
  const folder = path.relative(process.cwd(), stateDir);
  const [view] = targets;
  const example = name === "clicks" ? "/home" : "…";
  return `
Millrace counts here until Ctrl-C: the job ${job}, fed by the source ${name}.

  HTTP   ${http}
  TCP    localhost:${tcpPort}
  state  ${folder.startsWith("..") ? stateDir : folder || "."}

Type ${name === "clicks" ? "a page like /home" : "an event"} and press Enter. Or, in another terminal:

  nc localhost ${tcpPort}
  curl -H 'content-type: text/plain' -d '${example}' ${http}/v1/sources/${name}
${view === undefined ? "" : `  curl '${http}/v1/views/${view.name}?top=10'\n`}
`;
}
