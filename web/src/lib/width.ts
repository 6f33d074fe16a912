// The width of an element, followed as the window changes.

import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

export function useWidth(ref: RefObject<HTMLElement | null>): number {
    const [width, set] = useState(0);
    useLayoutEffect(() => {
        const e = ref.current;
        if (!e) return;
        const measure = () => set(Math.floor(e.clientWidth));
        measure();
        const observer = new ResizeObserver(measure);
        observer.observe(e);
        return () => observer.disconnect();
    }, []);
    return width;
}
