/** The ingest Worker: the public door. */

import type { IngestEnv } from "../../src/cloudflare/ingest/app.ts";
import { ingestApp } from "../../src/cloudflare/ingest/app.ts";
import { plan } from "../jobs/index.ts";

export default ingestApp({ plan }) satisfies ExportedHandler<IngestEnv>;
