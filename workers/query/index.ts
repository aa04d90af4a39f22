/** The query Worker: reads the views of the registered jobs. */
import { queryApp } from "../../src/cloudflare/query/app.ts";
import { addSynchronous } from "../article/synchronous-route.ts";
import { plan } from "../jobs/index.ts";

const app = queryApp({ plan });
addSynchronous(app, (env) => (env as QueryEnv).SYNCHRONOUS);

export default app satisfies ExportedHandler<QueryEnv>;
