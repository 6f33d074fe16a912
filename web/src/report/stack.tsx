// A stack as people read it: innermost first, the program's own lines strong.

import { type Frame, where } from "./data.ts";
import "./stack.css";

export function Stack({ frames }: { frames: Frame[] }) {
    if (frames.length === 0) return <p class="stack-none">The stacks that found no room in the recording.</p>;
    return (
        <ol class="stack">
            {[...frames].reverse().map((f) => (
                <li class={f.own ? "stack-own" : ""} title={f.file || f.module}>
                    <code class="stack-function">{f.name}</code>
                    <span class="stack-where">{where(f)}{f.inlined && " (inlined)"}</span>
                </li>
            ))}
        </ol>
    );
}

/** A site in one line: its function and where that stands. */
export function Place({ frame }: { frame: Frame | undefined }) {
    if (!frame) return <span class="stack-where">other stacks</span>;
    return (
        <span class="place" title={`${frame.name}  ${frame.file || frame.module}`}>
            <code class="place-function">{frame.name}</code>{" "}
            <span class="stack-where">{where(frame)}</span>
        </span>
    );
}
