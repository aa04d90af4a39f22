/** The query Worker: reads the views of the registered jobs. */
import { queryApp } from "../../src/cloudflare/query/app.ts";
import { plan } from "../jobs/index.ts";

export default queryApp({ plan }) satisfies ExportedHandler<QueryEnv>;
