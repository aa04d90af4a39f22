/** Main: puts the live page into its document. */
import "./style/tokens.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/components.css";
import "./style/overview.css";
import "./style/charts.css";
import "./style/views.css";
import "./style/graph.css";
import "./style/graph-details.css";
import "./style/try.css";
import "./style/article.css";
import { render } from "preact";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
}
