/** Idea: one idea of the article: its words, the running system beside them, and the files that carry it out. */
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import type { ExcerptName } from "./excerpts.ts";
import { dedented, EXCERPTS } from "./excerpts.ts";
import type { FilePath } from "./files.ts";

export interface IdeaProps {
  /** Of its place on the page: `#/article?at=queue`. */
  readonly id: string;
  readonly title: string;
  readonly files: readonly FilePath[];
  /** The words. */
  readonly children: ComponentChildren;
  /** The running system. */
  readonly live?: ComponentChildren;
  /** What is live needs the whole width. */
  readonly wide?: boolean;
}

export function Idea({ id, title, files, children, live, wide = false }: IdeaProps): JSX.Element {
  const heading = useId();
  return (
    <section id={placeOf(id)} class={`idea ${wide ? "idea-wide" : ""}`} aria-labelledby={heading}>
      <div class="idea-words">
        <h2 id={heading} tabIndex={-1}>
          {title}
        </h2>
        {children}
        <Files files={files} />
      </div>
      {live === undefined ? null : <div class="idea-live">{live}</div>}
    </section>
  );
}

/** The element of an idea. */
export function placeOf(id: string): string {
  return `idea-${id}`;
}

function Files({ files }: Pick<IdeaProps, "files">): JSX.Element {
  return (
    <p class="idea-files">
      <span class="idea-files-label">In the code:</span>{" "}
      {files.map((file, i) => (
        <>
          {i === 0 ? "" : ", "}
          <File path={file} />
        </>
      ))}
    </p>
  );
}

/** A path in this project. */
export function File({ path }: { readonly path: FilePath }): JSX.Element {
  return <code class="file">{path}</code>;
}

export interface PanelProps {
  readonly title: string;
  readonly hint?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A part of the running system. */
export function Panel({ title, hint, children }: PanelProps): JSX.Element {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {children}
      {hint === undefined ? null : <p class="panel-hint">{hint}</p>}
    </section>
  );
}

/** Some lines of the code that runs. */
export function Excerpt({ name }: { readonly name: ExcerptName }): JSX.Element {
  const { file, code } = EXCERPTS[name];
  return (
    <figure class="excerpt">
      <pre>
        <code>{dedented(code)}</code>
      </pre>
      <figcaption>
        <File path={file} />
      </figcaption>
    </figure>
  );
}
