// The page of a recording: `loam report --html`, and of two: `loam diff --html`.

import { showPage } from "../components/page.tsx";
import { count, of, time } from "../lib/format.ts";
import { loadReport, type Report } from "../report/data.ts";
import { showDiff } from "../report/diff.tsx";
import { FlameSection } from "../report/flame.tsx";
import { LifetimesSection, lifetimesSay } from "../report/lifetimes.tsx";
import { NotesSection, OwnersSection, ProcessesSection, ThreadsSection } from "../report/processes.tsx";
import { RamSection, ramSay } from "../report/ram.tsx";
import { LeaksSection, leaksSay, SitesSection } from "../report/sites.tsx";
import { SizesSection, sizesSay } from "../report/sizes.tsx";
import { TimelineSection } from "../report/timeline.tsx";
import { Top } from "../report/top.tsx";

function sub(report: Report) {
    const { started_ms, duration_ns, status, processes_count } = report.data;
    const parts = [
        new Date(started_ms).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }),
        duration_ns > 0 ? time(duration_ns) : "cut short",
        status ?? "did not end",
    ];
    if (processes_count > 1) parts.push(count(processes_count) + " processes");
    return parts.join(" · ");
}

const report = loadReport();
const { data } = report;

function showReport(): void {
    showPage({
        kind: "memory report",
        title: data.command,
        sub: sub(report),
        top: <Top report={report} />,
        sections: [
            {
                id: "flame",
                title: "Flame graph",
                says: "width is memory; click or press Enter to zoom",
                body: <FlameSection report={report} first="peak" />,
            },
            data.totals.leaked && data.totals.leaked.bytes > 0 && {
                id: "leaks",
                title: "Leaks",
                says: leaksSay(report),
                body: <LeaksSection report={report} />,
            },
            report.sitesCount > 0 && {
                id: "sites",
                title: "Sites",
                says: `${of(report.sitesCount, "distinct stack")} that allocated; open one for its stack`,
                body: <SitesSection report={report} />,
            },
            data.timeline && {
                id: "timeline",
                title: "Timeline",
                says: "move the slider to see who held what; drag in the plot to zoom, double click to go back",
                body: <TimelineSection report={report} />,
            },
            data.ram && data.ram.highest && {
                id: "rss",
                title: "RSS",
                says: ramSay(report),
                body: <RamSection report={report} />,
            },
            data.lifetimes && data.lifetimes.blocks.some((b) => b > 0) && {
                id: "lifetimes",
                title: "Lifetimes",
                says: lifetimesSay(report),
                body: <LifetimesSection report={report} />,
            },
            data.totals.capacity > data.totals.alloc_bytes && {
                id: "sizes",
                title: "Sizes",
                says: sizesSay(report),
                body: <SizesSection report={report} />,
            },
            data.owners.length > 0 && {
                id: "owners",
                title: "Owners",
                says: "regions, pools and the like, which cut blocks into objects of their own",
                body: <OwnersSection report={report} />,
            },
            data.processes.length > 1 && {
                id: "processes",
                title: "Processes",
                says: `${count(data.processes_count)} recorded`,
                body: <ProcessesSection report={report} />,
            },
            data.threads.length > 1 && {
                id: "threads",
                title: "Threads",
                says: "what each did itself; what one allocated another may have freed",
                body: <ThreadsSection report={report} />,
            },
            data.notes.length > 0 && {
                id: "notes",
                title: "Notes",
                says: "what to know before trusting the numbers",
                body: <NotesSection notes={data.notes} />,
            },
        ],
        end: `Written by loam ${data.loam}. Sizes are decimal: 1 kB is 1,000 bytes. This file needs no network.`,
    });
}

if (data.diff) showDiff(report);
else showReport();
