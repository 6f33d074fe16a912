// Colours of frames: the program's own code warm, libraries pale and alike within one library,
// what has no name grey. The lightness comes from the theme.

import type { Frame } from "./data.ts";

function hash(text: string): number {
    let h = 2166136261;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
    return h >>> 0;
}

export function frameColour(f: Frame | null): string {
    if (!f) return "var(--flame-root)";
    if (f.nameless) return "var(--flame-grey)";
    if (f.own) return `hsl(${18 + (hash(f.name) % 32)} var(--flame-own-s) var(--flame-own-l))`;
    return `hsl(${150 + (hash(f.module) % 120)} var(--flame-lib-s) var(--flame-lib-l))`;
}

/** Green for less, red for more, stronger the larger its part of the largest. */
export function changeColour(value: number, most: number): string {
    if (value === 0 || most === 0) return "var(--flame-grey)";
    const part = Math.min(1, Math.abs(value) / most);
    return `hsl(${value > 0 ? 10 : 150} ${25 + 45 * part}% var(--flame-own-l))`;
}
