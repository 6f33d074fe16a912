// Bars that lie: a label, a bar, a number. With `low` and `high` a whisker for the interval.

import type { ComponentChildren } from "preact";
import { size } from "../lib/format.ts";
import "./bars.css";

export interface Bar {
    label: ComponentChildren;
    value: number;
    low?: number;
    high?: number;
    note?: ComponentChildren;
    /** 1 to 8 */
    colour?: number;
    title?: string;
}

export function Bars({ bars, words = size, max }: { bars: Bar[]; words?: (n: number) => string; max?: number }) {
    const most = max ?? Math.max(1e-12, ...bars.map((b) => b.high ?? b.value));
    const at = (n: number) => `${Math.max(0, Math.min(100, (100 * n) / most))}%`;
    return (
        <div class="bars" role="list">
            {bars.map((b) => (
                <div style="display:contents" role="listitem" title={b.title}>
                    <div class="bars-label">{b.label}</div>
                    <div class="bars-track" aria-hidden="true">
                        <div class="bars-fill" style={`width:${at(b.value)};--key:var(--series-${b.colour ?? 1})`} />
                        {b.low !== undefined && b.high !== undefined && (
                            <div class="bars-whisker" style={`left:${at(b.low)};width:calc(${at(b.high)} - ${at(b.low)})`} />
                        )}
                    </div>
                    <div class="bars-value">
                        {words(b.value)}
                        {b.note && <span class="bars-note">{b.note}</span>}
                    </div>
                </div>
            ))}
        </div>
    );
}
