/**
 * CPU estimate: what Workers take of CPU time, which no code in them can see.
 *
 * The two figures are about what the whole local process takes in `npm run bench` (BENCHMARKS.md, "Throughput", 200 URLs), its
 * simulated queue and its shards among them, on the slower of the machines that it ran on: more than Workers are billed for.
 */
export const CPU_MS_A_REQUEST = 0.3;
export const CPU_MS_AN_EVENT = 0.001;

/** @param requests to Workers: those that bring events, and batches. @returns milliseconds. */
export function estimatedCpu(requests: number, events: number): number {
  return requests * CPU_MS_A_REQUEST + events * CPU_MS_AN_EVENT;
}
