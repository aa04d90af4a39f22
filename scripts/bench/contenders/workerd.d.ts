/** The one class of the platform that a contender extends: the bench is checked as a Node program, which knows none. */
declare module "cloudflare:workers" {
  export class DurableObject<Env = unknown> {
    protected readonly ctx: import("./platform.ts").ObjectState;
    protected readonly env: Env;
    constructor(ctx: import("./platform.ts").ObjectState, env: Env);
  }
}
