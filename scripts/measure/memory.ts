/** Memory of the local workerd, as the operating system sees it (Linux). */
import { readdir, readFile } from "node:fs/promises";

/** Resident megabytes of the workerd processes below this one; NaN where there is no /proc. */
export async function workerdMemory(): Promise<number> {
  let kilobytes = 0;
  try {
    for (const pid of await readdir("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      if (!/^Name:\tworkerd$/m.test(status)) continue;
      kilobytes += Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    }
  } catch {
    return Number.NaN;
  }
  return Math.round(kilobytes / 1024);
}
