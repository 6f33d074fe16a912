// The page of a recording: `loam report --html`, and of two: `loam diff --html`.

import { showPage } from "../components/page.tsx";
import { count, of, time } from "../lib/format.ts";
import { loadReport, type Report } from "../report/data.ts";
import { FlameSection } from "../report/flame.tsx";
import { NotesSection, ProcessesSection } from "../report/processes.tsx";
import { LeaksSection, leaksSay, SitesSection } from "../report/sites.tsx";
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
            body: <FlameSection report={report} />,
        },
        data.totals.leaked && data.totals.leaked.bytes > 0 && {
            id: "leaks",
            title: "Leaks",
            says: leaksSay(report),
            body: <LeaksSection report={report} />,
        },
        {
            id: "sites",
            title: "Sites",
            says: `${of(report.sitesCount, "distinct stack")} that allocated; open one for its stack`,
            body: <SitesSection report={report} />,
        },
        data.processes.length > 1 && {
            id: "processes",
            title: "Processes",
            says: `${count(data.processes_count)} recorded`,
            body: <ProcessesSection report={report} />,
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
