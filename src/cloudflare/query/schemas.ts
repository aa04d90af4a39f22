/** The shapes of all answers: the OpenAPI document is generated from them, and tests hold real answers against them. */
export * from "./schemas/dead-letters.ts";
export * from "./schemas/erasures.ts";
export * from "./schemas/health.ts";
export * from "./schemas/jobs.ts";
export { problemSchema } from "./schemas/shared.ts";
export * from "./schemas/tickets.ts";
export * from "./schemas/views.ts";
