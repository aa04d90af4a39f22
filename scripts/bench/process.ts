/** Processes: what the operating system says a workerd used. Linux only; NaN elsewhere. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** The kernel's clock ticks a second, as user space has seen them for ever. */
const TICKS = 100;

/** The workerd processes that this process has started and that still run. */
export function workerds(): number[] {
  return pids().filter((pid) => {
    const status = statusOf(pid);
    return field(status, "Name") === "workerd" && Number(field(status, "PPid")) === process.pid;
  });
}

/** User and system time, all threads. */
export function cpuSeconds(pid: number): number {
  const fields = text(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident megabytes. */
export function memory(pid: number): number {
  return megabytes(pid, "VmRSS");
}

/** The most resident megabytes since `resetPeak`, or since the start where that is not allowed. */
export function peakMemory(pid: number): number {
  return megabytes(pid, "VmHWM");
}

export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // Then the peak is that of the whole life of the process.
  }
}

function megabytes(pid: number, name: string): number {
  return Number(/\d+/.exec(field(statusOf(pid), name))?.[0] ?? Number.NaN) / 1024;
}

function statusOf(pid: number): string {
  return text(`/proc/${pid}/status`);
}

function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
}

function pids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
