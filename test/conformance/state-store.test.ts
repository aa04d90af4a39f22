/** MemoryStore does what every StateStore must do. */
import { MemoryStore } from "../../src/state/memory-store.ts";
import { stateStoreSuite } from "./state-store.ts";

stateStoreSuite("MemoryStore", (body) => body(new MemoryStore()));
