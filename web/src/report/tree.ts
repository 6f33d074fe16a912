// From sites to the tree that a flame graph shows, from outside in or from inside out.

import type { Frame, Report } from "./data.ts";

export interface Node {
    name: string;
    frame: Frame | null;
    value: number;
    /** What ends here and does not go on in a child. */
    self: number;
    children: Node[];
    parent: Node | null;
    depth: number;
    /** The site that gives this node the most. */
    site: number;
    siteValue: number;
}

interface Growing extends Node {
    byName: Map<number, Growing>;
}

function fresh(name: string, frame: Frame | null, parent: Growing | null): Growing {
    return {
        name, frame, parent, value: 0, self: 0, children: [], depth: parent ? parent.depth + 1 : 0,
        site: -1, siteValue: 0, byName: new Map(),
    };
}

function add(node: Growing, value: number, site: number): void {
    node.value += value;
    if (value > node.siteValue) {
        node.siteValue = value;
        node.site = site;
    }
}

// A function called from two lines of one caller is one box: lines would split what belongs
// together. Recursion stays: its depth is often the answer.
function childOf(node: Growing, f: Frame): Growing {
    let child = node.byName.get(f.fn);
    if (!child) {
        child = fresh(f.name, f, node);
        node.byName.set(f.fn, child);
        node.children.push(child);
    }
    return child;
}

function finish(root: Growing): void {
    const all: Growing[] = [root];
    for (let i = 0; i < all.length; i++) {
        const n = all[i];
        n.children.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
        all.push(...(n.children as Growing[]));
    }
}

function addRest(node: Growing, value: number): void {
    const small = node.byName.get(-1) ?? fresh("(smaller sites)", null, node);
    if (!node.byName.has(-1)) {
        node.byName.set(-1, small);
        node.children.push(small);
    }
    small.value += value;
}

/** `sign`: in a diff, 1 for what grew and -1 for what shrank; each is a tree of its own. */
export function buildTree(report: Report, measure: number, inverse: boolean, rootName: string, sign = 1): Node {
    const root = fresh(rootName, null, null);
    for (let s = 0; s < report.rowsCount; s++) {
        const value = sign * report.value(s, measure);
        if (value <= 0) continue;
        const rest = s >= report.sitesCount;
        // Where the stack of a rest ends is not where it allocated: from inside out it has no path.
        const stack = rest && inverse ? [] : report.stack(s);
        let at = root;
        add(at, value, s);
        for (let i = 0; i < stack.length; i++) {
            at = childOf(at, stack[inverse ? stack.length - 1 - i : i]);
            add(at, value, s);
        }
        if (rest) addRest(at, value);
        else at.self += value;
    }
    finish(root);
    return root;
}
