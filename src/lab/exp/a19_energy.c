// A19 energy: what an instruction costs in joules, where that can be read.

#include "lab/lab.h"

#include <stdlib.h>

static const char counter[] = "/sys/class/powercap/intel-rapl:0/energy_uj";

static double joules(void)
{
    char line[32];
    return machine_line(counter, line, sizeof line) ? strtod(line, NULL) * 1e-6 : -1;
}

static void spin(u64 ns)
{
    u64 until = clock_ns() + ns, x = 1;
    while (clock_ns() < until) {
        for (u32 i = 0; i < 1000; i++) {
            x = x * 3 + 1;
            UNKNOWN(x);
        }
    }
}

static void run(struct lab *l)
{
    lab_cannot(l, "arm_saves",
               "it takes an ARM and an x86 machine side by side, and a power meter");
    double before = joules();
    if (before < 0) {
        lab_note(l,
                 "This machine shows no energy counter (%s): a guest's host keeps it, and "
                 "otherwise only root may read it.",
                 counter);
        return;
    }
    spin(200000000);
    lab_measured(l, "package_watts", stat_exact((joules() - before) / 0.2), "W");
}

static const struct claim claims[] = {
    {S3, "topic 2", "ARM against x86", "more energy-efficient", "arm_saves", 0, 0, NULL},
};

LAB_EXPERIMENT(A19) = {
    .question = "Is ARM more energy-efficient than x86?",
    .prediction = "The text says so; it depends on the chip, not on the instruction set.",
    .method = "One machine cannot compare two. Where the processor counts its energy (RAPL) and "
              "shows it, the power of this package under load is told.",
    .look = "The reason. A number without its opposite would be no answer.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
