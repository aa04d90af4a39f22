/** MemoryQueue does what every EventQueue must do. */
import { MemoryQueue } from "../../src/engine/memory-queue.ts";
import { eventQueueSuite } from "./event-queue.ts";

const batchSize = 4;
const exceptions = { "delays retries": "a memory queue has no reason to wait" };

eventQueueSuite("MemoryQueue", { ordered: true, batchSize, exceptions }, () => {
  const queue = new MemoryQueue();
  return { queue, deliver: (consume) => queue.deliver(batchSize, consume) };
});
