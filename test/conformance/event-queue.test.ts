/** MemoryQueue does what every EventQueue must do. */
import { MemoryQueue } from "../../src/engine/memory-queue.ts";
import { eventQueueSuite } from "./event-queue.ts";

eventQueueSuite("MemoryQueue", { ordered: true }, () => {
  const queue = new MemoryQueue();
  return { queue, deliver: (max, consume) => queue.deliver(max, consume) };
});
