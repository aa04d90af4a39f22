/** Banner: what runs, where, and what to do with it. */
import path from "node:path";
import type { Lineage } from "./lineage.ts";

export interface BannerFacts {
  readonly url: URL;
  readonly tcpPort: number;
  /** Absolute. */
  readonly stateDir: string;
  /** Where the files of buckets are copied to, absolute; undefined where there are no buckets. */
  readonly filesDir?: string | undefined;
  readonly lineage: Lineage;
}

export function banner({ url, tcpPort, stateDir, filesDir, lineage }: BannerFacts): string {
  const { view } = lineage;
  const { name, job, source } = lineage.source;
  const http = `http://localhost:${url.port}`;
  const { example } = source;
  return `
Millrace counts here until Ctrl-C: the job ${job}, fed by the source ${name}.

  HTTP   ${http}
  TCP    localhost:${tcpPort}
  state  ${shortest(stateDir)}
${filesDir === undefined ? "" : `  files  ${shortest(filesDir)}, a copy of what the job's sinks have written\n`}
Type ${example === undefined ? "an event" : `a line like ${example}`} and press Enter. Or, in another terminal:

  nc localhost ${tcpPort}
  curl -H 'content-type: text/plain' -d '${example ?? "…"}' ${http}/v1/sources/${name}
${view === undefined ? "" : `  curl '${http}/v1/views/${view}?top=10'\n`}
`;
}

/** From where the user is, unless it is elsewhere. */
function shortest(folder: string): string {
  const relative = path.relative(process.cwd(), folder);
  return relative.startsWith("..") ? folder : relative || ".";
}
