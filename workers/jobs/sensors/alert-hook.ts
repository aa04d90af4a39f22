/** AlertHook: posts alerts to whoever is to be told, if the deployment says who that is. */
import type { SinkBatch, SinkContext } from "../../../src/index.ts";
import { Sink, webhook } from "../../../src/index.ts";
import type { Alert } from "./pollution-alerts.ts";

/** Without it nothing is posted: alerts are in their view all the same. */
export const HOOK_URL = "ALERTS_URL";
/** The signing secret, `whsec_` and base64; see `webhook`. It must be set where the URL is. */
export const HOOK_SECRET = "ALERTS_SECRET";

export class AlertHook extends Sink<Alert> {
  readonly #webhook: Sink<Alert>;

  constructor(name: string) {
    const hook = webhook<Alert>(name, { url: { env: HOOK_URL }, secret: { env: HOOK_SECRET } });
    super(name, hook.options);
    this.#webhook = hook;
  }

  async write(batch: SinkBatch<Alert>, context: SinkContext): Promise<void> {
    if (context.env[HOOK_URL] === undefined) return;
    await this.#webhook.write(batch, context);
  }
}
