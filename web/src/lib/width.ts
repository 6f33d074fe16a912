// The width of an element, followed as the window changes.

import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

const PAPER = 660;

export function useWidth(ref: RefObject<HTMLElement | null>): number {
    const [width, set] = useState(0);
    useLayoutEffect(() => {
        const e = ref.current;
        if (!e) return;
        const measure = () => set(Math.floor(e.clientWidth));
        measure();
        const observer = new ResizeObserver(measure);
        observer.observe(e);
        // Paper is narrower than most screens, and what is drawn does not shrink by itself.
        const shrink = () => set((w) => Math.min(w, PAPER));
        addEventListener("beforeprint", shrink);
        addEventListener("afterprint", measure);
        return () => {
            observer.disconnect();
            removeEventListener("beforeprint", shrink);
            removeEventListener("afterprint", measure);
        };
    }, []);
    return width;
}
