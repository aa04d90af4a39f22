/** Ports: the terminal's requests to the API. */
import { getJson, postJson } from "../../api/client.ts";
import type { Accepted, EntriesAnswer, Ticket, WindowsAnswer } from "../../api/types.ts";
import type { Ports } from "./follow.ts";

export const ports: Ports = {
  post: (source, text, idempotencyKey) =>
    postJson<Accepted>(`/v1/sources/${encodeURIComponent(source)}`, text, {
      "content-type": "text/plain",
      "idempotency-key": idempotencyKey,
    }),
  ticket: (id) => getJson<Ticket>(`/v1/tickets/${id}`),
  async value({ view, windowed }, key) {
    const address = `/v1/views/${encodeURIComponent(view)}`;
    if (windowed) {
      const query = new URLSearchParams({ key, from: "-1h" });
      const { entries } = await getJson<WindowsAnswer>(`${address}?${query}`);
      const last = entries.toSorted((a, b) => Date.parse(a.window.start) - Date.parse(b.window.start)).at(-1);
      return last === undefined ? undefined : { view, key, value: last.value, window: last.window };
    }
    // The first key with this prefix is the key itself, if it is there; that it is not there is no error.
    const query = new URLSearchParams({ prefix: key, limit: "1" });
    const { entries } = await getJson<EntriesAnswer>(`${address}?${query}`);
    const [first] = entries;
    return first?.key === key ? { view, key, value: first.value } : undefined;
  },
  now: () => Date.now(),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
